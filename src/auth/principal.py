"""Who is calling."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ProviderToken:
    """A verified access token of an external authorization server.

    Attributes:
        value: the token itself; it opens what its issuer lets it open.
        scopes: what it says that it allows, whether or not that is enforced here.
        tenant: whose data it is about, where its issuer says so.
        expires: epoch seconds.
    """

    value: str = field(repr=False)
    issuer: str
    scopes: frozenset[str]
    tenant: str | None
    expires: float


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request, as an authenticator established it.

    Attributes:
        subject: stable id of the user or client (`sub` of its token).
        client_id: the OAuth client that acts for the subject, if any.
        scopes: what the caller may do; None where the way it came in knows no scopes, so that all is allowed.
        token: what it came in with, where an external authorization server issued that.
    """

    subject: str
    client_id: str | None = None
    scopes: frozenset[str] | None = None
    token: ProviderToken | None = None

    @property
    def identity(self) -> tuple[str | None, str]:
        """The issuer and the subject: what tells this caller from every other; subjects are unique per issuer alone."""
        return (self.token.issuer if self.token else None, self.subject)


ANONYMOUS = Principal(subject="anonymous")
"""Every caller while `AUTH_MODE=noauth`."""

VISITOR = Principal(subject="visitor", scopes=frozenset())
"""A caller without a token while discovery is public."""
