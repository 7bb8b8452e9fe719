"""What can go wrong with NeonPanel, in words for whoever called a tool.

    AccessError
    ├── NoUserError             the caller has no sign-in at NeonPanel, and the call needs one
    ├── MissingRightError       the user lacks a permission, or the token a scope
    └── NoAccessError           403 with a user's rights
    UpstreamError
    ├── NothingThereError       404
    ├── NotOfferedError         404 of what is in no published document
    ├── InvalidRequestError     400 and 422
    ├── NotAcceptedError        401 to what may be sent once only
    └── UnconfirmedError        it may have been carried out, and nothing said so

None of them holds anything that NeonPanel wrote.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from mcp_app.clients.errors import AccessError, NotFoundError, UpstreamError

SERVICE: Final = "NeonPanel"


class NoUserError(AccessError):
    """The call needs a user's rights, and whoever calls came in without any at NeonPanel."""

    code = "no_user"
    message = "This needs your own {service} account: connect by signing in to {service}."


class MissingRightError(AccessError):
    """What NeonPanel said of the user, or the user's token, does not hold what the call needs."""

    code = "missing_right"

    def __init__(self, right: str, *, scope: bool) -> None:
        self.scopes = frozenset({right} if scope else ())
        self.details = {"missing": right}
        whose = "this connection lacks the scope" if scope else f"your {SERVICE} account lacks the permission"
        Exception.__init__(self, f"You may not do this: {whose} {right}.")


class NoAccessError(AccessError):
    """NeonPanel does not let this user do it."""

    code = "denied"
    status = HTTPStatus.FORBIDDEN
    message = "Your {service} account may not do this, or may not see that company. Its owner can give you the right."


class NothingThereError(NotFoundError):
    """NeonPanel has nothing of that id."""

    message = (
        "{service} does not have what was asked for. Check the ids that were given: the tools that list have them."
    )


class NotOfferedError(NotFoundError):
    """NeonPanel has no such endpoint for this account."""

    code = "not_offered"

    def __init__(self, what: str) -> None:
        Exception.__init__(self, f"This {SERVICE} account does not offer {what}, or has nothing of that name.")


class NotAcceptedError(UpstreamError):
    """The token was refused before anything was done, and what changes data is never sent twice."""

    code = "not_accepted"
    status = HTTPStatus.UNAUTHORIZED
    message = (
        "{service} did not accept the token, and nothing was done. Call again once; if that fails too, connect again "
        "and sign in to {service}."
    )


class UnconfirmedError(UpstreamError):
    """What was sent changes data, and no answer says whether it did."""

    code = "unconfirmed"
    message = (
        "{service} did not confirm this, so it may have been carried out or not. Look in {service} before you call "
        "again, or it may be done twice."
    )


class InvalidRequestError(UpstreamError):
    """NeonPanel refuses the values that it was sent; names the fields, in our words."""

    code = "invalid"

    def __init__(self, status: int, faults: Mapping[str, str]) -> None:
        self.status = status
        self.details = {"fields": dict(faults)} if faults else None
        named = "; ".join(f"{field} {fault}" for field, fault in faults.items())
        what = f": {named}" if named else ", without naming a field"
        Exception.__init__(self, f"{SERVICE} did not accept the values{what}. Correct them and call again.")


_MOST_FIELDS: Final = 20
_NAME: Final = r"(?:(?![A-Za-z_]{41})[a-z][a-z_]*(?:[A-Z][a-z][a-z_]*)*|[0-9]{1,4}|\*)"
"""Words, in snake_case or camelCase; what looks like a key or a token is none."""

_FIELD: Final = re.compile(rf"{_NAME}(?:\.{_NAME}){{0,6}}")
"""A field's name as NeonPanel writes it; nothing else that it may write there is passed on."""

_TOO_SMALL: Final = "is too small or too early"
_TOO_LARGE: Final = "is too large or too late"

_FAULTS: Final = (
    (re.compile(r"\brequired\b|\bmissing\b"), "is required"),
    (re.compile(r"\bbetween\b"), "is out of range"),
    (re.compile(r"\bnot (?:be|have) (?:greater|more|after)\b"), _TOO_LARGE),
    (re.compile(r"\bnot (?:be|have) (?:less|fewer|before)\b"), _TOO_SMALL),
    (re.compile(r"\bat least\b|\bgreater than\b|\bmore than\b|\bafter\b|\bminimum\b"), _TOO_SMALL),
    (re.compile(r"\bat most\b|\bless than\b|\bfewer than\b|\bbefore\b|\bmaximum\b"), _TOO_LARGE),
    (re.compile(r"\btaken\b|\balready\b|\bunique\b"), "is there already"),
    (re.compile(r"\bselected\b|\bexist"), "names nothing that there is"),
    (re.compile(r"\bvalid\b|\bformat\b|\bmust be\b"), "has the wrong form"),
)
"""What Laravel's sentences mean, the first that fits."""


def field_faults(body: Any) -> dict[str, str]:
    """What a 422's `errors` say of each field, in our words: the sentences are NeonPanel's, and may hold anything."""
    errors = body.get("errors") if isinstance(body, Mapping) else None
    named = errors.items() if isinstance(errors, Mapping) else ()
    known = [(field, said) for field, said in named if isinstance(field, str) and _FIELD.fullmatch(field)]
    return {field: _fault(said) for field, said in known[:_MOST_FIELDS]}


def _fault(said: Any) -> str:
    sentences = said if isinstance(said, Sequence) and not isinstance(said, str) else [said]
    text = " ".join(sentence for sentence in sentences if isinstance(sentence, str)).lower()
    return next((words for pattern, words in _FAULTS if pattern.search(text)), "is not accepted")
