"""What a client says about itself, checked once for registrations and metadata documents (RFC 7591, section 2)."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from auth.errors import InvalidClientMetadataError, InvalidRedirectUriError
from auth.scopes import DEFAULT_SCOPES
from auth.server import redirect_uris
from auth.server.urls import is_name, parse

AUTHORIZATION_CODE: Final = "authorization_code"
REFRESH_TOKEN: Final = "refresh_token"  # noqa: S105
CLIENT_CREDENTIALS: Final = "client_credentials"
USER_GRANTS: Final = (AUTHORIZATION_CODE, REFRESH_TOKEN)
"""What a client that nobody vouches for may use, and what it gets if it does not say."""
ALL_GRANTS: Final = (*USER_GRANTS, CLIENT_CREDENTIALS)

PUBLIC_METHOD: Final = "none"
SECRET_METHODS: Final = ("client_secret_basic", "client_secret_post")
AUTH_METHODS: Final = (PUBLIC_METHOD, *SECRET_METHODS)

MOST_REDIRECT_URIS: Final = 10
LONGEST_NAME: Final = 100
LONGEST_TEXT: Final = 1000
MOST_ITEMS: Final = 20
_SHOWN: Final = frozenset("LMNPSZ")
"""General categories of what a name may hold; C are controls, bidi marks, private and unassigned characters."""
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that look like nothing."""


class ClientMetadata(NamedTuple):
    """What is registered of what a client says; the rest is not looked at.

    Attributes:
        name: as people see it; empty where none is given.
        scopes: those that it may ask for.
        uri: an https URL about the client, to be shown as text.
    """

    name: str
    redirect_uris: tuple[str, ...]
    grant_types: tuple[str, ...]
    scopes: tuple[str, ...]
    auth_method: str
    uri: str | None
    application_type: str


def checked(
    metadata: Mapping[str, Any],
    *,
    grants: Collection[str] = USER_GRANTS,
    methods: Collection[str] = AUTH_METHODS,
    default_method: str = SECRET_METHODS[0],
    offered: Sequence[str] = DEFAULT_SCOPES,
) -> ClientMetadata:
    """The metadata to register.

    What this server does not know (other grant types, scopes, a logo) is left out, as RFC 7591 (section 3.2.1)
    allows; what it could not work with is refused.

    Args:
        metadata: the members of the request or document, not trusted.
        grants: grant types that such a client may have.
        methods: ways to authenticate at the token endpoint that such a client may have.
        default_method: the one where the client names none.
        offered: the scopes that there are.

    Raises:
        InvalidRedirectUriError: a redirect URI is not allowed.
        InvalidClientMetadataError: anything else is wrong.
    """
    method = _method(metadata, methods, default_method)
    kinds = _grants(metadata, grants)
    if CLIENT_CREDENTIALS in kinds and method == PUBLIC_METHOD:
        raise InvalidClientMetadataError("The client_credentials grant is for clients with a secret.")
    uris = _redirect_uris(metadata, needed=AUTHORIZATION_CODE in kinds)
    return ClientMetadata(
        name=_name(metadata),
        redirect_uris=uris,
        grant_types=kinds,
        scopes=_scopes(metadata, offered),
        auth_method=method,
        uri=_uri(metadata),
        application_type=_application_type(metadata, uris),
    )


def _method(metadata: Mapping[str, Any], allowed: Collection[str], default: str) -> str:
    """The client's way to authenticate: what it prefers, else `none` where it says that it can do with that.

    `token_endpoint_auth_methods_supported` is from OpenID Connect Relying Party Metadata Choices; ChatGPT's document
    prefers `private_key_jwt` and lists `none`.
    """
    preferred = _text(metadata, "token_endpoint_auth_method") or default
    if preferred in allowed:
        return preferred
    possible = _texts(metadata, "token_endpoint_auth_methods_supported")
    if PUBLIC_METHOD in allowed and PUBLIC_METHOD in possible and preferred not in SECRET_METHODS:
        return PUBLIC_METHOD
    raise InvalidClientMetadataError(f"token_endpoint_auth_method must be {_either(allowed)} here.")


def _grants(metadata: Mapping[str, Any], allowed: Collection[str]) -> tuple[str, ...]:
    asked = _texts(metadata, "grant_types") if metadata.get("grant_types") is not None else USER_GRANTS
    kinds = tuple(kind for kind in ALL_GRANTS if kind in asked and kind in allowed)
    if AUTHORIZATION_CODE not in kinds and CLIENT_CREDENTIALS not in kinds:
        known = [kind for kind in allowed if kind != REFRESH_TOKEN]
        raise InvalidClientMetadataError(f"grant_types must hold {_either(known)}.")
    answers = _texts(metadata, "response_types") if metadata.get("response_types") is not None else ("code",)
    if AUTHORIZATION_CODE in kinds and "code" not in answers:
        raise InvalidClientMetadataError("response_types must hold code.")
    return kinds


def _redirect_uris(metadata: Mapping[str, Any], *, needed: bool) -> tuple[str, ...]:
    try:
        uris = tuple(dict.fromkeys(_texts(metadata, "redirect_uris")))
    except InvalidClientMetadataError as error:
        raise InvalidRedirectUriError(error.description) from None
    if not needed:
        return ()
    if not 0 < len(uris) <= MOST_REDIRECT_URIS:
        raise InvalidRedirectUriError(f"redirect_uris must hold 1 to {MOST_REDIRECT_URIS} URIs.")
    for uri in uris:
        redirect_uris.check(uri)
    return uris


def _scopes(metadata: Mapping[str, Any], offered: Sequence[str]) -> tuple[str, ...]:
    asked = (_text(metadata, "scope") or "").split(" ")
    return tuple(scope for scope in offered if scope in asked) or tuple(offered)


def _name(metadata: Mapping[str, Any]) -> str:
    """The name without what would change how the text around it is read."""
    given = unicodedata.normalize("NFC", _text(metadata, "client_name") or "")
    shown = "".join(char for char in given if _is_shown(char))
    name = " ".join(shown.split())
    if len(name) > LONGEST_NAME:
        raise InvalidClientMetadataError(f"client_name is longer than {LONGEST_NAME} characters.")
    return name


def _is_shown(char: str) -> bool:
    return char.isspace() or (unicodedata.category(char)[0] in _SHOWN and char not in _BLANK)


def _uri(metadata: Mapping[str, Any]) -> str | None:
    written = _text(metadata, "client_uri")
    try:
        url = parse(written or "", longest=LONGEST_TEXT)
    except ValueError:
        return None
    return written if url.scheme == "https" and is_name(url.host) else None


def _application_type(metadata: Mapping[str, Any], uris: Collection[str]) -> str:
    """`native` with any redirect URI that only an app can have: Cursor says `web` beside its own scheme."""
    said = _text(metadata, "application_type")
    if said not in (None, "web", "native"):
        raise InvalidClientMetadataError("application_type must be web or native.")
    return "native" if any(map(redirect_uris.is_native, uris)) else said or "web"


def _text(metadata: Mapping[str, Any], member: str) -> str | None:
    value = metadata.get(member)
    if value is not None and not _is_text(value):
        raise InvalidClientMetadataError(f"{member} must be a string of at most {LONGEST_TEXT} characters.")
    return value


def _texts(metadata: Mapping[str, Any], member: str) -> tuple[str, ...]:
    values = metadata.get(member)
    if values is None:
        return ()
    if not isinstance(values, list) or len(values) > MOST_ITEMS or not all(map(_is_text, values)):
        raise InvalidClientMetadataError(f"{member} must be a list of at most {MOST_ITEMS} strings.")
    return tuple(values)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _either(values: Collection[str]) -> str:
    return " or ".join(value for value in (*AUTH_METHODS, *ALL_GRANTS) if value in values)
