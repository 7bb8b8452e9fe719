"""What is called at NeonPanel, as its published OpenAPI documents describe it (1.0.1 and 1.2.0-beta)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

PREFIX: Final = "/api/v1"
_COMPANY: Final = "/companies/{companyUuid}"
_ITEM: Final = f"{_COMPANY}/inventory-items/{{inventoryId}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One operation.

    Attributes:
        path: below `/api/v1`; names in braces stand for segments.
        setting: the setting that moves it, for what is in no published document.
        offers: what an account has that has it, likewise.
        permission: what a user must have been given, where NeonPanel tells us permissions instead of enforcing them.
        elevated: whether a user's access token must carry the elevated scope.
    """

    method: Literal["GET", "POST"] = "GET"
    path: str
    setting: str | None = None
    offers: str = ""
    permission: str
    elevated: bool = False

    @property
    def reads(self) -> bool:
        """Whether it changes nothing, so that it may be sent again."""
        return self.method == "GET"


def expanded(path: str, values: Mapping[str, str | int]) -> str:
    """A path with its segments filled in, each percent-encoded whole.

    Raises:
        ValueError: a value is no segment: empty, or dots that would lead elsewhere.
    """
    for name, value in values.items():
        segment = quote(str(value), safe="")
        if segment in {"", ".", ".."}:
            raise ValueError(f'{name} cannot be "{value}"')
        path = path.replace(f"{{{name}}}", segment)
    return path


LIST_COMPANIES: Final = Endpoint(path="/companies", permission="read:companies")
LIST_REPORTS: Final = Endpoint(path="/reports", permission="read:reports")
REVENUE_AND_COGS: Final = Endpoint(path="/revenue-and-cogs", permission="read:revenue")
LIST_WAREHOUSES: Final = Endpoint(path=f"{_COMPANY}/warehouses", permission="read:warehouses")
WAREHOUSE_BALANCES: Final = Endpoint(
    path=f"{_COMPANY}/warehouses/{{warehouseUuid}}/balances", permission="read:warehouses"
)
LIST_INVENTORY_ITEMS: Final = Endpoint(path=f"{_COMPANY}/inventory-items", permission="read:inventory")
INVENTORY_BALANCES: Final = Endpoint(path=f"{_ITEM}/balances", permission="read:inventory")
INVENTORY_DETAILS: Final = Endpoint(path=f"{_ITEM}/details", permission="read:inventory")
"""The same before 2026-02."""
INVENTORY_LANDED_COST: Final = Endpoint(path=f"{_ITEM}/landed-cost", permission="read:landed-cost")
INVENTORY_COGS: Final = Endpoint(path=f"{_ITEM}/cogs", permission="read:cogs")
IMPORT_INSTRUCTIONS: Final = Endpoint(path="/import/{type}/instructions", permission="write:import")
CREATE_DOCUMENTS: Final = Endpoint(method="POST", path=f"{_COMPANY}/create/{{type}}", permission="write:import")
CREATE_DOCUMENTS_BY_PDF: Final = Endpoint(
    method="POST", path=f"{_COMPANY}/import/{{type}}/pdf", permission="write:import"
)
IMPORT_STATUS: Final = Endpoint(path=f"{_COMPANY}/import/{{type}}/status/{{requestId}}", permission="write:import")

GET_ACCOUNT: Final = Endpoint(
    path="/accounts/{accountId}",
    setting="neonpanel_account_path",
    offers="account details",
    permission="read:accounts",
)
SEARCH_ORDERS: Final = Endpoint(
    path="/orders", setting="neonpanel_orders_path", offers="a search of orders", permission="read:orders"
)
GET_LANDED_COST: Final = Endpoint(
    path="/landed-cost",
    setting="neonpanel_landed_cost_path",
    offers="landed costs by batch",
    permission="read:landed-cost",
)
PLAN_PURCHASE: Final = Endpoint(
    method="POST",
    path="/purchase-plans",
    setting="neonpanel_purchase_plans_path",
    offers="purchase plans",
    permission="write:purchase-plans",
    elevated=True,
)
