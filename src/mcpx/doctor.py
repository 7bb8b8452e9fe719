"""`mcpx doctor`: whether the server would work as it is set up, and what to know of that."""

import argparse
import json
import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio

from auth.events import Event, ignore
from mcp_app.authentication import check_modes
from mcp_app.notices import notices
from mcp_app.settings import Settings, SettingsError
from mcpx.errors import CommandError
from mcpx.output import add_json

if TYPE_CHECKING:
    from auth.server.server import AuthorizationServer
    from mcp_app.web.health import Check

_NOT_BEGUN = {"status": "ok", "begun": False}
"""The store of a server that never started, which is not to be begun by looking at it."""


class Report(NamedTuple):
    """What was found.

    Attributes:
        problem: why the server does not start, in one sentence; None where it does.
        notices: what an operator should know.
        checks: by the part that was looked at: what it is like, `status` being `ok` or `failed`.
    """

    problem: str | None
    notices: tuple[str, ...]
    checks: Mapping[str, Mapping[str, Any]]

    @property
    def broken(self) -> list[str]:
        """The parts that do not work."""
        return [name for name, found in self.checks.items() if found["status"] != "ok"]


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the grammar."""
    command = commands.add_parser(
        "doctor",
        help="check the settings and all that the server depends on",
        description="Check the settings, say what to know of them, and look at the store, the keys and the secrets.",
    )
    add_json(command)
    command.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> None:
    # What goes wrong is in the report; a log beside it would only say it again.
    logging.getLogger().addHandler(logging.NullHandler())
    report = examined()
    if options.json:
        status = "failed" if report.problem or report.broken else "ok"
        print(json.dumps({"status": status, **report._asdict()}, indent=2))
    else:
        _show(report)
    if report.problem is not None:
        raise CommandError(report.problem)
    if report.broken:
        raise CommandError(f"{' and '.join(report.broken)} {'do' if len(report.broken) > 1 else 'does'} not work.")


def examined(variables: Mapping[str, str] | None = None) -> Report:
    """What is to be said of a server with these variables; None: with those of the environment."""
    given = () if variables is None else (variables,)
    said = tuple(f"{name} is set, and is no setting: is {meant} meant?" for name, meant in Settings.misspelled(*given))
    try:
        settings = Settings.from_environment(*given)
        check_modes(settings)
        return Report(None, (*said, *notices(settings)), anyio.run(_checked, settings))
    except SettingsError as error:
        return Report(str(error), said, {})


async def _checked(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    """The deep checks of `GET /healthz`, with the reasons that are not for everybody."""
    from mcp_app.clients import Clients
    from mcp_app.provider import provider
    from mcp_app.secrets import Secrets
    from mcp_app.tools.catalogue import catalogue
    from mcp_app.web.checks import deep_checks

    secrets = Secrets(settings)
    clients = Clients(settings, secrets)
    authorization = _authorization(settings, secrets) if _begun(settings) else None
    told: list[Event] = []
    external = provider(settings, clients, events=told.append) if settings.takes_provider_tokens else None
    checks = deep_checks(settings, catalogue(settings), secrets, authorization, external, clients=clients)
    try:
        found = {name: await _result(check) for name, check in checks.items()}
    finally:
        await clients.aclose()
        if authorization is not None:
            await authorization.store.aclose()
    if told and found["jwks"]["status"] != "ok":
        found["jwks"] = {"status": "failed", "reason": told[0].details["reason"]}
    return found | ({"store": _NOT_BEGUN} if settings.signs_in and authorization is None else {})


def _begun(settings: Settings) -> bool:
    """Whether there is a store of users to look at."""
    # pathlib raises for a folder that may not be looked into.
    return settings.signs_in and (settings.auth_table is not None or os.path.isfile(settings.auth_db_path))  # noqa: PTH113


def _authorization(settings: Settings, secrets: Any) -> "AuthorizationServer":
    from mcp_app.authorization import authorization_server

    return authorization_server(settings, secrets, events=ignore)


async def _result(check: "Check") -> Mapping[str, Any]:
    try:
        return await check()
    except Exception as error:  # noqa: BLE001 (whatever a part does, the others are looked at)
        return {"status": "failed", "reason": str(error) or type(error).__name__}


def _show(report: Report) -> None:
    for name, found in report.checks.items():
        more = ", ".join(f"{key}: {value}" for key, value in found.items() if key != "status")
        print(f"{name}: {found['status']}{f' ({more})' if more else ''}")
    for notice in report.notices:
        print(f"Notice: {notice}")
