"""Header values made safe to show: secrets masked, control characters spelled out."""

import re
import unicodedata
from typing import Final

HIDDEN: Final = "[hidden]"

_SECRET_NAME: Final = re.compile(
    r"assertion|authori[sz]ation|cookie|credential|csrf|jwt|key|oidc|origin-verify|passw|secret|session|signature|token",
    re.IGNORECASE,
)
_SECRET_VALUE: Final = re.compile(r"^\s*(?:basic|bearer|dpop)\s+\S|(?<![\w-])eyJ[\w-]+\.[\w-]+\.", re.IGNORECASE)
# Bounded, because a header may be long and made to have every part of it tried from every place.
_SECRET_PARAMETER: Final = re.compile(
    r"([?&;][^=?&;\s]{0,128}(?:assertion|code|jwt|key|passw|secret|sig|state|token)[^=?&;\s]{0,128}=)[^&;\s\"]+",
    re.IGNORECASE,
)


def shown_header(name: str, value: str) -> tuple[str, str]:
    """A header as it may be shown to whoever sent it, or to whoever reads along in a chat."""
    if _SECRET_NAME.search(name) or _SECRET_VALUE.search(value):
        return printable(name), HIDDEN
    return printable(name), shown_url(value)


def shown_url(text: str) -> str:
    """Text, a URL or a path with the values of secret-looking query parameters masked."""
    return printable(_SECRET_PARAMETER.sub(rf"\1{HIDDEN}", text))


def printable(text: str) -> str:
    r"""The text with every control, format and line-separating character as its escape (`\n`, `\x1b`, `\u202e`)."""
    return "".join(_escape(char) if _unsafe(char) else char for char in text)


def _unsafe(char: str) -> bool:
    category = unicodedata.category(char)
    return category.startswith("C") or category in {"Zl", "Zp"}


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
