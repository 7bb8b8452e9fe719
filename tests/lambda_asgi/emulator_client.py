"""What the emulator's tests share: an emulator of the toy runtime, and a client that sees how a response ends."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lambda_asgi.emulator import Emulator, FunctionConfig

TOYS = Path(__file__).parent / "toys"


class Lines(list):
    """What the emulator logged; a test can wait for a line."""

    def __init__(self):
        super().__init__()
        self._changed = asyncio.Event()

    def take(self, line):
        self.append(line)
        self._changed.set()

    async def until(self, text, times=1):
        async with asyncio.timeout(5):
            while sum(text in line for line in self) < times:
                self._changed.clear()
                await self._changed.wait()
        return next(line for line in self if text in line)

    def output(self):
        return [line.partition(" | ")[2] for line in self if " | " in line]


@asynccontextmanager
async def emulate(start="serve", **options) -> AsyncIterator[tuple[Emulator, Lines]]:
    """An emulator of the toy runtime, started as `start` says."""
    lines = Lines()
    config = FunctionConfig(
        f"toy.{start}", **{"task_root": TOYS, "wrapper": TOYS / "bootstrap", "timeout": 5, **options}
    )
    async with Emulator(config, log=lines.take) as emulator:
        yield emulator, lines


@dataclass
class Reply:
    """A response as it came: `complete` tells whether it ended as HTTP says; arrivals are epoch seconds."""

    status: int
    headers: dict[str, list[str]]
    body: bytes = b""
    complete: bool = True
    arrivals: list[tuple[float, bytes]] = field(default_factory=list)

    def json(self):
        return json.loads(self.body)

    @property
    def delay(self):
        """The longest that a piece was under way, in seconds; each piece is the time when it was sent."""
        return max(arrival - float(piece) for arrival, piece in self.arrivals)


class Client:
    """One kept-alive connection to a function URL."""

    def __init__(self, reader, writer, host):
        self.reader, self.writer, self.host = reader, writer, host

    async def send(self, target, method="GET", headers=(), body=b""):
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}", *(f"{name}: {value}" for name, value in headers)]
        lines += [f"Content-Length: {len(body)}"] if body or method == "POST" else []
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await self.writer.drain()

    async def receive(self, method="GET"):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        start, *lines = head[:-4].split("\r\n")
        reply = Reply(int(start.split()[1]), {})
        for line in lines:
            name, _, value = line.partition(": ")
            reply.headers.setdefault(name.lower(), []).append(value)
        if method != "HEAD" and reply.status not in {204, 304}:
            try:
                await self.receive_body(reply)
            except asyncio.IncompleteReadError as error:
                reply.body += error.partial
                reply.complete = False
        return reply

    async def receive_body(self, reply):
        if "content-length" in reply.headers:
            reply.body = await self.reader.readexactly(int(reply.headers["content-length"][0]))
            return
        assert reply.headers["transfer-encoding"] == ["chunked"]
        while size := int((await self.reader.readuntil(b"\r\n")), 16):
            piece = (await self.reader.readexactly(size + 2))[:-2]
            reply.arrivals.append((time.time(), piece))
            reply.body += piece
        await self.reader.readexactly(2)

    async def call(self, target, method="GET", headers=(), body=b""):
        await self.send(target, method, headers, body)
        return await self.receive(method)


@asynccontextmanager
async def connect(emulator) -> AsyncIterator[Client]:
    host, _, port = emulator.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=2**20)
    try:
        yield Client(reader, writer, f"{host}:{port}")
    finally:
        writer.close()


async def call(emulator, target, method="GET", headers=(), body=b"") -> Reply:
    """One request on a connection of its own."""
    async with connect(emulator) as client:
        return await client.call(target, method, headers, body)


async def promptest(emulator, target) -> Reply:
    """The first of three replies whose pieces all arrive within 20 ms: a busy machine may delay one, a buffer all."""
    for _ in range(3):
        reply = await call(emulator, target)
        if reply.delay < 0.02:
            break
    return reply
