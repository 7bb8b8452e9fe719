"""The one pool of outbound HTTP connections, with deadlines, retries and typed errors."""

import asyncio
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread

from mcp_app.clients.errors import BrokenOffError, OddAnswerError, SlowError, UnreachableError, status_error
from mcp_app.clients.retry import Failure, Retried, any_fault, pause, retry_after
from mcp_app.deadline import Deadline

if TYPE_CHECKING:
    import ssl

    import httpx2

logger = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 3.0
IDLE_SECONDS: Final = 5.0
"""How long an unused connection may be used again."""
MAX_ANSWER_BYTES: Final = 4_000_000
_SPARE_SECONDS: Final = 0.1
"""Left of the deadline for telling the caller that it has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request.

    Attributes:
        service: the service's name, for messages.
        params: of the query; pairs where a name is repeated.
        form: a body as `application/x-www-form-urlencoded`, instead of `json`.
        seconds: a limit of its own, beside the deadline.
        retried: answers after which it is sent again; None for what changes something upstream: it is sent once.
    """

    service: str
    url: str
    method: str = "GET"
    params: Mapping[str, str] | Sequence[tuple[str, str]] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    seconds: float | None = None
    retried: Retried | None = any_fault


class Http:
    """Sends calls; the client behind it is imported and made at the first one.

    Args:
        user_agent: what upstreams see; the National Weather Service wants to know whom to reach.
        wall_clock: epoch seconds.
        jitter: random numbers from 0 to 1.
    """

    def __init__(
        self,
        user_agent: str = "mcpx",
        wall_clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._user_agent = user_agent
        self._wall_clock = wall_clock
        self._jitter = jitter
        self._client: httpx2.AsyncClient | None = None
        self._making = anyio.Lock()
        self._under_way = 0
        self._last_used = 0.0

    async def json(self, call: Call, deadline: Deadline) -> Any:
        """The decoded JSON body of a 2xx answer.

        Raises:
            UpstreamError: anything else.
        """
        async with self.open(call, deadline) as response:
            if not response.is_success:
                raise self.error(call, response)
            return await decoded(call.service, response)

    def error(self, call: Call, response: "httpx2.Response") -> Exception:
        """The error that a response with an error status stands for."""
        return status_error(call.service, response.status_code, retry_after(response.headers, self._wall_clock()))

    @asynccontextmanager
    async def open(self, call: Call, deadline: Deadline) -> "AsyncIterator[httpx2.Response]":
        """Send a call, with retries, and give its response with the body still to be read, inside the deadline.

        Raises:
            UpstreamError: no answer in time or at all, also while the body is read.
        """
        client = await self._connected()
        with _translated(call.service), self._counted():
            async with (
                in_time(call.service, deadline, call.seconds) as end,
                aclosing(await self._respond(client, call, end)) as response,
            ):
                yield response

    async def aclose(self) -> None:
        """Close the connections; a later call makes new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _respond(self, client: "httpx2.AsyncClient", call: Call, deadline: Deadline) -> "httpx2.Response":
        retries = 0
        while True:
            response, failure = await self._attempt(client, call, deadline)
            wait = None
            if call.retried is not None:
                wait = pause(failure, retries, deadline.remaining(), self._jitter(), call.retried)
            if wait is None:
                if response is None:
                    raise BrokenOffError(call.service) if failure.sent else UnreachableError(call.service)
                return response
            if response is not None:
                await response.aclose()
            await anyio.sleep(wait)
            retries += 1

    async def _attempt(
        self, client: "httpx2.AsyncClient", call: Call, deadline: Deadline
    ) -> "tuple[httpx2.Response | None, Failure]":
        import httpx2

        limits = httpx2.Timeout(deadline.remaining() + _SPARE_SECONDS, connect=CONNECT_SECONDS)
        request = client.build_request(
            call.method,
            call.url,
            params=call.params if isinstance(call.params, Mapping) else list(call.params),
            headers=call.headers,
            json=call.json,
            data=call.form,
            timeout=limits,
        )
        try:
            response = await client.send(request, stream=True)
        except (httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.ConnectTimeout) as error:
            logger.warning("%s: %s", call.service, type(error).__name__)
            return None, Failure(None, sent=not isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout)))
        if response.is_error:
            level = logging.INFO if response.status_code == HTTPStatus.NOT_FOUND else logging.WARNING
            logger.log(level, "%s answered %d", call.service, response.status_code)
        return response, Failure(response.status_code, retry_after(response.headers, self._wall_clock()))

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._last_used = self._wall_clock()

    async def _connected(self) -> "httpx2.AsyncClient":
        """The client, with none of the connections that were open before a pause.

        While a sandbox is frozen, connections die without notice and the monotonic clock, by which a pool expires
        them, may stand still; the wall clock is right after the thaw.
        """
        async with self._making:
            if self._under_way == 0 and self._wall_clock() - self._last_used > IDLE_SECONDS:
                await self.aclose()
            if self._client is None:
                self._client = await anyio.to_thread.run_sync(self._made)
            return self._client

    def _made(self) -> "httpx2.AsyncClient":
        """Make a client; off the event loop, since the import and the CA certificates take a third of a second.

        It keeps no cookie: a service would take the next caller for the one before.
        """
        from http.cookiejar import CookieJar, DefaultCookiePolicy

        import httpx2

        # At INFO it logs whole URLs, and OpenWeatherMap's key is in one.
        wire = logging.getLogger("httpx2")
        wire.setLevel(max(logging.WARNING, wire.getEffectiveLevel()))
        return httpx2.AsyncClient(
            verify=_trusted(),
            headers={"user-agent": self._user_agent},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=IDLE_SECONDS),
        )


@asynccontextmanager
async def in_time(service: str, deadline: Deadline, seconds: float | None = None) -> AsyncIterator[Deadline]:
    """Leave off what is not done shortly before the deadline, or after so many seconds; gives the earlier of them.

    After a freeze all time-outs are due at once, and the one that ends the whole call may come first: it too is taken
    for the end of the time.

    Raises:
        SlowError: it was not done.
    """
    left = max(0.0, deadline.remaining() - _SPARE_SECONDS)
    seconds = left if seconds is None else min(left, seconds)
    try:
        async with asyncio.timeout(seconds):
            yield Deadline.after(seconds)
    except TimeoutError:
        raise SlowError(service) from None
    except asyncio.CancelledError:
        if deadline.remaining() > _SPARE_SECONDS:
            raise
        raise SlowError(service) from None


@cache
def _trusted() -> "ssl.SSLContext":
    """The certificates that we trust; reading them takes a tenth of a second."""
    import httpx2

    return httpx2.create_ssl_context()


async def decoded(service: str, response: "httpx2.Response") -> Any:
    """A response's JSON.

    Raises:
        OddAnswerError: it is none, or larger than `MAX_ANSWER_BYTES`.
    """
    try:
        return json.loads(await body_of(service, response))
    except (ValueError, RecursionError):
        raise OddAnswerError(service) from None


async def body_of(service: str, response: "httpx2.Response") -> bytes:
    """A response's body.

    Raises:
        OddAnswerError: it is larger than `MAX_ANSWER_BYTES`.
    """
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise OddAnswerError(service)
    return bytes(body)


@contextmanager
def _translated(service: str) -> Iterator[None]:
    import httpx2

    try:
        yield
    except httpx2.TimeoutException:
        raise SlowError(service) from None
    except httpx2.DecodingError:
        raise OddAnswerError(service) from None
    except (httpx2.NetworkError, httpx2.RemoteProtocolError):
        raise BrokenOffError(service) from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        logger.warning("%s: %s", service, type(error).__name__)
        raise UnreachableError(service) from None
