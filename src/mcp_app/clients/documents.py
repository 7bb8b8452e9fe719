"""JSON documents of an authorization server, for `auth` to read: its metadata and its keys."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from auth.json_object import decoded
from auth.verify.fetching import NoDocumentError
from mcp_app.clients.errors import BrokenOffError, SlowError, UnreachableError, UpstreamError
from mcp_app.clients.http import Call, Http
from mcp_app.deadline import Deadline

if TYPE_CHECKING:
    import httpx2


SECONDS: Final = 5.0
"""For one document, its retries included."""
MOST_BYTES: Final = 256_000

_HEADERS: Final = {"accept": "application/json", "accept-encoding": "identity"}
"""Without compression, which would let a small answer become a large one."""


class Documents:
    """Fetches from where it is told, and follows no redirect."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def get(self, url: str) -> Mapping[str, Any]:
        """The JSON object at a URL.

        Raises:
            NoDocumentError: there is none, or it cannot be had now; the reason names the host.
        """
        # Whatever is before the @ is a secret.
        service = urlsplit(url).netloc.rpartition("@")[2]
        call = Call(service=service, url=url, headers=_HEADERS)
        try:
            async with self._http.open(call, Deadline.after(SECONDS)) as response:
                if not response.is_success:
                    raise NoDocumentError(f"{service} answers {response.status_code}", absent=True)
                body = await _body(service, response)
        except UpstreamError as error:
            absent = not isinstance(error, (BrokenOffError, SlowError, UnreachableError))
            raise NoDocumentError(str(error), absent=absent) from None
        try:
            return decoded(body)
        except ValueError:
            raise NoDocumentError(f"what {service} answers is not a JSON object", absent=True) from None


async def _body(service: str, response: "httpx2.Response") -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MOST_BYTES:
            raise NoDocumentError(f"{service} answers with more than {MOST_BYTES} bytes", absent=True)
    return bytes(body)
