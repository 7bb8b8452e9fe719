"""Authorization requests (RFC 6749, section 4.1.1; RFC 7636; RFC 8707): what a client asks a user for, checked."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

from auth.errors import (
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
    UnsupportedResponseTypeError,
)
from auth.records import Client
from auth.scopes import DEFAULT_SCOPES
from auth.server.pkce import is_challenge
from auth.server.resources import default_resource, named_resource

PARAMETERS: Final = (
    "response_type",
    "response_mode",
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "resource",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
)
"""All that is looked at; further ones are ignored (RFC 6749, section 3.1)."""

STATE_LENGTH: Final = 4096
LENGTH: Final = 2048
"""Characters of any other parameter."""

FIELDS: Final = 50
"""Parameters of one request, at most."""


class Asked(NamedTuple):
    """The parameters of a request as they came, those without a value left out (RFC 6749, section 3.1).

    Attributes:
        values: by name; of a repeated one the first.
        repeated: the names of those that came more than once.
    """

    values: Mapping[str, str]
    repeated: frozenset[str] = frozenset()

    def one(self, name: str) -> str | None:
        """The value of a parameter, or None.

        Raises:
            InvalidRequestError: it is there more than once, or too long.
        """
        if name in self.repeated:
            raise InvalidRequestError(f"There is more than one {name}.")
        value = self.values.get(name)
        if value is not None and len(value) > (STATE_LENGTH if name == "state" else LENGTH):
            raise InvalidRequestError(f"The {name} is too long.")
        return value

    @property
    def state(self) -> str | None:
        """What an answer returns to the client untouched; None where nothing usable came."""
        try:
            return self.one("state")
        except InvalidRequestError:
            return None

    def query(self) -> str:
        """The request again, as a query string."""
        return urlencode([(name, self.values[name]) for name in PARAMETERS if name in self.values])


class AuthorizationRequest(NamedTuple):
    """What a client asks a user for; client and redirect URI were verified before.

    Attributes:
        state: returned untouched.
        scopes: in the order of `auth.scopes.SCOPES`.
        resource: one of this server's.
        challenge: S256.
    """

    client: Client
    redirect_uri: str
    state: str
    scopes: tuple[str, ...]
    resource: str
    challenge: str


def parse_query(query: bytes) -> Asked:
    """The parameters in a query string.

    Raises:
        InvalidRequestError: it is not UTF-8, or has too many parameters.
    """
    try:
        return asked(parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=FIELDS))
    except ValueError:
        raise InvalidRequestError("The query string cannot be read.") from None


def asked(pairs: Sequence[tuple[str, str]]) -> Asked:
    """Parameters as names and values."""
    values: dict[str, str] = {}
    repeated = set()
    for name, value in pairs:
        if name in values:
            repeated.add(name)
        elif value:
            values[name] = value
    return Asked(values, frozenset(repeated))


def check_form(request: Asked) -> None:
    """What can be told of a request without its client.

    Raises:
        OAuthError: something is missing, wrong or not served.
    """
    if request.repeated & frozenset(PARAMETERS):
        raise InvalidRequestError("A parameter is there more than once.")
    if request.one("request") or request.one("request_uri"):
        raise InvalidRequestError("Request objects are not served: send the parameters themselves.")
    _check_response(request)
    if request.one("state") is None:
        raise InvalidRequestError("The state is missing.")
    _challenge(request)


def authorization_request(
    request: Asked, client: Client, redirect_uri: str, issuer: str, offered: Sequence[str] = DEFAULT_SCOPES
) -> AuthorizationRequest:
    """A request that may be put before the user.

    Args:
        request: the parameters.
        client: verified.
        redirect_uri: verified to be the client's.
        issuer: whose resources may be asked for.
        offered: the scopes that there are.

    Raises:
        OAuthError: to be sent to the redirect URI.
    """
    check_form(request)
    if "authorization_code" not in client.grant_types:
        raise UnauthorizedClientError("This client may not use authorization codes.")
    return AuthorizationRequest(
        client=client,
        redirect_uri=redirect_uri,
        state=request.one("state") or "",
        scopes=scopes(request.one("scope"), client.scopes, offered),
        resource=named_resource(issuer, request.one("resource")) or default_resource(issuer),
        challenge=_challenge(request),
    )


def scopes(text: str | None, allowed: Collection[str], offered: Sequence[str] = DEFAULT_SCOPES) -> tuple[str, ...]:
    """The scopes that a request means.

    Args:
        text: its `scope`; None means all that are offered.
        allowed: the client's own; none at all means any.
        offered: those that there are.

    Raises:
        InvalidScopeError: one is unknown, or none is left that the client may have.
    """
    named = offered if text is None else text.split(" ")
    if not all(scope in offered for scope in named):
        raise InvalidScopeError(f"There is an unknown scope; known are {_listed(offered)}.")
    left = tuple(scope for scope in offered if scope in named and (not allowed or scope in allowed))
    if not left:
        raise InvalidScopeError("The client is not registered for these scopes.")
    return left


def _listed(scopes: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(scopes[:-1]), scopes[-1])))


def _check_response(request: Asked) -> None:
    kind = request.one("response_type")
    if kind is None:
        raise InvalidRequestError("The response_type is missing.")
    if kind != "code":
        raise UnsupportedResponseTypeError("The only response_type is code.")
    if request.one("response_mode") not in (None, "query"):
        raise InvalidRequestError("The only response_mode is query.")


def _challenge(request: Asked) -> str:
    challenge = request.one("code_challenge")
    if challenge is None:
        raise InvalidRequestError("PKCE is required: code_challenge is missing.")
    if request.one("code_challenge_method") != "S256":
        raise InvalidRequestError("The only code_challenge_method is S256.")
    if not is_challenge(challenge):
        raise InvalidRequestError("The code_challenge is not the SHA-256 of a verifier in base64url.")
    return challenge
