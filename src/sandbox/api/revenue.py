"""Revenue and cost of goods sold, in any grouping and by any period."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from sandbox.api.call import Call
from sandbox.data.company import Company
from sandbox.data.sales import Settlement, settlements

_GROUPINGS: Final = ("company", "country", "invoice")
_MONTHS: Final = {"monthly": 1, "quarterly": 3, "yearly": 12}
_PERIODICITIES: Final = ("total", *_MONTHS)


class _Row(NamedTuple):
    start: date
    end: date
    currency: str
    company: Company | None
    country: str | None
    invoice: str | None


def revenue_and_cogs(call: Call) -> dict[str, Any]:
    """Sums over the companies that are asked for, or over all that the caller may see."""
    query = call.query
    wanted, countries = query.several("company_uuids"), query.several("country_codes")
    grouping = query.several("grouping", _GROUPINGS) or ["company"]
    periodicity = query.one_of("periodicity", _PERIODICITIES, "total")
    start, end = query.span()
    query.check()
    companies = [call.company(uuid) for uuid in wanted] if wanted else call.companies
    sold = (found for company in companies for found in settlements(company, start, min(end, call.today)))
    meant = (found for found in sold if not countries or found.country in countries)
    return {
        "filters": {
            "company_uuids": [company.uuid for company in companies],
            "country_codes": countries,
            "periodicity": periodicity,
            "grouping": grouping,
            "start_date": start.isoformat(),
            "end_date": end.isoformat(),
        },
        "data": list(_summed(meant, grouping, periodicity, (start, end))),
    }


def _summed(
    sold: Iterator[Settlement], grouping: list[str], periodicity: str, span: tuple[date, date]
) -> Iterator[dict[str, Any]]:
    rows: dict[_Row, list[Settlement]] = {}
    for found in sold:
        rows.setdefault(_row(found, grouping, *_period(found.day, periodicity, *span)), []).append(found)
    for row, group in sorted(rows.items(), key=lambda entry: entry[0].start):
        yield {
            "start_date": row.start.isoformat(),
            "end_date": row.end.isoformat(),
            "revenue_amount": round(sum(found.revenue for found in group), 2),
            "cogs_amount": round(sum(found.cogs for found in group), 2),
            "currency": row.currency,
            "company": row.company.as_json() if row.company else None,
            "country_code": row.country,
            "invoice": group[0].document() if row.invoice else None,
        }


def _row(found: Settlement, grouping: list[str], start: date, end: date) -> _Row:
    return _Row(
        start,
        end,
        # Amounts of two currencies have no sum.
        found.company.currency,
        found.company if "company" in grouping else None,
        found.country if "country" in grouping else None,
        found.reference if "invoice" in grouping else None,
    )


def _period(day: date, periodicity: str, start: date, end: date) -> tuple[date, date]:
    if periodicity == "total":
        return start, end
    months = _MONTHS[periodicity]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    following = date(first.year + (first.month + months > 12), (first.month + months - 1) % 12 + 1, 1)  # noqa: PLR2004
    return max(first, start), min(following - timedelta(days=1), end)
