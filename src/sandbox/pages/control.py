"""The control page: what this is, who is in it, its faults as buttons, and what it was asked last."""

import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from sandbox.data.people import PEOPLE
from sandbox.fault import AREAS, FAULTS
from sandbox.held import sandbox_of
from sandbox.oauth.form import form_of
from sandbox.pages.render import page
from sandbox.sandbox import Sandbox

_SHOWN: Final = 50
_LABELS: Final = {
    "api": "API",
    "user_jwt": "User JWT",
    "introspect": "Introspection",
    "token": "Token endpoint",
    "jwks": "Signing keys",
    "metadata": "Metadata",
}
_GROUPS: Final = {
    "It refuses": ("bad-request", "unauthorized", "forbidden", "not-found", "unprocessable", "rate-limited"),
    "It is down": ("server-error", "bad-gateway", "unavailable", "gateway-timeout", "slow", "refused"),
    "It answers nonsense": ("truncated", "not-json", "wrong-types", "huge"),
}


async def control(request: Request) -> Response:
    """The page."""
    sandbox = sandbox_of(request)
    waiting = sandbox.faults.waiting()
    return page(
        "control.html",
        url=sandbox.url,
        settings=sandbox.settings(),
        people=PEOPLE.values(),
        areas={area: _LABELS[area] for area in AREAS},
        groups={title: {name: FAULTS[name] for name in names} for title, names in _GROUPS.items()},
        waiting=waiting,
        chosen=waiting[-1].area if waiting else AREAS[0],  # who breaks one part often breaks it again
        requests=sandbox.requests[: -_SHOWN - 1 : -1],
    )


async def faults(request: Request) -> Response:
    """Set a fault: the members of `Sandbox.fail`, as a form or as JSON."""
    asked = await _asked(request)
    if asked is None:
        return _refused(request, "The fields cannot be read, or are from another site.")
    known = {name: asked.pop(name, None) for name in ("area", "fault", "times", "path")}
    try:
        times = int(known["times"]) if known["times"] else None
        sandbox_of(request).fail(
            str(known["area"]), str(known["fault"]), times=times, path=str(known["path"] or ""), **asked
        )
    except (TypeError, ValueError) as error:
        return _refused(request, str(error))
    return _done(request)


async def heal(request: Request) -> Response:
    """End the faults of an area, or all."""
    asked = await _asked(request)
    if asked is None:
        return _refused(request, "The fields cannot be read, or are from another site.")
    sandbox_of(request).heal(asked.get("area") or None)
    return _done(request)


async def _asked(request: Request) -> dict[str, Any] | None:
    origin = request.headers.get("origin")
    if origin is not None and origin != f"{request.url.scheme}://{request.headers.get('host')}":
        return None
    if not _is_json(request.headers):
        return dict(await form_of(request))
    try:
        asked = json.loads(await request.body() or b"{}")
    except ValueError:
        return None
    return asked if isinstance(asked, dict) else None


def _done(request: Request) -> Response:
    if _is_json(request.headers):
        return JSONResponse({"faults": _waiting(sandbox_of(request))})
    return RedirectResponse("/#faults", 303)


def _refused(request: Request, message: str) -> Response:
    if _is_json(request.headers):
        return JSONResponse({"message": message}, 422)
    return page("problem.html", 422, title="That is no fault", text=message)


def _waiting(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [
        {"area": fault.area, "fault": fault.name, "times": fault.times, "path": fault.path, **fault.options}
        for fault in sandbox.faults.waiting()
    ]


def _is_json(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip() == "application/json"
