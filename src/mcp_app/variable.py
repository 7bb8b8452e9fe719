"""One environment variable as a typed, read-only attribute, and how its text is parsed.

A model of this size costs pydantic 9 ms of every cold start to build; these descriptors cost well under one.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, overload
from urllib.parse import urlsplit

from pydantic import SecretStr

T = TypeVar("T")

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Variable(Generic[T]):
    """A setting: its environment variable, its default and what it is for.

    Attributes:
        name: the environment variable.
        default: the value where the variable is unset.
        parse: makes the value from text; raises ValueError with a sentence that never holds the value.
        description: the reference text.
        also: a variable that is read where this one is unset, since others name it so.
        attribute: its name on the class that holds it.
    """

    attribute: str

    def __init__(
        self, name: str, default: T, parse: Callable[[Any], T], description: str, *, also: str | None = None
    ) -> None:
        self.name = name
        self.also = also
        self.default = default
        self.parse = parse
        self.description = description

    def __set_name__(self, owner: type, attribute: str) -> None:
        """Learn the attribute's name."""
        self.attribute = attribute

    @overload
    def __get__(self, instance: None, owner: type) -> "Variable[T]": ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object, owner: type) -> "Variable[T] | T":
        """The value; on the class, the variable itself."""
        if instance is None:
            return self
        value: T = vars(instance).get(self.attribute, self.default)
        return value

    def __set__(self, instance: object, value: object) -> None:
        """Refuse: settings do not change while the server runs."""
        raise AttributeError(f"{self.attribute} is read-only")


def text(value: Any) -> str:
    """Any text, without the blanks around it."""
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004 - one kind of error for every value that cannot be used
    return value.strip()


def integer(least: int, most: int | None = None) -> Callable[[Any], int]:
    """A parser of whole numbers in a range, both ends included."""
    limits = f"of {least} or more" if most is None else f"from {least} to {most}"

    def parse(value: Any) -> int:
        number = int(value) if re.fullmatch(r"\s*-?[0-9]{1,18}\s*", str(value)) else None
        if number is None or number < least or (most is not None and number > most):
            raise ValueError(f"must be a whole number {limits}")
        return number

    return parse


def seconds(*, zero: bool, most: float = math.inf) -> Callable[[Any], float]:
    """A parser of durations in seconds, up to and including `most`."""
    limits = ("of 0 or more" if zero else "above 0") + ("" if most == math.inf else f", at most {most:g}")

    def parse(value: Any) -> float:
        number = _float(value)
        if not (math.isfinite(number) and 0 <= number <= most and (zero or number > 0)):
            raise ValueError(f"must be a number of seconds {limits}")
        return number

    return parse


def flag(value: Any) -> bool:
    """Yes or no, as people write it."""
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("must be true or false")
    return word in _TRUE


def choice(allowed: Sequence[str], fold: Callable[[str], str]) -> Callable[[Any], Any]:
    """A parser of one word out of a few, whatever its case; `fold` gives the case that is kept."""

    def parse(value: Any) -> str:
        word = fold(text(value))
        if word not in allowed:
            raise ValueError(f"must be {'one of ' if len(allowed) > 1 else ''}{', '.join(allowed)}")
        return word

    return parse


def several(allowed: Sequence[str], *, alone: str) -> Callable[[Any], str]:
    """A parser of one or several words out of a few, whatever their case, into words between commas.

    Args:
        allowed: the words, in lower case.
        alone: the one that goes with no other.
    """

    def parse(value: Any) -> str:
        found = tuple(dict.fromkeys(words(text(value).lower())))
        if not found or not set(found) <= set(allowed):
            raise ValueError(f"must be one of {', '.join(allowed)}, or several with commas between them")
        if alone in found and len(found) > 1:
            raise ValueError(f"must be {alone} alone, or something else")
        return ",".join(found)

    return parse


def words(value: Any) -> tuple[str, ...]:
    """Words between commas or blanks."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else tuple(value)


def secret(least: int = 1) -> Callable[[Any], SecretStr]:
    """A parser of secrets, `least` characters or more; the value never shows in a log or a `repr`."""

    def parse(value: Any) -> SecretStr:
        plain = text(value.get_secret_value() if isinstance(value, SecretStr) else value)
        if len(plain) < least:
            raise ValueError(f"must be {least} characters or more")
        return SecretStr(plain)

    return parse


def origin(value: Any) -> str:
    """An http or https origin as browsers write it (RFC 6454, section 6.1): lower-case, no default port, no slash."""
    plain = text(value)
    try:
        parts = urlsplit(plain)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    beyond = parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or beyond:
        raise ValueError("must be an origin such as https://mcp.example.com, without a path")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    suffix = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"


def origins(value: Any) -> tuple[str, ...]:
    """Origins between commas or blanks."""
    return tuple(origin(item) for item in words(value))


def http_url(value: Any) -> str:
    """An http or https URL, without the slash at its end."""
    plain = text(value)
    if not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", plain):
        raise ValueError("must be an http or https URL")
    return plain.rstrip("/")


def exact_url(value: Any) -> str:
    """An http or https URL without query and fragment, every letter and slash as it is given."""
    plain = text(value)
    http_url(plain)
    return plain


def path(value: Any) -> str:
    """A path below another one; names in braces stand for segments."""
    plain = text(value)
    if not re.fullmatch(r"(?:/(?!\.{1,2}(?:/|$))(?:[\w.~-]+|\{\w+\}))+", plain, re.ASCII):
        raise ValueError("must be a path such as /orders")
    return plain


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
