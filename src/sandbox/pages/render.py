"""Pages as responses, under a policy that allows their one style and no script."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

_TEMPLATES: Final = Path(__file__).with_name("templates")


def page(template: str, status: int = 200, *, form_targets: str = "", **content: Any) -> HTMLResponse:
    """A page.

    Args:
        template: a file in `templates`.
        status: of the response.
        form_targets: what a form may lead to beside the sandbox, as a Content-Security-Policy names it.
        content: what the template shows; it is escaped.
    """
    body = _environment().get_template(template).render(style=_style(), **content)
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": _policy(form_targets),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    return HTMLResponse(body, status, headers)


def _policy(form_targets: str) -> str:
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    targets = f"'self' {form_targets}".rstrip()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
        f"form-action {targets}; frame-ancestors 'none'"
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style() -> str:
    return (_TEMPLATES / "style.css").read_text("utf-8")
