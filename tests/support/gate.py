"""Holds code in another process until the test lets it go on: an order of events where a pause would be a race."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PATIENCE = 30
"""Seconds after which what a test waits for will never happen."""


class Gate:
    """Whoever connects to its port waits there for the end of the connection, which comes when the gate is opened.

    Attributes:
        port: on 127.0.0.1; what is to be held is told it, in a query string for example.
    """

    def __init__(self) -> None:
        self.port = 0
        self._waiting: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        self._held: list[asyncio.StreamWriter] = []

    async def reached(self) -> None:
        """Wait until one more has come to the gate; it stays there."""
        self._held.append(await asyncio.wait_for(self._waiting.get(), PATIENCE))

    async def open(self) -> None:
        """Let one go on, the one that came first, waiting for it if need be."""
        if not self._held:
            await self.reached()
        self._held.pop(0).close()

    async def hold(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one that comes."""
        self._waiting.put_nowait(writer)

    def close(self) -> None:
        """Let all go on who are still there."""
        while not self._waiting.empty():
            self._held.append(self._waiting.get_nowait())
        for writer in self._held:
            writer.close()


@asynccontextmanager
async def gate() -> AsyncIterator[Gate]:
    """A gate that is closed until the test opens it, once for each who comes."""
    made = Gate()
    server = await asyncio.start_server(made.hold, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.close()


async def wait_at(port: int) -> None:
    """Wait at the gate with this port until it is opened."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.read()
    writer.close()
