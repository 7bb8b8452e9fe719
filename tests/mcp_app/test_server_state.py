import logging

import pytest

from tests.support.mcp_messages import CAPABILITIES_KEY, LEGACY, call, error, headers, message
from tests.support.mcp_server import Bare, SecretsInHand
from tests.support.mcp_tools import REGISTRY
from tests.support.serve import connected

SHARED = "a secret that two instances share, long enough"
NEXT = "the next secret, which is long enough too"
ELICITS = {CAPABILITIES_KEY: {"elicitation": {}}}
ANSWER = {"value": {"action": "accept", "content": {"value": "blue"}}}


def send(client, *, subject="ada", tool="asking", arguments=None, **params):
    given = {"name": tool, "arguments": arguments or {}, **params}
    body = message("tools/call", given, **ELICITS)
    return client.post("/mcp", json=body, headers=headers(body) | {"X-Subject": subject})


def question(client, **given):
    result = send(client, **given).json()["result"]
    assert result["resultType"] == "input_required"
    return result


def answered(client, state, **given):
    return send(client, inputResponses=ANSWER, requestState=state, **given)


@pytest.fixture
def secrets():
    return SecretsInHand(SERVER_SECRET=SHARED)


@pytest.fixture
def client(secrets):
    with connected(Bare(REGISTRY, secrets)) as client:
        yield client


def test_a_question_is_asked_and_its_answer_taken(client):
    asked = question(client)
    assert asked["inputRequests"]["value"]["method"] == "elicitation/create"
    assert "asked once" not in asked["requestState"]
    assert answered(client, asked["requestState"]).json()["result"]["content"][0]["text"] == "asked once: blue"


def test_another_instance_with_the_same_secret_takes_it(client):
    state = question(client)["requestState"]
    with connected(Bare(REGISTRY, SecretsInHand(SERVER_SECRET=SHARED))) as other:
        assert answered(other, state).json()["result"]["isError"] is False


@pytest.mark.parametrize(
    "given",
    [
        {"subject": "mallory"},
        {"arguments": {"topic": "other"}},
        {"tool": "telling"},
    ],
)
def test_a_state_is_good_for_the_same_caller_tool_and_arguments_only(client, given):
    state = question(client)["requestState"]
    response = answered(client, state, **given)
    assert error(response) == (400, -32602, 7)
    assert response.json()["error"]["message"] == "Invalid or expired requestState"


@pytest.mark.parametrize("damaged", ["", "v1.", "v1.AAAA", "not ours"])
def test_a_state_that_was_not_sealed_here_is_refused(client, damaged):
    assert error(answered(client, damaged)) == (400, -32602, 7)


def test_a_state_that_was_changed_is_refused(client):
    state = question(client)["requestState"]
    changed = state[:-1] + ("A" if state[-1] != "A" else "B")
    assert error(answered(client, changed)) == (400, -32602, 7)


def test_a_state_of_another_service_with_the_same_secret_is_refused(client):
    with connected(Bare(REGISTRY, SecretsInHand(SERVER_SECRET=SHARED), name="other")) as other:
        state = question(other)["requestState"]
    assert error(answered(client, state)) == (400, -32602, 7)


def test_after_a_rotation_what_was_sealed_before_is_still_taken(client, secrets):
    state = question(client)["requestState"]
    secrets.known["SERVER_SECRET"] = NEXT
    assert answered(client, state).json()["result"]["isError"] is False
    assert question(client)["requestState"].split(".")[1][:6] != state.split(".")[1][:6]


def test_a_state_sealed_with_a_newer_secret_is_taken_once_it_is_known(client, secrets):
    with connected(Bare(REGISTRY, SecretsInHand(SERVER_SECRET=NEXT))) as newer:
        state = question(newer)["requestState"]
    secrets.stored["SERVER_SECRET"] = NEXT
    assert answered(client, state).json()["result"]["isError"] is False


def test_bad_states_do_not_make_the_store_busy(client, secrets):
    for _ in range(3):
        assert error(answered(client, "not ours")) == (400, -32602, 7)
    assert secrets.renewed == 1


def test_a_short_secret_seals_nothing(caplog):
    with connected(Bare(REGISTRY, SecretsInHand(SERVER_SECRET="x" * 31))) as client:
        assert error(send(client)) == (200, -32603, 7)
    assert "SERVER_SECRET must have 32 characters or more" in caplog.text


def test_the_secret_is_wanted_only_where_there_is_a_state(client, secrets):
    call(client, "echo", {"message": "x"})
    assert secrets.asked == 0
    question(client)
    assert secrets.asked == 1


def test_without_a_secret_the_process_has_a_key_of_its_own(caplog):
    with connected(Bare(REGISTRY, SecretsInHand())) as client, caplog.at_level(logging.WARNING):
        state = question(client)["requestState"]
        assert answered(client, state).json()["result"]["isError"] is False
    assert "no SERVER_SECRET" in caplog.text
    with connected(Bare(REGISTRY, SecretsInHand())) as other:
        assert error(answered(other, state)) == (400, -32602, 7)


def test_the_handshake_era_cannot_be_asked(client):
    result = call(client, "asking", era=LEGACY).json()["result"]
    assert result["isError"] is True
    assert "2026-07-28" in result["content"][0]["text"]
