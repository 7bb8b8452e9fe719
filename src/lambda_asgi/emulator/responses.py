"""What a function answered, as the head and body that a function URL's client gets."""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from .wire import Fields, is_field

SEPARATOR = bytes(8)
INTEGRATION_TYPE = "application/vnd.awslambda.http-integration-response"
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_REMAPPED = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "content-md5",
        "date",
        "host",
        "max-forwards",
        "server",
        "user-agent",
        "via",
        "www-authenticate",
    }
)
_DROPPED = frozenset({"expect", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade"})


class MalformedResponseError(Exception):
    """The function's answer is not one that a function URL understands: its client gets 502."""


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """A status code and the header fields for the client, as the function gave them."""

    status: int
    headers: Fields

    @property
    def bodiless(self) -> bool:
        """Whether a response of this status has no body (RFC 9110, 6.4.1)."""
        return self.status in _BODILESS


def remap(headers: Iterable[tuple[str, str]]) -> Fields:
    """Rename and drop the fields that the service keeps for itself.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html; function URLs
    have been seen to do the same.
    """
    kept = [(name.lower(), value) for name, value in headers if name.lower() not in _DROPPED]
    return tuple([(f"x-amzn-Remapped-{name}" if name in _REMAPPED else name, value) for name, value in kept])


def _fields(answer: dict[str, Any]) -> Fields:
    headers, cookies = answer.get("headers"), answer.get("cookies")
    headers, cookies = {} if headers is None else headers, [] if cookies is None else cookies
    if not isinstance(headers, dict) or not isinstance(cookies, list):
        raise MalformedResponseError("headers must be an object, cookies a list")
    fields = [*headers.items(), *(("set-cookie", cookie) for cookie in cookies)]
    for name, value in fields:
        if not isinstance(value, str) or not is_field(name, value):
            raise MalformedResponseError(f"not a header field: {name!r}")
    return tuple(fields)


def _head(answer: dict[str, Any]) -> ResponseHead:
    status = answer.get("statusCode", 200)
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:  # noqa: PLR2004 (final status codes)
        raise MalformedResponseError(f"not a status code: {status!r}")
    return ResponseHead(status, _fields(answer))


def parse_prelude(raw: bytes) -> ResponseHead:
    """Parse the JSON that precedes the separator of a streamed response. Raises MalformedResponseError."""
    try:
        answer = json.loads(raw)
    except ValueError as error:
        raise MalformedResponseError("the prelude is not JSON") from error
    if not isinstance(answer, dict):
        raise MalformedResponseError("the prelude is not an object")
    return _head(answer)


def _decoded(answer: dict[str, Any]) -> bytes:
    body = answer.get("body") or ""
    if not isinstance(body, str):
        raise MalformedResponseError("the body is not a string")
    if not answer.get("isBase64Encoded"):
        return body.encode("utf-8")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise MalformedResponseError("the body is not base64") from error


def parse_buffered(payload: bytes) -> tuple[ResponseHead, bytes]:
    """Infer a response from a buffered payload, as format 2.0 has it. Raises MalformedResponseError.

    A JSON object with a `statusCode` is a response; any other JSON is the body of a 200. A streamed response's prelude
    means nothing here: it is not JSON.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload
    """
    try:
        answer = json.loads(payload)
    except ValueError as error:
        raise MalformedResponseError("the payload is not JSON") from error
    if isinstance(answer, dict) and "statusCode" in answer:
        head = _head(answer)
        if not any(name.lower() == "content-type" for name, _ in head.headers):
            head = ResponseHead(head.status, (*head.headers, ("content-type", "application/json")))
        return head, _decoded(answer)
    body = answer.encode("utf-8") if isinstance(answer, str) else payload
    return ResponseHead(200, (("content-type", "application/json"),)), body


def encode_head(status: int, fields: Iterable[tuple[str, str]]) -> bytes:
    """Return a response's status line and header fields as they travel."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in fields])
    return f"HTTP/1.1 {status} {_PHRASES.get(status, 'Unknown')}\r\n{lines}\r\n".encode("latin-1", "replace")


def encode_json(status: int, body: object, *fields: tuple[str, str]) -> bytes:
    """Return a whole response with a JSON body."""
    payload = json.dumps(body).encode()
    length = ("Content-Length", str(len(payload)))
    return encode_head(status, [("Content-Type", "application/json"), length, *fields]) + payload
