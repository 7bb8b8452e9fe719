"""`python -m bench auth`: what users and tokens cost, beside the same server without them."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import auth_calls, auth_cold
from bench.auth_calls import PROVIDED, WITH, WITHOUT
from bench.auth_cold import APP, NOAUTH, OAUTH, WITH_BOTO3
from bench.calls import echo
from bench.facts import facts
from bench.lab import Lab, Samples
from bench.packages import interpreter, stage
from bench.report import Aim, Report, Row, Section
from bench.statistics import percentile
from bench.variants import OURS

CALL_LIMIT_MS = 0.3
READS_LIMIT = 1
COLD_LIMIT_MS = 60

ENDPOINTS = {
    "code": "POST /oauth/token, a code",
    "refresh": "POST /oauth/token, a refresh token",
    "sign in": "a password (bcrypt, cost 12)",
}


@dataclass(frozen=True)
class Options:
    """What a run may vary: cold starts, calls, token requests of each kind, and the protocol version of the calls."""

    rounds: int
    calls: int
    token_requests: int
    era: str


async def run(options: Options, progress: Callable[[str], None]) -> Report:
    """Make the package, and measure.

    Raises:
        bench.calls.WrongAnswerError: a server does not do what it should.
        subprocess.CalledProcessError: the package could not be made, or an import failed.
    """
    call = echo(options.era)
    with tempfile.TemporaryDirectory() as folder:
        cpu = await auth_calls.cpu(_made(folder, "cpu"), call, options.calls, progress)
        reads = await auth_calls.reads_a_minute(_made(folder, "reads"), call)
        endpoints = await auth_calls.endpoints(_made(folder, "endpoints"), options.token_requests, progress)
    progress("package")
    packages = {OURS.key: stage(OURS.package)}
    lab = Lab({**packages, OAUTH.key: packages[OURS.key]}, interpreter(), call, progress)
    starts = await auth_cold.measure(lab, options.rounds)
    return Report(
        benchmark="auth",
        facts=facts(packages, vars(options)) | {"token requests a second": _rates(endpoints)},
        sections=_sections(cpu, endpoints, starts),
        aims=aims(cpu, reads, starts),
    )


def aims(cpu: Samples, reads: float, starts: auth_cold.ColdStarts) -> list[Aim]:
    """What users and tokens may cost at most.

    Of starts it is the fastest ones that are compared: what else runs on the machine only ever adds to one.
    """
    more, theirs = (percentile(cpu[name], 0.5) - percentile(cpu[WITHOUT], 0.5) for name in (WITH, PROVIDED))
    growth = min(starts.answered[OAUTH.key]) - min(starts.answered[NOAUTH.key])
    boto3 = min(starts.imports[WITH_BOTO3]) - min(starts.imports[APP])
    return [
        Aim("CPU that a token adds to a call", more, CALL_LIMIT_MS, "ms"),
        Aim("CPU that another issuer's token adds to a call", theirs, CALL_LIMIT_MS, "ms"),
        Aim("store reads per minute and grant", reads, READS_LIMIT, ""),
        Aim("growth of the cold start beyond boto3's own cost", growth - boto3, COLD_LIMIT_MS, "ms"),
    ]


def _made(folder: str, name: str) -> Path:
    path = Path(folder, name)
    path.mkdir()
    return path


def _rates(endpoints: Samples) -> dict[str, int]:
    return {kind: round(1000 / percentile(endpoints[kind], 0.5)) for kind in ("code", "refresh")}


def _sections(cpu: Samples, endpoints: Samples, starts: auth_cold.ColdStarts) -> list[Section]:
    titles = {NOAUTH.key: "mcpx, a call without a token", OAUTH.key: OAUTH.title}
    return [
        _section("call_cpu", "CPU of a call, ms", cpu, {name: name for name in cpu}),
        _section("endpoints", "Endpoints, ms", endpoints, ENDPOINTS),
        _section("cold_start", "Cold start to first answer, ms", starts.answered, titles),
        _section("import", "Import in a fresh process, ms", starts.imports, {APP: APP, WITH_BOTO3: "  and boto3"}),
    ]


def _section(key: str, title: str, samples: Samples, titles: Mapping[str, str]) -> Section:
    return Section(key, title, [Row(name, titles[name], samples[name]) for name in titles])
