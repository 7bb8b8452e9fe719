"""What the emulator's tests share: an emulator of the toy runtime, and a client that sees how a response ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lambda_asgi.emulator import Emulator, FunctionConfig, Limits
from tests.support.gate import PATIENCE

TOYS = Path(__file__).parent / "toys"
PATIENT = Limits(settle=PATIENCE, shutdown=PATIENCE)
"""Limits under which a sandbox may take its time to ask for its next invocation, and to end."""

Between = Callable[[], Awaitable[None]]


class Lines(list):
    """What the emulator logged; a test can wait for a line."""

    def __init__(self):
        super().__init__()
        self._changed = asyncio.Event()

    def take(self, line):
        self.append(line)
        self._changed.set()

    async def until(self, text, times=1):
        async with asyncio.timeout(PATIENCE):
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
    settings = {"task_root": TOYS, "wrapper": TOYS / "bootstrap", "timeout": 60, "limits": PATIENT, **options}
    config = FunctionConfig(f"toy.{start}", **settings)
    async with Emulator(config, log=lines.take) as emulator:
        yield emulator, lines


@dataclass
class Reply:
    """A response as it came, piece by piece: `complete` tells whether it ended as HTTP says."""

    status: int
    headers: dict[str, list[str]]
    body: bytes = b""
    complete: bool = True
    pieces: list[bytes] = field(default_factory=list)

    def json(self):
        return json.loads(self.body)


async def nothing():
    pass


class Client:
    """One kept-alive connection to a function URL; `between` is called as soon as a piece of a response came."""

    def __init__(self, reader, writer, host):
        self.reader, self.writer, self.host = reader, writer, host

    async def send(self, target, method="GET", headers=(), body=b""):
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}", *(f"{name}: {value}" for name, value in headers)]
        lines += [f"Content-Length: {len(body)}"] if body or method == "POST" else []
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await self.writer.drain()

    async def receive(self, method="GET", between=nothing):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        start, *lines = head[:-4].split("\r\n")
        reply = Reply(int(start.split()[1]), {})
        for line in lines:
            name, _, value = line.partition(": ")
            reply.headers.setdefault(name.lower(), []).append(value)
        if method != "HEAD" and reply.status not in {204, 304}:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self.receive_body(reply, between)
            except asyncio.IncompleteReadError as error:
                reply.body += error.partial
                reply.complete = False
        return reply

    async def receive_body(self, reply, between):
        if "content-length" in reply.headers:
            reply.body = await self.reader.readexactly(int(reply.headers["content-length"][0]))
            return
        assert reply.headers["transfer-encoding"] == ["chunked"]
        while size := int((await self.reader.readuntil(b"\r\n")), 16):
            piece = (await self.reader.readexactly(size + 2))[:-2]
            reply.pieces.append(piece)
            reply.body += piece
            await between()
        await self.reader.readexactly(2)

    async def call(self, target, method="GET", headers=(), body=b"", *, between=nothing):
        await self.send(target, method, headers, body)
        return await self.receive(method, between)


@asynccontextmanager
async def connect(emulator) -> AsyncIterator[Client]:
    host, _, port = emulator.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=2**20)
    try:
        yield Client(reader, writer, f"{host}:{port}")
    finally:
        writer.close()


async def call(emulator, target, method="GET", headers=(), body=b"", *, between: Between = nothing) -> Reply:
    """One request on a connection of its own."""
    async with connect(emulator) as client:
        return await client.call(target, method, headers, body, between=between)
