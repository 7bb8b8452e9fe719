"""NeonPanel: revenue and cost of goods sold."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from mcp_app.clients.errors import OddAnswerError
from mcp_app.clients.neonpanel.endpoints import REVENUE_AND_COGS
from mcp_app.clients.neonpanel.errors import SERVICE
from mcp_app.tools.context import ToolContext
from mcp_app.tools.neonpanel.call import READS, Country, Id, Period, ask, company
from mcp_app.tools.neonpanel.markdown import MOST_ROWS, amount, plain, table
from mcp_app.tools.neonpanel.records import Number, OneCompany, OneDocument, Record, Text, read
from mcp_app.tools.neonpanel.revenue_chart import META
from mcp_app.tools.tool import tool

Grouping = Literal["company", "country", "invoice"]
Periodicity = Literal["total", "yearly", "quarterly", "monthly"]


class RevenueArguments(Period):
    """Of what, and how it is cut up."""

    company_uuids: tuple[Id, ...] = Field(default=(), max_length=50, description="Names or uuids; default: all")
    country_codes: tuple[Country, ...] = Field(default=(), max_length=50, description="Default: all")
    grouping: tuple[Grouping, ...] = Field(default=(), max_length=3, description="Default: company")
    periodicity: Periodicity = "total"


class RevenueRow(Record):
    """Revenue and COGS of one period and group."""

    start_date: Text = None
    end_date: Text = None
    revenue_amount: Number = None
    cogs_amount: Number = None
    currency: Text = None
    company: OneCompany = None
    country_code: Text = None
    invoice: OneDocument = None


class Total(Record):
    """All rows of one currency; currencies are never added up."""

    currency: Text = None
    revenue_amount: Number = None
    cogs_amount: Number = None
    gross_profit: Number = None
    margin_percent: Number = None


class Revenue(Record):
    """Revenue and COGS."""

    start_date: str
    end_date: Text = None
    periodicity: str
    grouping: tuple[str, ...]
    items: tuple[RevenueRow, ...]
    totals: tuple[Total, ...] = Field(description="By currency")

    def text(self) -> str:
        """A table of the rows, and the totals under it."""
        shown = [_line(row) for row in self.items]
        totals = [f"Total {_money(total)}" for total in self.totals[:MOST_ROWS]]
        if not shown:
            return f"No revenue and no COGS from {self.start_date} to {self.end_date or 'today'}."
        return "\n".join([table(("from", "to", "of", "revenue", "COGS", "currency"), shown), "", *totals])


@tool(
    name="neonpanel.getRevenueAndCogs",
    title="NeonPanel revenue and COGS",
    annotations=READS,
    scopes=("read:revenue",),
    auth="user",
    meta=META,
    examples=[{"start_date": "2026-01-01", "periodicity": "monthly", "grouping": ["company"]}],
)
async def get_revenue_and_cogs(arguments: RevenueArguments, context: ToolContext) -> Revenue:
    """Returns revenue and cost of goods sold (COGS) over time, by company, country or invoice, with totals and margin.

    For the cost of one item use getInventoryCogs.
    """
    companies = [await company(context, named) for named in arguments.company_uuids]
    query = arguments.model_dump() | {"company_uuids": companies}
    body = (await ask(context, REVENUE_AND_COGS, query=query)).body
    rows = read(_Rows, {"items": body.get("data") if isinstance(body, dict) else None}).items
    if rows is None:
        raise OddAnswerError(SERVICE)
    return Revenue(
        start_date=str(arguments.start_date),
        end_date=None if arguments.end_date is None else str(arguments.end_date),
        periodicity=arguments.periodicity,
        grouping=arguments.grouping or ("company",),
        items=rows,
        totals=tuple(totals(rows)),
    )


class _Rows(Record):
    items: tuple[RevenueRow, ...]


def totals(rows: Iterable[RevenueRow]) -> Iterable[Total]:
    """The sums of each currency, in the order in which they come up; an unknown amount leaves its sum unknown."""
    of_currency: dict[str | None, list[RevenueRow]] = defaultdict(list)
    for row in rows:
        of_currency[row.currency].append(row)
    for currency, its_rows in of_currency.items():
        revenue, cogs = _sum(row.revenue_amount for row in its_rows), _sum(row.cogs_amount for row in its_rows)
        profit = None if revenue is None or cogs is None else revenue - cogs
        yield Total(
            currency=currency,
            revenue_amount=revenue,
            cogs_amount=cogs,
            gross_profit=None if profit is None else round(profit, 2),
            margin_percent=None if profit is None or not revenue else round(100 * profit / revenue, 1),
        )


def _sum(amounts: Iterable[float | None]) -> float | None:
    known = list(amounts)
    return None if None in known else round(sum(amount or 0 for amount in known), 2)


def _line(row: RevenueRow) -> tuple[str | None, ...]:
    of = (row.company and row.company.name, row.country_code, row.invoice and row.invoice.ref_number)
    what = ", ".join(part for part in of if part)
    return row.start_date, row.end_date, what, amount(row.revenue_amount), amount(row.cogs_amount), row.currency


def _money(total: Total) -> str:
    margin = "" if total.margin_percent is None else f" ({total.margin_percent:g} %)"
    return (
        f"{plain(total.currency)}: revenue {_known(total.revenue_amount)}, COGS {_known(total.cogs_amount)}, "
        f"gross profit {_known(total.gross_profit)}{margin}"
    )


def _known(value: float | None) -> str:
    return amount(value) or "unknown"
