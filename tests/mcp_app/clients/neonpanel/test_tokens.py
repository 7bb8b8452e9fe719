"""How long tokens are kept, for whom, and who fetches them."""

import asyncio
import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import boto3
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from auth.principal import Principal, ProviderToken
from mcp_app.clients.credentials import KeyUnreadableError
from mcp_app.clients.errors import RejectedKeyError
from mcp_app.clients.http import Http
from mcp_app.clients.neonpanel.api import NeonPanel
from mcp_app.clients.neonpanel.endpoints import LIST_REPORTS
from mcp_app.clients.neonpanel.service_token import ServiceClient
from mcp_app.clients.neonpanel.user_jwt import REMEMBERED, UserTokens
from mcp_app.deadline import Deadline
from mcp_app.secrets import Secrets
from mcp_app.settings import Settings
from mcp_app.tools.outcome import Outcome, Status
from sandbox import Sandbox
from sandbox.data import people
from sandbox.oauth.client import SERVICE
from tests.mcp_app.clients.neonpanel.double import Double, answers, double
from tests.mcp_app.clients.neonpanel.secrecy import Confidant
from tests.mcp_app.clients.neonpanel.seen import SIGN_IN, broken, seen
from tests.support.auth_server import Clock
from tests.support.aws import REGION, aws_server
from tests.support.neonpanel import api, calling, person, sent, tools

pytestmark = pytest.mark.anyio

PLAN = {"sku": "LNO-LAMP-BRS-US", "coverageDays": 60, "safetyStock": 5}


def somebody(subject: str = "ann", scopes: str = "openid", tenant: str | None = None, issuer: str = "i") -> Principal:
    """Somebody with a token that only the double takes."""
    return Principal(subject, token=ProviderToken("inbound", issuer, frozenset(scopes.split()), tenant, 4e9))


async def at_once(*calls: Any) -> list[Outcome]:
    return await asyncio.gather(*calls)


async def until_received(sandbox: Sandbox, area: str, count: int = 1) -> None:
    """Wait until the sandbox received so many requests there."""
    async with asyncio.timeout(10):
        while len(sent(sandbox, area=area)) < count:  # noqa: ASYNC110 - the sandbox is in another thread
            await asyncio.sleep(0.01)


async def test_a_hundred_calls_of_one_user_share_one_exchange(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        outcomes = await at_once(*(server.call("listReports") for _ in range(100)))
    assert {outcome.status for outcome in outcomes} == {Status.OK}
    assert len(sent(sandbox, area="user_jwt")) == 1
    assert len(sent(sandbox)) == 100
    assert len({request.headers["authorization"] for request in sent(sandbox)}) == 1


async def test_a_hundred_calls_with_the_servers_rights_share_one_token(sandbox: Sandbox) -> None:
    async with tools(sandbox, neonpanel_tool_auth={"listReports": "service"}) as server:
        outcomes = await at_once(*(server.call("listReports", who=who) for who in ["ann", "bob"] * 50))
    assert {outcome.status for outcome in outcomes} == {Status.OK}
    assert [request.area for request in sandbox.requests].count("token") == 1
    assert len(sandbox.requests) == 101


async def test_two_users_at_once_never_see_each_others_companies(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        names = ["ann", "bob"] * 50
        outcomes = await at_once(*(server.call("listCompanies", who=name) for name in names))
    owned = {person.id: [company.name for company in person.companies] for person in (people.ANN, people.BOB)}
    for name, outcome in zip(names, outcomes, strict=True):
        assert outcome.structured is not None
        assert [company["name"] for company in outcome.structured["items"]] == owned[name]
    assert len(sent(sandbox, area="user_jwt")) == 2


@pytest.mark.parametrize(
    ("other", "exchanges"),
    [
        ({}, 1),
        ({"jti": "another"}, 1),
        ({"lifetime": 1800}, 1),
        ({"scope": "openid read:reports"}, 2),
        ({"tenant": "t-2"}, 2),
    ],
)
async def test_which_tokens_of_one_user_share_an_exchange(
    other: dict[str, Any], exchanges: int, sandbox: Sandbox
) -> None:
    async with tools(sandbox) as server:
        await server.result("listReports", who=person(sandbox, tenant="t-1"))
        await server.result("listReports", who=person(sandbox, **{"tenant": "t-1"} | other))
    assert len(sent(sandbox, area="user_jwt")) == exchanges


async def test_the_order_of_scopes_makes_no_difference(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        for scope in ("a b", "b a"):
            await server.result("listReports", who=person(sandbox, scope=scope))
    assert len(sent(sandbox, area="user_jwt")) == 1


async def test_the_same_subject_of_another_issuer_is_somebody_else(sandbox: Sandbox) -> None:
    async def by_token(request: Request) -> Response:
        return JSONResponse({"user_jwt": f"jwt-{request.headers['authorization'][-3:]}", "expires_in": 600})

    async with double() as upstream, api(sandbox, **upstream.settings()) as made:
        upstream.exchange = by_token
        for issuer in ("one", "two", "one"):
            who = Principal("ann", token=ProviderToken(f"of-{issuer}", issuer, frozenset(), None, 4e9))
            await made.call(LIST_REPORTS, calling(who))
        assert upstream.bearers == ["jwt-one", "jwt-two", "jwt-one"]
        assert len(upstream.at("/exchange")) == 2


Said = tuple[dict[str, Any], float | None, float | None]

LIFETIMES: list[Said] = [
    # what the answer says, the end in the JWT (seconds from now, None for a token that is no JWT), how long it is kept
    ({"expires_in": 600}, 600, 540),
    ({"expires_in": 600}, 7200, 540),
    ({"expires_in": 7200}, 600, 540),
    ({}, 600, 540),
    ({"expires_in": None}, 600, 540),
    ({"expires_in": "a while"}, 600, 540),
    ({"expires_in": {"value": 7200}}, 600, 540),
    ({"expires_in": True}, 600, 540),
    ({"expires_in": "600"}, None, 540),
    ({"expires_in": 600.5}, None, 540.5),
    ({"expires_in": 600}, None, 540),
    ({"expires_in": 61}, None, 1),
    ({"expires_in": 60}, None, None),
    ({"expires_in": 59}, 600, None),
    ({"expires_in": 600}, 59, None),
    ({"expires_in": 0}, 600, None),
    ({"expires_in": -5}, 600, None),
    ({"expires_in": 600}, -5, None),
    ({}, None, None),
    ({"expires_in": None}, None, None),
    ({"expires_in": "a while"}, None, None),
    ({"expires_in": 10**400}, None, None),
    ({"expires_in": "9" * 400}, None, None),
    ({"expires_in": 10**400}, 600, 540),
]


def a_token(sandbox: Sandbox, clock: Clock, end: float | None) -> str:
    return "opaque" if end is None else sandbox.sign({"sub": "ann", "exp": clock.now + end})


@pytest.mark.parametrize(("said", "end", "kept"), LIFETIMES)
async def test_a_users_token_is_kept_until_a_minute_before_its_end(
    said: dict[str, Any], end: float | None, kept: float | None, sandbox: Sandbox
) -> None:
    clock = Clock()
    async with double() as upstream, api(sandbox, clock, **upstream.settings()) as made:
        upstream.exchange = answers(json.dumps({"user_jwt": a_token(sandbox, clock, end), **said}))
        await kept_so_long(made, upstream, "/exchange", clock, kept)


@pytest.mark.parametrize(("said", "end", "kept"), LIFETIMES)
async def test_the_service_token_is_kept_until_a_minute_before_its_end(
    said: dict[str, Any], end: float | None, kept: float | None, sandbox: Sandbox
) -> None:
    clock = Clock()
    async with double() as upstream, api(sandbox, clock, **upstream.settings()) as made:
        upstream.token = answers(json.dumps({"access_token": a_token(sandbox, clock, end), **said}))
        await kept_so_long(made, upstream, "/token", clock, kept)


@pytest.mark.parametrize(
    ("exp", "kept"),
    [
        (200, 140),
        (600, 300),
        (86_400, 300),
        (60, None),
        (None, None),
        ("soon", None),
        pytest.param(10**400, None, id="beyond reason"),
    ],
)
async def test_permissions_are_kept_until_a_minute_before_the_tokens_end_and_for_five_minutes_at_most(
    exp: Any, kept: float | None, sandbox: Sandbox
) -> None:
    clock = Clock()
    end = exp + clock.now if isinstance(exp, int) and exp < 1e9 else exp
    async with double() as upstream, api(sandbox, clock, **upstream.introspecting()) as made:
        upstream.introspect = answers(json.dumps({"active": True, "permissions": ["read:reports"], "exp": end}))
        await kept_so_long(made, upstream, "/introspect", clock, kept)


async def kept_so_long(made: NeonPanel, upstream: Double, path: str, clock: Clock, seconds: float | None) -> None:
    """Calls, the last of which needs a new token: at once where it is not kept."""
    caller = calling(somebody(), "service" if path == "/token" else "user")
    await made.call(LIST_REPORTS, caller)
    if seconds is not None:
        clock.now += seconds - 0.5
        await made.call(LIST_REPORTS, caller)
        assert len(upstream.at(path)) == 1
        clock.now += 1
    await made.call(LIST_REPORTS, caller)
    assert len(upstream.at(path)) == 2


async def test_a_process_that_was_frozen_finds_its_tokens_too_old(sandbox: Sandbox) -> None:
    """The wall clock goes on while a process is frozen; the monotonic clock may not."""
    clock = Clock(time.time())
    async with api(sandbox, clock) as made:
        await made.call(LIST_REPORTS, calling(person(sandbox)))
        clock.now += 3600
        await made.call(LIST_REPORTS, calling(person(sandbox)))
    assert len(sent(sandbox, area="user_jwt")) == 2


async def test_the_rights_of_a_thousand_users_are_kept_and_the_least_recently_used_go(sandbox: Sandbox) -> None:
    exchanged: list[int] = []
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = b'{"user_jwt": "jwt", "expires_in": 600}'
        while head := await reader.read(65536):
            exchanged.append(len(head))
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        writer.close()
        ended.set()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    settings = Settings.from_environment(sandbox.settings()).replace(neonpanel_user_jwt_url=url)
    http = Http()
    users = UserTokens(http, settings, ServiceClient(Secrets(settings)), time.time)

    async def get(number: int) -> None:
        who = somebody(f"user-{number}")
        assert who.token is not None
        await users.get(who, who.token, Deadline.after(30))

    async with listener:
        for number in [*range(REMEMBERED), 0, REMEMBERED, 0]:
            await get(number)
        assert len(exchanged) == REMEMBERED + 1
        await get(1)
        assert len(exchanged) == REMEMBERED + 2
        await http.aclose()
        await asyncio.wait_for(ended.wait(), 10)


async def test_a_users_token_that_is_refused_is_renewed_and_the_call_sent_again(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        await server.result("listReports")
        sandbox.rotate_keys(keep_old=False)
        sandbox.requests.clear()
        await server.result("listReports")
    assert [(request.area, request.status) for request in sandbox.requests] == [
        ("api", 401),
        ("user_jwt", 200),
        ("api", 200),
    ]


async def test_a_service_token_that_is_refused_is_renewed_and_the_call_sent_again(sandbox: Sandbox) -> None:
    async with tools(sandbox, neonpanel_tool_auth={"listReports": "service"}) as server:
        await server.result("listReports")
        sandbox.rotate_keys(keep_old=False)
        sandbox.requests.clear()
        await server.result("listReports")
    assert [(request.area, request.status) for request in sandbox.requests] == [
        ("api", 401),
        ("token", 200),
        ("api", 200),
    ]


@pytest.mark.parametrize(("rights", "area"), [("user", "user_jwt"), ("service", "token")])
async def test_fifty_calls_whose_token_is_refused_share_the_new_one(rights: str, area: str, sandbox: Sandbox) -> None:
    async with tools(sandbox, neonpanel_tool_auth={"listReports": rights}) as server:
        await server.result("listReports")
        sandbox.rotate_keys(keep_old=False)
        sandbox.requests.clear()
        outcomes = await at_once(*(server.call("listReports") for _ in range(50)))
    assert {outcome.status for outcome in outcomes} == {Status.OK}
    assert len(sent(sandbox, area=area)) == 1


async def test_a_user_whose_sign_in_ended_at_neonpanel_is_told_to_sign_in(
    sandbox: Sandbox, confidant: Confidant
) -> None:
    who = person(sandbox)
    async with tools(sandbox) as server:
        await server.result("listReports", who=who)
        sandbox.rotate_keys(keep_old=False)
        outcome = await server.call("listReports", who=who)
        assert seen(outcome, 1) == SIGN_IN
        outcome = await server.call("listReports", who=person(sandbox))
    assert outcome.status is Status.OK
    confidant.heard(outcome)


async def test_a_second_refusal_ends_the_call_and_the_next_call_tries_anew(sandbox: Sandbox) -> None:
    sandbox.fail("api", "unauthorized", times=2)
    async with tools(sandbox) as server:
        assert seen(await server.call("listReports"), len(sent(sandbox))) == SIGN_IN._replace(sent=2)
        assert len(sent(sandbox, area="user_jwt")) == 2
        assert (await server.call("listReports")).status is Status.OK


async def test_a_new_token_that_is_the_refused_one_is_not_tried(sandbox: Sandbox) -> None:
    async with double() as upstream, tools(sandbox, **upstream.settings()) as server:
        upstream.api = answers({"message": "Unauthenticated."}, 401)
        outcome = await server.call("listReports")
        assert seen(outcome, len(upstream.at("/api/"))) == SIGN_IN
        assert len(upstream.at("/exchange")) == 2


async def test_a_renewal_that_fails_is_told_as_what_it_is(sandbox: Sandbox) -> None:
    async with tools(sandbox, neonpanel_introspect_url=None) as server:
        await server.result("listReports")
        sandbox.fail("api", "unauthorized", times=1)
        sandbox.fail("user_jwt", "server-error")
        assert seen(await server.call("listReports"), 1) == broken(500)


async def test_who_leaves_while_fetching_for_others_does_not_break_them(sandbox: Sandbox) -> None:
    sandbox.fail("user_jwt", "slow", times=1)
    async with tools(sandbox) as server:
        first = asyncio.create_task(server.call("listReports"))
        await until_received(sandbox, "user_jwt")
        others = [asyncio.create_task(server.call("listReports")) for _ in range(20)]
        await asyncio.sleep(0.05)
        first.cancel()
        outcomes = await at_once(*others)
    assert first.cancelled()
    assert {outcome.status for outcome in outcomes} == {Status.OK}
    assert len(sent(sandbox, area="user_jwt")) == 2


@pytest.mark.parametrize(("rights", "area"), [("user", "user_jwt"), ("service", "token")])
async def test_whose_time_ends_while_fetching_for_others_does_not_take_theirs(
    rights: str, area: str, sandbox: Sandbox
) -> None:
    sandbox.fail(area, "slow", times=1)
    settings = {"neonpanel_introspect_url": None, "neonpanel_tool_auth": {"listReports": rights}}
    async with tools(sandbox, **settings) as server:
        first = asyncio.create_task(server.call("listReports", seconds=0.6))
        await until_received(sandbox, area)
        outcomes = await at_once(*(server.call("listReports") for _ in range(20)))
        assert (await first).status is Status.FAILED
    assert {outcome.status for outcome in outcomes} == {Status.OK}
    assert len(sent(sandbox, area=area)) == 2


async def test_whose_time_ends_while_others_fetch_is_told_so_in_time(sandbox: Sandbox) -> None:
    sandbox.fail("user_jwt", "slow", times=1)
    async with tools(sandbox, neonpanel_introspect_url=None) as server:
        first = asyncio.create_task(server.call("listReports"))
        await until_received(sandbox, "user_jwt")
        second = await server.call("listReports", seconds=0.4)
        first.cancel()
        await asyncio.wait([first])
    assert second.error is not None
    assert second.error["code"] == "timeout"


async def test_a_connection_that_was_revoked_does_not_take_another_of_the_same_user_with_it(sandbox: Sandbox) -> None:
    async with double() as upstream, tools(sandbox, **upstream.settings()) as server:

        async def exchange(request: Request) -> Response:
            await asyncio.sleep(0.1)
            good = request.headers["authorization"].endswith("-good")
            return JSONResponse({"user_jwt": "jwt", "expires_in": 600} if good else {}, 200 if good else 401)

        def of(token: str) -> Principal:
            return Principal("ann", token=ProviderToken(token, "i", frozenset(), None, 4e9))

        upstream.exchange = exchange
        revoked = [asyncio.create_task(server.call("listReports", who=of("a-bad"))) for _ in range(5)]
        await asyncio.sleep(0.02)
        good = await at_once(*(server.call("listReports", who=of("a-good")) for _ in range(5)))
        assert {seen(await task, 1).error["code"] for task in revoked} == {"sign_in_again"}
        assert {outcome.status for outcome in good} == {Status.OK}
        assert len(upstream.at("/exchange")) == 2


class Vault:
    """The server's client in Secrets Manager."""

    def __init__(self, name: str) -> None:
        self._client: Any = boto3.client("secretsmanager", region_name=REGION)
        self.arn = str(self._client.create_secret(Name=name, SecretString="{}")["ARN"])

    def put(self, secret: str) -> None:
        value = {"NEONPANEL_CLIENT_ID": SERVICE.id, "NEONPANEL_CLIENT_SECRET": secret}
        self._client.put_secret_value(SecretId=self.arn, SecretString=json.dumps(value))


@pytest.fixture(scope="module")
def aws() -> Iterator[Iterator[int]]:
    with aws_server():
        yield count()


@pytest.fixture
def vault(aws: Iterator[int]) -> Vault:
    return Vault(f"neonpanel-{next(aws)}")


def from_the_vault(sandbox: Sandbox, vault: Vault) -> tuple[Settings, Secrets]:
    """Settings without anything secret, and what is read instead."""
    environment = sandbox.settings() | {"NEONPANEL_SECRET_ARN": vault.arn}
    del environment["NEONPANEL_CLIENT_ID"], environment["NEONPANEL_CLIENT_SECRET"]
    settings = Settings.from_environment(environment)
    return settings, Secrets(settings)


async def test_a_secret_that_was_rotated_is_read_again_and_tried_once_more(
    *, vault: Vault, sandbox: Sandbox, caplog: pytest.LogCaptureFixture, confidant: Confidant
) -> None:
    vault.put("rotated-away-since")
    settings, secrets = from_the_vault(sandbox, vault)
    assert await secrets.get("NEONPANEL_CLIENT_SECRET") == "rotated-away-since"
    vault.put(SERVICE.secret or "")
    caplog.clear()  # the operator's own client logs what it sends
    http = Http()
    await NeonPanel(http, settings, secrets).call(LIST_REPORTS, calling(person(sandbox), "service"))
    await http.aclose()
    assert [(request.area, request.status) for request in sandbox.requests] == [
        ("token", 401),
        ("token", 200),
        ("api", 200),
    ]
    confidant.heard()


async def test_a_secret_that_is_refused_and_did_not_change_is_tried_once(vault: Vault, sandbox: Sandbox) -> None:
    vault.put("wrong")
    settings, secrets = from_the_vault(sandbox, vault)
    http = Http()
    with pytest.raises(RejectedKeyError):
        await NeonPanel(http, settings, secrets).call(LIST_REPORTS, calling(person(sandbox), "service"))
    await http.aclose()
    assert [(request.area, request.status) for request in sandbox.requests] == [("token", 401)]


async def test_the_introspection_reads_a_rotated_secret_again_too(vault: Vault, sandbox: Sandbox) -> None:
    vault.put("rotated-away-since")
    settings, secrets = from_the_vault(sandbox, vault)
    assert await secrets.get("NEONPANEL_CLIENT_SECRET") == "rotated-away-since"
    vault.put(SERVICE.secret or "")
    http = Http()
    alone = settings.replace(neonpanel_user_jwt_url=None)
    await NeonPanel(http, alone, secrets).call(LIST_REPORTS, calling(person(sandbox)))
    await http.aclose()
    assert [(request.area, request.status) for request in sandbox.requests] == [
        ("introspect", 401),
        ("introspect", 200),
        ("api", 200),
    ]


@pytest.mark.parametrize("known", ["neonpanel_client_id", "neonpanel_client_secret"])
async def test_a_client_that_cannot_be_read_is_told_as_that(known: str, vault: Vault, sandbox: Sandbox) -> None:
    settings, _ = from_the_vault(sandbox, vault)
    half = settings.replace(**{known: "known", "neonpanel_secret_arn": f"{vault.arn}-gone"})
    http = Http()
    with pytest.raises(KeyUnreadableError):
        await NeonPanel(http, half, Secrets(half)).call(LIST_REPORTS, calling(person(sandbox), "service"))
    await http.aclose()
    assert not sandbox.requests
