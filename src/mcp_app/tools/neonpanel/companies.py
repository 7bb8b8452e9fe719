"""NeonPanel: companies, reports and accounts."""

from pydantic import Field

from mcp_app.clients.neonpanel.endpoints import GET_ACCOUNT, LIST_COMPANIES, LIST_REPORTS
from mcp_app.tools.context import ToolContext
from mcp_app.tools.neonpanel.call import READS, Id, NeonPanelArguments, Paged, ask
from mcp_app.tools.neonpanel.records import Company, Number, Page, Record, Text, read, read_page
from mcp_app.tools.tool import tool


class CompanyPage(Page):
    """Companies."""

    items: tuple[Company, ...]


@tool(
    name="neonpanel.listCompanies",
    title="NeonPanel companies",
    annotations=READS,
    scopes=("read:companies",),
    auth="user",
    examples=[{}],
)
async def list_companies(arguments: Paged, context: ToolContext) -> CompanyPage:
    """Lists the companies that the user can see, with uuid, currency and time zone. The place to begin."""
    answer = await ask(context, LIST_COMPANIES, query={"page": arguments.page, "per_page": arguments.per_page})
    return read_page(CompanyPage, answer.body, arguments.page)


class Report(Record):
    """A report."""

    id: Number = None
    title: Text = None
    group: Text = None
    description: Text = None
    link: Text = None


class Reports(Record):
    """All reports."""

    items: tuple[Report, ...]


@tool(
    name="neonpanel.listReports",
    title="NeonPanel reports",
    annotations=READS,
    scopes=("read:reports",),
    auth="user",
    examples=[{}],
)
async def list_reports(_arguments: NeonPanelArguments, context: ToolContext) -> Reports:
    """Lists NeonPanel's reports, with what each is about and a link that opens it. It does not run them."""
    body = (await ask(context, LIST_REPORTS)).body
    rows = body.get("data") if isinstance(body, dict) else None
    return read(Reports, {"items": rows})


class AccountArguments(NeonPanelArguments):
    """Which account."""

    account_id: Id = Field(alias="accountId")


class Account(Record):
    """An account."""

    account_id: Text = Field(default=None, alias="accountId")
    name: Text = None


@tool(
    name="neonpanel.getAccount",
    title="NeonPanel account",
    annotations=READS,
    auth="user",
    examples=[{"accountId": "acc_ann"}],
)
async def get_account(arguments: AccountArguments, context: ToolContext) -> Account:
    """Returns an account by its id. Not every NeonPanel account offers this; companies are in listCompanies."""
    return read(Account, (await ask(context, GET_ACCOUNT, path={"accountId": arguments.account_id})).body)
