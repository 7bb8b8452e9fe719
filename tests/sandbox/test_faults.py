"""Each fault as a client sees it, and which request gets it."""

import time

import httpx2
import pytest

from sandbox import SECRET_UPSTREAM_TEXT
from sandbox.fault import AREAS, FAULTS
from tests.sandbox.caller import API, SERVICE, person, visitor

STATUSES = {
    "bad-request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not-found": 404,
    "unprocessable": 422,
    "rate-limited": 429,
    "server-error": 500,
    "bad-gateway": 502,
    "unavailable": 503,
    "gateway-timeout": 504,
    "not-json": 200,
    "huge": 200,
}
HTML = ("server-error", "bad-gateway", "gateway-timeout", "not-json")


@pytest.fixture
def ann(sandbox):
    with person(sandbox, "ann") as client:
        sandbox.requests.clear()
        yield client


@pytest.mark.parametrize(("fault", "status"), STATUSES.items())
def test_a_fault_has_its_status_and_the_text(sandbox, ann, fault, status):
    sandbox.fail("api", fault)
    reply = ann.get(f"{API}/companies")
    assert reply.status_code == status == sandbox.requests[0].status
    assert SECRET_UPSTREAM_TEXT in reply.text
    assert SECRET_UPSTREAM_TEXT not in str(reply.headers)
    assert reply.headers["content-type"].startswith("text/html" if fault in HTML else "application/json")
    if fault not in HTML:
        assert reply.json()["message"] == SECRET_UPSTREAM_TEXT


def test_every_fault_is_tested():
    assert FAULTS.keys() == STATUSES.keys() | {"slow", "refused", "truncated", "wrong-types"}


def test_errors_and_waits_can_be_chosen(sandbox, ann):
    sandbox.fail("api", "unprocessable", errors={"sku": ["No."]}, times=1)
    assert ann.get(f"{API}/companies").json()["errors"] == {"sku": ["No."]}
    for fault in ("rate-limited", "unavailable"):
        for given, sent in ((7, "7"), (None, None)):
            sandbox.fail("api", fault, retry_after=given, times=1)
            assert ann.get(f"{API}/companies").headers.get("retry-after") == sent
        sandbox.fail("api", fault, times=1)
        assert ann.get(f"{API}/companies").headers["retry-after"] == "1"


def test_huge_is_huge(sandbox, ann):
    sandbox.fail("api", "huge")
    assert len(ann.get(f"{API}/companies").content) > 6_000_000


def test_slow_is_slow(sandbox, ann):
    sandbox.fail("api", "slow", seconds=0.2)
    started = time.monotonic()
    assert ann.get(f"{API}/companies").status_code == 504
    assert time.monotonic() - started >= 0.2


def test_slow_ends_when_the_client_leaves(sandbox, ann):
    sandbox.fail("api", "slow", times=1)
    with pytest.raises(httpx2.ReadTimeout):
        ann.get(f"{API}/companies", timeout=0.1)
    assert ann.get(f"{API}/companies").status_code == 200
    assert [received.status for received in sandbox.requests] == [None, 200]


def test_refused_answers_nothing(sandbox, ann):
    sandbox.fail("api", "refused", times=1)
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
        ann.get(f"{API}/companies")
    assert sandbox.requests[0].status is None
    assert ann.get(f"{API}/companies").status_code == 200


def test_truncated_breaks_off(sandbox, ann):
    sandbox.fail("api", "truncated")
    with pytest.raises(httpx2.RemoteProtocolError, match="complete message body"):
        ann.get(f"{API}/companies")


def collect(reply, received):
    for part in reply.iter_raw():
        received += part


def test_truncated_sends_half_of_the_real_answer(sandbox, ann):
    sandbox.fail("api", "truncated")
    received = bytearray()
    with ann.stream("GET", f"{API}/reports") as reply, pytest.raises(httpx2.RemoteProtocolError):
        collect(reply, received)
    assert SECRET_UPSTREAM_TEXT.encode() in received
    assert b"Profit and Loss" in received
    assert len(received) == int(reply.headers["content-length"]) // 2


def test_wrong_types_are_of_the_real_answer(sandbox, ann):
    sandbox.fail("api", "wrong-types")
    page = ann.get(f"{API}/companies").json()
    assert page["data"] == SECRET_UPSTREAM_TEXT
    assert isinstance(page["current_page"], dict)
    assert isinstance(ann.get(f"{API}/accounts/acc_ann").json()["name"], str)


def test_wrong_types_of_what_is_no_json(sandbox, ann):
    sandbox.instructions_as_text = True
    sandbox.fail("api", "wrong-types")
    assert isinstance(ann.get(f"{API}/import/bill/instructions").json(), str)


CALLS = {
    "api": ("GET", f"{API}/companies"),
    "user_jwt": ("POST", "/auth/user-jwt"),
    "introspect": ("POST", "/auth/introspect"),
    "token": ("POST", "/oauth2/token"),
    "jwks": ("GET", "/.well-known/jwks.json"),
    "metadata": ("GET", "/.well-known/oauth-authorization-server"),
}


@pytest.mark.parametrize("area", AREAS)
def test_each_area_fails_alone(sandbox, area):
    sandbox.fail(area, "unavailable")
    with visitor(sandbox) as client:
        failed = {name for name, call in CALLS.items() if client.request(*call).status_code == 503}
    assert failed == {area}


@pytest.mark.parametrize("area", ["token", "introspect"])
def test_oauth_errors_have_their_form(sandbox, area):
    sandbox.fail(area, "bad-request")
    with visitor(sandbox) as client:
        reply = client.request(*CALLS[area], auth=SERVICE).json()
    assert (reply["error"], reply["error_description"]) == ("invalid_request", SECRET_UPSTREAM_TEXT)


def test_a_fault_ends_after_its_times(sandbox, ann):
    sandbox.fail("api", "server-error", times=2)
    assert [ann.get(f"{API}/companies").status_code for _ in range(3)] == [500, 500, 200]


def test_faults_are_shown_in_order(sandbox, ann):
    sandbox.fail("api", "not-found")
    sandbox.fail("api", "rate-limited", times=1)
    sandbox.fail("api", "server-error", times=1)
    assert [ann.get(f"{API}/companies").status_code for _ in range(4)] == [429, 500, 404, 404]


def test_a_lasting_fault_takes_the_place_of_another(sandbox, ann):
    sandbox.fail("api", "server-error")
    sandbox.fail("api", "forbidden")
    assert ann.get(f"{API}/companies").status_code == 403
    assert len(sandbox.faults.waiting()) == 1


def test_a_fault_can_be_of_a_path(sandbox, ann):
    sandbox.fail("api", "server-error", path="/reports")
    assert ann.get(f"{API}/companies").status_code == 200
    assert ann.get(f"{API}/reports").status_code == 500


def test_healing_ends_faults(sandbox, ann):
    sandbox.fail("api", "server-error")
    sandbox.fail("jwks", "server-error")
    sandbox.heal("api")
    assert ann.get(f"{API}/companies").status_code == 200
    assert ann.get("/.well-known/jwks.json").status_code == 500
    sandbox.heal()
    assert ann.get("/.well-known/jwks.json").status_code == 200


@pytest.mark.parametrize(
    ("area", "fault", "options"),
    [
        ("nowhere", "slow", {}),
        ("api", "nothing", {}),
        ("api", "slow", {"retry_after": 1}),
        ("api", "forbidden", {"seconds": 1}),
        ("api", "slow", {"times": 0}),
    ],
)
def test_there_is_no_other_fault(sandbox, area, fault, options):
    with pytest.raises(ValueError, match=r"."):
        sandbox.fail(area, fault, **options)
