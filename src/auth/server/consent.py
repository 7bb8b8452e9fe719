"""The question that the consent page asks, as it travels through the browser and back."""

from typing import Final, NamedTuple

from auth.server.csrf import form_token, token_fits
from auth.server.seal import seal, unseal
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
    key = await server.server_key.current(PURPOSE)
    return seal(key, f"{form_token(key, cookie)}{query}", int(server.clock()) + LIFETIME)


async def asked_question(server: AuthorizationServer, field: str) -> Question:
    """The question under a form's field.

    Raises:
        BrokenSealError: this server never asked it.
        ExpiredSealError: it was asked too long ago.
    """
    value = unseal(await server.server_key.accepted(PURPOSE), field, server.clock())
    length = len(form_token(b"", ""))
    return Question(value[length:], value[:length])


async def asked_here(server: AuthorizationServer, question: Question, cookie: str) -> bool:
    """Whether it was this session that was asked."""
    return token_fits(await server.server_key.accepted(PURPOSE), cookie, question.binding)
