"""Lambda events -> requests, and responses in their form: one class per event source, behind one `infer`.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html (function URL),
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html (payload 1.0 and
2.0), https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html (load balancer).
"""

import binascii
from collections.abc import Iterable
from typing import Any, ClassVar

from . import event as read
from .event import Event
from .request import Request
from .response import Head


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
        return event.get("version") == "2.0" and bool(read.section(event, "requestContext", "http"))

    def request(self) -> Request:
        """Read the request; the cookies come from `cookies` alone, though `headers` repeats them."""
        http = read.section(self._event, "requestContext", "http")
        raw_path = read.text(self._event.get("rawPath")) or read.quoted(read.text(http.get("path"))) or "/"
        return Request(
            method=read.text(http.get("method")).upper() or "GET",
            raw_path=read.encoded(read.rooted(raw_path)),
            query_string=read.header_bytes(self._event.get("rawQueryString")),
            headers=read.headers_with_cookies(self._event),
            body=read.body(self._event),
            client=read.text(http.get("sourceIp")),
            http_version=read.text(http.get("protocol")).removeprefix("HTTP/") or "1.1",
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
        domain = read.text(read.section(event, "requestContext").get("domainName"))
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
        identity = read.section(self._event, "requestContext", "identity")
        protocol = read.text(read.section(self._event, "requestContext").get("protocol"))
        return Request(
            method=self._event["httpMethod"].upper(),
            raw_path=read.rooted(read.quoted(self._event["path"])).encode(),
            query_string=self._query().encode(),
            headers=read.multi_headers(self._event),
            body=read.body(self._event),
            client=read.text(identity.get("sourceIp")),
            http_version=protocol.removeprefix("HTTP/") or "1.1",
        )

    def _query(self) -> str:
        from urllib.parse import urlencode  # a function URL needs none of it

        return urlencode([(read.encoded(name), read.encoded(value)) for name, value in self._query_pairs()])

    def _query_pairs(self) -> list[tuple[str, str]]:
        many = read.section(self._event, "multiValueQueryStringParameters")
        return read.flat(many) or read.flat(read.section(self._event, "queryStringParameters"))

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
        return RestApi.matches(event) and "elb" in read.section(event, "requestContext")

    def request(self) -> Request:
        """Read the request; its client is the last one in X-Forwarded-For, the one that the balancer itself saw."""
        request = super().request()
        forwarded = dict(request.headers).get(b"x-forwarded-for", b"").decode("latin-1")
        return request._replace(client=forwarded.rpartition(",")[2].strip())

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
