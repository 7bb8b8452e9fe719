"""The page at `/` for people: self-contained HTML without scripts, under a policy that allows its own style alone."""

import base64
import hashlib
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from auth.loopback import is_loopback
from mcp_app.protocol import VERSIONS
from mcp_app.settings import Settings
from mcp_app.tools.registry import Registry, underscored
from mcp_app.tools.tool import Annotations, Tool
from mcp_app.version import VERSION
from mcp_app.web.clients_guide import Guide, guides

UNKNOWN_ORIGIN = "https://your-domain.example"


def render(settings: Settings, registry: Registry, public_url: str | None) -> tuple[str, str]:
    """The page and its Content-Security-Policy.

    Args:
        settings: the server's name and where its documentation is.
        registry: the tools to list.
        public_url: the origin that clients use; None where the server does not know it.
    """
    url = f"{public_url or UNKNOWN_ORIGIN}/mcp"
    page = _template("page.html").substitute(
        name=escape(settings.name),
        version=VERSION,
        style=_text("page.css"),
        icon=_icon(),
        url=escape(url),
        note=_note(public_url),
        count=_count(len(registry.tools)),
        clients="".join(
            _client(guide) for guide in guides(settings.name, url, signs_in=settings.authority is not None)
        ),
        tools="".join(_tool(tool, dotted=settings.dotted_tool_names) for tool in registry.tools),
        access=_access(settings),
        versions=f"{VERSIONS[0]} and, for older clients, {VERSIONS[-1]} to {VERSIONS[1]}",
        help=_help(settings.documentation_url),
    )
    return page, _policy()


def _note(public_url: str | None) -> str:
    if public_url is None:
        return '<p class="note">The server does not know its own address. Set <code>PUBLIC_URL</code> to show it.</p>'
    if is_loopback(public_url):
        return (
            '<p class="note">This server runs on your own machine, and only programs on it reach it. '
            "ChatGPT and Claude on the web need a public https address.</p>"
        )
    return ""


def _access(settings: Settings) -> str:
    if settings.authority == "provider":
        host = urlsplit(settings.provider_issuer or "").netloc
        return f"When it first connects, it opens the sign-in page of {escape(host)}, which is where your account is."
    if settings.authority == "oauth":
        return (
            'When it first connects, it opens this server\'s sign-in page. <a href="/account">Your account</a> shows '
            "what you allowed."
        )
    return (
        "It is open to everybody, without sign-in."
        if settings.auth_mode == "noauth"
        else "It takes signed AWS requests only."
    )


def _count(tools: int) -> str:
    return "one tool" if tools == 1 else f"{tools} tools"


def _client(guide: Guide) -> str:
    return _template("client.html").substitute(
        title=escape(guide.title),
        steps=escape(guide.steps),
        code=escape(guide.code),
        label=escape(f"To paste for {guide.title}"),
    )


def _tool(tool: Tool[Any], *, dotted: bool) -> str:
    return _template("tool.html").substitute(
        title=escape(tool.title),
        name=escape(tool.name if dotted else underscored(tool.name)),
        description=escape(tool.description),
        marks=_marks(tool.annotations),
    )


def _marks(annotations: Annotations) -> str:
    effect = '<span class="safe">Only reads</span>' if annotations.read_only else "<span>Changes data</span>"
    if annotations.destructive and not annotations.read_only:
        effect = '<span class="risky">May delete data</span>'
    return effect + ("<span>Asks services on the web</span>" if annotations.open_world else "")


def _help(url: str | None) -> str:
    return "" if url is None else f' <a href="{escape(url)}">Documentation</a>'


@cache
def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(_text("page.css").encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _icon() -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(_text('icon.svg').strip().encode()).decode()}"


@cache
def _template(name: str) -> Template:
    return Template(_text(name))


@cache
def _text(name: str) -> str:
    return (Path(__file__).with_name("templates") / name).read_text("utf-8")
