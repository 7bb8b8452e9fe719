"""A Runtime API on loopback that a test scripts: raw bytes in, whatever status the test wants out.

Invocations wait in a queue; each `Arrival` is one request of the runtime, recorded as it came, chunk by chunk.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.support.gate import PATIENCE

PREFIX = "/2018-06-01/runtime"


@dataclass
class Arrival:
    """One request as it came. `truncated` says that the connection ended before the body did."""

    method: str
    path: str
    headers: dict[str, str]
    connection: int
    chunks: list[bytes] = field(default_factory=list)
    trailers: dict[str, str] = field(default_factory=dict)
    truncated: bool = False
    size: int = 0
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def prelude(self) -> Any:
        return json.loads(self.body.partition(bytes(8))[0])

    @property
    def payload(self) -> bytes:
        return self.body.partition(bytes(8))[2]


@dataclass
class Invocation:
    request_id: str
    body: bytes
    lasting: float | None = 60.0
    headers: dict[str, str] = field(default_factory=dict)
    answered: asyncio.Queue[Arrival] = field(default_factory=asyncio.Queue)


@dataclass
class FakeRuntimeApi:
    """What to answer is in the public fields; each may be changed at any time."""

    port: int = 0
    prefix: str = ""
    arrivals: list[Arrival] = field(default_factory=list)
    queue: asyncio.Queue[Invocation] = field(default_factory=asyncio.Queue)
    next_script: list[str] = field(default_factory=list)
    """What the coming requests for /next get instead of an invocation: "204", "403", "500", "drop"."""
    response_status: int = 202
    refuse_after: int | None = None
    """Answer `response_status` as soon as so many bytes of a response came, and read no further."""
    stall_after: int | None = None
    """Stop reading a response when so many bytes of it came, until `read_on` is set."""
    stalled: asyncio.Event = field(default_factory=asyncio.Event)
    read_on: asyncio.Event = field(default_factory=asyncio.Event)
    chunked_next: bool = False
    drop_response: bool = False
    early: bool = False
    """Answer a response before its body was read."""
    extension: bool = True
    extension_status: int = 200
    restored: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    waiting: int = 0
    most_waiting: int = 0
    connections: int = 0
    _count: int = 0
    _open: dict[str, Invocation] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}{self.prefix}"

    def invoke(self, event: Any, lasting: float | None = 60.0, headers: dict[str, str] | None = None) -> Invocation:
        self._count += 1
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        invocation = Invocation(f"request-{self._count}", body, lasting, headers or {})
        self.queue.put_nowait(invocation)
        return invocation

    async def call(self, event: Any, *, lasting: float | None = 60.0, headers: dict[str, str] | None = None) -> Arrival:
        """Invoke and wait for the whole response."""
        return await self.whole(self.invoke(event, lasting, headers))

    async def whole(self, invocation: Invocation) -> Arrival:
        """Wait for the whole response to an invocation."""
        arrival = await asyncio.wait_for(invocation.answered.get(), PATIENCE)
        await asyncio.wait_for(arrival.complete.wait(), PATIENCE)
        return arrival

    def requests(self, path: str) -> list[Arrival]:
        return [arrival for arrival in self.arrivals if arrival.path.endswith(path)]

    async def seen(self, path: str, count: int = 1) -> Arrival:
        """Wait until so many requests for a path came; return the last of them, complete."""
        await self.until(lambda: len(self.requests(path)) >= count)
        arrival = self.requests(path)[count - 1]
        await asyncio.wait_for(arrival.complete.wait(), PATIENCE)
        return arrival

    async def idle(self) -> None:
        """Wait until the runtime asks for the next invocation and none is there."""
        await self.until(lambda: self.waiting > 0 and self.queue.empty())

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something is so; looked at whenever a request or a chunk comes."""
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(happened), PATIENCE)

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._serve_one(reader, writer, connection):
                pass
        writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.removesuffix("\r\n\r\n").split("\r\n")
        method, path, _ = line.split(" ")
        assert path.startswith(self.prefix), path
        headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in fields)}
        arrival = Arrival(method, path.removeprefix(self.prefix), headers, connection)
        self.arrivals.append(arrival)
        await self._tell()
        keep = await self._answer(arrival, reader, writer)
        await writer.drain()
        return keep and headers.get("connection") != "close"

    async def _answer(self, arrival: Arrival, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        path = arrival.path
        if path == f"{PREFIX}/invocation/next":
            arrival.complete.set()
            return await self._next(reader, writer)
        if path.endswith("/response"):
            return await self._response(arrival, reader, writer)
        await self._read_body(arrival, reader)
        arrival.complete.set()
        if path == f"{PREFIX}/restore/next":
            await self.restored.wait()
            return _reply(writer, 200)
        if path.startswith("/2020-01-01/extension"):
            return await self._extension(path, writer)
        if path.startswith(f"{PREFIX}/invocation/"):
            self._open.pop(path.split("/")[4]).answered.put_nowait(arrival)
        return _reply(writer, 202)

    async def _extension(self, path: str, writer: asyncio.StreamWriter) -> bool:
        if not self.extension:
            return _reply(writer, 404)
        if path.endswith("/register"):
            return _reply(writer, self.extension_status, {"Lambda-Extension-Identifier": "extension-1"})
        await asyncio.get_running_loop().create_future()
        return False

    async def _next(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if self.next_script:
            step = self.next_script.pop(0)
            return False if step == "drop" else _reply(writer, int(step))
        invocation = await self._take(reader)
        if invocation is None:
            return False
        self._open[invocation.request_id] = invocation
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            **({} if invocation.lasting is None else {"Lambda-Runtime-Deadline-Ms": _epoch_ms(invocation.lasting)}),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:f",
            "Lambda-Runtime-Trace-Id": f"Root=1-0-{invocation.request_id}",
            "Content-Type": "application/json",
        } | invocation.headers
        return _reply(writer, 200, headers, invocation.body, chunked=self.chunked_next)

    async def _take(self, reader: asyncio.StreamReader) -> Invocation | None:
        gone = asyncio.ensure_future(reader.read(1))
        taken = asyncio.ensure_future(self.queue.get())
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        await self._tell()
        try:
            await asyncio.wait({gone, taken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.waiting -= 1
            gone.cancel()
            await asyncio.wait({gone})
            taken.cancel()
        return taken.result() if taken.done() and not taken.cancelled() else None

    async def _response(self, arrival: Arrival, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        invocation = self._open.pop(arrival.path.split("/")[4])
        invocation.answered.put_nowait(arrival)
        if self.early:
            _reply(writer, self.response_status)
        try:
            whole = await self._read_body(arrival, reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            arrival.truncated = True
            return False
        finally:
            arrival.complete.set()
        if self.drop_response or self.early:
            return False
        _reply(writer, self.response_status)
        return whole

    async def _read_body(self, arrival: Arrival, reader: asyncio.StreamReader) -> bool:
        if "chunked" not in arrival.headers.get("transfer-encoding", ""):
            data = await reader.readexactly(int(arrival.headers.get("content-length", 0)))
            arrival.chunks = [data] if data else []
            return True
        async for chunk in _chunks(reader):
            arrival.chunks.append(chunk)
            arrival.size += len(chunk)
            await self._tell()
            if self.refuse_after is not None and arrival.size >= self.refuse_after:
                return False
            if self.stall_after is not None and arrival.size >= self.stall_after:
                self.stalled.set()
                await self.read_on.wait()
        arrival.trailers = await _trailers(reader)
        return True


def _epoch_ms(lasting: float) -> str:
    return str(int((time.time() + lasting) * 1000))


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readuntil(b"\r\n"), 16):
        data = await reader.readexactly(size)
        assert await reader.readexactly(2) == b"\r\n"
        yield data


async def _trailers(reader: asyncio.StreamReader) -> dict[str, str]:
    trailers = {}
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        name, _, value = line.decode("latin-1").strip().partition(": ")
        trailers[name.lower()] = value
    return trailers


def _reply(
    writer: asyncio.StreamWriter,
    status: int,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    *,
    chunked: bool = False,
) -> bool:
    if chunked:
        framing = {"Transfer-Encoding": "chunked"}
        half = len(body) // 2 or 1
        parts = [body[:half], body[half:]]
        body = b"".join(b"%X\r\n%b\r\n" % (len(part), part) for part in parts if part) + b"0\r\n\r\n"
    else:
        framing = {"Content-Length": str(len(body))}
    lines = [
        f"HTTP/1.1 {status} Status",
        *(f"{name}: {value}" for name, value in ({} | (headers or {}) | framing).items()),
    ]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    return True


@asynccontextmanager
async def runtime_api(**fields: Any) -> AsyncIterator[FakeRuntimeApi]:
    api = FakeRuntimeApi(**fields)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await api.serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 16)
    api.port = server.sockets[0].getsockname()[1]
    try:
        yield api
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
