"""An external authorization server's metadata (RFC 8414; OpenID Connect Discovery 1.0), to be told to clients again."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from auth.errors import TemporarilyUnavailableError
from auth.events import Event, Sink, ignore
from auth.loopback import is_loopback
from auth.refreshed import Ages, Refreshed
from auth.verify.fetching import Fetch, NoDocumentError

AGES: Final = Ages(most=3600, pause=3600, retry=60, first_retry=5)
STAND_IN_RETRY: Final = 60
"""Seconds until it is looked for again where the settings tell what it would."""

Metadata = Mapping[str, Any]

_URLS: Final = (
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "registration_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "userinfo_endpoint",
    "end_session_endpoint",
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
    "service_documentation",
    "op_policy_uri",
    "op_tos_uri",
)
_LISTS: Final = (
    "scopes_supported",
    "response_types_supported",
    "response_modes_supported",
    "grant_types_supported",
    "code_challenge_methods_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "claims_supported",
    "ui_locales_supported",
    "prompt_values_supported",
    "dpop_signing_alg_values_supported",
)
_FLAGS: Final = (
    "authorization_response_iss_parameter_supported",
    "client_id_metadata_document_supported",
    "require_pushed_authorization_requests",
    "claims_parameter_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_request_uri_registration",
)


class ProviderMetadata:
    """What an issuer says of itself, the last good document kept while it cannot be had.

    Args:
        issuer: exactly as its tokens name it.
        fetch: gives documents.
        clock: epoch seconds.
        url: where the document is; None: at the well-known places.
        stand_in: what to tell where the issuer has none; None: nothing.
        events: told where it cannot be had.
    """

    def __init__(
        self,
        issuer: str,
        fetch: Fetch,
        clock: Callable[[], float],
        *,
        url: str | None = None,
        stand_in: Metadata | None = None,
        events: Sink = ignore,
    ) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._places = well_known(issuer) if url is None else (url,)
        self._stand_in = stand_in
        self._events = events
        ages = AGES if stand_in is None else AGES._replace(first_retry=STAND_IN_RETRY)
        self._document = Refreshed(self._read, NoDocumentError, ages, clock)

    async def get(self) -> Metadata:
        """The document, of known members alone.

        Raises:
            TemporarilyUnavailableError: it cannot be had, never could, and nothing stands in for it.
        """
        found = await self._document.get() or self._stand_in
        if found is None:
            raise TemporarilyUnavailableError(
                "The metadata of the tokens' issuer cannot be had now. Try again.", int(AGES.first_retry)
            )
        return found

    async def jwks_uri(self) -> str:
        """Where the issuer's keys are.

        Raises:
            TemporarilyUnavailableError: nobody tells it now.
        """
        uri = (await self.get()).get("jwks_uri")
        if uri is None:
            raise TemporarilyUnavailableError(
                "The metadata of the tokens' issuer names no keys.", int(AGES.first_retry)
            )
        return str(uri)

    async def _read(self) -> Metadata:
        reason = ""
        for place in self._places:
            try:
                return known_members(await self._fetch(place), self._issuer, local=is_loopback(place))
            except NoDocumentError as error:
                reason = str(error)
                if not error.absent:
                    break  # the other places are on the same machine
            except ValueError as error:
                reason = f"the document at {place} {error}"
        self._events(Event("provider_unavailable", {"what": "metadata", "reason": reason}, alarming=True))
        raise NoDocumentError(reason)


def well_known(issuer: str) -> tuple[str, ...]:
    """Where an issuer's metadata is (RFC 8414, section 3.1; OpenID Connect Discovery 1.0, section 4)."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    return (
        f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{path}",
        f"{issuer.rstrip('/')}/.well-known/openid-configuration",
    )


def known_members(document: Metadata, issuer: str, *, local: bool) -> Metadata:
    """The members that are known and of their kind; no other is passed on, nor a signed copy that might differ.

    Args:
        document: as it came.
        issuer: whose it must be.
        local: whether it came from this machine, so that its URLs may be of this machine and without TLS.

    Raises:
        ValueError: it is another issuer's, or clients could do nothing with it; the message goes on after "the
            document".
    """
    if document.get("issuer") != issuer:
        raise ValueError("is another issuer's")
    told: dict[str, Any] = {"issuer": issuer}
    told |= {name: value for name in _URLS if _is_url(value := document.get(name), local=local)}
    told |= {name: value for name in _LISTS if _is_texts(value := document.get(name))}
    told |= {name: value for name in _FLAGS if isinstance(value := document.get(name), bool)}
    if not {"authorization_endpoint", "token_endpoint"} <= told.keys():
        raise ValueError("names no https URL as authorization_endpoint or as token_endpoint")
    return told


def stand_in(issuer: str, urls: Mapping[str, str | None], scopes: Sequence[str]) -> Metadata | None:
    """What an issuer that has no metadata would say; None where not even its endpoints are known.

    Args:
        issuer: exactly as its tokens name it.
        urls: by member.
        scopes: that its tokens must carry.
    """
    told = {name: url for name, url in urls.items() if url is not None}
    if not {"authorization_endpoint", "token_endpoint"} <= told.keys():
        return None
    listed = {"scopes_supported": list(scopes)} if scopes else {}
    return {
        "issuer": issuer,
        **told,
        **listed,
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
    }


def _is_url(value: Any, *, local: bool) -> bool:
    if not isinstance(value, str) or not value.isprintable() or " " in value:
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    secure = parts.scheme == "https" or (local and parts.scheme == "http" and is_loopback(value))
    return secure and bool(parts.hostname) and parts.username is None


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
