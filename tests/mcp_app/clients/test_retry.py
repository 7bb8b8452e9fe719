import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_app.clients.retry import Failure, passing_fault, pause, retry_after

NOON = 1_445_412_480.0


@pytest.mark.parametrize(
    ("failure", "retries", "remaining", "wait"),
    [
        (Failure(None), 0, 10, 0.0),
        (Failure(None), 1, 10, 0.6),
        (Failure(None), 2, 10, None),
        (Failure(None), 0, 0.5, None),
        (Failure(200), 0, 10, None),
        (Failure(302), 0, 10, None),
        (Failure(400), 0, 10, None),
        (Failure(401), 0, 10, None),
        (Failure(404), 0, 10, None),
        (Failure(429), 0, 10, None),
        (Failure(429, 2), 0, 10, 2),
        (Failure(429, 2), 2, 10, None),
        (Failure(429, 30), 0, 10, None),
        (Failure(500), 0, 10, 0.2),
        (Failure(502), 1, 10, 0.6),
        (Failure(503), 2, 10, None),
        (Failure(503, 3), 0, 10, 3),
        (Failure(503, 30), 0, 10, None),
        (Failure(501), 0, 10, None),
        (Failure(504), 0, 1.1, None),
    ],
)
def test_what_is_tried_again(failure: Failure, retries: int, remaining: float, wait: float | None) -> None:
    assert pause(failure, retries, remaining, 0.5) == wait


@pytest.mark.parametrize(
    ("failure", "wait"),
    [
        (Failure(429), 0.2),
        (Failure(429, 2), 2),
        (Failure(500), None),
        (Failure(502), 0.2),
        (Failure(503, 1), 1),
        (Failure(504), 0.2),
        (Failure(422), None),
    ],
)
def test_where_a_500_is_an_answer_only_faults_that_pass_are_tried_again(failure: Failure, wait: float | None) -> None:
    assert pause(failure, 0, 10, 0.5, passing_fault) == wait


@given(
    st.integers(100, 599) | st.none(),
    st.floats(0, 1e9) | st.none(),
    st.integers(0, 5),
    st.floats(0, 900),
    st.floats(0, 1),
)
def test_a_retry_always_fits_before_the_deadline(
    status: int | None, after: float | None, retries: int, remaining: float, jitter: float
) -> None:
    wait = pause(Failure(status, after), retries, remaining, jitter)
    assert wait is None or 0 <= wait < remaining


def test_jitter_spreads_retries() -> None:
    waits = {pause(Failure(500), 0, 10, jitter) for jitter in (0.0, 0.5, 1.0)}
    assert len(waits) == 3


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30),
        (" 0 ", 0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0),
        ("Wed, 21 Oct 2015 07:28:30 -0000", 30),
        ("9" * 400, 86_400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Fri, 31 Dec 9999999999999999999 23:59:59 GMT", None),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOON) == seconds


def test_no_header_asks_for_nothing() -> None:
    assert retry_after({}, NOON) is None
