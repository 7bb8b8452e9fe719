"""What every NeonPanel tool does: take arguments of a few kinds, and call NeonPanel for whoever calls the tool."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from mcp_app.clients.neonpanel.endpoints import Endpoint
from mcp_app.tools.context import ToolContext
from mcp_app.tools.display import printable
from mcp_app.tools.tool import Annotations, Arguments, InvalidArgumentsError

if TYPE_CHECKING:
    from mcp_app.clients.neonpanel.api import Answer, Query
    from mcp_app.clients.neonpanel.companies import UnknownCompanyError
    from mcp_app.clients.neonpanel.rights import Caller

READS: Final = Annotations(read_only=True, open_world=True)
WRITES: Final = Annotations(read_only=False, idempotent=False, open_world=True)

USER_TOKEN = "useUserToken"  # noqa: S105 (the name of a parameter)
_SHOWN = 20
_LONGEST = 80


def _day(value: Any) -> Any:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value.strip()) == len("2024-01-31") else None
    except ValueError:
        return None


def _required_day(value: Any) -> Any:
    day = value if isinstance(value, date) else _day(value)
    if day is None:
        raise ValueError("give a date as YYYY-MM-DD")
    return day


Day = Annotated[date, BeforeValidator(_required_day), WithJsonSchema({"type": "string", "format": "date"})]
Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Words = Annotated[str, Field(min_length=1, max_length=200)]
Country = Annotated[str, StringConstraints(pattern="^[A-Za-z]{2}$", to_upper=True), Field(description="Such as US")]


class NeonPanelArguments(Arguments):
    """Arguments under the names that NeonPanel's own documents use."""

    model_config = ConfigDict(populate_by_name=True)


class Paged(NeonPanelArguments):
    """Which page of a list."""

    page: int = Field(default=1, ge=1, le=100_000)
    per_page: int = Field(default=30, ge=10, le=60)


class OfCompany(NeonPanelArguments):
    """Of which company."""

    company_uuid: Id = Field(alias="companyUuid", description="Name or uuid of the company")


class OfItem(OfCompany):
    """Of which inventory item."""

    inventory_id: int = Field(alias="inventoryId", ge=0, description="Its id, from listInventoryItems")


class Period(NeonPanelArguments):
    """From when until when, both days included."""

    start_date: Day
    end_date: Day | None = Field(default=None, description="Default: today")

    @model_validator(mode="after")
    def _in_order(self) -> "Period":
        if self.end_date is not None and self.end_date < self.start_date:
            raise ValueError("end_date is before start_date")
        return self


async def ask(
    context: ToolContext,
    endpoint: Endpoint,
    *,
    path: Mapping[str, str | int] | None = None,
    query: "Query | None" = None,
    body: Mapping[str, Any] | None = None,
) -> "Answer":
    """Call NeonPanel with the rights that the tool's caller has, or forces by `useUserToken`.

    Raises:
        InvalidArgumentsError: an id can be no part of an address.
        mcp_app.clients.errors.UpstreamError: there is no good answer.
    """
    try:
        return await context.clients.neonpanel.call(endpoint, caller(context), path=path, query=query, body=body)
    except ValueError as error:
        raise InvalidArgumentsError(f"{error}.") from None


async def company(context: ToolContext, named: str) -> str:
    """The uuid of the company that is meant by a name or an id.

    Raises:
        InvalidArgumentsError: there is no such company, or there are several of that name.
        mcp_app.clients.errors.UpstreamError: the companies cannot be listed.
    """
    from mcp_app.clients.neonpanel.companies import UnknownCompanyError

    try:
        return await context.clients.neonpanel.companies.uuid(named, caller(context))
    except UnknownCompanyError as error:
        raise InvalidArgumentsError(_which(error)) from None


def caller(context: ToolContext) -> "Caller":
    """Who calls the tool, and with whose rights."""
    # The client's modules stay out of a cold start that lists tools and calls others.
    from mcp_app.clients.neonpanel.rights import Caller

    forced = context.extra.get(USER_TOKEN) is True
    return Caller(context.principal, "user" if forced else context.auth or "user", context.deadline)


def _which(error: "UnknownCompanyError") -> str:
    named = _short(error.named)
    shown = ", ".join(f"{_short(found.name)} ({_short(found.uuid)})" for found in error.found[:_SHOWN])
    more = f", and {len(error.found) - _SHOWN} more" if len(error.found) > _SHOWN else ""
    if error.ambiguous:
        return f'Several companies are named "{named}". Give the uuid of the one that is meant: {shown}{more}.'
    known = f"There are: {shown}{more}." if shown else "There is no company that you may see."
    return f'None of your companies has the name or uuid "{named}". {known}'


def _short(text: str) -> str:
    return printable(text[:_LONGEST])
