"""One GET for a metadata document: to the addresses that were checked, without redirects, cookies or proxies."""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from auth.server.addresses import Address

if TYPE_CHECKING:
    import ssl

    import httpcore2

LARGEST: Final = 16 * 1024
"""Bytes of a document, at most."""
_MOST_ADDRESSES: Final = 3
_CONNECT_SECONDS: Final = 1.0
_HEADERS: Final = (("accept", "application/json"), ("accept-encoding", "identity"), ("user-agent", "mcpx"))
_JSON: Final = re.compile(r"application/(?:[a-z0-9.\-]+\+)?json\s*(?:;|\Z)", re.IGNORECASE)
_MAX_AGE: Final = re.compile(r"(?:^|,)\s*max-age=([0-9]{1,9})\s*(?:,|\Z)", re.IGNORECASE)


class FetchError(Exception):
    """There was no answer, or none that could be a document; in a few words, with nothing of what was answered."""


class Fetched(NamedTuple):
    """A document's bytes, and for how many seconds its server wants it to be kept; None where it does not say."""

    body: bytes
    max_age: int | None


async def fetch(url: str, addresses: Sequence[Address], ssl_context: "ssl.SSLContext") -> Fetched:
    """The document at an https URL.

    Args:
        url: checked by the caller.
        addresses: where to connect; the URL's host is for TLS and the Host header only and is not looked up again.
        ssl_context: whom to trust.

    Raises:
        FetchError: no connection, a bad certificate, a status other than 200, not JSON, encoded, or too large.
    """
    import httpcore2

    pool = httpcore2.AsyncConnectionPool(
        ssl_context=ssl_context,
        max_connections=1,
        max_keepalive_connections=0,
        network_backend=cast("httpcore2.AsyncNetworkBackend", _Checked(addresses)),
    )
    try:
        async with pool, pool.stream("GET", url, headers=list(_HEADERS)) as response:
            return await _read(response)
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, OSError) as error:
        raise FetchError(type(error).__name__) from None


async def _read(response: "httpcore2.Response") -> Fetched:
    if response.status != HTTPStatus.OK:
        raise FetchError(f"status {response.status}")
    headers = [(name.lower(), value.decode("latin-1")) for name, value in response.headers]
    kinds = [value for name, value in headers if name == b"content-type"]
    if len(kinds) != 1 or not _JSON.match(kinds[0]):
        raise FetchError("content type")
    if any(name == b"content-encoding" and value.lower() != "identity" for name, value in headers):
        raise FetchError("content encoding")
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > LARGEST:
            raise FetchError("size")
    return Fetched(bytes(body), _max_age(value for name, value in headers if name == b"cache-control"))


def _max_age(directives: Iterable[str]) -> int | None:
    found = _MAX_AGE.search(",".join(directives))
    return int(found[1]) if found else None


class _Checked:
    """httpcore's way to the network, with every connection led to the checked addresses."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._addresses = addresses[:_MOST_ADDRESSES]

    async def connect_tcp(self, **options: Any) -> "httpcore2.AsyncNetworkStream":
        import httpcore2

        failure: Exception = httpcore2.ConnectError("no address")
        for address in self._addresses:
            checked = options | {"host": address.host, "port": address.port, "timeout": _CONNECT_SECONDS}
            try:
                return await httpcore2.AnyIOBackend().connect_tcp(**checked)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure
