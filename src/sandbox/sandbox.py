"""The sandbox as tests and commands hold it: its switches, its tokens, and what it was asked."""

import time
import uuid
from collections.abc import Mapping
from typing import Any, Final, Literal

from sandbox.data import people
from sandbox.data.people import Person
from sandbox.fault import Fault, Faults
from sandbox.keys import Keys
from sandbox.oauth.client import SERVICE, Clients
from sandbox.oauth.grants import Grants
from sandbox.received import Received

USER_JWT_LIFETIME: Final = 600
CLIENT_ID: Final = "sandbox-client"
_KEPT: Final = 10_000


class Sandbox:
    """A NeonPanel that is served; its switches are plain attributes and take effect with the next request.

    Attributes:
        url: where it is, without a slash at the end.
        requests: what it received, control pages aside, the oldest first; the last ten thousand.
        accept_access_tokens: the API takes access tokens themselves too, as NeonPanel does today.
        introspection: what the introspection tells of a good token: the user's JWT, permissions alone, or nothing.
        legacy_details: an item's balances are at `/details`, as they were before February 2026.
        instructions_as_text: the instructions of an import are text, not JSON.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Received] = []
        self.accept_access_tokens = False
        self.introspection: Literal["user_jwt", "permissions", "inactive"] = "user_jwt"
        self.legacy_details = False
        self.instructions_as_text = False
        self.keys = Keys()
        self.faults = Faults()
        self.clients = Clients()
        self.grants = Grants()
        self.imports: dict[str, dict[str, Any]] = {}

    def settings(self) -> dict[str, str]:
        """Environment variables that make mcpx use this NeonPanel."""
        return {
            "PRESET": "neonpanel",
            "PROVIDER_ISSUER": self.url,
            "PROVIDER_JWKS_URI": f"{self.url}/.well-known/jwks.json",
            "PROVIDER_AUTHORIZATION_ENDPOINT": f"{self.url}/oauth2/authorize",
            "PROVIDER_TOKEN_ENDPOINT": f"{self.url}/oauth2/token",
            "PROVIDER_REGISTRATION_ENDPOINT": f"{self.url}/oauth2/register",
            "NEONPANEL_API_BASE": self.url,
            "NEONPANEL_USER_JWT_URL": f"{self.url}/auth/user-jwt",
            "NEONPANEL_TOKEN_INTROSPECT_URL": f"{self.url}/auth/introspect",
            "NEONPANEL_OAUTH_TOKEN_URL": f"{self.url}/oauth2/token",
            "NEONPANEL_CLIENT_ID": SERVICE.id,
            "NEONPANEL_CLIENT_SECRET": SERVICE.secret or "",
            "NEONPANEL_TOKEN_PASSTHROUGH": "false",
        }

    def access_token(
        self,
        user: str = "ann",
        scope: str | None = "openid",
        *,
        lifetime: float = 3600,
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """An access token as the token endpoint gives it.

        Args:
            user: its subject: `ann`, `bob`, `carla`, or somebody who is nobody here.
            scope: of it; None leaves the claim out.
            lifetime: seconds from now; negative for one that has expired.
            header: members that replace those of its header; None leaves one out.
            claims: further claims, or others in place of its own; None leaves one out.
        """
        now = int(time.time())
        members = {
            "iss": self.url,
            "sub": user,
            "iat": now,
            "exp": now + int(lifetime),
            "jti": str(uuid.uuid4()),
            "scope": scope,
            "client_id": CLIENT_ID,
            **claims,
        }
        return self.sign({name: value for name, value in members.items() if value is not None}, header)

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        """Any JWT, signed by the current key; members of `header` replace its own, those that are None are left out."""
        return self.keys.sign(claims, header)

    def user_jwt(self, person: Person) -> str:
        """A user's own JWT, good for ten minutes, as the exchange gives it."""
        now = int(time.time())
        return self.sign(
            {
                "iss": self.url,
                "sub": person.id,
                "name": person.name,
                "account_id": person.account_id,
                "companies": [company.uuid for company in person.companies],
                "permissions": list(person.permissions),
                "token_use": "user",
                "iat": now,
                "exp": now + USER_JWT_LIFETIME,
                "jti": str(uuid.uuid4()),
            }
        )

    def person_of(self, token: str) -> tuple[Person, dict[str, Any]] | None:
        """Whose access token that is, and its claims; None for what is no good access token of a person."""
        claims = self.keys.verified(token)
        person = people.find(claims.get("sub")) if claims and "token_use" not in claims else None
        return (person, claims) if person and claims else None

    def is_service(self, claims: Mapping[str, Any]) -> bool:
        """Whether verified claims are those of a service token: a client that got it for itself."""
        subject = claims.get("sub")
        return subject == claims.get("client_id") and self.clients.find(subject) is not None

    def rotate_keys(self, *, keep_old: bool = True) -> None:
        """Sign with a new key from now on; the JWKS holds it, and the one before it unless that is not kept."""
        self.keys.rotate(keep_old=keep_old)

    def fail(self, area: str, fault: str, *, times: int | None = None, path: str = "", **options: Any) -> None:
        """Show a fault instead of an answer.

        Args:
            area: `api`, `user_jwt`, `introspect`, `token`, `jwks` or `metadata`.
            fault: a name of `sandbox.fault.FAULTS`.
            times: how many requests get it; None for all until it is healed. Faults of a number of requests are shown
                in the order in which they were set; of those that last, the newest.
            path: only requests whose path contains this get it.
            options: of the fault: `seconds`, `retry_after` or `errors`.

        Raises:
            ValueError: there is no such area, fault or option.
        """
        self.faults.add(Fault(area, fault, times, path, options))

    def heal(self, area: str | None = None) -> None:
        """End an area's faults, or all."""
        self.faults.heal(area)

    def record(self, received: Received) -> None:
        """Keep what was received, and of all that the newest."""
        self.requests.append(received)
        del self.requests[:-_KEPT]
