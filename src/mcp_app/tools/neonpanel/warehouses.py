"""NeonPanel: warehouses, and what is in them."""

from pydantic import Field

from mcp_app.clients.neonpanel.endpoints import LIST_WAREHOUSES, WAREHOUSE_BALANCES
from mcp_app.tools.context import ToolContext
from mcp_app.tools.neonpanel.call import READS, Day, Id, OfCompany, Paged, Words, ask, company
from mcp_app.tools.neonpanel.markdown import table
from mcp_app.tools.neonpanel.records import Number, OneItem, Page, Record, Text, Warehouse, read_page
from mcp_app.tools.tool import tool


class WarehousesArguments(OfCompany, Paged):
    """Which warehouses."""

    search: Words | None = Field(default=None, description="Part of a name")


class WarehousePage(Page):
    """Warehouses."""

    items: tuple[Warehouse, ...]


@tool(
    name="neonpanel.listWarehouses",
    title="NeonPanel warehouses",
    annotations=READS,
    scopes=("read:warehouses",),
    auth="user",
    examples=[{"companyUuid": "Lumen & Oak Ltd"}],
)
async def list_warehouses(arguments: WarehousesArguments, context: ToolContext) -> WarehousePage:
    """Lists a company's warehouses, with the uuids that other tools need. getWarehouseBalances has what is in one."""
    answer = await ask(
        context,
        LIST_WAREHOUSES,
        path={"companyUuid": await company(context, arguments.company_uuid)},
        query=arguments.model_dump(exclude={"company_uuid"}),
    )
    return read_page(WarehousePage, answer.body, arguments.page)


class BalancesArguments(OfCompany, Paged):
    """Of which warehouse, and when."""

    warehouse_uuid: Id = Field(alias="warehouseUuid", description="Its uuid, from listWarehouses")
    balances_date: Day | None = Field(default=None, description="Stock of that day; default: now")


class Stock(Record):
    """How much there is of one item."""

    inventory: OneItem = None
    balance: Number = None


class BalancePage(Page):
    """What is in a warehouse."""

    balances_date: Text = None
    items: tuple[Stock, ...]

    def text(self) -> str:
        """A table of the stock, and where the list goes on."""
        rows = [
            (stock.inventory.id, stock.inventory.sku, stock.inventory.name, stock.balance)
            if stock.inventory
            else (None, None, None, stock.balance)
            for stock in self.items
        ]
        return self.told(table(("id", "SKU", "name", "balance"), rows), len(rows))


@tool(
    name="neonpanel.getWarehouseBalances",
    title="NeonPanel warehouse stock",
    annotations=READS,
    scopes=("read:warehouses",),
    auth="user",
    examples=[{"companyUuid": "Lumen & Oak Ltd", "warehouseUuid": "h1n3k4k0x1m0a4n1u2z5"}],
)
async def get_warehouse_balances(arguments: BalancesArguments, context: ToolContext) -> BalancePage:
    """Returns how much of every item is in one warehouse, now or on a day.

    For one item in all warehouses use getInventoryDetails.
    """
    uuid = await company(context, arguments.company_uuid)
    answer = await ask(
        context,
        WAREHOUSE_BALANCES,
        path={"companyUuid": uuid, "warehouseUuid": arguments.warehouse_uuid},
        query=arguments.model_dump(exclude={"company_uuid", "warehouse_uuid"}),
    )
    return read_page(BalancePage, answer.body, arguments.page)
