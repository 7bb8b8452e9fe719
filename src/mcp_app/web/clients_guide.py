"""How to connect each client, as text; the page escapes it."""

import json
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guide:
    """One client: what to do in it, and what to paste."""

    title: str
    steps: str
    code: str


def guides(name: str, url: str, *, signs_in: bool = False) -> tuple[Guide, ...]:
    """The guides for a server's name and MCP URL; `signs_in` where people sign in to use it."""
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "mcp"
    server = json.dumps({"name": slug, "type": "http", "url": url}, separators=(",", ":"))
    return (
        Guide(
            "ChatGPT",
            "In Settings, Apps and connectors, Advanced settings, turn on Developer mode. Then create a connector "
            f"with this URL and choose {'OAuth' if signs_in else 'no authentication'}.",
            url,
        ),
        Guide(
            "Claude",
            "In the app: Settings, Connectors, Add custom connector, and the address above. In Claude Code run this"
            f"{', then /mcp to sign in' if signs_in else ''}:",
            f"claude mcp add --transport http {slug} {url}",
        ),
        Guide(
            "VS Code",
            "Run this once; the tools then appear in the chat view's agent mode.",
            f"code --add-mcp '{server}'",
        ),
        Guide(
            "MCP Inspector",
            "Shows every tool and every message. It needs Node.js 22. Run this, then connect in the page that opens.",
            f"npx @modelcontextprotocol/inspector@latest --transport http --server-url {url}",
        ),
    )
