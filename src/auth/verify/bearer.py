"""The token in a request (RFC 6750, section 2.1): in the Authorization header and nowhere else."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from auth.verify.authenticator import RefusedError

SCHEME: Final = b"bearer"
IN_URLS: Final = frozenset({"access_token", "token"})
"""Query parameters that clients put tokens into; URLs end up in logs and histories."""

MOST_PARAMETERS: Final = 100


def bearer_token(scope: Mapping[str, Any]) -> str:
    """The token that a request carries, which may be anything: no syntax is checked.

    Args:
        scope: the request's ASGI HTTP scope.

    Raises:
        RefusedError: there is none, or more than one; or it is in the URL.
    """
    if scope["query_string"] and _in_url(scope["query_string"]):
        raise RefusedError("invalid_request", "Send the access token in the Authorization header, not in the URL.", 400)
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(values) > 1:
        raise RefusedError("invalid_request", "There is more than one Authorization header.", 400)
    scheme, _, token = values[0].strip().partition(b" ") if values else (b"", b"", b"")
    if scheme.lower() != SCHEME:
        # Another scheme is another authenticator's: SigV4 uses this header too.
        raise RefusedError(None, "Sign in: this needs an access token.")
    if not (token := token.strip()):
        raise RefusedError("invalid_token", "The Authorization header holds no access token.")
    return str(token.decode("latin-1"))


def _in_url(query: bytes) -> bool:
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise RefusedError("invalid_request", "The URL has too many parameters.", 400) from None
    return any(name.lower() in IN_URLS for name, _ in pairs)
