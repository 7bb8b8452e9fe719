"""Serves the sandbox in a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.app import create_app
from sandbox.sandbox import Sandbox


class _Server(uvicorn.Server):
    """uvicorn, but it ends at once, whatever is open."""

    def __init__(self, sandbox: Sandbox) -> None:
        app = create_app(sandbox, self.drop)
        super().__init__(
            uvicorn.Config(
                app, loop="asyncio", http="h11", ws="none", lifespan="off", access_log=False, log_config=None
            )
        )
        self.ready = threading.Event()
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """Stop serving; called from another thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ended.set)

    def drop(self, scope: Scope) -> None:
        """Close the connection that a request came by, once what was written to it is sent."""
        for connection in self.server_state.connections:
            if isinstance(connection, H11Protocol) and connection.client == scope["client"]:
                connection.transport.close()

    async def main_loop(self) -> None:
        """Wait for the end, instead of asking for it ten times a second."""
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything; what still answers learns that its client has left, and is cancelled if it goes on."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        tasks = list(self.server_state.tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=1)
            for task in late:
                task.cancel()


def _run(server: _Server, listener: socket.socket) -> None:
    try:
        server.run([listener])
    finally:
        server.ready.set()


@contextmanager
def running(host: str = "127.0.0.1", port: int = 0) -> Iterator[Sandbox]:
    """Serve a sandbox while the block runs.

    Args:
        host: address to bind; its URL names it too, or 127.0.0.1 for all addresses.
        port: to bind; 0 for any that is free.

    Yields:
        The sandbox, with its switches.

    Raises:
        OSError: the address is not there, or in use.
        RuntimeError: it did not start.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        # asyncio sets it only on sockets that name their protocol; without it answers on kept connections wait 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sandbox = Sandbox(_url(host, listener.getsockname()[1]))
        server = _Server(sandbox)
        thread = threading.Thread(target=_run, args=(server, listener), name="sandbox", daemon=True)
        thread.start()
        server.ready.wait()
        if not server.started:
            raise RuntimeError("the sandbox did not start")
        try:
            yield sandbox
        finally:
            server.end()
            thread.join()


def _url(host: str, port: int) -> str:
    known = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    return f"http://{f'[{known}]' if ':' in known else known}:{port}"
