"""What callers see of NeonPanel's failures: the status, the sentence, and the error for programs."""

import base64
import json
from typing import Any, NamedTuple

from mcp_app.tools.outcome import Outcome, Status
from sandbox import Sandbox
from tests.support.calls import text_of
from tests.support.neonpanel import sent


class Seen(NamedTuple):
    """What a caller sees: the status, the sentence and the error but for it; and how many requests were sent."""

    status: Status
    message: str
    error: dict[str, Any]
    sent: int = 1


AGAIN_LATER = "Try again later."
SLOW = Seen(Status.FAILED, f"NeonPanel did not answer in time. {AGAIN_LATER}", {"code": "timeout"})
BROKEN_OFF = Seen(Status.FAILED, f"NeonPanel broke off its answer. {AGAIN_LATER}", {"code": "broken_off"})
ODD = Seen(
    Status.FAILED, f"NeonPanel gave an answer that could not be understood. {AGAIN_LATER}", {"code": "odd_answer"}
)
SIGN_IN = Seen(
    Status.FORBIDDEN,
    "NeonPanel no longer accepts your sign-in. Connect again and sign in to NeonPanel.",
    {"status": 401, "code": "sign_in_again"},
)
NO_ACCESS = Seen(
    Status.FORBIDDEN,
    "Your NeonPanel account may not do this, or may not see that company. Its owner can give you the right.",
    {"status": 403, "code": "denied"},
)
DENIED = Seen(
    Status.FAILED,
    "NeonPanel does not let this server do that: the operator must check the account's rights and region.",
    {"status": 403, "code": "denied"},
)
NOT_FOUND = Seen(Status.FAILED, "NeonPanel does not have what was asked for.", {"status": 404, "code": "not_found"})
NOTHING_THERE = Seen(
    Status.FAILED,
    "NeonPanel does not have what was asked for. Check the ids that were given: the tools that list have them.",
    {"status": 404, "code": "not_found"},
)
NOT_OFFERED = Seen(
    Status.FAILED,
    "This NeonPanel account does not offer purchase plans, or has nothing of that name.",
    {"status": 404, "code": "not_offered"},
)
BAD_REQUEST = Seen(
    Status.FAILED,
    "NeonPanel did not accept the values, without naming a field. Correct them and call again.",
    {"status": 400, "code": "invalid"},
)
INVALID = Seen(
    Status.FAILED,
    "NeonPanel did not accept the values: page is too small or too early. Correct them and call again.",
    {"status": 422, "code": "invalid", "details": {"fields": {"page": "is too small or too early"}}},
)
NOT_ACCEPTED = Seen(
    Status.FAILED,
    "NeonPanel did not accept the token, and nothing was done. Call again once; if that fails too, connect again and "
    "sign in to NeonPanel.",
    {"status": 401, "code": "not_accepted"},
)
UNCONFIRMED = Seen(
    Status.FAILED,
    "NeonPanel did not confirm this, so it may have been carried out or not. Look in NeonPanel before you call again, "
    "or it may be done twice.",
    {"code": "unconfirmed"},
)


def moment(seconds: int | None) -> str:
    return "later" if seconds is None else f"in {seconds} second{'' if seconds == 1 else 's'}"


def limited(seconds: int) -> Seen:
    return Seen(
        Status.FAILED,
        f"NeonPanel is being asked too often. Try again {moment(seconds)}.",
        {"status": 429, "code": "rate_limited", "details": {"retryAfterSeconds": seconds}},
    )


def broken(status: int, sent: int = 1, seconds: int | None = None) -> Seen:
    error = {"status": status, "code": "fault"}
    details = {} if seconds is None else {"details": {"retryAfterSeconds": seconds}}
    return Seen(
        Status.FAILED, f"NeonPanel has a fault at the moment. Try again {moment(seconds)}.", {**error, **details}, sent
    )


LIMITED_WITHOUT_END = Seen(
    Status.FAILED,
    "NeonPanel is being asked too often. Try again later.",
    {"status": 429, "code": "rate_limited"},
)


def seen(outcome: Outcome, requests: int) -> Seen:
    """An outcome as the tables have it."""
    message, error = text_of(outcome), dict(outcome.error or {})
    assert error.pop("message") == message
    assert outcome.structured is None
    return Seen(outcome.status, message, error, requests)


def subject(token: str) -> Any:
    """Whose token that is."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))["sub"]


def callers(sandbox: Sandbox) -> list[Any]:
    """Whose tokens the API was called with."""
    return [subject(request.headers["authorization"].removeprefix("Bearer ")) for request in sent(sandbox)]
