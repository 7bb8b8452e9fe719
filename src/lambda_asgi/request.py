"""Lambda events -> ASGI requests: one class per event source, behind one `infer`.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html (function URL),
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html (payload 1.0 and
2.0), https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html (load balancer).
"""

import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .errors import InvalidEventError
from .response import Head

Event = Mapping[str, Any]
HeaderPairs = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Request:
    """An HTTP request, as far as an ASGI scope tells about it, and its whole body.

    `raw_path` is percent-encoded as the client sent it; header names are in lower case.
    """

    method: str
    raw_path: bytes
    query_string: bytes
    headers: HeaderPairs
    body: bytes
    client: str
    http_version: str = "1.1"

    def scope(self, root_path: str = "") -> dict[str, Any]:
        """The ASGI connection scope (`http`, spec 2.4: `send` raises OSError after the end of the response).

        `path` and `raw_path` hold the root path, as ASGI has it; where the gateway cut it off, it is put back.
        """
        headers = dict(self.headers)
        path, raw_path = _decoded(self.raw_path), self.raw_path
        if root_path and path != root_path and not path.startswith(f"{root_path}/"):
            path, raw_path = root_path + path, root_path.encode() + raw_path
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": self.http_version,
            "method": self.method,
            "scheme": headers.get(b"x-forwarded-proto", b"https").decode("latin-1"),
            "path": path,
            "raw_path": raw_path,
            "query_string": self.query_string,
            "root_path": root_path,
            "headers": self.headers,
            "client": (self.client, 0) if self.client else None,
            "server": _server(headers),
        }


def _decoded(raw_path: bytes) -> str:
    if b"%" in raw_path:
        from urllib.parse import unquote_to_bytes  # most paths need no decoding, nor this import

        raw_path = unquote_to_bytes(raw_path)
    return raw_path.decode("utf-8", "replace")


def _server(headers: Mapping[bytes, bytes]) -> tuple[str, int]:
    name = headers.get(b"host", b"localhost").decode("latin-1").partition(":")[0]
    port = headers.get(b"x-forwarded-port", b"443")
    return name, int(port) if port.isdigit() else 443


class EventSource:
    """An event of one kind: how to know it, read it, and answer it with one document.

    `streams` says whether the service behind it takes a streamed response at all.
    """

    streams: ClassVar[bool]

    def __init__(self, event: Event) -> None:
        self._event = event

    @staticmethod
    def matches(event: Event) -> bool:
        """Tell whether the event is of this kind."""
        raise NotImplementedError

    def request(self) -> Request:
        """Read the request.

        Raises:
            InvalidEventError: The body is not what the event says it is.
        """
        raise NotImplementedError

    def encode(self, head: Head, body: bytes) -> dict[str, Any]:
        """The whole response as this source's document."""
        raise NotImplementedError


class FunctionUrl(EventSource):
    """A Lambda function URL: payload format 2.0."""

    streams = True

    @staticmethod
    def matches(event: Event) -> bool:
        """Payload 2.0 that no API Gateway sent."""
        return event.get("version") == "2.0" and bool(_at(event, "requestContext", "http"))

    def request(self) -> Request:
        """Read the request; the cookies come from `cookies` alone, though `headers` repeats them."""
        http = _at(self._event, "requestContext", "http")
        raw_path = _text(self._event.get("rawPath")) or _quoted(_text(http.get("path"))) or "/"
        return Request(
            method=_text(http.get("method")).upper() or "GET",
            raw_path=_lenient(_rooted(raw_path)),
            query_string=_bytes(self._event.get("rawQueryString")),
            headers=_headers_with_cookies(self._event),
            body=_body(self._event),
            client=_text(http.get("sourceIp")),
            http_version=_text(http.get("protocol")).removeprefix("HTTP/") or "1.1",
        )

    def encode(self, head: Head, body: bytes) -> dict[str, Any]:
        """Payload 2.0's response document."""
        text, is_base64 = _as_text(body)
        return {
            "statusCode": head.status,
            "headers": head.joined,
            "cookies": list(head.cookies),
            "body": text,
            "isBase64Encoded": is_base64,
        }


class HttpApi(FunctionUrl):
    """API Gateway's HTTP API, on its own domain: payload format 2.0 too, but never streamed."""

    streams = False

    @staticmethod
    def matches(event: Event) -> bool:
        """Payload 2.0 from an API Gateway domain; a custom domain looks like a function URL."""
        domain = _text(_at(event, "requestContext").get("domainName"))
        return FunctionUrl.matches(event) and ".execute-api." in domain


class RestApi(EventSource):
    """API Gateway's REST API (payload format 1.0), which streams where the integration says so."""

    streams = True

    @staticmethod
    def matches(event: Event) -> bool:
        """Payload 1.0."""
        return isinstance(event.get("httpMethod"), str) and isinstance(event.get("path"), str)

    def request(self) -> Request:
        """Read the request; the gateway has decoded path and query, so they are encoded again."""
        identity = _at(self._event, "requestContext", "identity")
        protocol = _text(_at(self._event, "requestContext").get("protocol"))
        return Request(
            method=self._event["httpMethod"].upper(),
            raw_path=_rooted(_quoted(self._event["path"])).encode(),
            query_string=self._query().encode(),
            headers=_multi_headers(self._event),
            body=_body(self._event),
            client=_text(identity.get("sourceIp")),
            http_version=protocol.removeprefix("HTTP/") or "1.1",
        )

    def _query(self) -> str:
        from urllib.parse import urlencode  # a function URL needs none of it

        return urlencode([(_lenient(name), _lenient(value)) for name, value in self._query_pairs()])

    def _query_pairs(self) -> list[tuple[str, str]]:
        many = _at(self._event, "multiValueQueryStringParameters")
        return _flat(many) or _flat(_at(self._event, "queryStringParameters"))

    def encode(self, head: Head, body: bytes) -> dict[str, Any]:
        """Payload 1.0's response document."""
        text, is_base64 = _as_text(body)
        return {
            "statusCode": head.status,
            "multiValueHeaders": _multi_value(head),
            "body": text,
            "isBase64Encoded": is_base64,
        }


class LoadBalancer(RestApi):
    """An Application Load Balancer's target: like payload 1.0, but raw, and never streamed."""

    streams = False

    @staticmethod
    def matches(event: Event) -> bool:
        """An event with the load balancer's own context."""
        return RestApi.matches(event) and "elb" in _at(event, "requestContext")

    def request(self) -> Request:
        """Read the request; its client is the last one in X-Forwarded-For, the one that the balancer itself saw."""
        request = super().request()
        forwarded = dict(request.headers).get(b"x-forwarded-for", b"").decode("latin-1")
        return Request(**{**vars(request), "client": forwarded.rpartition(",")[2].strip()})

    def _query(self) -> str:
        return "&".join(f"{name}={value}" for name, value in self._query_pairs()).encode("utf-8", "replace").decode()

    def encode(self, head: Head, body: bytes) -> dict[str, Any]:
        """The balancer's response document, with single or multiple header values as the event has them."""
        document = {**super().encode(head, body), "statusDescription": _description(head.status)}
        if "multiValueHeaders" not in self._event:
            del document["multiValueHeaders"]
            document["headers"] = {**head.joined, **_spelled_apart(head.cookies)}
        return document


_SOURCES: tuple[type[EventSource], ...] = (HttpApi, FunctionUrl, LoadBalancer, RestApi)


def infer(event: Any) -> EventSource | None:
    """The event's source, or None for an event that is not an HTTP request."""
    if not isinstance(event, dict):
        return None
    source = next((source for source in _SOURCES if source.matches(event)), None)
    return source(event) if source else None


def _at(event: Event, *names: str) -> Event:
    for name in names:
        found = event.get(name)
        event = found if isinstance(found, dict) else {}
    return event


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _lenient(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _bytes(value: Any) -> bytes:
    text = "" if value is None else str(value)
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return _lenient(text)


def _rooted(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def _quoted(path: str) -> str:
    # What is legal in a path stays, and so does a percent sign: some gateways decode the path and some do not.
    if path.isascii() and path.isprintable() and " " not in path:
        return path
    from urllib.parse import quote  # only unusual paths need it

    return quote(path, safe="/%:@!$&'()*+,;=~", errors="replace")


def _headers_with_cookies(event: Event) -> HeaderPairs:
    cookies = event.get("cookies")
    pairs = [(_bytes(name).lower(), _bytes(value)) for name, value in _at(event, "headers").items()]
    if not isinstance(cookies, list) or not cookies:
        return pairs
    return [pair for pair in pairs if pair[0] != b"cookie"] + [(b"cookie", b"; ".join(map(_bytes, cookies)))]


def _multi_headers(event: Event) -> HeaderPairs:
    many = _flat(_at(event, "multiValueHeaders")) or _flat(_at(event, "headers"))
    return [(_bytes(name).lower(), _bytes(value)) for name, value in many]


def _flat(values: Event) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        several: Iterable[Any] = value if isinstance(value, list) else [value]
        pairs += [(str(name), "" if each is None else str(each)) for each in several]
    return pairs


def _body(event: Event) -> bytes:
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise InvalidEventError("The event's body is not a string.")
    try:
        return binascii.a2b_base64(body) if event.get("isBase64Encoded") is True else body.encode()
    except ValueError as error:
        raise InvalidEventError("The event's body is not what the event says it is.") from error


def _as_text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return binascii.b2a_base64(body, newline=False).decode(), True


def _multi_value(head: Head) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in head.headers:
        values.setdefault(name, []).append(value)
    if head.cookies:
        values["set-cookie"] = list(head.cookies)
    return values


def _description(status: int) -> str:
    from http import HTTPStatus  # only a load balancer wants the phrase

    return f"{status} {HTTPStatus(status).phrase}" if status in HTTPStatus._value2member_map_ else str(status)


def _spelled_apart(cookies: Iterable[str]) -> dict[str, str]:
    # One value per name is all that this form has, but the balancer does not mind how a name is spelled.
    spelled: dict[str, str] = {}
    for number, cookie in enumerate(cookies):
        letters = [c.upper() if number >> place & 1 else c for place, c in enumerate("setcookie")]
        spelled["".join([*letters[:3], "-", *letters[3:]])] = cookie
    return spelled
