"""The authorization server that the settings describe, and which of them it refuses to run with.

Making it touches neither disk nor network: the first request that needs the store or a key opens them.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auth.events import Sink
from auth.scopes import ALL_SCOPES, DEFAULT_SCOPES
from auth.server.config import DAY, MINUTE, Config, Limits
from auth.server.server import AuthorizationServer, Clock
from mcp_app.address import client_address_of, on_loopback, reachable
from mcp_app.secrets import Secrets, SecretUnavailableError
from mcp_app.settings import Settings, SettingsError
from mcp_app.telemetry import log_event

if TYPE_CHECKING:
    from auth.keys.keys import Keys
    from auth.keys.server_key import SealingSecrets, ServerKey
    from auth.server.documents import Documents
    from store.protocol import Store

SECRET: Final = "SERVER_SECRET"  # noqa: S105 (the name of a setting)


def authorization_server(
    settings: Settings,
    secrets: Secrets | None = None,
    *,
    events: Sink = log_event,
    documents: "Documents | None" = None,
    clock: Clock = time.time,
) -> AuthorizationServer:
    """The server's own users, clients, grants and tokens, over the store that the settings name.

    Args:
        settings: how to run.
        secrets: where `SERVER_SECRET` comes from; by default what the settings name.
        events: told what happens; by default it is logged.
        documents: client metadata documents; None makes those that guard against private addresses.
        clock: epoch seconds.

    Raises:
        SettingsError: the settings name no place for what must be kept.
    """
    check_storage(settings)
    store = _store(settings, clock)
    return AuthorizationServer(
        store,
        _keys(settings, store, events, clock),
        _server_key(settings, secrets or Secrets(settings)),
        config(settings),
        documents=documents,
        address=client_address_of(settings),
        events=events,
        clock=clock,
    )


def config(settings: Settings) -> Config:
    """The authorization server's own settings, durations in seconds."""
    return Config(
        name=settings.name,
        access_token=settings.access_token_minutes * MINUTE,
        refresh_token=settings.refresh_token_days * DAY,
        registration=settings.dynamic_registration,
        scopes=ALL_SCOPES if settings.tool_scopes else DEFAULT_SCOPES,
        public=reachable(settings),
        limits=Limits(
            sign_ins_per_user=settings.sign_ins_per_user,
            sign_ins_per_address=settings.sign_ins_per_address,
            failures_before_lock=settings.sign_in_failures_before_lock,
            first_lock=settings.sign_in_first_lock_seconds,
            longest_lock=settings.sign_in_longest_lock_seconds,
            token_requests_per_client=settings.token_requests_per_client,
            registrations_per_address=settings.registrations_per_address,
        ),
    )


def check_storage(settings: Settings) -> None:
    """Refuse to keep users and keys where they would be lost.

    Raises:
        SettingsError: with what to set.
    """
    if settings.lambda_function is None or settings.given("auth_db_path"):
        return
    if settings.auth_table is None:
        raise SettingsError(
            "AUTH_MODE=oauth on Lambda needs AUTH_TABLE, the DynamoDB table of users and grants: "
            "what a function writes to its own disk is lost"
        )
    if settings.signing_key_arn is None and settings.jwt_secret_key is None:
        raise SettingsError("AUTH_MODE=oauth on Lambda needs SIGNING_KEY_ARN, the KMS key that signs access tokens")
    if settings.server_secret_arn is None and settings.server_secret is None:
        raise SettingsError("AUTH_MODE=oauth on Lambda needs SERVER_SECRET_ARN, the key that all instances share")


def check_shared(settings: Settings) -> None:
    """Refuse to share users among machines that would refuse each other's refresh tokens.

    Raises:
        SettingsError: with what to set.
    """
    if settings.auth_table is not None and settings.server_secret is None and settings.server_secret_arn is None:
        raise SettingsError(
            "AUTH_TABLE is for machines that share their users; SERVER_SECRET (or SERVER_SECRET_ARN) "
            "is the key that they need in common"
        )


def check_address(settings: Settings, mode: str) -> None:
    """Refuse to take passwords and tokens where they could be overheard, or under an address that nobody vouches for.

    Raises:
        SettingsError: with what to set.
    """
    url = settings.public_url
    if url is None and settings.lambda_function is None and reachable(settings):
        raise SettingsError(
            f"AUTH_MODE={mode} needs PUBLIC_URL, the https origin that clients use, "
            "where other machines reach the server"
        )
    if url is not None and not url.startswith("https://") and not on_loopback(settings):
        raise SettingsError(f"AUTH_MODE={mode} needs a PUBLIC_URL that begins with https://, since tokens travel to it")


def _store(settings: Settings, clock: Clock) -> "Store":
    if settings.auth_table is not None:
        from store.dynamodb import DynamoStore

        return DynamoStore(settings.auth_table, clock)
    from store.sqlite import SqliteStore

    return SqliteStore(settings.auth_db_path, clock)


def _keys(settings: Settings, store: "Store", events: Sink, clock: Clock) -> "Keys":
    from auth.keys.keys import Keys

    secret = settings.jwt_secret_key
    try:
        return Keys(
            store,
            folder=_folder(settings),
            kms_key=settings.signing_key_arn,
            hmac_secret=None if secret is None else secret.get_secret_value().encode(),
            access_token=settings.access_token_minutes * MINUTE,
            clock=clock,
            events=events,
        )
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _server_key(settings: Settings, secrets: Secrets) -> "ServerKey":
    from auth.keys.server_key import FileSecret, ServerKey

    folder = _folder(settings)
    shared = settings.server_secret is not None or settings.server_secret_arn is not None
    return ServerKey(_SharedSecret(secrets) if shared or folder is None else FileSecret(folder))


class _SharedSecret:
    """`SERVER_SECRET` as the setting or Secrets Manager has it, and the one before its rotation."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    async def __call__(self, *, refresh: bool = False) -> "SealingSecrets":
        """Both secrets.

        Raises:
            auth.keys.errors.KeyUnavailableError: they cannot be read now, or there is none where one should be.
        """
        from auth.keys.errors import KeyUnavailableError
        from auth.keys.server_key import SealingSecrets

        try:
            current = await self._secrets.get(SECRET, refresh=refresh)
            if current is None:
                raise KeyUnavailableError(
                    f"there is no {SECRET}, neither set nor in the secret that SERVER_SECRET_ARN names"
                )
            return SealingSecrets(current, await self._secrets.previous(SECRET))
        except SecretUnavailableError as error:
            raise KeyUnavailableError(str(error)) from None


def _folder(settings: Settings) -> Path | None:
    """Where the keys are that the server makes for itself; None where there is no disk that lasts."""
    lasting = settings.lambda_function is None or settings.given("auth_db_path")
    return Path(settings.auth_db_path).parent if lasting else None
