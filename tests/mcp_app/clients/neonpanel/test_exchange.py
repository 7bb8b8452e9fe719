"""Where the tokens come from, and what a caller sees where they do not come."""

import base64
import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from pydantic import SecretStr

from mcp_app.clients.neonpanel.user_jwt import SECONDS
from mcp_app.tools.outcome import Status
from sandbox import SECRET_UPSTREAM_TEXT, Sandbox
from sandbox.oauth.client import SERVICE
from tests.mcp_app.clients.neonpanel.double import answers, double
from tests.mcp_app.clients.neonpanel.secrecy import Confidant
from tests.mcp_app.clients.neonpanel.seen import (
    BROKEN_OFF,
    DENIED,
    LIMITED_WITHOUT_END,
    NOT_FOUND,
    ODD,
    SIGN_IN,
    SLOW,
    Seen,
    broken,
    callers,
    limited,
    seen,
)
from tests.support.calls import text_of
from tests.support.neonpanel import PERIOD, person, sent, tools

pytestmark = pytest.mark.anyio

PLAN = {"sku": "LNO-LAMP-BRS-US", "coverageDays": 60, "safetyStock": 5}
ELEVATED = "openid write:purchase-plans"

REJECTED = Seen(
    Status.FAILED,
    "NeonPanel refused this server's key: the operator must check NEONPANEL_CLIENT_SECRET.",
    {"code": "rejected_key"},
)
NOT_ISSUED = Seen(
    Status.FAILED,
    "NeonPanel gave this server no token: the operator must check its client's scope and audience.",
    {"code": "not_issued"},
)
NOT_SET_UP = Seen(
    Status.FAILED,
    "NeonPanel with a user's own rights is not set up here: the operator must set NEONPANEL_USER_JWT_URL or "
    "NEONPANEL_TOKEN_INTROSPECT_URL.",
    {"code": "not_configured"},
    sent=0,
)

FAULTS: list[tuple[str, dict[str, Any], Seen]] = [
    ("slow", {}, SLOW),
    ("refused", {}, BROKEN_OFF._replace(sent=3)),
    ("not-found", {}, NOT_FOUND),
    ("rate-limited", {"retry_after": 90}, limited(90)),
    ("rate-limited", {"retry_after": None}, LIMITED_WITHOUT_END._replace(sent=3)),
    ("server-error", {}, broken(500)),
    ("bad-gateway", {}, broken(502, sent=3)),
    ("truncated", {}, BROKEN_OFF),
    ("not-json", {}, ODD),
    ("huge", {}, ODD),
]
"""What is the same whatever token it is about."""

OF_USERS = [
    *FAULTS,
    ("unauthorized", {}, SIGN_IN),
    ("forbidden", {}, SIGN_IN),
    ("bad-request", {}, ODD._replace(error={"status": 400, "code": "odd_answer"})),
]
OF_SERVICE = [*FAULTS, ("unauthorized", {}, REJECTED), ("forbidden", {}, DENIED), ("bad-request", {}, NOT_ISSUED)]


def patience(fault: str) -> float:
    """Seconds of a call."""
    return 0.6 if fault == "slow" else 20


@pytest.mark.parametrize(("fault", "options", "expected"), OF_USERS)
async def test_without_the_exchange_a_users_call_ends_before_the_api(
    *, fault: str, options: dict[str, Any], expected: Seen, sandbox: Sandbox, confidant: Confidant
) -> None:
    sandbox.fail("user_jwt", fault, **options)
    async with tools(sandbox, neonpanel_introspect_url=None) as server:
        outcome = await server.call("listReports", seconds=patience(fault))
    assert seen(outcome, len(sent(sandbox, area="user_jwt"))) == expected
    assert not sent(sandbox)
    confidant.heard(outcome)


@pytest.mark.parametrize("fault", ["slow", "refused", "server-error", "unauthorized", "truncated", "not-json"])
async def test_a_write_without_its_token_was_not_done_and_says_nothing_else(
    fault: str, sandbox: Sandbox, confidant: Confidant
) -> None:
    sandbox.fail("user_jwt", fault)
    who = person(sandbox, scope=ELEVATED)
    async with tools(sandbox, neonpanel_introspect_url=None, neonpanel_tool_auth={"planPurchase": "user"}) as server:
        outcome = await server.call("planPurchase", PLAN, who, patience(fault))
    assert "may have been carried out" not in text_of(outcome)
    assert not sent(sandbox)
    confidant.heard(outcome)


@pytest.mark.parametrize(
    "fault", ["refused", "server-error", "unauthorized", "forbidden", "not-json", "truncated", "huge", "slow"]
)
async def test_where_the_exchange_fails_the_introspection_gives_the_users_token(
    fault: str, sandbox: Sandbox, confidant: Confidant
) -> None:
    sandbox.fail("user_jwt", fault)
    async with tools(sandbox) as server:
        outcome = await server.call("listReports", seconds=3 if fault == "slow" else 20)
    assert outcome.status is Status.OK
    assert len(sent(sandbox, area="introspect")) == 1
    assert callers(sandbox) == ["ann"]
    confidant.heard(outcome)


async def test_an_exchange_that_hangs_leaves_the_introspection_its_turn_whatever_the_deadline(sandbox: Sandbox) -> None:
    sandbox.fail("user_jwt", "slow")
    assert SECONDS > 1
    async with tools(sandbox) as server:
        assert (await server.call("listReports", seconds=1)).status is Status.OK


@pytest.mark.parametrize(("fault", "options", "expected"), OF_USERS)
async def test_where_both_fail_the_introspections_failure_is_told(
    *, fault: str, options: dict[str, Any], expected: Seen, sandbox: Sandbox, confidant: Confidant
) -> None:
    # What the introspection refuses is this server's client, and not the user's token.
    expected = {"unauthorized": REJECTED, "forbidden": DENIED}.get(fault, expected)
    sandbox.fail("user_jwt", "server-error")
    sandbox.fail("introspect", fault, **options)
    async with tools(sandbox) as server:
        outcome = await server.call("listReports", seconds=patience(fault))
    assert seen(outcome, len(sent(sandbox, area="introspect"))) == expected
    assert not sent(sandbox)
    confidant.heard(outcome)


@pytest.mark.parametrize("area", ["user_jwt", "introspect"])
async def test_figures_of_another_type_leave_the_tokens_own_end(area: str, sandbox: Sandbox) -> None:
    sandbox.fail(area, "wrong-types")
    url = None if area == "introspect" else f"{sandbox.url}/auth/user-jwt"
    async with tools(sandbox, neonpanel_user_jwt_url=url) as server:
        for _ in range(2):
            assert (await server.call("listReports")).status is Status.OK
    assert len(sent(sandbox, area=area)) == 1


async def test_the_access_token_is_given_in_the_body_and_as_the_bearer(sandbox: Sandbox) -> None:
    who = person(sandbox)
    assert who.token is not None
    async with tools(sandbox) as server:
        await server.result("listReports", who=who)
    (asked,) = sent(sandbox, area="user_jwt")
    assert asked.headers["authorization"] == f"Bearer {who.token.value}"
    assert json.loads(asked.body) == {"access_token": who.token.value}
    assert asked.query == []


async def test_the_introspection_is_asked_as_rfc_7662_has_it(sandbox: Sandbox) -> None:
    who = person(sandbox)
    assert who.token is not None
    async with tools(sandbox, neonpanel_user_jwt_url=None) as server:
        await server.result("listReports", who=who)
    (asked,) = sent(sandbox, area="introspect")
    pair = f"{SERVICE.id}:{SERVICE.secret}".encode()
    assert asked.headers["authorization"] == f"Basic {base64.b64encode(pair).decode()}"
    assert parse_qsl(asked.body.decode()) == [("token", who.token.value), ("token_type_hint", "access_token")]
    assert asked.query == []


async def test_an_id_and_a_secret_with_any_characters_are_told_as_oauth_has_it(sandbox: Sandbox) -> None:
    given = {"neonpanel_client_id": "a:b c", "neonpanel_client_secret": SecretStr("p%+:/ q")}
    async with double() as upstream:
        urls = upstream.introspecting()
        upstream.introspect = answers({"active": True, "user_jwt": "jwt"})
        async with tools(sandbox, **given | urls) as server:
            await server.result("listReports")
        (asked,) = upstream.at("/introspect")
    assert base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")) == b"a%3Ab+c:p%25%2B%3A%2F+q"


async def test_an_introspection_without_a_client_is_asked_without_one(sandbox: Sandbox) -> None:
    async with double() as upstream:
        urls = upstream.introspecting()
        upstream.introspect = answers({"active": True, "user_jwt": "jwt", "expires_in": 600})
        async with tools(sandbox, **urls, neonpanel_client_secret=None) as server:
            await server.result("listReports")
        (asked,) = upstream.at("/introspect")
        assert upstream.bearers == ["jwt"]
    assert "authorization" not in asked.headers


async def test_with_permissions_alone_what_is_allowed_goes_out_with_the_service_token(
    sandbox: Sandbox, confidant: Confidant
) -> None:
    sandbox.introspection = "permissions"
    async with tools(sandbox, neonpanel_user_jwt_url=None) as server:
        outcome = await server.call("listReports", who="bob")
    assert outcome.status is Status.OK
    assert callers(sandbox) == [SERVICE.id]
    confidant.heard(outcome)


async def test_with_permissions_alone_what_is_missing_is_refused_here(sandbox: Sandbox, confidant: Confidant) -> None:
    sandbox.introspection = "permissions"
    async with tools(sandbox, neonpanel_user_jwt_url=None) as server:
        outcome = await server.call("getRevenueAndCogs", PERIOD, "bob")
    assert seen(outcome, len(sent(sandbox))) == Seen(
        Status.FORBIDDEN,
        "You may not do this: your NeonPanel account lacks the permission read:revenue.",
        {"code": "missing_right", "details": {"missing": "read:revenue"}},
        sent=0,
    )
    assert not outcome.scopes
    confidant.heard(outcome)


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        (["read:reports"], True),
        ("read:companies read:reports", True),
        ({"read:reports": True}, True),
        ({"read:reports": False}, False),
        ({"read:reports": "yes"}, False),
        (["read:report", "read:reports2", "READ:REPORTS"], False),
        ("read:companies,read:reports", False),
        ([["read:reports"], {"name": "read:reports"}, 7, None], False),
        ([], False),
        ("", False),
        (7, False),
        (True, False),
        (None, False),
    ],
)
async def test_permissions_may_be_told_in_several_ways_and_nothing_else_allows_anything(
    said: Any, allowed: bool, sandbox: Sandbox
) -> None:
    async with double() as upstream:
        upstream.introspect = answers({"active": True, "permissions": said, "exp": 4e9})
        urls = upstream.introspecting()
        async with tools(sandbox, **urls) as server:
            outcome = await server.call("listReports")
        assert outcome.status is (Status.OK if allowed else Status.FORBIDDEN)
        assert upstream.bearers == (["service"] if allowed else [])


async def test_a_token_that_is_not_active_has_to_be_renewed(sandbox: Sandbox, confidant: Confidant) -> None:
    sandbox.introspection = "inactive"
    sandbox.fail("user_jwt", "server-error")
    async with tools(sandbox) as server:
        outcome = await server.call("listReports")
    assert seen(outcome, len(sent(sandbox, area="introspect"))) == SIGN_IN
    assert not sent(sandbox)
    confidant.heard(outcome)


@pytest.mark.parametrize("active", [False, None, "false", "true", 0, 1, {}, []])
async def test_only_true_means_active(active: Any, sandbox: Sandbox) -> None:
    async with double() as upstream:
        upstream.introspect = answers({"active": active, "user_jwt": "jwt", "permissions": ["read:reports"]})
        urls = upstream.introspecting()
        async with tools(sandbox, **urls) as server:
            outcome = await server.call("listReports")
    assert seen(outcome, 1) == SIGN_IN


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "null",
        {},
        {"user_jwt": None},
        {"user_jwt": ""},
        {"user_jwt": 7},
        {"user_jwt": ["jwt"]},
        {"user_jwt": {"token": "jwt"}},
        {"user_jwt": "a b"},
        {"user_jwt": "a\r\nx-forged: 1"},
        {"user_jwt": "ключ"},
        {"user_jwt": "a\x00"},
        {"access_token": "jwt"},
    ],
)
async def test_an_exchange_that_gives_no_token_is_odd(answer: Any, sandbox: Sandbox) -> None:
    async with double() as upstream, tools(sandbox, **upstream.settings()) as server:
        upstream.exchange = answers(answer)
        outcome = await server.call("listReports")
        assert seen(outcome, len(upstream.requests)) == ODD


@pytest.mark.parametrize("status", [201, 202, 204, 301])
async def test_an_exchange_that_does_not_answer_200_gave_nothing(status: int, sandbox: Sandbox) -> None:
    async with double() as upstream, tools(sandbox, **upstream.settings()) as server:
        upstream.exchange = answers({"user_jwt": "jwt", "expires_in": 600}, status, location="/elsewhere")
        outcome = await server.call("listReports")
        assert seen(outcome, len(upstream.requests)) == ODD._replace(error={"status": status, "code": "odd_answer"})


async def test_where_there_is_nowhere_to_ask_users_tools_are_refused(sandbox: Sandbox, confidant: Confidant) -> None:
    async with tools(sandbox, neonpanel_user_jwt_url=None, neonpanel_introspect_url=None) as server:
        outcome = await server.call("listReports")
    assert seen(outcome, len(sandbox.requests)) == NOT_SET_UP
    confidant.heard(outcome)


async def test_a_token_that_is_passed_on_is_the_callers_own(sandbox: Sandbox, confidant: Confidant) -> None:
    sandbox.accept_access_tokens = True
    who = person(sandbox, "bob")
    passed_on = {"neonpanel_user_jwt_url": None, "neonpanel_introspect_url": None, "neonpanel_token_passthrough": True}
    async with tools(sandbox, **passed_on) as server:
        outcome = await server.call("listCompanies", who=who)
    assert outcome.structured is not None
    assert [company["name"] for company in outcome.structured["items"]] == ["Harbor Lane Trading LLC"]
    assert [request.area for request in sandbox.requests] == ["api"]
    confidant.heard(outcome)


@pytest.mark.parametrize("tool", ["listReports", "planPurchase"])
async def test_a_token_that_is_passed_on_and_refused_is_not_tried_twice(
    tool: str, sandbox: Sandbox, confidant: Confidant
) -> None:
    passed_on = {"neonpanel_user_jwt_url": None, "neonpanel_introspect_url": None, "neonpanel_token_passthrough": True}
    who = person(sandbox, scope=ELEVATED)
    async with tools(sandbox, **passed_on, neonpanel_tool_auth={"planPurchase": "user"}) as server:
        outcome = await server.call(tool, PLAN if tool == "planPurchase" else {}, who)
    assert seen(outcome, len(sandbox.requests)) == SIGN_IN
    confidant.heard(outcome)


async def test_tokens_are_not_passed_on_where_there_is_an_exchange(sandbox: Sandbox) -> None:
    sandbox.accept_access_tokens = True
    sandbox.fail("user_jwt", "server-error")
    async with tools(sandbox, neonpanel_introspect_url=None, neonpanel_token_passthrough=True) as server:
        outcome = await server.call("listReports")
    assert seen(outcome, 1) == broken(500)
    assert not sent(sandbox)


@pytest.mark.parametrize(("fault", "options", "expected"), OF_SERVICE)
async def test_without_the_service_token_a_call_ends_before_the_api(
    *, fault: str, options: dict[str, Any], expected: Seen, sandbox: Sandbox, confidant: Confidant
) -> None:
    sandbox.fail("token", fault, **options)
    async with tools(sandbox) as server:
        outcome = await server.call("planPurchase", PLAN, seconds=patience(fault))
    assert seen(outcome, len(sent(sandbox, area="token"))) == expected
    assert not sent(sandbox)
    confidant.heard(outcome)


@pytest.mark.parametrize(
    ("answer", "status", "expected"),
    [
        ({"error": "invalid_client", "error_description": SECRET_UPSTREAM_TEXT}, 400, REJECTED),
        ({"error": "invalid_client"}, 401, REJECTED),
        ({"error": "invalid_scope", "error_description": SECRET_UPSTREAM_TEXT}, 400, NOT_ISSUED),
        ({"error": "unauthorized_client"}, 400, NOT_ISSUED),
        ({"error": SECRET_UPSTREAM_TEXT}, 400, NOT_ISSUED),
        ({"error": ["invalid_client"]}, 400, NOT_ISSUED),
        ([], 400, NOT_ISSUED),
        ("<html>", 400, ODD),
        ({}, 200, ODD),
        ([], 200, ODD),
        ({"access_token": ""}, 200, ODD),
        ({"access_token": "a b"}, 200, ODD),
        ({"access_token": 7}, 200, ODD),
    ],
)
async def test_what_the_token_endpoint_says_of_this_server_is_told_in_our_own_words(
    *, answer: Any, status: int, expected: Seen, sandbox: Sandbox, confidant: Confidant
) -> None:
    async with double() as upstream, tools(sandbox, **upstream.settings()) as server:
        upstream.token = answers(answer, status)
        outcome = await server.call("planPurchase", PLAN)
        assert seen(outcome, len(upstream.requests)) == expected
    confidant.heard(outcome)


async def test_a_wrong_secret_is_told_to_the_operator(sandbox: Sandbox, confidant: Confidant) -> None:
    async with tools(sandbox, neonpanel_client_secret=SecretStr("hush-hush")) as server:
        outcome = await server.call("planPurchase", PLAN)
        assert seen(outcome, len(sandbox.requests)) == REJECTED
        outcome = await server.call("listReports", seconds=20)
        assert outcome.status is Status.OK
    confidant.heard(outcome)


@pytest.mark.parametrize("missing", ["neonpanel_client_id", "neonpanel_client_secret"])
async def test_a_server_without_a_client_says_what_is_missing(missing: str, sandbox: Sandbox) -> None:
    async with tools(sandbox, **{missing: None}) as server:
        outcome = await server.call("planPurchase", PLAN)
    assert seen(outcome, len(sandbox.requests)) == Seen(
        Status.FAILED,
        f"NeonPanel is not set up here: the operator must set {missing.upper()} or NEONPANEL_SECRET_ARN.",
        {"code": "not_configured"},
        sent=0,
    )


async def test_the_service_token_is_asked_for_with_scope_and_audience(sandbox: Sandbox) -> None:
    asked_for = {"neonpanel_iat_scope": "plans reports", "neonpanel_iat_audience": "https://api.example"}
    async with tools(sandbox, **asked_for) as server:
        await server.result("planPurchase", PLAN)
    (asked,) = sent(sandbox, area="token")
    assert dict(parse_qsl(asked.body.decode())) == {
        "grant_type": "client_credentials",
        "client_id": SERVICE.id,
        "client_secret": SERVICE.secret,
        "scope": "plans reports",
        "audience": "https://api.example",
    }
    assert asked.query == []


async def test_figures_of_another_type_leave_the_service_tokens_own_end(sandbox: Sandbox) -> None:
    sandbox.fail("token", "wrong-types")
    async with tools(sandbox) as server:
        for _ in range(2):
            await server.result("planPurchase", PLAN)
    assert len(sent(sandbox, area="token")) == 1
