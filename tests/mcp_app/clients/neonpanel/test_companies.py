"""A company by any of its names, and only the caller's own companies."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from auth.principal import ANONYMOUS
from mcp_app.clients.errors import OddAnswerError
from mcp_app.clients.neonpanel.api import NeonPanel
from mcp_app.clients.neonpanel.companies import AGAIN, KEPT, PER_PAGE, UnknownCompanyError
from mcp_app.tools.outcome import Status
from sandbox import Sandbox
from sandbox.data.company import CLIENTS, HARBOR_LANE, LUMEN, LUMEN_EUROPE
from sandbox.data.people import BOB
from tests.mcp_app.clients.neonpanel.double import Double, answers, double
from tests.mcp_app.clients.neonpanel.secrecy import Confidant
from tests.mcp_app.clients.neonpanel.seen import broken, seen
from tests.support.auth_server import Clock
from tests.support.calls import text_of
from tests.support.neonpanel import api, calling, person, sent, tools

pytestmark = pytest.mark.anyio


def listings(sandbox: Sandbox) -> int:
    """How often companies were listed."""
    return len([request for request in sent(sandbox) if request.path == "/api/v1/companies"])


@pytest.mark.parametrize(
    "named",
    [
        LUMEN.uuid,
        f"  {LUMEN.uuid} ",
        "Lumen & Oak Ltd",
        "lumen & oak LTD",
        "  Lumen   &\tOak Ltd  ",
        "LNO",
        "lno",
        "101",
    ],
)
async def test_a_company_may_be_named_in_several_ways(named: str, sandbox: Sandbox) -> None:
    async with api(sandbox) as made:
        assert await made.companies.uuid(named, calling(person(sandbox))) == LUMEN.uuid


async def test_the_company_that_is_meant_is_the_one_that_is_asked_about(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        await server.result("listWarehouses", {"companyUuid": "lumen & oak europe gmbh"})
    assert sent(sandbox)[-1].path == f"/api/v1/companies/{LUMEN_EUROPE.uuid}/warehouses"


@pytest.mark.parametrize("company", [CLIENTS[0], CLIENTS[59], CLIENTS[60], CLIENTS[-1]], ids=lambda one: one.name)
async def test_a_company_on_any_page_is_found(company: Any, sandbox: Sandbox) -> None:
    async with api(sandbox) as made:
        assert await made.companies.uuid(company.name.upper(), calling(person(sandbox, "carla"))) == company.uuid
    pages = [dict(request.query) for request in sent(sandbox)]
    assert pages == [{"page": str(page), "per_page": str(PER_PAGE)} for page in (1, 2)]


async def test_a_name_that_is_nobodys_lists_what_there_is(sandbox: Sandbox, confidant: Confidant) -> None:
    async with tools(sandbox) as server:
        outcome = await server.call("listWarehouses", {"companyUuid": "Acme"})
    assert outcome.status is Status.INVALID
    assert text_of(outcome) == (
        'None of your companies has the name or uuid "Acme". There are: '
        f"Lumen & Oak Ltd ({LUMEN.uuid}), Lumen & Oak Europe GmbH ({LUMEN_EUROPE.uuid})."
    )
    assert not sent(sandbox, "/warehouses")
    confidant.heard(outcome)


async def test_of_many_companies_twenty_are_listed(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        message = text_of(await server.call("listWarehouses", {"companyUuid": "Acme"}, "carla"))
    assert [company.name in message for company in CLIENTS] == [True] * 20 + [False] * 55
    assert message.endswith(", and 55 more.")


async def test_a_name_is_shown_printable_and_in_part(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        message = text_of(await server.call("listWarehouses", {"companyUuid": f"Ac\x1b[31m\nme{'x' * 80}"}))
    assert "\x1b" not in message
    assert "\n" not in message
    assert "x" * 80 not in message


@pytest.mark.parametrize("named", [HARBOR_LANE.uuid, HARBOR_LANE.name, str(HARBOR_LANE.id), HARBOR_LANE.short_name])
async def test_somebody_elses_company_is_not_there(named: str, sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        await server.result("listWarehouses", {"companyUuid": named}, who="bob")
        sandbox.requests.clear()
        outcome = await server.call("listWarehouses", {"companyUuid": named}, "ann")
    assert outcome.status is Status.INVALID
    assert not sent(sandbox, "/warehouses")
    assert HARBOR_LANE.name not in text_of(outcome).partition("There are:")[2]


async def test_who_may_not_list_companies_is_taken_at_their_word(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        await server.result("listReports")
        sandbox.fail("api", "forbidden", path="/companies", times=1)
        await server.result("listWarehouses", {"companyUuid": LUMEN.uuid})
    assert sent(sandbox)[-1].path == f"/api/v1/companies/{LUMEN.uuid}/warehouses"


async def test_whose_permissions_do_not_let_them_list_companies_is_taken_at_their_word(sandbox: Sandbox) -> None:
    async with double() as upstream, api(sandbox, **upstream.introspecting()) as made:
        upstream.introspect = answers({"active": True, "permissions": ["read:warehouses"]})
        assert await made.companies.uuid("c-7", calling(person(sandbox))) == "c-7"
        assert not upstream.bearers


async def test_a_server_that_may_not_list_companies_takes_its_callers_at_their_word(sandbox: Sandbox) -> None:
    sandbox.fail("api", "forbidden")
    async with api(sandbox) as made:
        assert await made.companies.uuid("c-7", calling(person(sandbox), "service")) == "c-7"


async def test_companies_that_cannot_be_listed_are_told_as_that(sandbox: Sandbox) -> None:
    sandbox.fail("api", "server-error", path="/companies")
    async with tools(sandbox) as server:
        outcome = await server.call("listWarehouses", {"companyUuid": LUMEN.uuid})
    assert seen(outcome, len(sent(sandbox))) == broken(500)


async def test_many_calls_of_one_user_share_one_listing(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        calls = [server.call("listWarehouses", {"companyUuid": name}) for name in ("LNO", "lno", "101", "LOE") * 5]
        assert {outcome.status for outcome in await asyncio.gather(*calls)} == {Status.OK}
        await server.result("listInventoryItems", {"companyUuid": LUMEN.uuid})
    assert listings(sandbox) == 1


async def test_each_user_has_a_listing_of_their_own(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        calls = [server.call("listWarehouses", {"companyUuid": "Lumen & Oak Ltd"}, who) for who in ("ann", "bob") * 10]
        outcomes = await asyncio.gather(*calls)
    assert [outcome.status for outcome in outcomes] == [Status.OK, Status.INVALID] * 10
    assert BOB.companies[0].name in text_of(outcomes[1])
    assert LUMEN_EUROPE.name not in text_of(outcomes[1])
    assert listings(sandbox) == 2


@pytest.mark.parametrize("rights", ["service", "hybrid"])
async def test_what_is_listed_with_other_rights_is_kept_apart(rights: Any, sandbox: Sandbox) -> None:
    async with api(sandbox) as made:
        assert await made.companies.uuid("HLT", calling(person(sandbox, "ann"), "service")) == HARBOR_LANE.uuid
        assert await made.companies.uuid("HLT", calling(ANONYMOUS, rights)) == HARBOR_LANE.uuid
        with pytest.raises(UnknownCompanyError):
            await made.companies.uuid("HLT", calling(person(sandbox, "ann"), "user"))


@pytest.mark.parametrize("other", [{"scope": "openid read:companies"}, {"tenant": "t-2"}])
async def test_a_token_with_other_scopes_or_of_another_tenant_has_a_listing_of_its_own(
    other: dict[str, str], sandbox: Sandbox
) -> None:
    async with api(sandbox) as made:
        for who in (person(sandbox), person(sandbox), person(sandbox, **other)):
            await made.companies.uuid("LNO", calling(who))
    assert listings(sandbox) == 2


class Business:
    """A NeonPanel whose list of companies a test changes."""

    def __init__(self, upstream: Double) -> None:
        self.companies: list[Any] = [{"uuid": "u-1", "name": "Acme", "short_name": "AC", "id": 1}]
        self.listings = 0
        self.last_page: Any = 1
        upstream.api = self._list

    async def _list(self, _request: Request) -> Response:
        self.listings += 1
        return JSONResponse({"data": self.companies, "current_page": 1, "last_page": self.last_page})


@pytest.fixture
async def upstream() -> AsyncIterator[Double]:
    async with double() as made:
        yield made


async def find(made: NeonPanel, named: str) -> str:
    return await made.companies.uuid(named, calling(ANONYMOUS, "service"))


async def test_a_list_serves_for_five_minutes(sandbox: Sandbox, upstream: Double) -> None:
    clock, business = Clock(), Business(upstream)
    async with api(sandbox, clock, **upstream.settings()) as made:
        await find(made, "acme")
        clock.now += KEPT - 1
        await find(made, "acme")
        assert business.listings == 1
        clock.now += 2
        await find(made, "acme")
    assert business.listings == 2


async def test_a_company_that_was_added_a_moment_ago_is_found_soon(sandbox: Sandbox, upstream: Double) -> None:
    clock, business = Clock(), Business(upstream)
    async with api(sandbox, clock, **upstream.settings()) as made:
        await find(made, "acme")
        business.companies.append({"uuid": "u-2", "name": "Birch", "id": 2})
        clock.now += AGAIN - 0.1
        with pytest.raises(UnknownCompanyError):
            await find(made, "birch")
        assert business.listings == 1
        clock.now += 0.1
        assert await find(made, "birch") == "u-2"
        assert await find(made, "acme") == "u-1"
    assert business.listings == 2


async def test_a_name_that_stays_unknown_lists_once_in_ten_seconds(sandbox: Sandbox, upstream: Double) -> None:
    clock, business = Clock(), Business(upstream)
    async with api(sandbox, clock, **upstream.settings()) as made:
        for _ in range(20):
            with pytest.raises(UnknownCompanyError):
                await find(made, "nobody")
            clock.now += AGAIN / 10
    assert business.listings == 2


async def test_a_name_of_several_companies_is_told_with_those(sandbox: Sandbox, upstream: Double) -> None:
    business = Business(upstream)
    business.companies += [
        {"uuid": "u-2", "name": "ACME ", "id": 2},
        {"uuid": "u-3", "name": "Birch", "short_name": "Acme"},
    ]
    async with tools(sandbox, **upstream.settings(), neonpanel_tool_auth={"listWarehouses": "service"}) as server:
        outcome = await server.call("listWarehouses", {"companyUuid": "acme"})
    assert outcome.status is Status.INVALID
    assert text_of(outcome) == (
        'Several companies are named "acme". Give the uuid of the one that is meant: Acme (u-1), ACME  (u-2).'
    )


async def test_an_id_means_its_company_though_another_is_named_so(sandbox: Sandbox, upstream: Double) -> None:
    business = Business(upstream)
    business.companies += [{"uuid": "u-2", "name": "u-1", "id": 2}, {"uuid": "u-3", "name": "Birch", "short_name": "2"}]
    async with api(sandbox, **upstream.settings()) as made:
        assert await find(made, "u-1") == "u-1"
        assert await find(made, "2") == "u-2"


@pytest.mark.parametrize("named", ["None", "", "null", "[]", "Nameless"])
async def test_what_a_company_lacks_names_none(named: str, sandbox: Sandbox, upstream: Double) -> None:
    business = Business(upstream)
    business.companies += [
        {"uuid": "u-2"},
        {"uuid": "u-3", "name": None, "short_name": 7, "id": []},
        {"name": "Nameless"},
        {"uuid": 7, "name": "Nameless"},
        {"uuid": "", "name": "Nameless"},
        "Nameless",
        None,
    ]
    async with api(sandbox, **upstream.settings()) as made:
        with pytest.raises(UnknownCompanyError) as raised:
            await find(made, named)
    assert [company.uuid for company in raised.value.found] == ["u-1", "u-2", "u-3"]


@pytest.mark.parametrize("last", ["2", None, [], {"value": 7}, 0, -1])
async def test_a_last_page_that_is_none_ends_the_list(last: Any, sandbox: Sandbox, upstream: Double) -> None:
    business = Business(upstream)
    business.last_page = last
    async with api(sandbox, **upstream.settings()) as made:
        assert await find(made, "acme") == "u-1"
    assert business.listings == 1


async def test_a_list_without_an_end_is_read_to_the_fiftieth_page(sandbox: Sandbox, upstream: Double) -> None:
    business = Business(upstream)
    business.last_page = 10**6
    async with api(sandbox, **upstream.settings()) as made:
        with pytest.raises(UnknownCompanyError):
            await find(made, "nobody")
    assert business.listings == 50


async def test_a_page_without_companies_is_the_last(sandbox: Sandbox, upstream: Double) -> None:
    upstream.api = answers({"data": [], "last_page": 10**6})
    async with api(sandbox, **upstream.settings()) as made:
        with pytest.raises(UnknownCompanyError):
            await find(made, "nobody")
    assert len(upstream.at("/api/")) == 1


async def test_what_is_listed_is_shown_printable_and_in_part(sandbox: Sandbox, upstream: Double) -> None:
    upstream.api = answers({"data": [{"uuid": f"u-1\n#{'x' * 80}", "name": f"Acme\n{'x' * 80}"}]})
    async with tools(sandbox, **upstream.settings()) as server:
        message = text_of(await server.call("listWarehouses", {"companyUuid": "nobody"}))
    assert r"Acme\nxxx" in message
    assert r"u-1\n#xxx" in message
    assert "x" * 80 not in message


@pytest.mark.parametrize("body", [[], "null", {}, {"data": None}, {"data": "none"}, {"data": {"u-1": {}}}])
async def test_a_list_of_another_shape_is_no_answer(body: Any, sandbox: Sandbox, upstream: Double) -> None:
    upstream.api = answers(body)
    async with api(sandbox, **upstream.settings()) as made:
        with pytest.raises(OddAnswerError):
            await find(made, "acme")
