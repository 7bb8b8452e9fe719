"""ASGI apps as real servers on loopback."""

import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
import uvicorn


@asynccontextmanager
async def serving(app: Any, **options: Any) -> AsyncIterator[str]:
    """Serve an app by uvicorn, in a thread of its own and on a free port, as long as the block lasts.

    Args:
        app: the ASGI app.
        options: uvicorn's, beside those set here.

    Yields:
        The base URL, without a trailing slash.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    # A client that leaves its connections open must not hold up the end of a test.
    settings = {"log_level": "critical", "timeout_graceful_shutdown": 1, **options}
    server = uvicorn.Server(uvicorn.Config(app, **settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        await _started(server, thread)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await anyio.to_thread.run_sync(thread.join)
        listener.close()


async def _started(server: uvicorn.Server, thread: threading.Thread) -> None:
    with anyio.fail_after(10):
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the server ended while it started")
            await anyio.sleep(0.005)
