import json

import pytest

from bench.lambda_bench import aims
from bench.report import Aim, Report, Row, Section, median_ratio, p95_below, to_json, to_text

REPORT = Report(
    benchmark="lambda",
    facts={"machine": "a processor, 2 CPUs", "options": {"rounds": 3}},
    sections=[
        Section("warm_call", "Warm call, ms", [Row("ours", "Ours", [2.0, 1.0, 3.0]), Row("peer", "A peer", [5.0, 5.0])])
    ],
    aims=[Aim("warm call / peer's", 0.4, 0.5, "x"), Aim("p95", 600.0, 500.0, "ms")],
)


def test_the_json_holds_the_raw_samples_and_what_is_quoted_of_them():
    found = json.loads(json.dumps(to_json(REPORT)))

    ours = found["sections"]["warm_call"]["rows"]["ours"]
    assert ours["samples"] == [2.0, 1.0, 3.0]
    assert (ours["median"], ours["minimum"], ours["maximum"], ours["count"]) == (2.0, 1.0, 3.0, 3)
    assert [(aim["name"], aim["met"]) for aim in found["aims"]] == [("warm call / peer's", True), ("p95", False)]
    assert found["facts"] == {"machine": "a processor, 2 CPUs", "options": {"rounds": 3}}


def test_the_text_shows_medians_ratios_and_verdicts():
    lines = to_text(REPORT).splitlines()

    assert "options: rounds 3" in lines
    ours, peer = (next(line.split() for line in lines if line.startswith(title)) for title in ("Ours", "A peer"))
    assert (ours[1], ours[-1]) == ("2.00", "1.00x")
    assert (peer[2], peer[-1]) == ("5.00", "2.50x")
    assert [line.split()[0] for line in lines[-2:]] == ["pass", "MISS"]


@pytest.mark.parametrize(("ours", "met"), [([1.0, 9.0, 1.0], True), ([2.1, 0.1, 2.1], False)])
def test_a_ratio_is_that_of_the_medians(ours, met):
    assert median_ratio("warm", ours, [4.0, 4.0, 40.0], 0.5).met is met


def test_a_limit_itself_is_still_met():
    assert p95_below("local tools", [500.0], 500).met
    assert not p95_below("local tools", [500.0, 501.0], 500).met


def test_each_aim_compares_this_server_with_the_peer_that_it_names():
    answered = {"mcpx": [90.0], "fastmcp": [200.0], "mangum": [1.0], "fastmcp_direct": [1.0]}
    found = aims(answered, {"sdk": [100.0], "mcpx": [1.0]}, {"mcpx": [3.0], "fastmcp": [4.0], "mangum": [1.0]})

    assert [(aim.value, aim.met) for aim in found] == [(0.9, True), (0.45, True), (0.75, False)]
