"""NeonPanel: orders, and what to buy."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from mcp_app.clients.neonpanel.endpoints import PLAN_PURCHASE, SEARCH_ORDERS
from mcp_app.tools.context import ToolContext
from mcp_app.tools.neonpanel.call import READS, WRITES, Day, NeonPanelArguments, Words, ask
from mcp_app.tools.neonpanel.records import Number, Record, Text, as_object, read, written
from mcp_app.tools.tool import tool


class OrdersArguments(NeonPanelArguments):
    """Which orders."""

    q: Words | None = Field(default=None, description="What to look for")
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None
    limit: int = Field(default=25, ge=1, le=100)
    cursor: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="nextCursor of the result before"
    )

    @model_validator(mode="after")
    def _in_order(self) -> "OrdersArguments":
        if self.from_ is not None and self.to is not None and self.to < self.from_:
            raise ValueError("to is before from")
        return self


class Customer(Record):
    """Who ordered."""

    id: Text = None
    email: Text = None


class Order(Record):
    """An order."""

    order_id: Text = Field(default=None, alias="orderId")
    created_at: Text = Field(default=None, alias="createdAt")
    currency: Text = None
    total: Number = None
    status: Text = None
    customer: Annotated[Customer | None, BeforeValidator(as_object)] = None


class Orders(Record):
    """Orders, and where the list goes on."""

    items: tuple[Order, ...]
    next_cursor: Text = Field(default=None, alias="nextCursor", description="Give it as cursor; null at the end")


@tool(
    name="neonpanel.searchOrders",
    title="NeonPanel orders",
    annotations=READS,
    auth="user",
    examples=[{"q": "lamp", "from": "2026-01-01"}],
)
async def search_orders(arguments: OrdersArguments, context: ToolContext) -> Orders:
    """Finds orders by words and dates. Not every NeonPanel account offers this."""
    given: dict[str, Any] = arguments.model_dump(by_alias=True)
    body = (await ask(context, SEARCH_ORDERS, query={"query": given.pop("q"), **given})).body
    return read(Orders, body)


class PlanArguments(NeonPanelArguments):
    """What to buy, and for how long."""

    sku: Words
    coverage_days: int = Field(alias="coverageDays", ge=1, le=3650, description="Days that it should last")
    safety_stock: int = Field(alias="safetyStock", ge=0, description="Units to keep in reserve")


class Plan(Record):
    """What to buy."""

    sku: Text = None


@tool(
    name="neonpanel.planPurchase",
    title="Plan a purchase in NeonPanel",
    annotations=WRITES,
    auth="service",
    examples=[{"sku": "LNO-LAMP-BRS-US", "coverageDays": 60, "safetyStock": 50}],
)
async def plan_purchase(arguments: PlanArguments, context: ToolContext) -> Plan:
    """Makes a purchase plan: how much of a SKU to buy for so many days. Not every NeonPanel account offers this."""
    answer = await ask(context, PLAN_PURCHASE, body=arguments.model_dump(by_alias=True))
    with written():
        return read(Plan, answer.body)
