"""The service token (IAT): this server's own rights at NeonPanel, by client credentials (RFC 6749, section 4.4)."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeVar

from mcp_app.clients.cache import Cache
from mcp_app.clients.credentials import ApiKey
from mcp_app.clients.errors import NotConfiguredError, OddAnswerError, RejectedKeyError, UpstreamError
from mcp_app.clients.http import Call, Http, decoded, in_time
from mcp_app.clients.neonpanel.errors import SERVICE
from mcp_app.clients.neonpanel.expiry import EARLY, expiry
from mcp_app.clients.retry import passing_fault
from mcp_app.deadline import Deadline
from mcp_app.secrets import Secrets
from mcp_app.settings import Settings

T = TypeVar("T")

SECONDS: Final = 8.0
"""For one fetch, so that something of a call's time is left."""

ID: Final = "NEONPANEL_CLIENT_ID"
SECRET: Final = "NEONPANEL_CLIENT_SECRET"  # noqa: S105 (the name of a setting)
ARN: Final = "NEONPANEL_SECRET_ARN"


class NotIssuedError(UpstreamError):
    """NeonPanel knows the client and gives it no token."""

    code = "not_issued"
    message = "{service} gave this server no token: the operator must check its client's scope and audience."


class Token(NamedTuple):
    """A service token and its end, in epoch seconds."""

    value: str
    until: float


class ServiceClient:
    """This server as a client of NeonPanel's: its id, and its secret, which may have been rotated since it was read."""

    def __init__(self, secrets: Secrets) -> None:
        self._id = ApiKey(secrets, SERVICE, ID, ARN)
        self._secret = ApiKey(secrets, SERVICE, SECRET, ARN)

    async def use(self, call: Callable[[str, str], Awaitable[T]]) -> T:
        """What `call` makes of id and secret; where they are refused they are read again, and tried if they changed.

        Raises:
            NotConfiguredError: there are none.
            KeyUnreadableError: they cannot be read.
            RejectedKeyError: NeonPanel refuses them.
        """

        async def identified(secret: str) -> T:
            client_id = await self._id.value()
            if client_id is None:
                raise NotConfiguredError(SERVICE, ID, ARN)
            return await call(client_id, secret)

        return await self._secret.use(identified)

    async def configured(self) -> bool:
        """Whether there is a secret to use."""
        return await self._secret.value() is not None


class ServiceToken:
    """One token for the whole process, renewed a minute before it ends; all who wait for one share the fetch.

    Args:
        clock: epoch seconds; a frozen sandbox that wakes up must find a token too old.
    """

    def __init__(self, http: Http, settings: Settings, client: ServiceClient, clock: Callable[[], float]) -> None:
        self._http = http
        self._url = settings.neonpanel_token_url
        asked = {"scope": settings.neonpanel_iat_scope, "audience": settings.neonpanel_iat_audience}
        self._asked = {name: value for name, value in asked.items() if value}
        self._client = client
        self._clock = clock
        self._kept: Cache[Token] = Cache(lambda token: token.until - EARLY - clock(), 1, clock)

    async def get(self, deadline: Deadline) -> Token:
        """A token that is good now.

        A fetch has a time of its own: those who share it do not share the deadline of the first of them.

        Raises:
            UpstreamError: there is none to be had.
        """

        async def fetch() -> Token:
            return await self._client.use(self._fetch)

        async with in_time(SERVICE, deadline):
            return await self._kept.get("", fetch)

    def drop(self, token: Token) -> None:
        """Keep a token no longer, since it was refused."""
        self._kept.drop("", token)

    async def _fetch(self, client_id: str, secret: str) -> Token:
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
            **self._asked,
        }
        call = Call(
            service=SERVICE,
            url=self._url,
            method="POST",
            form=form,
            headers={"accept": "application/json"},
            retried=passing_fault,
        )
        async with self._http.open(call, Deadline.after(SECONDS)) as response:
            if response.status_code == HTTPStatus.BAD_REQUEST:
                raise _refusal(await decoded(SERVICE, response))
            if not response.is_success:
                raise self._http.error(call, response)
            return _token(await decoded(SERVICE, response), self._clock())


def _refusal(answer: Any) -> UpstreamError:
    refused = isinstance(answer, Mapping) and answer.get("error") == "invalid_client"
    return RejectedKeyError(SERVICE, SECRET) if refused else NotIssuedError(SERVICE)


def _token(answer: Any, now: float) -> Token:
    value = answer.get("access_token") if isinstance(answer, Mapping) else None
    if not isinstance(value, str) or not sendable(value):
        raise OddAnswerError(SERVICE)
    return Token(value, expiry(value, answer, now))


def sendable(token: str) -> bool:
    """Whether a token may stand in a header."""
    return bool(token) and token.isascii() and token.isprintable() and " " not in token
