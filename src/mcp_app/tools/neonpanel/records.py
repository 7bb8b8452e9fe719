"""NeonPanel's records as our own typed models: what is known is typed, what is not known is kept.

NeonPanel's API is in beta and may add or change fields. A value of another type than expected becomes null; a document
of another shape is no answer.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from mcp_app.clients.errors import OddAnswerError
from mcp_app.clients.neonpanel.errors import SERVICE, UnconfirmedError
from mcp_app.tools.tool import Result


def _text(value: Any) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if known else None


def as_object(value: Any) -> Any:
    """An object as it is, null for anything else."""
    return value if isinstance(value, Mapping) else None


Text = Annotated[str | None, BeforeValidator(_text)]
Number = Annotated[Any, BeforeValidator(_number), WithJsonSchema({"type": ["number", "null"]})]
Rows = tuple[Annotated[dict[str, Any], WithJsonSchema({"type": "object"})], ...]


class Record(Result):
    """What NeonPanel says of something; members that are not known here are kept."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False, defer_build=True, populate_by_name=True)


RecordT = TypeVar("RecordT", bound=Record)


class Company(Record):
    """A company."""

    uuid: Text = None
    name: Text = None
    short_name: Text = None
    currency: Text = None
    timezone: Text = None


class Item(Record):
    """An inventory item."""

    id: Number = None
    name: Text = None
    sku: Text = None
    asin: Text = None
    fnsku: Text = None
    country_code: Text = None


class Warehouse(Record):
    """A warehouse."""

    uuid: Text = None
    name: Text = None
    type: Text = None
    country_code: Text = None


class Document(Record):
    """A document in NeonPanel's books."""

    type: Text = None
    ref_number: Text = None
    date: Text = None
    status: Text = None
    link: Text = None


OneCompany = Annotated[Company | None, BeforeValidator(as_object)]
OneItem = Annotated[Item | None, BeforeValidator(as_object)]
OneWarehouse = Annotated[Warehouse | None, BeforeValidator(as_object)]
OneDocument = Annotated[Document | None, BeforeValidator(as_object)]


class Page(Record):
    """One page of a list."""

    page: Number = None
    last_page: Number = None
    next_page: Number = Field(default=None, alias="nextPage", description="Ask for this page next; null at the end")

    def told(self, rows: str, count: int) -> str:
        """A table of the rows, and where the list goes on."""
        if not count:
            beyond = self.page is not None and self.last_page is not None and self.page > self.last_page >= 1
            return (
                f"Nothing found on page {self.page}: the last page is {self.last_page}." if beyond else "Nothing found."
            )
        more = f"\n\nPage {self.page} of {self.last_page}; next page: {self.next_page}." if self.next_page else ""
        return rows + more


PageT = TypeVar("PageT", bound=Page)


def read(model: type[RecordT], body: Any, **members: Any) -> RecordT:
    """An answer as a record, with some members put in or replaced.

    Raises:
        OddAnswerError: it has not that shape.
    """
    if not isinstance(body, Mapping):
        raise OddAnswerError(SERVICE)
    try:
        return model.model_validate({**body, **members})
    except ValidationError:
        raise OddAnswerError(SERVICE) from None


@contextmanager
def written() -> Iterator[None]:
    """Where the answer to a write is read: one of another shape leaves open whether the write was carried out.

    Raises:
        UnconfirmedError: it has another shape.
    """
    try:
        yield
    except OddAnswerError:
        raise UnconfirmedError(SERVICE) from None


def read_page(model: type[PageT], body: Any, asked: int, rows: str = "data") -> PageT:
    """An answer that is one page of a list, its rows under `items`.

    Args:
        model: what to make of it.
        body: the answer.
        asked: the page that was asked for, in case the answer does not tell.
        rows: where its rows are.

    Raises:
        OddAnswerError: it has not that shape.
    """
    if not isinstance(body, Mapping) or rows not in body:
        raise OddAnswerError(SERVICE)
    page, last = _number(body.get("current_page")) or asked, _number(body.get("last_page"))
    following = page + 1 if last is not None and page < last else None
    rest = {name: value for name, value in body.items() if name not in {rows, "current_page"}}
    return read(model, rest, items=body[rows], page=page, nextPage=following)
