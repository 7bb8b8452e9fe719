"""Whose rights a call has: the user's, this server's, or the one and else the other."""

from typing import Any

import pytest

from auth.principal import ANONYMOUS, Principal
from auth.scopes import READ, TOOLS
from mcp_app.settings import Settings, SettingsError
from mcp_app.tools.catalogue import catalogue
from mcp_app.tools.outcome import Status
from sandbox import Sandbox
from sandbox.data.company import HARBOR_LANE
from sandbox.oauth.client import SERVICE
from tests.mcp_app.clients.neonpanel.secrecy import Confidant
from tests.mcp_app.clients.neonpanel.seen import DENIED, NO_ACCESS, SIGN_IN, Seen, broken, callers, seen
from tests.support.calls import text_of
from tests.support.neonpanel import LUMEN, person, sent, tools

pytestmark = pytest.mark.anyio

PLAN = {"sku": "LNO-LAMP-BRS-US", "coverageDays": 60, "safetyStock": 5}
ELEVATED = "openid write:purchase-plans"
OURS = Principal("u-1", "app", frozenset({READ, TOOLS}))
"""A user of our own authorization server."""

FORCED = {"extra": {"useUserToken": True}}
NOWHERE = {"neonpanel_user_jwt_url": None, "neonpanel_introspect_url": None}

NO_USER = Seen(
    Status.FORBIDDEN,
    "This needs your own NeonPanel account: connect by signing in to NeonPanel.",
    {"code": "no_user"},
    sent=0,
)


@pytest.mark.parametrize(
    ("rights", "who"),
    [("user", "ann"), ("service", SERVICE.id), ("iat", SERVICE.id), ("IAT", SERVICE.id), ("hybrid", "ann")],
)
async def test_the_setting_says_whose_rights_a_tool_has(rights: str, who: str, sandbox: Sandbox) -> None:
    environment = sandbox.settings() | {"NEONPANEL_TOOL_AUTH": f"getAccount=user, neonpanel.listReports={rights}"}
    chosen = Settings.from_environment(environment).neonpanel_tool_auth
    async with tools(sandbox, neonpanel_tool_auth=chosen) as server:
        await server.result("listReports")
    assert callers(sandbox) == [who]


async def test_one_word_serves_for_all_tools_that_are_not_named(sandbox: Sandbox) -> None:
    environment = sandbox.settings() | {"NEONPANEL_TOOL_AUTH": "*=service listReports=user"}
    chosen = Settings.from_environment(environment).neonpanel_tool_auth
    async with tools(sandbox, neonpanel_tool_auth=chosen) as server:
        await server.result("listReports")
        await server.result("listCompanies")
    assert callers(sandbox) == ["ann", SERVICE.id]


async def test_each_tool_has_the_rights_that_it_declares_where_no_setting_says_else(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        await server.result("listReports")
        await server.result("planPurchase", PLAN)
    assert callers(sandbox) == ["ann", SERVICE.id]


def test_a_tool_that_there_is_not_is_told_at_start(sandbox: Sandbox) -> None:
    settings = Settings.from_environment(sandbox.settings() | {"NEONPANEL_TOOL_AUTH": "listReport=user"})
    with pytest.raises(SettingsError, match="listReport"):
        catalogue(settings)


@pytest.mark.parametrize("principal", [ANONYMOUS, OURS], ids=["anonymous", "ours"])
async def test_who_did_not_sign_in_at_neonpanel_has_no_rights_of_a_user(
    principal: Principal, sandbox: Sandbox, confidant: Confidant
) -> None:
    async with tools(sandbox) as server:
        outcome = await server.call("listReports", who=principal)
        assert seen(outcome, len(sandbox.requests)) == NO_USER
        named = await server.call("listWarehouses", {"companyUuid": LUMEN}, principal)
        assert seen(named, len(sandbox.requests)) == NO_USER
        outcome = await server.call("planPurchase", PLAN, principal)
    assert outcome.status is Status.OK
    confidant.heard(outcome)


HYBRID = {"neonpanel_tool_auth": {"listReports": "hybrid"}}


@pytest.mark.parametrize("principal", [ANONYMOUS, OURS], ids=["anonymous", "ours"])
async def test_a_hybrid_call_of_nobody_at_neonpanel_has_the_servers_rights(
    principal: Principal, sandbox: Sandbox
) -> None:
    async with tools(sandbox, **HYBRID) as server:
        await server.result("listReports", who=principal)
    assert callers(sandbox) == [SERVICE.id]


async def test_a_hybrid_call_where_nobody_can_be_asked_for_the_user_has_the_servers_rights(sandbox: Sandbox) -> None:
    async with tools(sandbox, **HYBRID, **NOWHERE) as server:
        await server.result("listReports")
    assert callers(sandbox) == [SERVICE.id]


async def test_a_hybrid_call_whose_token_is_passed_on_has_the_users_rights(sandbox: Sandbox) -> None:
    sandbox.accept_access_tokens = True
    async with tools(sandbox, **HYBRID, **NOWHERE, neonpanel_token_passthrough=True) as server:
        await server.result("listReports")
    assert callers(sandbox) == ["ann"]


async def test_without_the_fallback_a_hybrid_call_needs_the_user(sandbox: Sandbox) -> None:
    async with tools(sandbox, **HYBRID, neonpanel_hybrid_fallback=False) as server:
        assert seen(await server.call("listReports", who=OURS), len(sandbox.requests)) == NO_USER
        await server.result("listReports")
    assert callers(sandbox) == ["ann"]


async def test_without_the_fallback_a_hybrid_call_says_what_is_not_set_up(sandbox: Sandbox) -> None:
    async with tools(sandbox, **HYBRID, **NOWHERE, neonpanel_hybrid_fallback=False) as server:
        outcome = await server.call("listReports")
    assert outcome.error is not None
    assert outcome.error["code"] == "not_configured"
    assert not sandbox.requests


@pytest.mark.parametrize(
    ("fault", "expected"), [("server-error", broken(500)), ("unauthorized", SIGN_IN), ("forbidden", SIGN_IN)]
)
async def test_a_hybrid_call_whose_exchange_fails_is_not_sent_with_the_servers_rights_instead(
    fault: str, expected: Seen, sandbox: Sandbox
) -> None:
    sandbox.fail("user_jwt", fault)
    async with tools(sandbox, **HYBRID, neonpanel_introspect_url=None) as server:
        outcome = await server.call("listReports")
    assert seen(outcome, len(sandbox.requests)) == expected


@pytest.mark.parametrize(("fault", "expected"), [("unauthorized", SIGN_IN._replace(sent=2)), ("forbidden", NO_ACCESS)])
async def test_a_hybrid_call_that_the_api_refuses_the_user_is_not_sent_with_the_servers_rights_instead(
    fault: str, expected: Seen, sandbox: Sandbox
) -> None:
    sandbox.fail("api", fault)
    async with tools(sandbox, **HYBRID) as server:
        outcome = await server.call("listReports")
    assert seen(outcome, len(sent(sandbox))) == expected
    assert set(callers(sandbox)) == {"ann"}


async def test_a_hybrid_call_of_an_inactive_token_is_not_sent_with_the_servers_rights_instead(sandbox: Sandbox) -> None:
    sandbox.introspection = "inactive"
    async with tools(sandbox, **HYBRID, neonpanel_user_jwt_url=None) as server:
        outcome = await server.call("listReports")
    assert seen(outcome, len(sandbox.requests)) == SIGN_IN


async def test_what_is_refused_to_the_server_is_told_as_that(sandbox: Sandbox) -> None:
    sandbox.fail("api", "forbidden")
    async with tools(sandbox, neonpanel_tool_auth={"listReports": "service"}) as server:
        assert seen(await server.call("listReports"), len(sent(sandbox))) == DENIED


async def test_a_call_may_insist_on_the_users_rights(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        await server.result("planPurchase", PLAN, who=person(sandbox, scope=ELEVATED), **FORCED)
    assert callers(sandbox) == ["ann"]


@pytest.mark.parametrize("word", [False, None, "true", 1, "yes", {}])
async def test_only_true_insists(word: Any, sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        await server.result("planPurchase", PLAN, extra={"useUserToken": word})
    assert callers(sandbox) == [SERVICE.id]


async def test_whoever_insists_without_a_sign_in_is_refused(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        outcome = await server.call("planPurchase", PLAN, OURS, **FORCED)
    assert seen(outcome, len(sandbox.requests)) == NO_USER


async def test_a_company_is_looked_up_with_the_rights_of_the_call(sandbox: Sandbox) -> None:
    async with tools(sandbox, neonpanel_tool_auth={"listWarehouses": "service"}) as server:
        await server.result("listWarehouses", {"companyUuid": LUMEN}, who="bob")
        assert set(callers(sandbox)) == {SERVICE.id}
        outcome = await server.call("listWarehouses", {"companyUuid": LUMEN}, "bob", **FORCED)
    assert outcome.status is Status.INVALID
    assert text_of(outcome) == (
        'None of your companies has the name or uuid "Lumen & Oak Ltd". There are: Harbor Lane Trading LLC '
        f"({HARBOR_LANE.uuid})."
    )


@pytest.mark.parametrize("rights", ["user", "hybrid"])
async def test_a_plan_with_the_users_rights_needs_the_elevated_scope(
    rights: str, sandbox: Sandbox, confidant: Confidant
) -> None:
    async with tools(sandbox, neonpanel_tool_auth={"planPurchase": rights}) as server:
        outcome = await server.call("planPurchase", PLAN)
        assert seen(outcome, len(sandbox.requests)) == Seen(
            Status.FORBIDDEN,
            "You may not do this: this connection lacks the scope write:purchase-plans.",
            {"code": "missing_right", "details": {"missing": "write:purchase-plans"}},
            sent=0,
        )
        assert outcome.scopes == {"write:purchase-plans"}
        confidant.heard(outcome)
        await server.result("planPurchase", PLAN, who=person(sandbox, scope=ELEVATED))
    assert callers(sandbox) == ["ann"]


async def test_the_elevated_scope_is_a_setting(sandbox: Sandbox) -> None:
    settings = {"neonpanel_tool_auth": {"planPurchase": "user"}, "neonpanel_elevated_scope": "plan:all"}
    async with tools(sandbox, **settings) as server:
        assert (await server.call("planPurchase", PLAN, person(sandbox, scope=ELEVATED))).scopes == {"plan:all"}
        await server.result("planPurchase", PLAN, who=person(sandbox, scope="plan:all"))


async def test_the_servers_own_plan_needs_no_scope_of_the_user(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        await server.result("planPurchase", PLAN, who=person(sandbox, scope="openid"))
