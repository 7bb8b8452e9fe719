"""An HTTP request on its way into an ASGI scope."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from .event import HeaderPairs


class Request(NamedTuple):
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
    host = headers.get(b"host", b"localhost").decode("latin-1")
    # The colons of an IPv6 address are within brackets (RFC 3986, section 3.2.2), which are no part of it.
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    port = headers.get(b"x-forwarded-port", b"443")
    return name, int(port) if port.isdigit() else 443
