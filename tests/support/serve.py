"""Any ASGI app behind a real uvicorn on loopback, in a thread of its own."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator

import anyio.to_thread
import httpx2
import uvicorn
from starlette.types import ASGIApp

from tests.support.gate import PATIENCE


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.decided = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.decided.set()

    async def main_loop(self) -> None:
        # uvicorn looks ten times a second whether to stop; tests start and stop servers by the hundred.
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            await asyncio.sleep(0.01)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        # uvicorn gives connections a tenth of a second, also where there is none.
        for listener in (*self.servers, *(sockets or [])):
            listener.close()
        await self.lifespan.shutdown()


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    with contextlib.suppress(SystemExit):  # how uvicorn ends when the app's lifespan failed
        server.run([listener])


@contextlib.contextmanager
def served(app: ASGIApp, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve an app while the block runs; yields its URL.

    Raises:
        RuntimeError: the app's lifespan failed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        # asyncio sets it only on sockets that name their protocol; without it each answer on a kept connection waits
        # 40 ms for an acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            app, access_log=False, log_config=None, server_header=False, timeout_graceful_shutdown=1, ws="none"
        )
        server = _Server(config)
        thread = threading.Thread(target=_run, args=(server, listener), daemon=True)
        thread.start()
        server.decided.wait()
        try:
            if not server.started:
                raise RuntimeError("the app did not start")
            yield f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextlib.asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """`served` for async tests: the test's own event loop never waits for the server's."""
    manager = served(app)
    url = await anyio.to_thread.run_sync(manager.__enter__)
    try:
        yield url
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(manager.__exit__, None, None, None)


@contextlib.contextmanager
def connected(app: ASGIApp) -> Iterator[httpx2.Client]:
    """A client of an app that is served while the block runs."""
    with served(app) as url, httpx2.Client(base_url=url, trust_env=False, timeout=PATIENCE) as client:
        yield client
