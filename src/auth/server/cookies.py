"""The pages' cookies: bound to the host on https, plain names on loopback, where there is no certificate."""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

SESSION: Final = "mcpx-session"
"""Who is signed in."""

BROWSER: Final = "mcpx-browser"
"""Which browser asked for the sign-in form; says nothing about who uses it."""

_VALUE: Final = re.compile(r"[A-Za-z0-9._~-]{20,200}")


def cookie_name(kind: str, issuer: str) -> str:
    """What a cookie is called; `__Host-` makes browsers refuse one that another host or an http page set."""
    return f"__Host-{kind}" if issuer.startswith("https://") else kind


def read_cookie(request: Request, kind: str, issuer: str) -> str | None:
    """A cookie's value; None where there is none that this server could have set."""
    value = request.cookies.get(cookie_name(kind, issuer), "")
    return value if _VALUE.fullmatch(value) else None


def set_cookie(response: Response, kind: str, issuer: str, value: str, seconds: int | None = None) -> None:
    """Hand a cookie to the browser, for some seconds or until it closes."""
    response.set_cookie(
        cookie_name(kind, issuer),
        value,
        max_age=seconds,
        path="/",
        secure=issuer.startswith("https://"),
        httponly=True,
        samesite="lax",
    )


def drop_cookie(response: Response, kind: str, issuer: str) -> None:
    """Take a cookie back."""
    set_cookie(response, kind, issuer, "", 0)
