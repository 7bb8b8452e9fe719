"""The reports that everybody may open."""

from typing import Any, Final

_PLACE: Final = "https://neonpanel.example/app/reports"

_REPORTS: Final = (
    ("Profit and Loss", "Finance", "profit-and-loss", "Revenue, costs and profit by month and company."),
    ("Balance Sheet", "Finance", "balance-sheet", "Assets, liabilities and equity on a day."),
    ("Cash Flow", "Finance", "cash-flow", "What came in and went out, by month."),
    ("Revenue by Country", "Sales", "revenue-by-country", "What each marketplace sold, with returns."),
    ("Product Performance", "Sales", "product-performance", "Units, revenue and margin of each product."),
    ("Refunds and Returns", "Sales", "refunds-and-returns", "What came back, and why."),
    ("Inventory Valuation", "Inventory", "inventory-valuation", "What the stock is worth on a day, by warehouse."),
    ("Inventory Transactions", "Inventory", "inventory-transactions", "Every movement of every item."),
    ("Restock Planner", "Inventory", "restock-planner", "What to order, how much of it, and when."),
    ("Landed Cost Breakdown", "Costs", "landed-cost-breakdown", "What each batch cost until it was in a warehouse."),
    ("COGS by Batch", "Costs", "cogs-by-batch", "Cost of goods sold, and the batches that they are from."),
    ("Open Bills", "Payables", "open-bills", "Bills that are still to be paid, by vendor and age."),
)


def reports() -> list[dict[str, Any]]:
    """All reports as the API shows them."""
    return [
        {"id": number, "title": title, "group": group, "description": text, "link": f"{_PLACE}/{slug}"}
        for number, (title, group, slug, text) in enumerate(_REPORTS, start=1)
    ]
