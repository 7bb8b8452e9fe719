"""Companies, reports and accounts."""

from typing import Any

from sandbox.api.call import Call
from sandbox.api.errors import ApiError
from sandbox.data import people
from sandbox.data.reports import reports


def list_companies(call: Call) -> dict[str, Any]:
    """The companies that the caller may see."""
    page = call.query.page()
    call.query.check()
    return page.of([company.as_json() for company in call.companies])


def list_reports(_call: Call) -> dict[str, Any]:
    """All reports; everybody may open them."""
    found = reports()
    return {"count": len(found), "data": found}


def get_account(call: Call) -> dict[str, Any]:
    """An account: the caller's own, or anybody's for the service."""
    found = people.with_account(call.path["accountId"])
    if found is None:
        raise ApiError(404, "Account not found.")
    if call.person not in (None, found):
        raise ApiError(403, "You do not have access to this account.")
    return found.account()
