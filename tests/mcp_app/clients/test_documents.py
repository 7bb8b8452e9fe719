"""Documents of an authorization server: taken as they are or not at all, and from nowhere else."""

import gzip

import pytest

from auth.verify.fetching import NoDocumentError
from mcp_app.clients import documents
from mcp_app.clients.documents import MOST_BYTES, Documents
from mcp_app.clients.http import Http
from tests.support import faults
from tests.support.auth_server import Clock
from tests.support.issuer import Issuer
from tests.support.serve import serving

pytestmark = pytest.mark.anyio


@pytest.fixture
async def issuer():
    made = Issuer(Clock())
    async with serving(made.app) as url:
        made.url = url
        yield made


@pytest.fixture
async def fetcher():
    http = Http()
    yield Documents(http)
    await http.aclose()


async def failure(fetcher, url) -> NoDocumentError:
    with pytest.raises(NoDocumentError) as raised:
        await fetcher.get(url)
    return raised.value


async def test_a_document_is_an_object(issuer, fetcher):
    issuer.documents["/doc"] = {"a": [1, {"b": None}]}
    assert await fetcher.get(f"{issuer.url}/doc") == {"a": [1, {"b": None}]}


@pytest.mark.parametrize(
    "answer",
    [
        faults.status(404, "<h1>inside</h1>"),
        faults.status(403, "<h1>inside</h1>"),
        faults.status(401, {"error": "inside"}),
        faults.status(302, "inside", location="/doc"),
        faults.status(304),
        faults.body("[]"),
        faults.body("inside"),
        faults.body('{"a": 1, "a": 2}'),
        faults.body('{"a": NaN}'),
        faults.body(b'{"a": "\xff"}'),
        faults.body("[" * 100_000),
        faults.body('{"a": "' + "x" * MOST_BYTES + '"}'),
    ],
)
async def test_what_is_none_is_absent_and_nothing_of_it_is_told(issuer, fetcher, answer):
    issuer.documents["/doc"] = {"redirected": True}
    issuer.faults.queue.append(answer)
    error = await failure(fetcher, f"{issuer.url}/document")
    assert error.absent
    assert "inside" not in str(error)
    assert issuer.asked == ["/document"]


async def test_a_password_in_the_url_is_not_told(issuer, fetcher):
    error = await failure(fetcher, issuer.url.replace("//", "//me:hush@"))
    assert str(error).startswith("127.0.0.1:")
    assert "hush" not in str(error)


async def test_a_compressed_answer_is_not_unpacked(issuer, fetcher):
    async def packed(_request):
        from starlette.responses import Response

        return Response(gzip.compress(b"{}"), headers={"content-encoding": "gzip"}, media_type="application/json")

    issuer.faults.always = packed
    assert (await failure(fetcher, f"{issuer.url}/doc")).absent


async def test_who_breaks_off_or_is_not_there_was_not_reached(issuer, fetcher):
    issuer.faults.always = faults.broken_off(b'{"a":')
    assert not (await failure(fetcher, f"{issuer.url}/doc")).absent
    assert not (await failure(fetcher, "http://127.0.0.1:9/doc")).absent


async def test_who_takes_too_long_is_left(issuer, fetcher, monkeypatch):
    monkeypatch.setattr(documents, "SECONDS", 0.3)
    issuer.faults.always = faults.slow(30)
    error = await failure(fetcher, f"{issuer.url}/doc")
    assert "in time" in str(error)
    assert not error.absent
