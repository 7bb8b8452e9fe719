"""What the auth benchmark makes of what it measured, and that it measures a server which answers."""

import pytest

from bench import auth_calls
from bench.auth_bench import aims
from bench.auth_calls import PROVIDED, WITH, WITHOUT
from bench.auth_cold import APP, NOAUTH, OAUTH, WITH_BOTO3, ColdStarts
from bench.calls import ERAS, WrongAnswerError, echo, tool_call


def starts(with_token: float) -> ColdStarts:
    slow = 9000
    answered = {NOAUTH.key: [400, slow], OAUTH.key: [slow, with_token]}
    return ColdStarts(answered, {APP: [300, slow], WITH_BOTO3: [slow, 400]})


@pytest.mark.parametrize(("with_token", "beyond", "met"), [(560, 60, True), (561, 61, False), (500, 0, True)])
def test_a_cold_start_may_grow_by_what_boto3_costs_and_a_little_more(
    with_token: float, beyond: float, met: bool
) -> None:
    *_, growth = aims({WITHOUT: [1.0], WITH: [1.1], PROVIDED: [1.1]}, 1, starts(with_token))
    assert (growth.value, growth.met) == (beyond, met)


@pytest.mark.parametrize(
    ("more", "theirs", "reads", "met"),
    [(0.2, 0.2, 1, True), (0.4, 0.2, 1, False), (0.2, 0.4, 1, False), (0.2, 0.2, 1.1, False)],
)
def test_a_call_may_cost_a_little_more_cpu_and_one_read_a_minute(
    more: float, theirs: float, reads: float, met: bool
) -> None:
    samples = {WITHOUT: [1.0, 1.0], WITH: [1.0 + more] * 2, PROVIDED: [1.0 + theirs] * 2}
    cpu, provided, read, _ = aims(samples, reads, starts(500))
    assert (cpu.met and provided.met and read.met) is met


@pytest.mark.anyio
async def test_a_grant_in_use_is_read_once_a_minute(tmp_path) -> None:
    assert await auth_calls.reads_a_minute(tmp_path, echo(ERAS[0])) == 1


@pytest.mark.anyio
async def test_a_wrong_answer_ends_the_benchmark(tmp_path) -> None:
    wrong = tool_call("echo", {"message": "Hello"}, ERAS[0], lambda _found: False)
    with pytest.raises(WrongAnswerError):
        await auth_calls.cpu(tmp_path, wrong, 20, lambda _words: None)
