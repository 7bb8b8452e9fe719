"""Authorization responses (RFC 6749, section 4.1.2): back to the client, always with `iss` (RFC 9207)."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from auth.errors import OAuthError

HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def code_url(redirect_uri: str, code: str, state: str, issuer: str) -> str:
    """Where the browser takes a code."""
    return _with(redirect_uri, {"code": code, "state": state, "iss": issuer})


def error_url(redirect_uri: str, error: OAuthError, state: str | None, issuer: str) -> str:
    """Where the browser takes an error."""
    parameters = {"error": error.code, "error_description": error.description}
    if state is not None:
        parameters["state"] = state
    return _with(redirect_uri, {**parameters, "iss": issuer})


def see_other(url: str) -> Response:
    """Send the browser somewhere by GET, whatever it came with."""
    return Response(status_code=303, headers={**HEADERS, "Location": url})


def _with(uri: str, parameters: dict[str, str]) -> str:
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(parameters)}"
