"""A function URL's request as the event the function receives: payload format 2.0.

Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
"""

import base64
import json
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from .wire import RequestHead

_HOP_BY_HOP = frozenset(
    {"connection", "expect", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_TEXT_TYPES = frozenset({"application/json", "application/javascript", "application/xml"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from and where it arrived.

    Attributes:
        client: the peer's IP address.
        domain: the function URL's own host, with its port when it has one.
        port: the port that it listens on.
    """

    client: str
    domain: str
    port: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the service gives a request: its id, its trace and the time (seconds since the epoch)."""

    request_id: str
    trace_id: str
    now: float


def is_text(content_type: str) -> bool:
    """Whether a body of this type goes into the event as text; all others (forms too) are base64."""
    media = content_type.partition(";")[0].strip().lower()
    return media.startswith("text/") or media in _TEXT_TYPES or media.endswith(("+json", "+xml"))


def encode_body(body: bytes, content_type: str) -> tuple[str, bool]:
    """Return the event's `body` and `isBase64Encoded`."""
    if is_text(content_type):
        try:
            return body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode("ascii"), True


def event_headers(head: RequestHead, origin: Origin, trace_id: str, size: int) -> dict[str, str]:
    """Return the event's headers: lower case, repeats joined, the hop's own left out, the service's added."""
    fields = {name: value for name, value in head.combined().items() if name not in _HOP_BY_HOP}
    if size or "content-length" in fields:
        fields["content-length"] = str(size)
    forwarded = fields.get("x-forwarded-for")
    fields["x-forwarded-for"] = f"{forwarded}, {origin.client}" if forwarded else origin.client
    fields["x-forwarded-port"] = str(origin.port)
    fields["x-forwarded-proto"] = "http"
    fields["x-amzn-trace-id"] = trace_id
    return fields


def _query_parameters(query: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


@lru_cache(maxsize=1)
def _log_time(second: int) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(second))


def _request_context(head: RequestHead, origin: Origin, stamp: Stamp, path: str) -> dict[str, Any]:
    prefix = origin.domain.partition(".")[0]
    return {
        "accountId": "anonymous",
        "apiId": prefix,
        "domainName": origin.domain,
        "domainPrefix": prefix,
        "http": {
            "method": head.method,
            "path": unquote(path),
            "protocol": head.version,
            "sourceIp": origin.client,
            "userAgent": head.header("user-agent"),
        },
        "requestId": stamp.request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": _log_time(int(stamp.now)),
        "timeEpoch": int(stamp.now * 1000),
    }


def build_event(head: RequestHead, body: bytes, origin: Origin, stamp: Stamp) -> dict[str, Any]:
    """Return the event for one HTTP request.

    `rawPath` stays percent-encoded as received; `requestContext.http.path` is decoded once.
    """
    path, _, query = head.target.partition("?")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": event_headers(head, origin, stamp.trace_id, len(body)),
        "requestContext": _request_context(head, origin, stamp, path),
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = _query_parameters(query)
    if cookies := event["headers"].get("cookie"):
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if body:
        event["body"], event["isBase64Encoded"] = encode_body(body, head.header("content-type"))
    return event


def encode_event(event: dict[str, Any]) -> bytes:
    """Return an event as the JSON that travels."""
    return _ENCODER.encode(event).encode("utf-8")
