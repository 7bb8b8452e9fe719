"""NeonPanel's REST API: one method sends everything, by the table of endpoints."""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from http import HTTPStatus
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mcp_app.clients.errors import (
    BrokenError,
    BrokenOffError,
    DeniedError,
    OddAnswerError,
    RejectedKeyError,
    SignInAgainError,
    SlowError,
    UpstreamError,
    status_error,
)
from mcp_app.clients.http import Call, Http, body_of
from mcp_app.clients.neonpanel.endpoints import PREFIX, Endpoint, expanded
from mcp_app.clients.neonpanel.errors import (
    SERVICE,
    InvalidRequestError,
    NoAccessError,
    NotAcceptedError,
    NothingThereError,
    NotOfferedError,
    UnconfirmedError,
    field_faults,
)
from mcp_app.clients.neonpanel.rights import Bearer, Caller, Tokens
from mcp_app.clients.neonpanel.service_token import SECRET, ServiceClient
from mcp_app.clients.retry import passing_fault, retry_after
from mcp_app.deadline import Deadline
from mcp_app.json_text import SURROGATE, check_depth
from mcp_app.secrets import Secrets
from mcp_app.settings import Settings

if TYPE_CHECKING:
    import httpx2

    from mcp_app.clients.neonpanel.companies import Companies

logger = logging.getLogger(__name__)

Query = Mapping[str, str | int | date | Sequence[str] | None]
"""Parameters by name; None is left out, a sequence repeats its name."""

_MOST_DIGITS: Final = 300
"""Of a whole number; a longer one is beyond what a float, and whoever reads it as one, can hold."""


class Answer(NamedTuple):
    """What NeonPanel answered.

    Attributes:
        body: decoded JSON; text where it is plain text; None where it is empty.
        pending: whether it is still being worked on (202).
        retry_after: seconds until it wants to be asked again; None where it did not say.
    """

    body: Any
    pending: bool
    retry_after: float | None


class NeonPanel:
    """The API at a base URL.

    Args:
        clock: epoch seconds: tokens end by it, also for a sandbox that was frozen.
    """

    def __init__(
        self, http: Http, settings: Settings, secrets: Secrets, clock: Callable[[], float] = time.time
    ) -> None:
        self._http = http
        self._settings = settings
        self._clock = clock
        self._tokens = Tokens(http, settings, ServiceClient(secrets), clock)

    @cached_property
    def companies(self) -> "Companies":
        """The companies that each caller sees."""
        from mcp_app.clients.neonpanel.companies import Companies

        return Companies(self, self._clock)

    async def call(
        self,
        endpoint: Endpoint,
        caller: Caller,
        *,
        path: Mapping[str, str | int] | None = None,
        query: Query | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Call an endpoint with the caller's rights; a token that is refused is renewed, and a read sent again.

        Raises:
            ValueError: a value of `path` is no segment of a path.
            UpstreamError: there is no good answer.
        """
        url = self._settings.neonpanel_api_base + PREFIX + expanded(self._path(endpoint), path or {})
        bearer = await self._tokens.bearer(caller, endpoint)
        request = Call(
            service=SERVICE,
            url=url,
            method=endpoint.method,
            params=_pairs(query or {}),
            json=body,
            retried=passing_fault if endpoint.reads else None,
        )
        try:
            return await self._send(request, endpoint, bearer, caller.deadline)
        except (SignInAgainError, RejectedKeyError):
            if bearer.kept is None:
                raise
            self._tokens.drop(caller, bearer)
            if not endpoint.reads:
                raise NotAcceptedError(SERVICE) from None
            renewed = await self._tokens.bearer(caller, endpoint)
            if renewed.token == bearer.token:
                raise
        return await self._send(request, endpoint, renewed, caller.deadline)

    async def check(self, deadline: Deadline) -> None:
        """See to it that NeonPanel gives this server a token.

        Raises:
            UpstreamError: it does not.
        """
        await self._tokens.service(deadline)

    def _path(self, endpoint: Endpoint) -> str:
        return endpoint.path if endpoint.setting is None else getattr(self._settings, endpoint.setting)

    async def _send(self, request: Call, endpoint: Endpoint, bearer: Bearer, deadline: Deadline) -> Answer:
        headers = {"authorization": f"Bearer {bearer.token}", "accept": "application/json"}
        call = replace(request, headers=headers)
        try:
            async with self._http.open(call, deadline) as response:
                return await self._answer(response, endpoint, bearer)
        except (BrokenError, BrokenOffError, OddAnswerError, SlowError) as error:
            if endpoint.reads:
                raise
            logger.warning("%s did not confirm a write (%s)", SERVICE, error.code)
            raise UnconfirmedError(SERVICE) from None

    async def _answer(self, response: "httpx2.Response", endpoint: Endpoint, bearer: Bearer) -> Answer:
        status = response.status_code
        after = retry_after(response.headers, self._clock())
        if not response.is_success:
            faults = await _faults(response) if status == HTTPStatus.UNPROCESSABLE_ENTITY else {}
            raise _error(status, after, faults, endpoint, bearer)
        text = (await body_of(SERVICE, response)).decode(errors="replace")
        plain = response.headers.get("content-type", "").startswith("text/plain")
        body = text if plain else _decoded(text)
        if not endpoint.reads and not isinstance(body, dict):
            raise OddAnswerError(SERVICE)
        return Answer(body, status == HTTPStatus.ACCEPTED, after)


def _pairs(query: Query) -> list[tuple[str, str]]:
    pairs = []
    for name, value in query.items():
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        pairs += [(name, str(each)) for each in several if each is not None]
    return pairs


def _decoded(text: str) -> Any:
    """The JSON value, without halves of surrogate pairs, and with null for numbers that are none (NaN) or too large."""
    if not text.strip():
        return None
    try:
        value = json.loads(text, parse_constant=lambda _name: None, parse_float=_number, parse_int=_whole)
        if SURROGATE.search(text):
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
        check_depth(text, value)
    except (ValueError, RecursionError):
        raise OddAnswerError(SERVICE) from None
    return value


def _number(digits: str) -> float | None:
    value = float(digits)
    return value if isfinite(value) else None


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MOST_DIGITS else None


async def _faults(response: "httpx2.Response") -> dict[str, str]:
    try:
        return field_faults(_decoded((await body_of(SERVICE, response)).decode(errors="replace")))
    except OddAnswerError:
        return {}


def _error(
    status: int, after: float | None, faults: Mapping[str, str], endpoint: Endpoint, bearer: Bearer
) -> UpstreamError:
    """The error that a status stands for; whose token was refused decides who has to act."""
    known: dict[int, Callable[[], UpstreamError]] = {
        HTTPStatus.UNAUTHORIZED: lambda: (
            SignInAgainError(SERVICE) if bearer.users else RejectedKeyError(SERVICE, SECRET)
        ),
        HTTPStatus.FORBIDDEN: lambda: NoAccessError(SERVICE) if bearer.users else DeniedError(SERVICE),
        HTTPStatus.NOT_FOUND: lambda: (
            NothingThereError(SERVICE) if endpoint.setting is None else NotOfferedError(endpoint.offers)
        ),
    }
    if status in known:
        error = known[status]()
        error.status = status
        return error
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _GENERAL:
        return InvalidRequestError(status, faults)
    return status_error(SERVICE, status, after)


_GENERAL: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
"""Statuses that mean with NeonPanel what they mean with every service."""
