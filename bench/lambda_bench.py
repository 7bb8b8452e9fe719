"""`python -m bench lambda`: this server's door beside the SDK behind Mangum and FastMCP behind a web adapter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench import cold, warm
from bench.calls import echo
from bench.facts import facts
from bench.lab import Lab, Samples
from bench.packages import interpreter, stage
from bench.report import Aim, Report, Row, Section, median_ratio
from bench.variants import FASTMCP, FASTMCP_DIRECT, OURS, VARIANTS

TITLES = {
    **{variant.key: variant.title for variant in VARIANTS},
    FASTMCP_DIRECT: "  JSON alone, no Lambda",
}
IMPORT_TITLES = {
    OURS.key: "import handlers.function_url",
    cold.BARE_IMPORT: "from mcp.server.lowlevel import Server",
}


@dataclass(frozen=True)
class Options:
    """What a run may vary: cold starts, warm calls, and the protocol version of the calls."""

    rounds: int
    calls: int
    era: str


async def run(options: Options, progress: Callable[[str], None]) -> Report:
    """Make the packages, and measure.

    Raises:
        bench.calls.WrongAnswerError: a variant does not do what it should.
        subprocess.CalledProcessError: a package could not be made, or an import failed.
    """
    progress("packages")
    staged = {package: stage(package) for package in dict.fromkeys(variant.package for variant in VARIANTS)}
    packages = {variant.key: staged[variant.package] for variant in VARIANTS}
    lab = Lab(packages, interpreter(), echo(options.era), progress)
    starts = await cold.measure(lab, options.rounds)
    calls = await warm.measure(lab, options.calls)
    return Report(
        benchmark="lambda",
        facts=facts(packages, vars(options)),
        sections=_sections(starts, calls),
        aims=aims(starts.answered, starts.imports, calls.seen),
    )


def aims(answered: Samples, imports: Samples, warm_calls: Samples) -> list[Aim]:
    """What this server aims at: cold starts and warm calls against the peers', in the same run."""
    ours = answered[OURS.key]
    return [
        median_ratio("cold start / bare SDK import", ours, imports[cold.BARE_IMPORT], 0.95),
        median_ratio("cold start / FastMCP's", ours, answered[FASTMCP.key], 0.5),
        median_ratio("warm call / FastMCP's", warm_calls[OURS.key], warm_calls[FASTMCP.key], 0.5),
    ]


def _sections(starts: cold.ColdStarts, calls: warm.WarmCalls) -> list[Section]:
    return [
        _section("cold_start", "Cold start to first answer, ms", starts.answered, TITLES),
        _section("init", "  of it, init phase, ms", starts.init, TITLES),
        _section("import", "Import in a fresh process, ms", starts.imports, IMPORT_TITLES),
        _section("warm_call", "Warm call, ms", calls.seen, TITLES),
        _section("warm_duration", "  of it, reported duration, ms", calls.inside, TITLES),
    ]


def _section(key: str, title: str, samples: Samples, titles: Mapping[str, str]) -> Section:
    return Section(key, title, [Row(name, titles[name], samples[name]) for name in titles if name in samples])
