"""Bills from JSON and from PDFs."""

import pytest

from sandbox import running
from tests.sandbox.caller import API, companies, person

BILL = {"vendor": "Hangzhou Ceramics", "date": "2026-03-04", "number": "HC-88", "lines": [{"quantity": 2}]}
FILE = {"name": "bill.pdf", "link": "https://files.example/bill.pdf"}


@pytest.fixture(scope="module")
def ann(served):
    with person(served, "ann") as client:
        yield client


@pytest.fixture(scope="module")
def place(ann):
    return f"{API}/companies/{companies(ann)[0]}"


def test_a_bill_is_made_at_once(ann, place):
    reply = ann.post(f"{place}/create/bill", json={"data": BILL})
    made = reply.json()
    assert (reply.status_code, made["status"]) == (200, "done")
    assert reply.headers["x-request-id"] == made["request_id"]
    assert [(bill["type"], bill["ref_number"], bill["date"]) for bill in made["documents"]] == [
        ("Bill", "HC-88", "2026-03-04")
    ]
    unnamed = ann.post(f"{place}/create/bill", json={"data": {**BILL, "number": None}}).json()
    assert unnamed["documents"][0]["ref_number"].startswith("BILL-")


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({}, {"data.vendor", "data.date", "data.lines"}),
        ({**BILL, "vendor": 1}, {"data.vendor"}),
        ({**BILL, "date": "4.3.2026"}, {"data.date"}),
        ({**BILL, "date": "20260304"}, {"data.date"}),
        ({**BILL, "lines": []}, {"data.lines"}),
        ({**BILL, "lines": ["x"]}, {"data.lines"}),
        (None, {"data"}),
        ([], {"data"}),
    ],
)
def test_a_wrong_bill_is_refused(ann, place, data, fields):
    reply = ann.post(f"{place}/create/bill", json={"data": data})
    assert (reply.status_code, reply.json()["errors"].keys()) == (422, fields)


@pytest.mark.parametrize("content", [b"", b"{", b"[]"])
def test_what_is_no_json_is_refused(ann, place, content):
    assert ann.post(f"{place}/create/bill", content=content).status_code == 400


def test_a_pdf_takes_a_while(ann, place):
    reply = ann.post(f"{place}/import/bill/pdf", json={"file": FILE})
    request_id = reply.json()["request_id"]
    assert (reply.status_code, reply.json()["status"]) == (202, "queued")
    assert int(reply.headers["retry-after"]) > 0
    assert reply.headers["x-request-id"] == request_id
    path = f"{place}/import/bill/status/{request_id}"
    working, done, again = (ann.get(path) for _ in range(3))
    assert (working.status_code, working.json()) == (202, {"request_id": request_id, "status": "processing"})
    assert int(working.headers["retry-after"]) > 0
    assert (done.status_code, done.json()["status"]) == (200, "done")
    assert "retry-after" not in done.headers
    assert done.json() == again.json()
    assert done.json()["documents"][0]["type"] == "Bill"


def test_a_pdf_can_be_the_body(ann, place):
    headers = {"Content-Type": "application/pdf"}
    reply = ann.post(f"{place}/import/bill/pdf?filename=a.pdf", content=b"%PDF-1.7", headers=headers)
    assert reply.status_code == 202
    reply = ann.post(f"{place}/import/bill/pdf", content=b"%PDF-1.7", headers=headers)
    assert (reply.status_code, list(reply.json()["errors"])) == (422, ["filename"])


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ({}, {"file.name", "file.link"}),
        (None, {"file.name", "file.link"}),
        ({**FILE, "name": 1}, {"file.name"}),
        ({**FILE, "link": "http://files.example/bill.pdf"}, {"file.link"}),
    ],
)
def test_a_wrong_file_is_refused(ann, place, file, fields):
    reply = ann.post(f"{place}/import/bill/pdf", json={"file": file})
    assert (reply.status_code, reply.json()["errors"].keys()) == (422, fields)


def test_other_bodies_are_refused(ann, place):
    assert ann.post(f"{place}/import/bill/pdf", data={"file": "x"}).status_code == 415


def test_there_are_only_bills(ann, place):
    assert ann.post(f"{place}/create/invoice", json={"data": BILL}).status_code == 400
    assert ann.post(f"{place}/import/invoice/pdf", json={"file": FILE}).status_code == 400


def test_an_import_is_its_companys(ann, place):
    request_id = ann.post(f"{place}/import/bill/pdf", json={"file": FILE}).json()["request_id"]
    other = f"{API}/companies/{companies(ann)[1]}"
    for path in (f"{other}/import/bill", f"{place}/import/invoice"):
        assert ann.get(f"{path}/status/{request_id}").status_code == 404


def test_instructions_are_json_or_text():
    with running() as sandbox, person(sandbox, "ann") as ann:
        told = ann.get(f"{API}/import/bill/instructions").json()
        assert {"vendor", "date", "lines"} <= told["attributes"].keys()
        assert told["general"]
        sandbox.instructions_as_text = True
        reply = ann.get(f"{API}/import/bill/instructions")
        assert reply.headers["content-type"].startswith("text/plain")
        assert "vendor: " in reply.text
        assert ann.get(f"{API}/import/invoice/instructions").status_code == 404
