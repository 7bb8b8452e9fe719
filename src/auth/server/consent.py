"""The question that the consent page asks, as it travels through the browser and back."""

from typing import Final, NamedTuple

from auth.server.csrf import TOKEN_LENGTH, bound, is_bound
from auth.server.seal import sealed, unsealed
from auth.server.server import AuthorizationServer

PURPOSE: Final = "consent"

LIFETIME: Final = 600
"""Seconds within which a question can be answered."""


class Question(NamedTuple):
    """What a user was asked.

    Attributes:
        query: the authorization request, as a query string.
        binding: what only the session that was asked fits.
    """

    query: str
    binding: str


async def ask(server: AuthorizationServer, cookie: str, query: str) -> str:
    """The hidden field of a consent form: the whole request, sealed, for one session, for ten minutes.

    Args:
        server: which seals it.
        cookie: the session's.
        query: the authorization request.
    """
    return await sealed(server, PURPOSE, f"{await bound(server, PURPOSE, cookie)}{query}", LIFETIME)


async def asked_question(server: AuthorizationServer, field: str) -> Question:
    """The question under a form's field.

    Raises:
        BrokenSealError: this server never asked it.
        ExpiredSealError: it was asked too long ago.
    """
    value = await unsealed(server, PURPOSE, field)
    return Question(value[TOKEN_LENGTH:], value[:TOKEN_LENGTH])


async def asked_here(server: AuthorizationServer, question: Question, cookie: str) -> bool:
    """Whether it was this session that was asked."""
    return await is_bound(server, PURPOSE, cookie, question.binding)
