"""Takes secrets out of what is about to be logged."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

MASK: Final = "[redacted]"

_LEAST: Final = 6
"""Characters; a shorter text holds no secret, and a shorter secret would mask ordinary words."""

_SECRET_NAME = re.compile(
    r"authorization|cookie|passw|secret|token|credential|signature|session_?id|code_verifier|"
    r"api[_-]?key|access[_-]?key|private[_-]?key|jwt[_-]?key|^appid$|^code$",
    re.IGNORECASE,
)
# Text is a stranger's: no part may be tried from many places over the same stretch, or a long path stops the server.
_SECRET_TEXT = re.compile(
    r"""(?P<scheme>\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}
      | (?P<query>[?&](?:appid|api_?key|key|code|state|sig|signature
          |[\w-]{0,64}(?:token|secret|password)[\w-]{0,64})=)[^&\s"']+
      | (?P<header>(?:authorization|\bcookie|\bx-api-key)["']?\s*[:=]\s*)[^\r\n,}]+
      | (?P<pair>(?:passw(?:or)?d|secret|token|api_?key)["']?\s*[:=]\s*["']?)[^\s"',;&}]+
      | (?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*
      | \bsk-[\w-]{8,}
      | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b""",
    re.IGNORECASE | re.VERBOSE,
)


class Redactor:
    """Masks what is secret by its name, by its form, or because it is the value of a configured secret.

    Args:
        values: secrets of this process, masked wherever they occur.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        longest_first = sorted((re.escape(value) for value in values if len(value) >= _LEAST), key=len, reverse=True)
        self._values = re.compile("|".join(longest_first)) if longest_first else None

    def clean(self, value: Any) -> Any:
        """A copy of a JSON-like value without secrets, at any depth."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {str(name): self._field(str(name), item) for name, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.clean(item) for item in value]
        return value if value is None or isinstance(value, (bool, int, float)) else self.text(repr(value))

    def text(self, value: str) -> str:
        """The text without secrets."""
        if len(value) < _LEAST:
            return value
        if self._values is not None:
            value = self._values.sub(MASK, value)
        return _SECRET_TEXT.sub(_masked, value)

    def _field(self, name: str, item: Any) -> Any:
        # Numbers pass: `tokens=120` counts, and no secret is a number.
        counts = item is None or isinstance(item, (bool, int, float))
        return MASK if _is_secret(name) and not counts else self.clean(item)


@lru_cache(maxsize=512)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _masked(match: re.Match[str]) -> str:
    kept = next((group for group in match.groupdict().values() if group), "")
    return f"{kept}{MASK}"
