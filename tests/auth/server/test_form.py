import pytest
from starlette.requests import Request
from starlette.types import Message

from auth.errors import InvalidRequestError, InvalidTargetError, OAuthError
from auth.server.form import MAX_BYTES, MAX_FIELDS, parse_form, read_form, required
from tests.support.auth_server import Running
from tests.support.granting import Dance

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (b"", {}),
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=x+y%20z%26%3D", {"a": "x y z&="}),
        (b"a=%C3%A9&b=\xc3\xa9", {"a": "é", "b": "é"}),
        (b"a=&b=1&c", {"b": "1"}),
        (b"a=1;b=2", {"a": "1;b=2"}),
        (b"a=%", {"a": "%"}),
    ],
)
def test_a_form_is_what_was_sent_without_empty_parameters(body: bytes, form: dict[str, str]) -> None:
    assert parse_form(body) == form


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"a=1&a=1", InvalidRequestError),
        (b"a=1&a=", InvalidRequestError),
        (b"a=%FF", InvalidRequestError),
        (b"a=\xff", InvalidRequestError),
        (b"%ED%A0%80=1", InvalidRequestError),
        (b"&".join(b"p%d=1" % n for n in range(MAX_FIELDS + 1)), InvalidRequestError),
        (b"resource=a&resource=b", InvalidTargetError),
    ],
)
def test_a_repeated_parameter_too_many_or_bytes_that_are_no_text_are_refused(
    body: bytes, error: type[OAuthError]
) -> None:
    with pytest.raises(error):
        parse_form(body)


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(InvalidRequestError, match=r"^code is missing\.$"):
        required({}, "code")


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/introspect"])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (None, b"grant_type=x"),
        ("", b"grant_type=x"),
        ("application/json", b'{"grant_type": "x"}'),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("text/plain", b"grant_type=x"),
        ("\xe9", b"grant_type=x"),
        (FORM, b"a=" + b"x" * MAX_BYTES),
        (FORM, b"client_id=%FF"),
        (FORM, b"client_id=\xff\xfe"),
        (FORM, b"client_id=a&client_id=b"),
        (FORM + "; charset=utf-16", "client_id=é".encode("utf-16")),
    ],
)
def test_must_12_a_bad_content_type_or_body_is_400_and_not_stored_by_caches(
    shared: Running, path: str, content_type: str | None, body: bytes
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type.encode("latin-1")}
    reply = shared.client.post(path, content=body, headers=headers)
    assert reply.status_code == 400
    assert reply.json()["error"] == "invalid_request"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["pragma"] == "no-cache"


@pytest.mark.parametrize("content_type", [FORM.upper(), f"{FORM}; charset=utf-8", f"{FORM} ;charset=UTF-8"])
def test_a_form_is_known_by_its_media_type_however_it_is_written(dance: Dance, content_type: str) -> None:
    body = f"grant_type=nothing&client_id={dance.client.id}"
    reply = dance.auth.client.post("/oauth/token", content=body, headers={"Content-Type": content_type})
    assert reply.json()["error"] == "unsupported_grant_type"


@pytest.mark.anyio
async def test_a_form_that_ends_early_is_refused() -> None:
    messages = [
        {"type": "http.request", "body": b"grant_type=", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", FORM.encode())]}
    with pytest.raises(InvalidRequestError, match="ended early"):
        await read_form(Request(scope, receive))
