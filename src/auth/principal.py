"""Who is calling."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request, as an authenticator established it.

    Attributes:
        subject: stable id of the user or client (`sub` of its token).
        client_id: the OAuth client that acts for the subject, if any.
        scopes: what the caller may do.
    """

    subject: str
    client_id: str | None = None
    scopes: frozenset[str] = frozenset()


ANONYMOUS = Principal(subject="anonymous")
"""Every caller while `AUTH_MODE=noauth`."""
