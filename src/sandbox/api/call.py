"""A call of the API: who calls, and what of the companies they may see."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.api.errors import ApiError
from sandbox.api.query import Query
from sandbox.data import catalogue, people
from sandbox.data.catalogue import Item
from sandbox.data.company import COMPANIES, Company
from sandbox.data.people import Person
from sandbox.data.warehouse import Warehouse, warehouses
from sandbox.held import sandbox_of
from sandbox.sandbox import Sandbox

_LONGEST_ID = 9


@dataclass(frozen=True)
class Call:
    """A request whose token is good.

    Attributes:
        person: whose rights it has; None for the service's.
        now: in UTC.
        path: the variable parts of the path, by name.
    """

    sandbox: Sandbox
    person: Person | None
    now: datetime
    path: Mapping[str, str]
    query: Query
    headers: Mapping[str, str]
    body: bytes

    @property
    def today(self) -> date:
        """The day, in UTC."""
        return self.now.date()

    @property
    def companies(self) -> tuple[Company, ...]:
        """Those that the caller may see."""
        return COMPANIES if self.person is None else self.person.companies

    def may_see(self, company: Company) -> None:
        """Refuse a company that is somebody else's.

        Raises:
            ApiError: it is.
        """
        if company not in self.companies:
            raise ApiError(403, "You do not have access to this company.")

    def company(self, uuid: str | None = None) -> Company:
        """The company with that id, or the one in the path.

        Raises:
            ApiError: there is none, or it is somebody else's.
        """
        wanted = self.path["companyUuid"] if uuid is None else uuid
        found = next((company for company in COMPANIES if company.uuid == wanted), None)
        if found is None:
            raise ApiError(404, "Company not found.")
        self.may_see(found)
        return found

    def item(self) -> Item:
        """The item in the path, of the company in the path.

        Raises:
            ApiError: there is none, or it is another company's, or the company somebody else's.
        """
        company, found = self.company(), item_with(self.path["inventoryId"])
        if found is None or found.company != company:
            raise ApiError(404, "Inventory item not found.")
        return found

    def warehouse(self, uuid: str) -> Warehouse:
        """A warehouse of the company in the path.

        Raises:
            ApiError: there is none, or the company is somebody else's.
        """
        found = next((place for place in warehouses(self.company()) if place.uuid == uuid), None)
        if found is None:
            raise ApiError(404, "Warehouse not found.")
        return found

    def json(self) -> dict[str, Any]:
        """The body, a JSON object.

        Raises:
            ApiError: it is anything else.
        """
        try:
            body = json.loads(self.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise ApiError(400, "The body is not a JSON object.")
        return body


def item_with(text: str) -> Item | None:
    """The item with that id, whosever it is."""
    return catalogue.find(int(text)) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID else None


def answering(function: Callable[[Call], Any]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint of a function from a call to a response, or to what becomes one as JSON."""

    async def endpoint(request: Request) -> Response:
        try:
            answer = function(await _call(request))
        except ApiError as error:
            return error.response()
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    return endpoint


async def _call(request: Request) -> Call:
    sandbox, now = sandbox_of(request), datetime.now(UTC)
    return Call(
        sandbox=sandbox,
        person=_caller(sandbox, request.headers.get("authorization", "")),
        now=now,
        path=request.path_params,
        query=Query(request.query_params, now.date()),
        headers=request.headers,
        body=await request.body(),
    )


def _caller(sandbox: Sandbox, authorization: str) -> Person | None:
    scheme, _, token = authorization.partition(" ")
    claims = sandbox.keys.verified(token) if scheme.lower() == "bearer" else None
    if claims is None:
        raise ApiError(401, "Unauthenticated.")
    if sandbox.is_service(claims):
        return None
    person = people.find(claims.get("sub"))
    use = claims.get("token_use")
    if person is None or not (use == "user" or (use is None and sandbox.accept_access_tokens)):
        raise ApiError(401, "Unauthenticated.")
    return person
