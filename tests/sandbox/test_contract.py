"""Every answer has the form that NeonPanel's published documents give it.

The documents are not ours to ship: where they are not beside the project, there is nothing to hold the answers against.
"""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.sandbox.caller import API, companies, person

DOCUMENTS = Path(__file__).parents[3] / "shared" / "data"
NEWEST = DOCUMENTS / "neonpanel-openapi-1.2.0-beta.json"
FORMER = DOCUMENTS / "neonpanel-openapi-1.0.1.yaml"
pytestmark = pytest.mark.skipif(not DOCUMENTS.is_dir(), reason=f"NeonPanel's documents are not in {DOCUMENTS}")

SINCE = {"start_date": "2024-01-01"}
BILL = {"vendor": "Hangzhou Ceramics", "date": "2026-03-04", "lines": [{"quantity": 2}]}
FILE = {"name": "bill.pdf", "link": "https://files.example/bill.pdf"}
COMPANY = "/api/v1/companies/{companyUuid}"
ITEM = f"{COMPANY}/inventory-items/{{inventoryId}}"


@pytest.fixture(scope="module")
def newest():
    return _closed(json.loads(NEWEST.read_text()))


@pytest.fixture(scope="module")
def ann(served):
    with person(served, "ann") as client:
        yield client


@pytest.fixture(scope="module")
def names(ann):
    """What the variable parts of the paths stand for."""
    company = companies(ann)[0]
    place = f"{API}/companies/{company}"
    request_id = ann.post(f"{place}/import/bill/pdf", json={"file": FILE}).json()["request_id"]
    return {
        "companyUuid": company,
        "inventoryId": ann.get(f"{place}/inventory-items").json()["data"][0]["id"],
        "warehouseUuid": ann.get(f"{place}/warehouses").json()["data"][1]["uuid"],
        "type": "bill",
        "requestId": request_id,
    }


def _closed(document):
    """The document, so that answers have all the members that it names, and no others; filters hold what was given."""
    parts = {name for found in _walk(document) for name in _parts(found)}
    for name, schema in document["components"]["schemas"].items():
        for found in _walk(schema):
            composed = found is schema and name in parts
            if "properties" in found and found.get("type") == "object" and not composed and "allOf" not in found:
                found.setdefault("additionalProperties", False)
            if "properties" in found and "Filters" not in name:
                found["required"] = list(found["properties"])
        if "allOf" in schema:
            schema["unevaluatedProperties"] = False
            for part in schema["allOf"]:
                part.pop("additionalProperties", None)
    return document


def _walk(value):
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from _walk(member)
    elif isinstance(value, list):
        for member in value:
            yield from _walk(member)


def _parts(found):
    return (part["$ref"].rpartition("/")[2] for part in found.get("allOf", []) if "$ref" in part)


def problems(document, path, method, reply):
    """What of a reply is not as the document says."""
    answers = document["paths"][path][method]["responses"]
    assert str(reply.status_code) in answers, reply.text
    kind = reply.headers["content-type"].partition(";")[0]
    schema = answers[str(reply.status_code)]["content"][kind]["schema"]
    answer = reply.json() if kind == "application/json" else reply.text
    validator = Draft202012Validator({**schema, "components": document["components"]})
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(answer)]


READS = [
    ("/api/v1/companies", {}),
    ("/api/v1/reports", {}),
    (f"{COMPANY}/inventory-items", {"per_page": 60, "country_code": "US"}),
    (f"{ITEM}/balances", {"balances_date": "2025-05-05"}),
    (f"{ITEM}/landed-cost", {**SINCE, "warehouse": True}),
    (f"{ITEM}/cogs", SINCE),
    (f"{COMPANY}/warehouses", {}),
    (f"{COMPANY}/warehouses/{{warehouseUuid}}/balances", {"per_page": 60}),
    ("/api/v1/import/{type}/instructions", {}),
    ("/api/v1/revenue-and-cogs", SINCE),
    ("/api/v1/revenue-and-cogs", {**SINCE, "grouping": ["company", "country", "invoice"], "periodicity": "monthly"}),
]


@pytest.mark.parametrize(("path", "query"), READS)
def test_a_read_answers_as_documented(newest, ann, names, path, query):
    query = dict(query)
    if query.pop("warehouse", False):
        query["warehouse_uuid"] = names["warehouseUuid"]
    reply = ann.get(path.format(**names), params=query)
    entries = reply.json().get("data", reply.json().get("details", [True]))
    assert entries, "an empty list proves nothing"
    assert problems(newest, path, "get", reply) == []


def test_a_write_answers_as_documented(newest, ann, names):
    for path, body in (
        (f"{COMPANY}/create/{{type}}", {"data": BILL}),
        (f"{COMPANY}/import/{{type}}/pdf", {"file": FILE}),
    ):
        assert problems(newest, path, "post", ann.post(path.format(**names), json=body)) == []
        assert problems(newest, path, "post", ann.post(path.format(**{**names, "type": "x"}), json=body)) == []


def test_an_import_answers_as_documented(newest, ann, names):
    path = f"{COMPANY}/import/{{type}}/status/{{requestId}}"
    replies = [ann.get(path.format(**names)) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [202, 200]
    assert [problems(newest, path, "get", reply) for reply in replies] == [[], []]


def test_instructions_answer_as_documented(sandbox, newest, ann, names):
    path = "/api/v1/import/{type}/instructions"
    assert problems(newest, path, "get", ann.get(path.format(type="x"))) == []
    sandbox.instructions_as_text = True
    reply = ann.get(path.format(**names))
    assert reply.headers["content-type"].startswith("text/plain")
    assert problems(newest, path, "get", reply) == []


def test_details_answer_as_the_former_document_says(sandbox, ann, names):
    sandbox.legacy_details = True
    document = _closed(yaml.safe_load(FORMER.read_text()))
    path = f"{ITEM}/details"
    found = problems(document, path, "get", ann.get(path.format(**names)))
    # A warehouse without a country is the newest document's.
    assert [problem for problem in found if not problem.endswith("country_code: None is not of type 'string'")] == []


def test_registration_and_tokens_answer_as_documented(served, ann):
    document = json.loads(NEWEST.read_text())
    asked = {"redirect_uris": ["https://app.example/callback"], "grant_types": ["client_credentials"]}
    made = ann.post("/oauth2/register", json=asked)
    assert problems(document, "/oauth2/register", "post", made) == []
    auth = (made.json()["client_id"], made.json()["client_secret"])
    for form in ({"grant_type": "client_credentials"}, {"grant_type": "nothing"}):
        assert problems(document, "/oauth2/token", "post", ann.post("/oauth2/token", data=form, auth=auth)) == []


def test_an_answer_that_departs_is_seen(newest, ann):
    for change in ({"data": 1}, {"more": 1}, {"page": None}):
        reply = ann.get(f"{API}/companies")
        body = {**reply.json(), **change}
        changed = type(reply)(200, json=body)
        assert problems(newest, "/api/v1/companies", "get", changed)
    first = {**ann.get(f"{API}/companies").json(), "data": [{"id": 1}]}
    assert problems(newest, "/api/v1/companies", "get", type(reply)(200, json=first))
