"""Authorization codes and refresh tokens, each good once (RFC 6749, RFC 9700, section 4.14)."""

import secrets
import time
from dataclasses import dataclass
from typing import Final

from sandbox.oauth.errors import OAuthError

_CODE_LIFETIME: Final = 60.0


@dataclass(frozen=True)
class Grant:
    """What somebody allowed a client."""

    client_id: str
    user: str
    scope: str
    redirect_uri: str
    challenge: str


class Grants:
    """The grants that can still be used, by their codes and refresh tokens."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[Grant, float]] = {}
        self._used_codes: dict[str, Grant] = {}
        self._refresh_tokens: dict[str, Grant] = {}

    def add(self, grant: Grant) -> str:
        """Keep a grant; returns its code, good for a minute."""
        code = secrets.token_urlsafe(32)
        self._codes[code] = (grant, time.monotonic() + _CODE_LIFETIME)
        return code

    def redeem(self, code: str) -> Grant:
        """The grant of a code, which is used up.

        Raises:
            OAuthError: there is none, or it is too old; where it was used before, the grant ends (section 4.1.2).
        """
        if code in self._used_codes:
            ended = self._used_codes[code]
            self._refresh_tokens = {token: grant for token, grant in self._refresh_tokens.items() if grant is not ended}
            raise OAuthError("invalid_grant", "The code was used before.")
        grant, expires = self._codes.pop(code, (None, 0.0))
        if grant is None or expires < time.monotonic():
            raise OAuthError("invalid_grant", "The code is not known or has expired.")
        self._used_codes[code] = grant
        return grant

    def refresh_token(self, grant: Grant) -> str:
        """A refresh token for a grant."""
        token = secrets.token_urlsafe(32)
        self._refresh_tokens[token] = grant
        return token

    def refresh(self, token: str, client_id: str) -> Grant:
        """The grant of a client's refresh token, which is used up.

        Raises:
            OAuthError: there is none.
        """
        grant = self._refresh_tokens.get(token)
        if grant is None or grant.client_id != client_id:
            raise OAuthError("invalid_grant", "The refresh token is not known or was used before.")
        del self._refresh_tokens[token]
        return grant
