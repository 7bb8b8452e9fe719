import json
import logging
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.events import Event
from mcp_app.redaction import MASK, Redactor
from mcp_app.settings import Settings
from mcp_app.telemetry import configure_logging, log_event, request_id, timestamp

logger = logging.getLogger("tests.telemetry")

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.fixture
def lines(capsys):
    def read() -> list[dict]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return read


def log_failure(error: Exception, message: str, *args, **kwargs) -> None:
    def fail():
        raise error

    try:
        fail()
    except Exception:
        logger.exception(message, *args, **kwargs)


def test_a_record_is_one_json_line(lines):
    configure_logging(Settings(name="shop", environment="prod"))
    token = request_id.set("req-1")
    logger.warning("two\nlines, %s", "é", extra={"status": 200, "nested": {"a": [1, None]}})
    request_id.reset(token)
    (entry,) = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry.pop("timestamp"))
    assert entry == {
        "level": "WARNING",
        "logger": "tests.telemetry",
        "message": "two\nlines, é",
        "request_id": "req-1",
        "service": "shop",
        "environment": "prod",
        "status": 200,
        "nested": {"a": [1, None]},
    }


def test_outside_a_request_there_is_no_request_id(lines):
    configure_logging(Settings())
    logger.info("started")
    assert "request_id" not in lines()[0]


def test_an_exception_has_its_type_message_and_trace(lines):
    configure_logging(Settings())
    log_failure(ValueError("bad value"), "it failed")
    exception = lines()[0]["exception"]
    assert exception["type"] == "builtins.ValueError"
    assert exception["message"] == "bad value"
    assert exception["trace"].startswith("Traceback")
    assert exception["trace"].endswith("ValueError: bad value\n")


def test_what_json_cannot_say_is_shown_as_text(lines):
    configure_logging(Settings())
    logger.info("odd", extra={"odd": object(), "few": {1}, 7: "seven"})
    entry = lines()[0]
    assert entry["odd"].startswith("<object object")
    assert entry["few"] == [1]
    assert entry["7"] == "seven"


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_what_no_encoding_can_say_is_logged_all_the_same(log_format, capfdbinary):
    configure_logging(Settings(log_format=log_format))
    logger.info("lone surrogate \ud800", extra={"path": "/\udcff"})
    line = capfdbinary.readouterr().out.lower()
    assert b"\\ud800" in line
    assert b"\\udcff" in line


def test_the_level_is_the_configured_one(lines):
    configure_logging(Settings(log_level="ERROR"))
    logger.warning("quiet")
    logger.error("loud")
    assert [entry["message"] for entry in lines()] == ["loud"]


def test_libraries_that_log_urls_are_kept_quiet(lines):
    configure_logging(Settings(log_level="DEBUG"))
    logging.getLogger("httpx2").info("HTTP Request: GET https://api.example/?appid=1234567890")
    logging.getLogger("httpx2").warning("a problem")
    assert [entry["message"] for entry in lines()] == ["a problem"]


def test_configuring_twice_logs_once(lines):
    configure_logging(Settings(name="first"))
    configure_logging(Settings(name="second"))
    logger.info("once")
    assert [entry["service"] for entry in lines()] == ["second"]


def test_other_handlers_stay():
    root, mine = logging.getLogger(), logging.NullHandler()
    root.addHandler(mine)
    try:
        configure_logging(Settings())
        assert mine in root.handlers
    finally:
        root.removeHandler(mine)


def test_text_is_for_a_person(capsys):
    configure_logging(Settings(log_format="text"))
    logger.info("GET /\x1b[31m\nforged line", extra={"status": 200, "api_key": "k" * 20})
    out = capsys.readouterr().out
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3} INFO     GET /\\x1b\[31m\\x0aforged line status=200 api_key=\[redacted\]\n", out
    )


def test_no_exception_may_be_said_as_false(capsys):
    configure_logging(Settings())
    logging.getLogger("asyncio").error("a task was destroyed", exc_info=False)
    assert "exception" not in json.loads(capsys.readouterr().out)


def test_text_says_nothing_twice(capsys):
    configure_logging(Settings(log_format="text"))
    logging.getLogger("a").info("%s %s", "GET", 200, extra={"method": "GET", "status": 200, "bytes": 7})
    assert capsys.readouterr().out.endswith("INFO     GET 200 bytes=7\n")


def test_text_shows_the_trace_under_the_line(capsys):
    configure_logging(Settings(log_format="text"))
    log_failure(ValueError(f"Bearer {JWT}"), "it failed")
    first, *trace = capsys.readouterr().out.splitlines()
    assert first.endswith("ERROR    it failed")
    assert trace[0].startswith("  Traceback")
    assert trace[-1] == f"  ValueError: Bearer {MASK}"


def test_no_error_can_forge_a_record_or_steer_a_terminal(capsys):
    configure_logging(Settings(log_format="text"))
    log_failure(ValueError("\x1b[31mred\r\n12:00:00.000 INFO     forged\ud800"), "it failed")
    first, *trace = capsys.readouterr().out.splitlines()
    assert first.endswith("ERROR    it failed")
    assert all(line.startswith("  ") for line in trace)
    assert trace[-2:] == [r"  ValueError: \x1b[31mred\x0d", r"  12:00:00.000 INFO     forged\ud800"]


def test_the_value_of_a_configured_secret_is_masked_wherever_it_occurs(lines):
    configure_logging(Settings(weather_api_key="abcdef0123456789"))
    log_failure(
        OSError("GET /weather/abcdef0123456789 failed"),
        "upstream said %s",
        "abcdef0123456789",
        extra={"url": ["x/abcdef0123456789/y"]},
    )
    assert "abcdef0123456789" not in json.dumps(lines())


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"Authorization: Bearer {JWT}", f"Authorization: {MASK}"),
        ("sent 'authorization': 'Basic dXNlcjpwYXNz'", f"sent 'authorization': {MASK}"),
        (f"token {JWT} refused", f"token {MASK} refused"),
        ("bearer abcdefgh12345678", f"bearer {MASK}"),
        ("Cookie: session=1; csrf=2\nnext", f"Cookie: {MASK}\nnext"),
        ("GET https://w.example/?zip=10001&appid=12345", f"GET https://w.example/?zip=10001&appid={MASK}"),
        ("GET /cb?code=abc&x=1", f"GET /cb?code={MASK}&x=1"),
        ("?access_token=abc", f"?access_token={MASK}"),
        ("key sk-proj-abcdefgh123 is bad", f"key {MASK} is bad"),
        ("AKIAIOSFODNN7EXAMPLE", MASK),
        ("client_secret=hunter2", f"client_secret={MASK}"),
        ("my-client-secret : hunter2", f"my-client-secret : {MASK}"),
        ("Proxy-Authorization: Basic x", f"Proxy-Authorization: {MASK}"),
        ("/cb?id_token_hint=abc&x=1", f"/cb?id_token_hint={MASK}&x=1"),
        ('{"password": "hunter2"}', f'{{"password": "{MASK}"}}'),
        ("the basic idea of a token is simple", "the basic idea of a token is simple"),
        ("POST /mcp 200", "POST /mcp 200"),
    ],
)
def test_secrets_are_known_by_their_form(text, clean):
    assert Redactor().text(text) == clean


@pytest.mark.parametrize("part", ["a-", "token-", "?token", "authorization-", "eyJa-", "eyJa.", "?key", "bearer ", "?"])
def test_no_text_can_keep_the_server_busy(part):
    text = part * 10_000
    began = time.process_time()
    assert Redactor().text(text)
    assert time.process_time() - began < 2  # seconds; it was minutes while a part was tried from every place


@pytest.mark.parametrize(
    "name",
    ["Authorization", "cookie", "Set-Cookie", "x-api-key", "OPENAI_API_KEY", "access_token", "password", "appid"],
)
def test_fields_are_known_by_their_name(name):
    entry = {"outer": [{name: "hunter2", "zip": "10001"}]}
    assert Redactor().clean(entry) == {"outer": [{name: MASK, "zip": "10001"}]}


def test_a_count_of_tokens_is_no_secret():
    assert Redactor().clean({"tokens": 120, "token": None}) == {"tokens": 120, "token": None}


@given(st.text(), st.text(alphabet="abcdefghijkxyz0123456789-_.+/=*[]()\\", min_size=6), st.text())
def test_a_known_value_never_survives(before, secret, after):
    if secret not in MASK:
        assert secret not in Redactor([secret]).text(f"{before}{secret}{after}").replace(MASK, "\0")


def test_a_timestamp_has_milliseconds_and_utc():
    assert timestamp(0.0015) == "1970-01-01T00:00:00.001Z"
    assert timestamp(1_700_000_000.9996) == "2023-11-14T22:13:20.999Z"


def test_an_event_is_one_line_with_its_details(lines):
    configure_logging(Settings())
    log_event(Event("grant_revoked", {"grant_id": "g1", "reason": "asked", "name": "not the logger's"}))
    (entry,) = lines()
    assert (entry["level"], entry["logger"], entry["message"]) == ("INFO", "auth", "grant_revoked")
    assert (entry["event"], entry["details"]) == (
        "grant_revoked",
        {"grant_id": "g1", "reason": "asked", "name": "not the logger's"},
    )


def test_an_alarming_event_is_a_warning(lines):
    configure_logging(Settings(log_level="WARNING"))
    log_event(Event("sign_in", {"user_id": "u1"}))
    log_event(Event("refresh_token_reused", {"grant_id": "g1"}, alarming=True))
    assert [(entry["level"], entry["event"]) for entry in lines()] == [("WARNING", "refresh_token_reused")]


def test_a_secret_that_got_into_an_event_does_not_get_out(lines):
    configure_logging(Settings())
    log_event(Event("odd", {"access_token": "abcdefgh", "reason": f"Bearer {JWT}"}))
    assert lines()[0]["details"] == {"access_token": MASK, "reason": f"Bearer {MASK}"}
