"""NeonPanel: import of documents."""

from collections.abc import Mapping
from math import ceil
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from mcp_app.clients.neonpanel.endpoints import (
    CREATE_DOCUMENTS,
    CREATE_DOCUMENTS_BY_PDF,
    IMPORT_INSTRUCTIONS,
    IMPORT_STATUS,
    Endpoint,
)
from mcp_app.tools.context import ToolContext
from mcp_app.tools.neonpanel.call import READS, WRITES, Id, NeonPanelArguments, OfCompany, Words, ask, company
from mcp_app.tools.neonpanel.records import Document, Number, Record, Text, read, written
from mcp_app.tools.tool import tool

FIRST_LOOK = 15
"""Seconds until the first look at an import, where NeonPanel does not say (its document)."""
NEXT_LOOK = 5
"""Seconds until the next one, likewise."""


class OfType(NeonPanelArguments):
    """Which kind of document."""

    type: Literal["bill"]


class Instructions(Record):
    """What a document to import has to hold."""

    attributes: dict[str, Any] = Field(default={}, description="By parameter: what it is")
    general: Text = None


@tool(
    name="neonpanel.getImportInstructions",
    title="NeonPanel import instructions",
    annotations=READS,
    scopes=("write:import",),
    auth="user",
    examples=[{"type": "bill"}],
)
async def get_import_instructions(arguments: OfType, context: ToolContext) -> Instructions:
    """Returns which fields a document must have for createDocuments. Read them first, then fill them in."""
    body = (await ask(context, IMPORT_INSTRUCTIONS, path={"type": arguments.type})).body
    return read(Instructions, {"general": body} if isinstance(body, str) else body)


class Import(Record):
    """How far an import has come."""

    request_id: Text = None
    status: Text = Field(default=None, description="queued, processing, done or error")
    documents: tuple[Document, ...] = ()
    retry_after_seconds: Number = None
    next: str = Field(description="What to do now")


class OfImport(OfCompany, OfType):
    """Which kind of document, and into whose books."""


class DocumentsArguments(OfImport):
    """What to import, and where."""

    data: dict[str, Any] = Field(min_length=1, description="Fields as getImportInstructions names them")


@tool(
    name="neonpanel.createDocuments",
    title="Import documents into NeonPanel",
    annotations=WRITES,
    scopes=("write:import",),
    auth="user",
    examples=[
        {
            "companyUuid": "Lumen & Oak Ltd",
            "type": "bill",
            "data": {"vendor": "Acme", "date": "2026-01-15", "lines": [{"description": "Jars", "quantity": 10}]},
        }
    ],
)
async def create_documents(arguments: DocumentsArguments, context: ToolContext) -> Import:
    """Creates documents (bills) in a company's books from the data given. Ask the user before, and call it once.

    A date in a period that is closed is refused.
    """
    return await _begun(arguments, context, CREATE_DOCUMENTS, {"data": arguments.data})


def _https(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme == "https" and parts.hostname and parts.username is None and not parts.fragment
    except ValueError:
        good = False
    if not good or any(letter.isspace() or not letter.isprintable() for letter in value):
        raise ValueError("give an https URL that NeonPanel can download")
    return value


class PdfArguments(OfImport):
    """Which file, and where."""

    name: Words = Field(description="File name, such as bill.pdf")
    link: Annotated[str, Field(max_length=2000), AfterValidator(_https)] = Field(
        description="https URL of the PDF; NeonPanel downloads it"
    )


@tool(
    name="neonpanel.createDocumentsByPdf",
    title="Import a PDF into NeonPanel",
    annotations=WRITES,
    scopes=("write:import",),
    auth="user",
    examples=[
        {
            "companyUuid": "Lumen & Oak Ltd",
            "type": "bill",
            "name": "bill.pdf",
            "link": "https://files.example.com/bill.pdf",
        }
    ],
)
async def create_documents_by_pdf(arguments: PdfArguments, context: ToolContext) -> Import:
    """Creates documents (bills) in a company's books from a PDF at a link. Ask the user before, and call it once.

    It takes a while: the result says when to look with checkImportStatus.
    """
    file = {"name": arguments.name, "link": arguments.link}
    return await _begun(arguments, context, CREATE_DOCUMENTS_BY_PDF, {"file": file})


class StatusArguments(OfImport):
    """Which import."""

    request_id: Id = Field(alias="requestId", description="request_id of the import")


@tool(
    name="neonpanel.checkImportStatus",
    title="NeonPanel import status",
    annotations=READS,
    scopes=("write:import",),
    auth="user",
    examples=[{"companyUuid": "Lumen & Oak Ltd", "type": "bill", "requestId": "r-1"}],
)
async def check_import_status(arguments: StatusArguments, context: ToolContext) -> Import:
    """Returns how far an import has come, and its documents once it is done."""
    uuid = await company(context, arguments.company_uuid)
    answer = await ask(
        context,
        IMPORT_STATUS,
        path={"companyUuid": uuid, "type": arguments.type, "requestId": arguments.request_id},
    )
    named = {"request_id": arguments.request_id, **answer.body} if isinstance(answer.body, dict) else answer.body
    return import_of(named, pending=answer.pending, after=answer.retry_after, default=NEXT_LOOK)


async def _begun(arguments: OfImport, context: ToolContext, endpoint: Endpoint, body: Mapping[str, Any]) -> Import:
    """Send an import, once."""
    path = {"companyUuid": await company(context, arguments.company_uuid), "type": arguments.type}
    answer = await ask(context, endpoint, path=path, body=body)
    with written():
        return import_of(answer.body, pending=answer.pending, after=answer.retry_after, default=FIRST_LOOK)


def import_of(body: Any, *, pending: bool, after: float | None, default: int) -> Import:
    """What NeonPanel says of an import, and what to do next."""
    status = body.get("status") if isinstance(body, dict) else None
    if pending or status in {"queued", "processing"}:
        wait = default if after is None else ceil(after)
        advice = f"Wait {wait} seconds, then call checkImportStatus with this request_id."
        return read(Import, body, retry_after_seconds=wait, next=advice)
    if status == "error":
        return read(Import, body, next="It failed. Check the document against getImportInstructions, then try again.")
    return read(Import, body, next="Nothing: it is done. Tell the user which documents were made.")
