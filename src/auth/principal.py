"""Who is calling."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request, as an authenticator established it.

    Attributes:
        subject: stable id of the user or client (`sub` of its token).
        client_id: the OAuth client that acts for the subject, if any.
        scopes: what the caller may do; None where the way it came in knows no scopes, so that all is allowed.
    """

    subject: str
    client_id: str | None = None
    scopes: frozenset[str] | None = None


ANONYMOUS = Principal(subject="anonymous")
"""Every caller while `AUTH_MODE=noauth`."""

VISITOR = Principal(subject="visitor", scopes=frozenset())
"""A caller without a token while discovery is public."""
