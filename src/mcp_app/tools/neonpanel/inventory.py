"""NeonPanel: inventory items, and what they cost."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from mcp_app.clients.errors import NotFoundError
from mcp_app.clients.neonpanel.endpoints import (
    GET_LANDED_COST,
    INVENTORY_BALANCES,
    INVENTORY_COGS,
    INVENTORY_DETAILS,
    INVENTORY_LANDED_COST,
    LIST_INVENTORY_ITEMS,
)
from mcp_app.tools.context import ToolContext
from mcp_app.tools.neonpanel.call import (
    READS,
    Country,
    Day,
    Id,
    NeonPanelArguments,
    OfCompany,
    OfItem,
    Paged,
    Period,
    Words,
    ask,
    company,
)
from mcp_app.tools.neonpanel.markdown import table
from mcp_app.tools.neonpanel.records import (
    Item,
    Number,
    OneDocument,
    OneItem,
    OneWarehouse,
    Page,
    Record,
    Rows,
    Text,
    as_object,
    read,
    read_page,
)
from mcp_app.tools.tool import tool


class ItemsArguments(OfCompany, Paged):
    """Which items."""

    search: Words | None = Field(default=None, description="Part of a name, SKU, ASIN, FNSKU or id")
    sku: Words | None = None
    asin: Words | None = None
    fnsku: Words | None = None
    country_code: Country | None = None


class ItemPage(Page):
    """Inventory items."""

    items: tuple[Item, ...]

    def text(self) -> str:
        """A table of the items, and where the list goes on."""
        rows = [(item.id, item.sku, item.name, item.asin, item.fnsku, item.country_code) for item in self.items]
        return self.told(table(("id", "SKU", "name", "ASIN", "FNSKU", "country"), rows), len(rows))


@tool(
    name="neonpanel.listInventoryItems",
    title="NeonPanel inventory items",
    annotations=READS,
    scopes=("read:inventory",),
    auth="user",
    examples=[{"companyUuid": "Lumen & Oak Ltd", "search": "lamp"}],
)
async def list_inventory_items(arguments: ItemsArguments, context: ToolContext) -> ItemPage:
    """Lists or finds a company's inventory items, with the ids that the other inventory tools need.

    It has no stock and no costs: getInventoryDetails has one item's stock, getWarehouseBalances one warehouse's.
    """
    answer = await ask(
        context,
        LIST_INVENTORY_ITEMS,
        path={"companyUuid": await company(context, arguments.company_uuid)},
        query=arguments.model_dump(exclude={"company_uuid"}),
    )
    return read_page(ItemPage, answer.body, arguments.page)


class DetailsArguments(OfItem):
    """Which item, and when."""

    balances_date: Day | None = Field(default=None, description="Stock of that day; default: now")


class Balance(Record):
    """How much there is in one warehouse."""

    warehouse: OneWarehouse = None
    balance: Number = None


class Balances(Record):
    """How much there is in each warehouse."""

    balances_date: Text = None
    balances_list: tuple[Balance, ...] = ()


class ItemDetails(Record):
    """One item, what it takes to restock it, and how much there is."""

    inventory: OneItem = None
    restock_data: Annotated[Record | None, BeforeValidator(as_object)] = Field(
        default=None, description="Lead times, targets, unit costs"
    )
    balances_data: Annotated[Balances | None, BeforeValidator(as_object)] = None


@tool(
    name="neonpanel.getInventoryDetails",
    title="NeonPanel inventory item",
    annotations=READS,
    scopes=("read:inventory",),
    auth="user",
    examples=[{"companyUuid": "Lumen & Oak Ltd", "inventoryId": 101001}],
)
async def get_inventory_details(arguments: DetailsArguments, context: ToolContext) -> ItemDetails:
    """Returns one inventory item: its stock in every warehouse, now or on a day, and its data for restocking."""
    path = await _item(arguments, context)
    query = {"balances_date": arguments.balances_date}
    try:
        answer = await ask(context, INVENTORY_BALANCES, path=path, query=query)
    except NotFoundError:
        answer = await ask(context, INVENTORY_DETAILS, path=path, query=query)
    return read(ItemDetails, answer.body)


class LandedCostArguments(OfItem, Period, Paged):
    """Of which item, where and when."""

    warehouse_uuid: Id = Field(description="Its uuid, from listWarehouses")


class CostRow(Record):
    """What one batch or sale cost."""

    currency: Text = None
    amount: Number = None
    quantity: Number = None
    details: Rows = Field(default=(), description="The costs it is made of, by type")


class BatchCost(CostRow):
    """What one batch cost."""

    batch: OneDocument = None


class LandedCostPage(Page):
    """Landed costs, batch by batch."""

    currency: Text = None
    amount: Number = None
    quantity: Number = None
    items: tuple[BatchCost, ...]


@tool(
    name="neonpanel.getInventoryLandedCost",
    title="NeonPanel landed cost",
    annotations=READS,
    scopes=("read:landed-cost",),
    auth="user",
    examples=[
        {
            "companyUuid": "Lumen & Oak Ltd",
            "inventoryId": 101001,
            "warehouse_uuid": "h1n3k4k0x1m0a4n1u2z5",
            "start_date": "2026-01-01",
        }
    ],
)
async def get_inventory_landed_cost(arguments: LandedCostArguments, context: ToolContext) -> LandedCostPage:
    """Returns what an item's batches cost to make and bring to a warehouse in a period: purchase, freight, duty.

    It is about stock that came in; getInventoryCogs is about what was sold.
    """
    answer = await ask(
        context,
        INVENTORY_LANDED_COST,
        path=await _item(arguments, context),
        query=arguments.model_dump(exclude={"company_uuid", "inventory_id"}),
    )
    return read_page(LandedCostPage, answer.body, arguments.page)


class CogsArguments(OfItem, Period, Paged):
    """Of which item, and when."""


class SaleCost(CostRow):
    """What one sale cost."""

    document: OneDocument = None


class CogsPage(Page):
    """Cost of goods sold, sale by sale."""

    currency: Text = None
    amount: Number = None
    lost_amount: Number = None
    total_amount: Number = None
    quantity: Number = None
    items: tuple[SaleCost, ...]


@tool(
    name="neonpanel.getInventoryCogs",
    title="NeonPanel cost of goods sold",
    annotations=READS,
    scopes=("read:cogs",),
    auth="user",
    examples=[{"companyUuid": "Lumen & Oak Ltd", "inventoryId": 101001, "start_date": "2026-01-01"}],
)
async def get_inventory_cogs(arguments: CogsArguments, context: ToolContext) -> CogsPage:
    """Returns the cost of goods sold of one item in a period: the totals, and document by document.

    For whole companies, with revenue beside it, use getRevenueAndCogs.
    """
    answer = await ask(
        context,
        INVENTORY_COGS,
        path=await _item(arguments, context),
        query=arguments.model_dump(exclude={"company_uuid", "inventory_id"}),
    )
    return read_page(CogsPage, answer.body, arguments.page, rows="details")


class BatchArguments(NeonPanelArguments):
    """Of which item, and which batch."""

    inventory_id: Id = Field(alias="inventoryId")
    batch_id: Id | None = Field(default=None, alias="batchId")


class BatchLandedCost(Record):
    """What a unit cost to make and to bring in."""

    inventory_id: Text = Field(default=None, alias="inventoryId")
    batch_id: Text = Field(default=None, alias="batchId")
    currency: Text = None


@tool(
    name="neonpanel.getLandedCost",
    title="NeonPanel landed cost of a batch",
    annotations=READS,
    scopes=("read:landed-cost",),
    auth="user",
    examples=[{"inventoryId": "101001"}],
)
async def get_landed_cost(arguments: BatchArguments, context: ToolContext) -> BatchLandedCost:
    """Returns the landed cost of an item, or of one of its batches, without a period.

    Not every NeonPanel account offers this; getInventoryLandedCost is there always.
    """
    answer = await ask(context, GET_LANDED_COST, query=arguments.model_dump(by_alias=True))
    return read(BatchLandedCost, answer.body)


async def _item(arguments: OfItem, context: ToolContext) -> dict[str, str | int]:
    uuid = await company(context, arguments.company_uuid)
    return {"companyUuid": uuid, "inventoryId": arguments.inventory_id}
