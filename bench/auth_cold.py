"""Cold starts to the first answered call with a valid token, beside those without, and what boto3 costs by itself."""

import gc
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bench.auth_servers import ELSEWHERE, REGION, aws, function_variables, issued
from bench.calls import Call
from bench.http_client import Connection
from bench.lab import Lab, timed_ms
from bench.processes import import_ms
from bench.variants import OURS, Variant
from mcp_app.authorization import authorization_server
from mcp_app.settings import Settings

NOAUTH = OURS
OAUTH = replace(OURS, key="oauth", title="mcpx, a call with a token")
APP = "import handlers.function_url"
WITH_BOTO3 = f"{APP}; import boto3; boto3.client('dynamodb', region_name='{REGION}')"


@dataclass(frozen=True)
class ColdStarts:
    """Milliseconds, round by round, of one start after the other.

    Attributes:
        answered: by variant, from the request that starts a sandbox until its answer.
        imports: by statement, from the start of a fresh process until it was executed.
    """

    answered: dict[str, list[float]] = field(default_factory=lambda: {NOAUTH.key: [], OAUTH.key: []})
    imports: dict[str, list[float]] = field(default_factory=lambda: {APP: [], WITH_BOTO3: []})


async def measure(lab: Lab, rounds: int) -> ColdStarts:
    """Measure `rounds` cold starts of each, after one uncounted round."""
    with aws() as found:
        given = function_variables()
        variant = replace(OAUTH, environment={**given, **found})
        server = authorization_server(Settings.from_environment(given))
        carrying = (await issued(server, ELSEWHERE)).carried_by(lab.call)
        await server.store.aclose()
        await _round(lab, variant, carrying, ColdStarts())
        starts = ColdStarts()
        for number in range(rounds):
            lab.progress(f"cold starts: round {number + 1} of {rounds}")
            await _round(lab, variant, carrying, starts)
    return starts


async def _round(lab: Lab, variant: Variant, carrying: Call, starts: ColdStarts) -> None:
    gc.collect()
    starts.answered[NOAUTH.key].append(await _cold_start(lab, NOAUTH, lab.call))
    starts.answered[OAUTH.key].append(await _cold_start(lab, variant, carrying))
    variables = _credentials(variant.environment)
    for statement, taken in starts.imports.items():
        taken.append(import_ms(lab.python, lab.packages[OURS.key], statement, variables))


async def _cold_start(lab: Lab, variant: Variant, call: Call) -> float:
    async with lab.emulated(variant, freeze=True) as emulator:
        connection = await Connection.open(emulator.url)
        answered = await timed_ms(connection, call)
        await connection.close()
        return answered


def _credentials(environment: Mapping[str, str]) -> dict[str, str]:
    aws_variables = {name: value for name, value in environment.items() if name.startswith("AWS_")}
    return {**OURS.environment, **aws_variables}
