"""What is stored: one tuple per kind of record, as JSON under a key that names the kind.

Times are epoch seconds. The storage reference describes every field.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

USERS = "users"
"""Owner of all users, for listing."""

CLIENTS = "clients"
"""Owner of all registered clients, for listing."""

KEYS = "keys"
"""Key of the one record that holds the set of signing keys."""

_GIVEN_ID = re.compile(r"[0-9a-f]{32}")
"""A client id that this server gave out; a metadata document's is a URL."""


class User(NamedTuple):
    """Somebody who can sign in.

    Attributes:
        id: immutable; `sub` of every token.
        username: unique, as `auth.usernames.canonical` writes it.
        epoch: raised by disabling, removal and a new password; a grant or session of an older epoch is dead.
        password_hash: bcrypt.
        failures: failed sign-ins in a row.
        locked_until: no sign-in before; where failures led to no lock, when the last of them was.
    """

    id: str
    username: str
    epoch: int
    password_hash: str
    created: int
    last_login: int | None = None
    disabled: bool = False
    failures: int = 0
    locked_until: int = 0


class Username(NamedTuple):
    """Which user has a name; what makes names unique."""

    user_id: str


class Attempts(NamedTuple):
    """Failed sign-ins in a row: those with a name that nobody has; a user's are in its own record."""

    failures: int = 0
    locked_until: int = 0


class Client(NamedTuple):
    """An OAuth client.

    Attributes:
        id: `client_id`; for a metadata document its URL.
        source: how it came: `dcr` (registered itself), `cli`, `pinned` or `document` (these two are never stored).
        auth_method: `none`, `client_secret_basic` or `client_secret_post`.
        secret_hash: SHA-256 of the secret, in hex; None for a public client.
        application_type: `web` or `native` (OpenID Connect Registration, section 2).
        last_used: None until its first token; unused dynamic clients expire.
    """

    id: str
    name: str
    source: str
    redirect_uris: tuple[str, ...]
    grant_types: tuple[str, ...]
    scopes: tuple[str, ...]
    auth_method: str
    secret_hash: str | None
    created: int
    last_used: int | None = None
    uri: str | None = None
    application_type: str = "web"

    @property
    def confidential(self) -> bool:
        """Whether it can keep a secret."""
        return self.secret_hash is not None

    @property
    def vouched_for(self) -> bool:
        """Whether whoever runs the server made it known; anybody can be one of the others."""
        return self.source in ("cli", "pinned")


class Code(NamedTuple):
    """The authorization code of a grant: what it is bound to, and when it was redeemed."""

    hash: str
    challenge: str
    redirect_uri: str
    expires: int
    redeemed: int | None = None


class Revocation(NamedTuple):
    """When and why a grant ended."""

    at: int
    reason: str


class Grant(NamedTuple):
    """What a user allowed a client: pending until the code is redeemed, then active until it is revoked or expires.

    Attributes:
        epoch: the user's epoch when it was made.
        client_name: as the user saw it.
        scopes: what tokens of it may at most carry.
        resource: RFC 8707; `aud` of its tokens.
        seed: hex; with the server key it makes the refresh tokens. Empty while pending.
        generation: of the current refresh token, from 0.
        rotations: when each of the last generations was superseded, oldest first, 8 at most.
        refreshable: whether it has refresh tokens at all.
    """

    id: str
    user_id: str
    epoch: int
    client_id: str
    client_name: str
    scopes: tuple[str, ...]
    resource: str
    created: int
    code: Code | None = None
    seed: str = ""
    generation: int = 0
    rotations: tuple[int, ...] = ()
    last_used: int | None = None
    revoked: Revocation | None = None
    refreshable: bool = True


class LoginSession(NamedTuple):
    """A browser that signed in; stored under the SHA-256 of its cookie."""

    user_id: str
    epoch: int
    created: int
    expires: int


class SigningKey(NamedTuple):
    """One key of the set that signs and verifies access tokens.

    Attributes:
        id: `kid`.
        public: the public key as a JWK's members (RFC 7517), without `kid`, `alg` and `use`.
        private: where the private key is: `kms:ARN` or `pem:FILE`, FILE being a name in the store's folder.
        since: it signs from then on.
        until: it verifies until then; None while it is the one that signs.
    """

    id: str
    algorithm: str
    public: dict[str, str]
    private: str
    since: int
    until: int | None = None


class KeySet(NamedTuple):
    """The signing keys in use, the newest last."""

    keys: tuple[SigningKey, ...]


def user_key(user_id: str) -> str:
    """Where a user is stored."""
    return f"user#{user_id}"


def username_key(username: str) -> str:
    """Where a name's user is stored."""
    return f"username#{username}"


def attempts_key(name_hash: str) -> str:
    """Where failed sign-ins with a name that nobody has are counted; people type passwords there, so it is hashed."""
    return f"attempts#{name_hash}"


def client_key(client_id: str) -> str:
    """Where a client is stored."""
    return f"client#{client_id}"


def needed_client(client_id: str) -> str | None:
    """Where a client has to be stored for its grants to live; None for one that never is stored."""
    return client_key(client_id) if _GIVEN_ID.fullmatch(client_id) else None


def grant_key(grant_id: str) -> str:
    """Where a grant is stored."""
    return f"grant#{grant_id}"


def session_key(cookie_hash: str) -> str:
    """Where a login session is stored."""
    return f"session#{cookie_hash}"


def grants_of(user_id: str) -> str:
    """Owner of a user's grants, for listing."""
    return f"grants#{user_id}"


def encode(record: NamedTuple, before: bytes | None = None) -> bytes:
    """A record as JSON.

    Args:
        record: as it is to be.
        before: what it is written over; what only a newer version knows of that is kept.
    """
    written = _plain(record) if before is None else _over(json.loads(before), _plain(record))
    return json.dumps(written, separators=(",", ":"), ensure_ascii=False).encode()


def user(data: bytes) -> User:
    """The user in a stored record."""
    return User(**_members(data, User))


def username(data: bytes) -> Username:
    """The name's owner in a stored record."""
    return Username(**_members(data, Username))


def attempts(data: bytes) -> Attempts:
    """The failed sign-ins in a stored record."""
    return Attempts(**_members(data, Attempts))


def client(data: bytes) -> Client:
    """The client in a stored record."""
    return Client(**_members(data, Client))


def grant(data: bytes) -> Grant:
    """The grant in a stored record."""
    members = _members(data, Grant)
    if members.get("code"):
        members["code"] = Code(**_known(members["code"], Code))
    if members.get("revoked"):
        members["revoked"] = Revocation(**_known(members["revoked"], Revocation))
    return Grant(**members)


def login_session(data: bytes) -> LoginSession:
    """The session in a stored record."""
    return LoginSession(**_members(data, LoginSession))


def key_set(data: bytes) -> KeySet:
    """The signing keys in a stored record."""
    return KeySet(tuple(SigningKey(**_known(key, SigningKey)) for key in json.loads(data)["keys"]))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        fields = getattr(value, "_fields", None)
        return (
            [_plain(item) for item in value]
            if fields is None
            else {name: _plain(getattr(value, name)) for name in fields}
        )
    return value


def _over(before: Any, after: Any) -> Any:
    """`after`, and of objects the members that only the one before has: `after` has all that this version knows."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    return {**before, **{name: _over(before.get(name), value) for name, value in after.items()}}


def _members(data: bytes, kind: Any) -> dict[str, Any]:
    return _known(json.loads(data), kind)


def _known(stored: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    """The fields that this version knows; a newer one may have written more of them."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in stored.items()
        if name in kind._fields
    }
