"""Imports of documents: from JSON at once, from a PDF after a while."""

import uuid
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, PlainTextResponse, Response

from sandbox.api.call import Call
from sandbox.api.errors import ApiError, invalid
from sandbox.data.document import document

RETRY_AFTER: Final = 2
"""Seconds after which the sandbox wants to be asked again; NeonPanel says 15, then 5."""

_TYPE: Final = "bill"
_GENERAL: Final = "One object per bill. Amounts are in the bill's currency, without tax unless a line says otherwise."
_ATTRIBUTES: Final = {
    "vendor": "Name of the vendor, required.",
    "date": "Date of the bill as YYYY-MM-DD, required.",
    "number": "The vendor's number of the bill.",
    "currency": "Currency of all amounts as three letters; the company's own where it is not given.",
    "due_date": "Date by which it is to be paid, as YYYY-MM-DD.",
    "lines": "List of at least one line, required.",
    "lines.*.description": "What was bought.",
    "lines.*.quantity": "How many units, a number.",
    "lines.*.unit_price": "Price of one, a number.",
    "lines.*.sku": "SKU of the inventory item that the cost belongs to.",
}


def instructions(call: Call) -> Any:
    """What a bill is made of."""
    if call.path["type"] != _TYPE:
        raise ApiError(404, "Unsupported document type.")
    if not call.sandbox.instructions_as_text:
        return {"attributes": _ATTRIBUTES, "general": _GENERAL}
    lines = (f"{name}: {text}" for name, text in _ATTRIBUTES.items())
    return PlainTextResponse("\n".join((_GENERAL, "", *lines)))


def create(call: Call) -> Response:
    """Make a bill from JSON."""
    call.company()
    _supported(call)
    data = call.json().get("data")
    if not isinstance(data, dict):
        raise invalid({"data": ["The data field is required."]})
    _check(data)
    request_id = str(uuid.uuid4())
    made = document("Bill", str(data.get("number") or f"BILL-{request_id[:8]}"), date.fromisoformat(data["date"]))
    return _status(request_id, "done", documents=[made])


def import_pdf(call: Call) -> Response:
    """Begin to make a bill from a PDF, whose first status is `queued`."""
    company = call.company()
    _supported(call)
    request_id = str(uuid.uuid4())
    call.sandbox.imports[request_id] = {"company": company, "name": _file_name(call), "asked": 0}
    return _status(request_id, "queued", 202)


def import_status(call: Call) -> Response:
    """How far an import is: working when it is first asked for, done from then on."""
    found = call.sandbox.imports.get(call.path["requestId"])
    if call.path["type"] != _TYPE or found is None or found["company"] != call.company():
        raise ApiError(404, "Import not found.")
    found["asked"] += 1
    if found["asked"] == 1:
        return _status(call.path["requestId"], "processing", 202)
    made = document("Bill", f"BILL-{call.path['requestId'][:8]}", call.today)
    return _status(call.path["requestId"], "done", documents=[made])


def _status(request_id: str, status: str, code: int = 200, **more: Any) -> Response:
    wait = {} if code == 200 else {"Retry-After": str(RETRY_AFTER)}  # noqa: PLR2004
    return JSONResponse(
        {"request_id": request_id, "status": status, **more}, code, {"X-Request-Id": request_id, **wait}
    )


def _supported(call: Call) -> None:
    if call.path["type"] != _TYPE:
        raise ApiError(400, "Unsupported document type.")


def _check(data: dict[str, Any]) -> None:
    errors = {}
    vendor, lines = data.get("vendor"), data.get("lines")
    if not isinstance(vendor, str) or not vendor:
        errors["data.vendor"] = ["The vendor field is required."]
    if not _is_day(data.get("date")):
        errors["data.date"] = ["The date must be a date as YYYY-MM-DD."]
    if not isinstance(lines, list) or not lines or not all(isinstance(line, dict) for line in lines):
        errors["data.lines"] = ["The lines field must have at least one line."]
    if errors:
        raise invalid(errors)


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _file_name(call: Call) -> str:
    kind = call.headers.get("content-type", "").partition(";")[0].strip()
    if kind == "application/pdf":
        name = call.query.text("filename", required=True)
        call.query.check()
        return str(name)
    if kind != "application/json":
        raise ApiError(415, "Unsupported media type: send application/pdf or application/json.")
    file = call.json().get("file")
    file = file if isinstance(file, dict) else {}
    errors = {f"file.{name}": [f"The {name} field is required."] for name in ("name", "link") if not _text(file, name)}
    if not errors and urlsplit(file["link"]).scheme != "https":
        errors["file.link"] = ["The link must be an https address."]
    if errors:
        raise invalid(errors)
    return str(file["name"])


def _text(members: dict[str, Any], name: str) -> bool:
    return isinstance(members.get(name), str) and bool(members[name])
