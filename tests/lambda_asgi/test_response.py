import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_asgi import InvalidResponseError, LambdaAsgiError, ResponseClosedError
from lambda_asgi.response import MAX_CHUNK, MAX_PRELUDE, BufferedResponse, StreamedResponse

START = {"type": "http.response.start", "status": 200, "headers": []}


def body(data: bytes = b"", *, more: bool = False) -> dict[str, object]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def head(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, object]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def test_prelude_delimiter_and_body_are_three_pieces():
    response = StreamedResponse()
    assert response.feed(START) == []
    assert response.feed(body(b"hi")) == [b'{"statusCode":200,"headers":{},"cookies":[]}', bytes(8), b"hi"]
    assert response.complete


def test_an_open_empty_body_sends_the_prelude_at_once():
    response = StreamedResponse()
    response.feed(START)
    assert len(response.feed(body(more=True))) == 2
    assert response.feed(body(more=True)) == []


def test_a_long_body_is_cut():
    response = StreamedResponse()
    response.feed(START)
    sizes = [len(piece) for piece in response.feed(body(b"x" * (2 * MAX_CHUNK + 1)))]
    assert sizes[2:] == [MAX_CHUNK, MAX_CHUNK, 1]


@pytest.mark.parametrize(("status", "padding"), [(200, [b"\n"]), (202, [b"\n"]), (500, [b"\n"]), (204, []), (304, [])])
def test_an_empty_body_is_padded_where_it_may_have_content(status, padding):
    response = StreamedResponse(pad_empty_body=True)
    response.feed(head(status=status))
    assert response.feed(body())[2:] == padding


def test_a_body_is_not_padded():
    response = StreamedResponse(pad_empty_body=True)
    response.feed(START)
    response.feed(body(b"x", more=True))
    assert response.feed(body()) == []


@pytest.mark.parametrize("response", [StreamedResponse(bodiless=True), StreamedResponse()])
def test_no_body_where_http_has_none(response):
    response.feed(head(status=200 if response._bodiless else 304))
    assert len(response.feed(body(b"content"))) == 2


@pytest.mark.parametrize(
    "start",
    [
        head((b"x", b"a\r\nb: c")),
        head((b"x", b"a\nb")),
        head((b"x", b"a\0b")),
        head((b"x y", b"1")),
        head((b"x:", b"1")),
        head((b"", b"1")),
        head((b"x\r\ny", b"1")),
        head(status=99),
        head(status=101),
        head(status=600),
        {"type": "http.response.start"},
        {"type": "http.response.start", "status": "200"},
        head((b"x", b"x" * MAX_PRELUDE)),
        body(),
        {"type": "http.response.trailers"},
        {},
    ],
)
def test_what_cannot_begin_a_response_is_refused_and_can_be_mended(start):
    response = StreamedResponse()
    with pytest.raises(InvalidResponseError):
        response.feed(start)
    response.feed(START)
    assert response.feed(body(b"mended"))[-1] == b"mended"


def test_nothing_comes_after_the_end():
    response = StreamedResponse()
    response.feed(START)
    response.feed(body())
    with pytest.raises(ResponseClosedError):
        response.feed(body())


def test_a_second_start_is_refused():
    response = StreamedResponse()
    response.feed(START)
    with pytest.raises(InvalidResponseError):
        response.feed(START)


def test_a_prelude_of_exactly_the_limit_goes_out():
    response = StreamedResponse()
    empty = len('{"statusCode":200,"headers":{"x":""},"cookies":[]}')
    response.feed(head((b"x", b"y" * (MAX_PRELUDE - empty))))
    assert len(response.feed(body())[0]) == MAX_PRELUDE


names = st.sampled_from([b"x-a", b"Set-Cookie", b"content-length", b"Vary", b"bad name", b"", b"\xff"]) | st.binary(
    max_size=5
)
values = st.sampled_from([b"", b"a", b"a\r\nb", b"\xe9"]) | st.binary(max_size=20)
starts = st.builds(
    lambda status, headers: {"type": "http.response.start", "status": status, "headers": headers},
    st.sampled_from([200, 204, 304, 404, 101, 600, None]),
    st.lists(st.tuples(names, values), max_size=4),
)
bodies = st.builds(
    lambda data, more: {"type": "http.response.body", "body": data, "more_body": more},
    st.sampled_from([b"", b"x", b"y" * (MAX_CHUNK + 1)]) | st.binary(max_size=20),
    st.booleans(),
)
messages = st.lists(starts | bodies | st.just({"type": "http.response.trailers"}), max_size=8)


@given(messages=messages, bodiless=st.booleans(), pad=st.booleans())
def test_any_messages_make_a_well_formed_stream(messages, bodiless, pad):
    response = StreamedResponse(bodiless=bodiless, pad_empty_body=pad)
    pieces: list[bytes] = []
    accepted = []
    for message in messages:
        try:
            pieces += response.feed(message)
        except LambdaAsgiError:
            continue
        accepted.append(message)
    assert all(pieces)
    assert all(len(piece) <= MAX_CHUNK for piece in pieces)
    if not pieces:
        assert not response.complete
        return
    prelude = json.loads(pieces[0])
    assert len(pieces[0]) <= MAX_PRELUDE
    assert pieces[1] == bytes(8)
    assert set(prelude) == {"statusCode", "headers", "cookies"}
    assert not {"content-length", "set-cookie"} & set(prelude["headers"])
    sent = b"".join(message["body"] for message in accepted if message["type"].endswith("body"))
    silent = bodiless or prelude["statusCode"] in {204, 304}
    assert b"".join(pieces[2:]) in ([b"", b"\n"] if silent else [sent, sent or b"\n"])


@given(parts=st.lists(st.binary(max_size=50), min_size=1, max_size=5))
def test_a_buffered_response_is_one_piece_at_the_end(parts):
    response = BufferedResponse(lambda head, data: {"status": head.status, "data": data.hex()})
    response.feed(START)
    for part in parts[:-1]:
        assert response.feed(body(part, more=True)) == []
    (document,) = response.feed(body(parts[-1]))
    assert json.loads(document) == {"status": 200, "data": b"".join(parts).hex()}
