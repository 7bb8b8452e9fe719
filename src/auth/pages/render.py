"""Pages as responses: templates that escape everything, under a policy that allows their one style and no script."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import HTMLResponse

from auth.server.server import AuthorizationServer

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES: Final = Path(__file__).with_name("templates")

HEADERS: Final = {
    "Cache-Control": "no-store",
    # `no-referrer` would make browsers post our own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def page(
    server: AuthorizationServer,
    template: str,
    *,
    status: int = 200,
    form_target: str = "",
    headers: Mapping[str, str] | None = None,
    **content: Any,
) -> HTMLResponse:
    """A page.

    Args:
        server: whose name it shows.
        template: a file in `templates`.
        status: of the response.
        form_target: what a form may lead to beside this server, as a Content-Security-Policy names it.
        headers: further ones.
        content: what the template shows; it is escaped.
    """
    body = (
        _environment()
        .get_template(template)
        .render(server_name=server.config.name, icon=_icon(), style=_text("style.css"), **content)
    )
    policy = {"Content-Security-Policy": _policy(form_target)}
    return HTMLResponse(body, status, {**HEADERS, **policy, **(headers or {})})


def day(seconds: int) -> str:
    """A day for people, in UTC: `21 November 2026`."""
    when = datetime.fromtimestamp(seconds, UTC)
    return f"{when.day} {when:%B %Y}"


def wait(seconds: int) -> str:
    """A time to wait, for people: `a minute`, `5 minutes`."""
    minutes = -(-seconds // 60)
    return "a minute" if minutes <= 1 else f"{minutes} minutes"


def too_often(seconds: int) -> str:
    """What to tell somebody whose tries are not looked at for so long; strangers may have used them up."""
    return (
        f"Too many attempts. Wait {wait(seconds)}, then try again. "
        "If they were not yours, tell whoever runs this server."
    )


def _policy(form_target: str) -> str:
    digest = base64.b64encode(hashlib.sha256(_text("style.css").encode()).digest()).decode()
    targets = f"'self' {form_target}".rstrip()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        f"form-action {targets}; frame-ancestors 'none'"
    )


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["day"] = day
    return environment


@cache
def _icon() -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(_text('icon.svg').strip().encode()).decode()}"


@cache
def _text(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")
