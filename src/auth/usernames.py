"""Usernames: the one form in which a name is stored and compared."""

import unicodedata
from typing import Final

LONGEST: Final = 64
_MOST_TYPED: Final = 256
_PUNCTUATION: Final = frozenset("._-@+")


class UnfitUsernameError(ValueError):
    """No user can have this name; the message says what a name is made of."""

    def __init__(self) -> None:
        super().__init__(
            f"A username has 1 to {LONGEST} letters, digits and . _ - @ +, and begins with a letter or a digit."
        )


def canonical(username: str) -> str:
    """A name as it is stored: NFKC, case folded, without blanks around it; an e-mail address is one.

    Raises:
        UnfitUsernameError: it holds what a name may not hold, or too much of it.
    """
    typed = username.strip()
    if len(typed) > _MOST_TYPED:  # a character can become 18 of them
        raise UnfitUsernameError
    # Folding can undo the normal form, and the second form is stable.
    name = _nfkc(_nfkc(typed).casefold())
    fit = 0 < len(name) <= LONGEST and all(_allowed(character) for character in name) and name[0].isalnum()
    if not fit:
        raise UnfitUsernameError
    return name


def canonical_or_typed(username: str) -> str:
    """The canonical name, or for what can be nobody's name the text itself, so that tries of it can be counted."""
    try:
        return canonical(username)
    except UnfitUsernameError:
        return username


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _allowed(character: str) -> bool:
    # Marks are part of the letters of many scripts.
    return character in _PUNCTUATION or unicodedata.category(character)[0] in "LM" or character.isdecimal()
