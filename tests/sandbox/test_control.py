"""The control page and what its buttons send."""

import re

import pytest

from sandbox.fault import AREAS, FAULTS
from tests.sandbox.caller import API, person, visitor


@pytest.fixture
def client(sandbox):
    with visitor(sandbox) as found:
        yield found


def test_it_says_what_this_is(client):
    page = client.get("/")
    assert "Sandbox" in page.text
    assert all(name in page.text for name in ("Ann Whitaker", "Bob Okafor", "Carla Mendes", "Lumen &amp; Oak Ltd"))
    assert set(re.findall(r'name="fault" value="([\w-]+)"', page.text)) == FAULTS.keys()
    assert set(re.findall(r'name="area" value="(\w+)"', page.text)) == set(AREAS)
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "<script" not in page.text
    assert "style=" not in page.text


def test_a_button_sets_a_fault_and_another_heals_it(client, sandbox):
    reply = client.post("/sandbox/faults", data={"area": "api", "times": "3", "path": "/x", "fault": "forbidden"})
    assert (reply.status_code, reply.headers["location"]) == (303, "/#faults")
    (fault,) = sandbox.faults.waiting()
    assert (fault.area, fault.name, fault.times, fault.path) == ("api", "forbidden", 3, "/x")
    assert "3 more times" in client.get("/").text
    client.post("/sandbox/heal", data={"area": "jwks"})
    assert sandbox.faults.waiting()
    client.post("/sandbox/heal", data={"area": "api"})
    assert not sandbox.faults.waiting()


def test_the_part_that_fails_last_stays_chosen(client):
    chosen = re.compile(r'value="(\w+)" checked')
    assert chosen.findall(client.get("/").text) == ["api"]
    client.post("/sandbox/faults", data={"area": "user_jwt", "fault": "forbidden"})
    assert chosen.findall(client.get("/").text) == ["user_jwt"]


def test_a_fault_lasts_where_the_form_names_no_number(client, sandbox):
    client.post("/sandbox/faults", data={"area": "api", "times": "", "path": "", "fault": "slow"})
    assert sandbox.faults.waiting()[0].times is None
    assert "until healed" in client.get("/").text


def test_programs_send_json(client, sandbox):
    reply = client.post("/sandbox/faults", json={"area": "token", "fault": "rate-limited", "retry_after": 9})
    shown = {"area": "token", "fault": "rate-limited", "times": None, "path": "", "retry_after": 9}
    assert reply.json() == {"faults": [shown]}
    assert client.post("/sandbox/heal", json={}).json() == {"faults": []}


@pytest.mark.parametrize(
    "asked", [{"area": "api", "fault": "none"}, {}, {"area": "api", "fault": "slow", "times": "x"}, {"a": 1}, []]
)
def test_there_is_no_other_fault(client, sandbox, asked):
    assert client.post("/sandbox/faults", json=asked).status_code == 422
    if isinstance(asked, dict):
        assert "That is no fault" in client.post("/sandbox/faults", data=asked).text
    assert not sandbox.faults.waiting()


def test_what_is_no_json_is_refused(client):
    for path in ("/sandbox/faults", "/sandbox/heal"):
        reply = client.post(path, content=b"{", headers={"Content-Type": "application/json"})
        assert reply.status_code == 422


def test_another_site_cannot_press_the_buttons(client, sandbox):
    fields, headers = {"area": "api", "fault": "slow"}, {"Origin": "https://elsewhere.example"}
    assert client.post("/sandbox/faults", data=fields, headers=headers).status_code == 422
    assert client.post("/sandbox/faults", data=fields, headers={"Origin": sandbox.url}).status_code == 303


def test_it_shows_the_last_requests_without_their_tokens(client, sandbox):
    assert "None yet" in client.get("/").text
    with person(sandbox, "ann") as ann:
        for number in range(60):
            ann.get(f"{API}/orders", params={"query": f"secret-{number}"})
        token = ann.headers["authorization"].removeprefix("Bearer ")
    page = client.get("/").text
    assert page.count(f'<td class="path">{API}/orders</td>') == 50
    assert token not in page
    assert "secret-" not in page
