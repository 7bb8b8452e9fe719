"""A container, a single server or a laptop: the app behind uvicorn, until it is told to stop."""

import contextlib
import logging
import signal
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from auth.loopback import is_loopback
from mcp_app.address import url_of
from mcp_app.app import create_app
from mcp_app.settings import Settings

logger = logging.getLogger(__name__)

GRACEFUL_SHUTDOWN_SECONDS = 25
# Above the load balancer's idle time-out (3600 s): else it may send a request into a connection that just closed here.
KEEP_ALIVE_SECONDS = 3610

Ready = Callable[[str], None]


class Server(uvicorn.Server):
    """uvicorn that tells when it answers, and always runs the lifespan to its end."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; a second Ctrl-C leaves requests behind, but never what the lifespan has to close."""
        await super().shutdown(sockets)
        if self.force_exit:
            await self.lifespan.shutdown()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one.

    Raises:
        OSError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=2048)
    # asyncio sets it only where a socket names its protocol; without it a kept connection's answers wait 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def origin(listener: socket.socket) -> str:
    """The http origin of a listening socket."""
    host, port = listener.getsockname()[:2]
    return url_of("http", host, port)


def run(settings: Settings, ready: Ready = lambda _url: None) -> None:
    """Serve until SIGINT or SIGTERM; then finish what is under way, for at most 25 seconds.

    Args:
        settings: `host` and `port` say where to listen.
        ready: called with the server's URL once it answers.

    Raises:
        OSError: the address cannot be had.
        SettingsError: the settings do not go together.
    """
    with listen(settings.host, settings.port) as listener:
        settings = _with_url(settings, origin(listener))
        url = settings.public_url or origin(listener)
        serve(create_app(settings), listener, lambda: _started(url, ready))
        logger.info("stopped")


def _started(url: str, ready: Ready) -> None:
    logger.info("serving at %s", url)
    ready(url)


def serve(app: ASGIApp, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve an app on a socket until a signal."""
    config = uvicorn.Config(
        app,
        access_log=False,
        lifespan="on",
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ws="none",
    )
    _let_streams_finish()
    # uvicorn raises the signal again after the shutdown that it asked for.
    with contextlib.suppress(KeyboardInterrupt):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        Server(config, ready).run([listener])


def _let_streams_finish() -> None:
    """Keep the library by which the SDK streams from cutting each stream when a signal comes; all of them end soon."""
    from sse_starlette.sse import AppStatus

    AppStatus.enable_automatic_graceful_drain = False


def _with_url(settings: Settings, url: str) -> Settings:
    known = settings.public_url is not None or not is_loopback(url)
    return settings if known else settings.replace(public_url=url)


if __name__ == "__main__":
    run(Settings.from_environment())
