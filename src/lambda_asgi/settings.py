"""Everything the runtime reads from its environment, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from .errors import SettingsError

ResponseMode = Literal["streaming", "buffered"]
_PREFIX = "LAMBDA_ASGI_"


@dataclass(frozen=True)
class Settings:
    """The runtime's settings (`LAMBDA_ASGI_*`) and what Lambda says about this sandbox.

    Source for Lambda's own: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """

    handler: str
    max_concurrency: int = 1
    snap_start: bool = False
    response_mode: ResponseMode = "streaming"
    pad_empty_body: bool = False
    root_path: str = ""
    deadline_margin_ms: int = 500

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises:
            SettingsError: A variable is missing or makes no sense; the message names it.
        """
        return cls(
            handler=_required(environment, "_HANDLER"),
            max_concurrency=_integer(environment, "AWS_LAMBDA_MAX_CONCURRENCY", default=1, least=1),
            snap_start=environment.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start",
            response_mode=_response_mode(environment, f"{_PREFIX}RESPONSE_MODE"),
            pad_empty_body=_flag(environment, f"{_PREFIX}PAD_EMPTY_BODY"),
            root_path=_root_path(environment, f"{_PREFIX}ROOT_PATH"),
            deadline_margin_ms=_integer(environment, f"{_PREFIX}DEADLINE_MARGIN_MS", default=500, least=0),
        )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set: this process is not running in a Lambda environment.")
    return value


def _integer(environment: Mapping[str, str], name: str, *, default: int, least: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise SettingsError(f"{name} must be a whole number of at least {least}, not {text!r}.")
    return int(text)


def _flag(environment: Mapping[str, str], name: str) -> bool:
    text = environment.get(name) or "0"
    if text not in {"0", "1"}:
        raise SettingsError(f"{name} must be 0 or 1, not {text!r}.")
    return text == "1"


def _response_mode(environment: Mapping[str, str], name: str) -> ResponseMode:
    text = environment.get(name) or "streaming"
    if text not in {"streaming", "buffered"}:
        raise SettingsError(f"{name} must be streaming or buffered, not {text!r}.")
    return cast("ResponseMode", text)


def _root_path(environment: Mapping[str, str], name: str) -> str:
    text = environment.get(name, "").rstrip("/")
    if text and not text.startswith("/"):
        raise SettingsError(f"{name} must begin with a slash, not {text!r}.")
    return text
