"""A company by its name, as people say it, or by its id."""

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mcp_app.clients.cache import Cache
from mcp_app.clients.errors import DeniedError, OddAnswerError
from mcp_app.clients.neonpanel.endpoints import LIST_COMPANIES
from mcp_app.clients.neonpanel.errors import SERVICE, MissingRightError, NoAccessError

if TYPE_CHECKING:
    from mcp_app.clients.neonpanel.api import NeonPanel
    from mcp_app.clients.neonpanel.rights import Caller

PER_PAGE: Final = 60
MOST_PAGES: Final = 50
"""Of the list that a name is looked up in: three thousand companies."""

KEPT: Final = 300.0
"""Seconds for which a caller's list serves."""

AGAIN: Final = 10.0
"""Seconds after which the list is read anew for a name that is not in it: the company may have been added since."""

REMEMBERED: Final = 500
"""Callers whose lists are kept."""


class Company(NamedTuple):
    """What a company can be named by."""

    uuid: str
    name: str
    short_name: str
    number: str


class UnknownCompanyError(Exception):
    """The name is nobody's, or more than one company's.

    Attributes:
        named: what was asked for.
        found: the companies of that name, where there are several; else all.
    """

    def __init__(self, named: str, found: Sequence[Company], *, ambiguous: bool) -> None:
        super().__init__(named)
        self.named = named
        self.found = tuple(found)
        self.ambiguous = ambiguous


class _Listed(NamedTuple):
    companies: tuple[Company, ...]
    at: float


class Companies:
    """The companies that callers see, for a while.

    Args:
        clock: epoch seconds.
    """

    def __init__(self, neonpanel: "NeonPanel", clock: Callable[[], float]) -> None:
        self._neonpanel = neonpanel
        self._clock = clock
        self._kept: Cache[_Listed] = Cache(KEPT, REMEMBERED, clock)

    async def uuid(self, named: str, caller: "Caller") -> str:
        """The uuid of the company that a caller means; what was given, where the caller may not list companies.

        Raises:
            UnknownCompanyError: no company is named so, or several are.
            UpstreamError: the companies cannot be listed.
        """
        key = _key(caller)
        try:
            listed = await self._kept.get(key, lambda: self._list(caller))
            if not matching(named, listed.companies) and self._clock() - listed.at >= AGAIN:
                self._kept.drop(key, listed)
                listed = await self._kept.get(key, lambda: self._list(caller))
        except (DeniedError, MissingRightError, NoAccessError):
            return named
        found = matching(named, listed.companies)
        if len(found) != 1:
            raise UnknownCompanyError(named, found or listed.companies, ambiguous=bool(found))
        return found[0].uuid

    async def _list(self, caller: "Caller") -> _Listed:
        companies: list[Company] = []
        page = last = 1
        rows: Any = True
        while rows and page <= min(last, MOST_PAGES):
            query = {"page": page, "per_page": PER_PAGE}
            body = (await self._neonpanel.call(LIST_COMPANIES, caller, query=query)).body
            rows = body.get("data") if isinstance(body, dict) else None
            if not isinstance(rows, list):
                raise OddAnswerError(SERVICE)
            companies += [company for row in rows for company in _company(row)]
            last = body.get("last_page") if isinstance(body.get("last_page"), int) else page
            page += 1
        return _Listed(tuple(companies), self._clock())


def matching(named: str, companies: Sequence[Company]) -> list[Company]:
    """The companies that a name or an id means: the ids first, then whole names, letter case and blanks aside."""
    wanted = named.strip()
    if not wanted:
        return []
    if by_id := [company for company in companies if wanted in {company.uuid, company.number}]:
        return by_id[:1]
    words = _folded(wanted)
    by_name = [company for company in companies if words == _folded(company.name)]
    return by_name or [company for company in companies if words == _folded(company.short_name)]


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _company(row: Any) -> list[Company]:
    uuid = row.get("uuid") if isinstance(row, dict) else None
    if not isinstance(uuid, str) or not uuid:
        return []
    name, short, number = (_text(row.get(member)) for member in ("name", "short_name", "id"))
    return [Company(uuid, name, short, number)]


def _text(value: Any) -> str:
    """A name, or a number as people write it; what is neither names nothing."""
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""


def _key(caller: "Caller") -> Hashable:
    """Never shared by two callers, though both may see the same with the service token."""
    token = caller.principal.token
    return (caller.rights, *caller.principal.identity, token and token.scopes, token and token.tenant)
