"""What a benchmark found: series of samples, aims, and the facts they hold under; as JSON and as text."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.statistics import Summary, percentile, summarize


@dataclass(frozen=True)
class Row:
    """One variant's samples, in milliseconds, in the order in which they were taken."""

    key: str
    title: str
    samples: Sequence[float]

    @property
    def summary(self) -> Summary:
        """What is quoted of them. Raises ValueError where there are none."""
        return summarize(self.samples)


@dataclass(frozen=True)
class Section:
    """One table: the variants of one measurement, the first being what the others are compared with."""

    key: str
    title: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Aim:
    """A figure that is to stay at or below a limit, both in `unit`."""

    name: str
    value: float
    limit: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether it does."""
        return self.value <= self.limit


@dataclass(frozen=True)
class Report:
    """All that one run found."""

    benchmark: str
    facts: Mapping[str, Any]
    sections: Sequence[Section]
    aims: Sequence[Aim]


def median_ratio(name: str, ours: Sequence[float], theirs: Sequence[float], limit: float) -> Aim:
    """The aim that the median of ours is at most `limit` times the median of theirs."""
    return Aim(name, percentile(ours, 0.5) / percentile(theirs, 0.5), limit, "x")


def p95_below(name: str, samples: Sequence[float], limit_ms: float) -> Aim:
    """The aim that 95 of 100 calls take at most `limit_ms` milliseconds."""
    return Aim(name, percentile(samples, 0.95), limit_ms, "ms")


def to_json(report: Report) -> dict[str, Any]:
    """The report as a JSON document, raw samples included; all times are milliseconds."""
    return {
        "benchmark": report.benchmark,
        "facts": dict(report.facts),
        "sections": {section.key: _section_to_json(section) for section in report.sections},
        "aims": [asdict(aim) | {"met": aim.met} for aim in report.aims],
    }


def to_text(report: Report) -> str:
    """The report as tables for a terminal."""
    facts = [f"{name}: {_plain(value)}" for name, value in report.facts.items()]
    tables = [_table(section) for section in report.sections]
    return "\n\n".join(["\n".join(facts), *tables, _aims(report.aims)])


def _section_to_json(section: Section) -> dict[str, Any]:
    rows = {row.key: {"title": row.title, **asdict(row.summary), "samples": list(row.samples)} for row in section.rows}
    return {"title": section.title, "rows": rows}


def _plain(value: Any) -> str:
    return ", ".join(f"{name} {one}" for name, one in value.items()) if isinstance(value, Mapping) else str(value)


def _table(section: Section) -> str:
    base = section.rows[0].summary.median
    width = max(len(section.title), *(len(row.title) for row in section.rows))
    lines = [f"{section.title:<{width}}  {'median':>9} {'p95':>9} {'p99':>9} {'min':>9} {'max':>9} {'ratio':>7}"]
    for row in section.rows:
        one = row.summary
        times = " ".join(f"{value:9.2f}" for value in (one.median, one.p95, one.p99, one.minimum, one.maximum))
        lines.append(f"{row.title:<{width}}  {times} {one.median / base:6.2f}x")
    return "\n".join(lines)


def _aims(aims: Sequence[Aim]) -> str:
    width = max(len(aim.name) for aim in aims)
    return "\n".join(
        f"{'pass' if aim.met else 'MISS'}  {aim.name:<{width}}  {aim.value:8.2f} {aim.unit:<2}  aim: <= {aim.limit:g}"
        for aim in aims
    )
