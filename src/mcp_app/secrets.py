"""Secret values: from the environment on a laptop, from Secrets Manager on Lambda."""

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import anyio
import anyio.to_thread

from mcp_app.settings import Settings

logger = logging.getLogger(__name__)

MAX_AGE: Final = 300
"""Seconds after which a value is fetched again."""

PAUSE: Final = 10.0
"""Seconds between two attempts after a failure, and between two refreshes: a bad key must not double as a flood."""

_CODE: Final = re.compile(r"[A-Za-z0-9]{1,64}")

_CURRENT: Final = "AWSCURRENT"
_PREVIOUS: Final = "AWSPREVIOUS"
_NOT_FOUND: Final = "ResourceNotFoundException"

_ARN_SETTINGS: Final = {
    "OPENAI_API_KEY": "openai_secret_arn",
    "WEATHER_API_KEY": "openai_secret_arn",
    "SERVER_SECRET": "server_secret_arn",
    "NEONPANEL_CLIENT_ID": "neonpanel_secret_arn",
    "NEONPANEL_CLIENT_SECRET": "neonpanel_secret_arn",
}


class SecretUnavailableError(Exception):
    """The secret is configured but cannot be read; the message names it and never holds a value or an ARN."""


class Secrets:
    """The values of the server's secrets; they are never part of a log line, a message or a `repr`."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._stored: dict[str, StoredSecret] = {}

    async def get(self, name: str, *, refresh: bool = False) -> str | None:
        """The value of a secret by its setting, `OPENAI_API_KEY` say; None where it is not configured.

        A value in the environment wins. `refresh` asks Secrets Manager again, after a service refused the value.

        Raises:
            SecretUnavailableError: Secrets Manager gives no usable answer, and gave none before.
        """
        given = getattr(self._settings, name.lower())
        if given is not None:
            return given if isinstance(given, str) else str(given.get_secret_value())
        if (stored := self._secret(name)) is None:
            return None
        try:
            return (await stored.values(refresh=refresh)).get(name) or None
        except _UnusableError as error:
            raise _unavailable(name, error) from None

    async def previous(self, name: str) -> str | None:
        """The value before the secret was last rotated (its version `AWSPREVIOUS`); None where none is known.

        It belongs to the value that `get` gave last: as that one changes, so does this.

        Raises:
            SecretUnavailableError: Secrets Manager gives no usable answer.
        """
        if getattr(self._settings, name.lower()) is not None or (stored := self._secret(name)) is None:
            return None
        try:
            return (await stored.previous()).get(name) or None
        except _UnusableError as error:
            raise _unavailable(name, error) from None

    def _secret(self, name: str) -> "StoredSecret | None":
        arn = getattr(self._settings, _ARN_SETTINGS[name])
        return None if arn is None else self._stored.setdefault(arn, StoredSecret(arn, self._clock))


def _unavailable(name: str, error: Exception) -> SecretUnavailableError:
    return SecretUnavailableError(f"{name} could not be read from Secrets Manager: {error}.")


class _UnusableError(Exception):
    """Why a fetch gave nothing usable, in words that are safe to show."""


class _NoVersionError(Exception):
    """The secret has no version of that stage."""


class StoredSecret:
    """One secret in Secrets Manager, a JSON object of names and values; the last good one is kept.

    Powertools fetches it, but its cache is not used: that one forgets the value which a failed fetch leaves standing.
    """

    def __init__(self, arn: str, clock: Callable[[], float]) -> None:
        self._arn = arn
        self._clock = clock
        self._lock = anyio.Lock()
        self._provider: Any = None
        self._last: Mapping[str, str] | None = None
        self._failure: str | None = None
        self._before: Mapping[str, str] | None = None
        self._before_failure: str | None = None
        self._before_asked = float("-inf")
        self._asked = self._refreshed = float("-inf")

    async def values(self, *, refresh: bool) -> Mapping[str, str]:
        """The secret's names and values, at most `MAX_AGE` seconds old; older while fetches fail.

        Raises:
            _UnusableError: a fetch fails, and none has succeeded before.
        """
        async with self._lock:
            if self._due(refresh=refresh):
                await self._fetch(refresh=refresh)
        if self._last is None:
            raise _UnusableError(self._failure)
        return self._last

    async def previous(self) -> Mapping[str, str]:
        """The names and values of the version before the one that `values` gave last; empty where there is none.

        Raises:
            _UnusableError: it cannot be read.
        """
        await self.values(refresh=False)
        async with self._lock:
            if self._before is None and not 0 <= self._clock() - self._before_asked < PAUSE:
                await self._fetch_previous()
        if self._before is None:
            raise _UnusableError(self._before_failure)
        return self._before

    async def _fetch_previous(self) -> None:
        try:
            self._before = _parse(await anyio.to_thread.run_sync(self._read, _PREVIOUS, abandon_on_cancel=True))
        except _NoVersionError:
            self._before = {}
        except _UnusableError as error:
            self._before_failure = str(error)
            self._before_asked = self._clock()
            logger.warning("Secrets Manager: %s", error)

    def _due(self, *, refresh: bool) -> bool:
        now = self._clock()
        if self._failure is not None:
            return now - self._asked >= PAUSE
        return now - self._asked >= MAX_AGE or (refresh and now - self._refreshed >= PAUSE)

    async def _fetch(self, *, refresh: bool) -> None:
        try:
            text = await anyio.to_thread.run_sync(self._read, abandon_on_cancel=True)
            self._know(_parse(text))
        except _UnusableError as error:
            self._failure = str(error)
            logger.warning("Secrets Manager: %s", error)
        self._asked = self._clock()
        if refresh:
            self._refreshed = self._asked

    def _know(self, values: Mapping[str, str]) -> None:
        if self._last is not None and values != self._last:
            # What was seen to be rotated away need not be asked for.
            self._before = self._last
        self._last, self._failure = values, None

    def _read(self, stage: str = _CURRENT) -> Any:
        from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
        from botocore.exceptions import BotoCoreError

        try:
            if self._provider is None:
                self._provider = _provider(self._arn)
            return self._provider.get(self._arn, max_age=MAX_AGE, force_fetch=True, VersionStage=stage)
        except (GetParameterError, BotoCoreError) as error:
            reason = _reason(error)
            if stage == _PREVIOUS and reason == _NOT_FOUND:
                raise _NoVersionError from None
            raise _UnusableError(reason) from None


def _provider(arn: str) -> Any:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider
    from botocore.config import Config

    # At DEBUG it logs whole answers, values included.
    wire = logging.getLogger("botocore")
    wire.setLevel(max(logging.INFO, wire.getEffectiveLevel()))
    return SecretsProvider(
        boto_config=Config(
            region_name=_region(arn),
            connect_timeout=1,
            read_timeout=2,
            retries={"total_max_attempts": 3, "mode": "standard"},
        )
    )


def _region(arn: str) -> str | None:
    """The region in an ARN (`arn:aws:secretsmanager:REGION:...`); None for a bare name, which is looked up at home."""
    parts = arn.split(":")
    return parts[3] if len(parts) > 3 and parts[3] else None  # noqa: PLR2004 - the ARN's fourth field


def _reason(error: Exception) -> str:
    """AWS's error code (`AccessDeniedException`), else the kind of failure; AWS's own text holds ARNs."""
    cause = error.__context__ or error
    response = getattr(cause, "response", None) or {}
    code = str(response.get("Error", {}).get("Code"))
    return code if response and _CODE.fullmatch(code) else type(cause).__name__


def _parse(text: Any) -> Mapping[str, str]:
    try:
        values = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise _UnusableError("it is not JSON") from None
    if not isinstance(values, dict):
        raise _UnusableError("it is not a JSON object")
    return {name: value for name, value in values.items() if isinstance(value, str)}
