"""The chart of revenue and COGS, as the hosts that show it frame it."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from mcp_app.tools.neonpanel import revenue_chart
from tests.support.app_host import AppHost, app_site, hosted

pytestmark = pytest.mark.browser

PAGE = Path(revenue_chart.__file__).with_suffix(".html")
DASH = "\N{EN DASH}"
HOSTILE = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>"\'</svg>'


def item(
    start: str | None, revenue: float | None, cogs: float | None, currency: str | None = "USD", **more: Any
) -> Any:
    amounts = {"revenue_amount": revenue, "cogs_amount": cogs, "currency": currency}
    return {"start_date": start, "end_date": start, "company": None, "country_code": None, **amounts, **more}


def total(revenue: float | None, cogs: float | None, currency: str | None = "USD") -> Any:
    profit = None if revenue is None or cogs is None else revenue - cogs
    margin = 100 * profit / revenue if revenue and profit is not None else None
    sums = {"revenue_amount": revenue, "cogs_amount": cogs, "gross_profit": profit, "margin_percent": margin}
    return {"currency": currency, **sums}


def result(*items: Any, totals: Any = (), periodicity: str = "monthly", grouping: Any = (), **more: Any) -> Any:
    asked = {"start_date": "2026-01-01", "end_date": "2026-11-29", "periodicity": periodicity}
    return {**asked, "grouping": list(grouping), "items": list(items), "totals": list(totals), **more}


def company(name: str, revenue: float | None, cogs: float | None = 1.0) -> Any:
    return item("2026-01-01", revenue, cogs, company={"uuid": f"{name}-{revenue}", "name": name})


JANUARY, FEBRUARY = item("2026-01-01", 12_500, 5_000), item("2026-02-01", 10_000, 8_000)
HUGE = result(company("A" * 300, 9e14), totals=[total(9e14, 1)], periodicity="total", grouping=["company"])
SPRING = result(JANUARY, FEBRUARY, totals=[total(22_500, 13_000)])


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with app_site(PAGE) as url:
        yield url


@pytest.fixture
def options() -> dict[str, object]:
    """How the browser is set up; a test may ask for another."""
    return {"viewport": {"width": 720, "height": 900}, "locale": "en-US"}


@pytest.fixture
def host(browser: Browser, site: str, options: dict[str, object]) -> Iterator[AppHost]:
    with hosted(browser, site, **options) as host:
        yield host


def shown(host: AppHost, structured: Any) -> AppHost:
    """The host once it has shown a result."""
    host.open(theme="light")
    host.result(structured)
    expect(host.app.get_by_role("img").first).to_be_visible()
    return host


def rows(host: AppHost, chart: int = 0) -> list[list[str]]:
    """What the hidden table says, without its head."""
    lines = host.app.locator("table").nth(chart).locator("tr").all()
    return [line.locator("td").all_inner_texts() for line in lines[1:]]


def colour(host: AppHost, selector: str, name: str) -> str:
    return str(
        host.inside("([selector, name]) => getComputedStyle(document.querySelector(selector))[name]", [selector, name])
    )


def test_the_guest_introduces_itself_and_waits(host):
    host.open(theme="light")
    first, initialized, *_ = host.heard()
    assert first == {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "ui/initialize",
        "params": {
            "protocolVersion": "2026-01-26",
            "appInfo": {"name": "revenue-and-cogs", "version": "1"},
            "appCapabilities": {"availableDisplayModes": ["inline"]},
        },
    }
    assert initialized == {"jsonrpc": "2.0", "method": "ui/notifications/initialized", "params": {}}
    expect(host.app.get_by_role("status")).to_have_text("Waiting for data")


def test_a_result_is_drawn_as_bars_side_by_side(host):
    shown(host, SPRING)
    expect(host.app.locator("rect.revenue")).to_have_count(2)
    expect(host.app.locator("rect.cogs")).to_have_count(2)
    high = [host.app.locator(kind).first.bounding_box() for kind in ("rect.revenue", "rect.cogs")]
    assert high[0]["height"] / high[1]["height"] == pytest.approx(2.5, rel=0.02)
    assert high[0]["x"] + high[0]["width"] <= high[1]["x"]
    for text in ("0", "5k", "10k", "15k", "Jan", "Feb", "2026", "60%"):
        expect(host.app.locator("svg text").get_by_text(text, exact=True)).to_have_count(1)


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (0, ["0", "1"]),
        (0.9, ["0", "0.25", "0.5", "0.75", "1"]),
        (1_000.5, ["0", "250", "500", "750", "1k", "1.25k"]),
        (49_000, ["0", "20k", "40k", "60k"]),
        (9_900, ["0", "2.5k", "5k", "7.5k", "10k"]),
        (999_999, ["0", "250k", "500k", "750k", "1M"]),
        (3.2e9, ["0", "1B", "2B", "3B", "4B"]),
    ],
)
def test_the_axis_has_short_round_numbers(host, highest, ticks):
    shown(host, result(item("2026-01-01", highest, 0)))
    labels = host.app.locator('svg text[text-anchor="end"]').all_text_contents()
    assert [label for label in labels if not label.endswith("%")] == ticks


def test_the_totals_are_the_headline(host):
    shown(host, SPRING)
    assert host.app.locator("dt").all_inner_texts() == ["Revenue", "COGS", "Gross profit", "Margin"]
    assert host.app.locator("dd").all_inner_texts() == ["$22,500", "$13,000", "$9,500", "42.2%"]
    expect(host.app.get_by_text("Jan 1, 2026 \N{EN DASH} Nov 29, 2026 · monthly · USD")).to_be_visible()


def test_who_does_not_see_the_chart_gets_the_same_numbers(host):
    shown(host, SPRING)
    expect(host.app.get_by_role("img", name="Revenue and COGS in USD")).to_be_visible()
    expect(host.app.locator("svg > desc")).to_have_text("From Jan 2026 to Feb 2026; a table follows")
    expect(host.app.get_by_role("table", name="Revenue and COGS in USD")).to_have_count(1)
    assert rows(host) == [
        ["Jan 2026", "$12,500.00", "$5,000.00", "60%"],
        ["Feb 2026", "$10,000.00", "$8,000.00", "20%"],
    ]


def test_a_bar_tells_its_numbers(host):
    shown(host, SPRING)
    area = host.app.locator(".hit").first
    expect(area.locator("title")).to_have_text("Jan 2026: Revenue $12,500.00, COGS $5,000.00, Margin 60%")
    area.hover()
    expect(host.app.locator("p[aria-hidden] span")).to_have_text(["Jan 2026", "12.5k", "5k", "60%"])


@pytest.mark.parametrize("options", [{"viewport": {"width": 360, "height": 740}, "has_touch": True}], ids=["phone"])
def test_a_finger_gets_them_too(host, options):
    shown(host, SPRING)
    host.app.locator(".hit").last.tap()
    expect(host.app.locator("p[aria-hidden] span")).to_have_text(["Feb 2026", "10k", "8k", "20%"])


def test_currencies_are_never_added(host):
    euros = item("2026-01-01", 700, 300, "EUR")
    shown(host, result(JANUARY, euros, FEBRUARY, totals=[total(22_500, 13_000), total(700, 300, "EUR")]))
    expect(host.app.get_by_role("img")).to_have_count(2)
    assert host.app.get_by_role("heading", level=2).all_inner_texts() == ["USD", "EUR"]
    assert [len(rows(host, chart)) for chart in (0, 1)] == [2, 1]
    assert rows(host, 1) == [["Jan 2026", "€700.00", "€300.00", "57.1%"]]
    assert host.app.locator("dd").all_inner_texts()[4:] == ["€700.00", "€300.00", "€400.00", "57.1%"]


def test_several_groups_in_a_period_are_one_pair_of_bars(host):
    items = [{**company("A", 100, 40)}, {**company("B", 50, 20)}]
    shown(host, result(*items, grouping=["company"]))
    assert rows(host) == [["Jan 2026", "$150.00", "$60.00", "60%"]]


def test_what_is_not_known_is_a_gap(host):
    shown(host, result(JANUARY, item("2026-02-01", None, None), item("2026-03-01", 900, None), totals=[total(None, 1)]))
    expect(host.app.locator("rect.revenue")).to_have_count(2)
    expect(host.app.locator("rect.cogs")).to_have_count(1)
    assert rows(host)[1:] == [["Feb 2026", DASH, DASH, DASH], ["Mar 2026", "$900.00", DASH, DASH]]
    assert host.app.locator("dd").all_inner_texts() == [DASH, "$1.00", DASH, DASH]
    expect(host.app.get_by_text("Unknown amounts are left out.")).to_be_visible()


def test_refunds_hang_below_the_line(host):
    shown(host, result(JANUARY, item("2026-02-01", -4_000, 0)))
    up, down = (host.app.locator("rect.revenue").nth(index).bounding_box() for index in (0, 1))
    assert down["y"] == pytest.approx(up["y"] + up["height"], abs=0.5)
    assert rows(host)[1] == ["Feb 2026", "-$4,000.00", "$0.00", DASH]
    expect(host.app.locator("svg text").get_by_text("-5k")).to_have_count(1)


def test_a_total_is_shown_by_group_with_long_names_cut(host):
    long = "Northwind Trading International Holdings and Sons of the Northern Provinces " * 3
    shown(
        host, result(company("B", 50), company(long, 900), company("B", 70), periodicity="total", grouping=["company"])
    )
    assert [row[0] for row in rows(host)] == [long.strip(), "B", "B"]
    name = host.app.locator("foreignObject div").first
    assert (
        name.evaluate("name => name.scrollWidth > name.clientWidth && getComputedStyle(name).textOverflow")
        == "ellipsis"
    )
    expect(host.app.locator(".hit title").first).to_contain_text(long.strip())


def test_many_groups_end_in_the_others(host):
    companies = [company(f"Company {number}", 100 + number, 50) for number in range(40)]
    shown(host, result(*companies, periodicity="total", grouping=["company"]))
    assert len(rows(host)) == 13
    assert rows(host)[0][0] == "Company 39"
    assert rows(host)[-1] == ["28 others", f"${sum(range(100, 128)):,}.00", "$1,400.00", "55.9%"]


def test_groups_are_named_by_what_was_asked_for(host):
    items = [
        item("2026-01-01", 3, 1, country_code="DE", invoice={"ref_number": "INV-7"}),
        item("2026-01-01", 2, 1, country_code=None, invoice={"ref_number": "INV-8"}),
        item("2026-01-01", 1, 1, country_code=None, invoice=None),
    ]
    shown(host, result(*items, periodicity="total", grouping=["country", "invoice"]))
    assert [row[0] for row in rows(host)] == ["DE · INV-7", "INV-8", "Not given"]


@pytest.mark.parametrize(
    ("periodicity", "starts", "names"),
    [
        ("yearly", ["2025-01-01", "2026-01-01"], ["2025", "2026"]),
        ("quarterly", ["2025-10-01", "2026-01-01"], ["Q4 2025", "Q1 2026"]),
        ("monthly", ["2026-01-01", "2025-12-01"], ["Dec 2025", "Jan 2026"]),
        ("total", [None], ["Jan 1, 2026 \N{EN DASH} Nov 29, 2026"]),
    ],
)
def test_periods_have_their_own_names_in_order(host, periodicity, starts, names):
    shown(host, result(*(item(start, 2, 1) for start in starts), periodicity=periodicity))
    assert [row[0] for row in rows(host)] == names


@pytest.mark.parametrize("width", [320, 1000])
def test_three_years_of_months_stay_readable(host, width):
    months = [item(f"{2024 + n // 12}-{n % 12 + 1:02}-01", 1_000 + n, 500) for n in range(36)]
    host.page.set_viewport_size({"width": width, "height": 900})
    shown(host, result(*months, totals=[total(1, 1)]))
    expect(host.app.locator("rect.revenue")).to_have_count(36)
    assert host.app.locator("rect.revenue").first.bounding_box()["width"] >= 2.4
    boxes = [label.bounding_box() for label in host.app.locator('svg text[text-anchor="middle"]').all()]
    lines = [[box for box in boxes if round(box["y"]) == y] for y in {round(box["y"]) for box in boxes}]
    for line in lines:
        assert all(one["x"] + one["width"] < two["x"] for one, two in pairwise(line))
    assert host.inside("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("structured", [SPRING, HUGE], ids=["usual", "huge"])
@pytest.mark.parametrize("width", [320, 480, 1000])
def test_no_width_needs_scrolling(host, width, structured):
    host.page.set_viewport_size({"width": width, "height": 900})
    shown(host, structured)
    assert host.inside("document.documentElement.scrollWidth <= innerWidth")
    for amount in host.app.locator("dd").all():
        assert amount.evaluate("amount => amount.scrollWidth <= amount.clientWidth")


def test_it_is_drawn_anew_for_another_width(host):
    shown(host, SPRING)
    host.page.set_viewport_size({"width": 340, "height": 900})
    expect(host.app.get_by_role("img")).to_have_attribute("width", "308")


def test_it_reports_how_high_it_is_whenever_that_changes(host):
    host.open(theme="light")
    waiting = host.wait_for("ui/notifications/size-changed")["height"]
    host.result(SPRING)
    host.page.wait_for_function("height => frame.clientHeight > height + 200", arg=waiting)
    assert host.wait_for("ui/notifications/size-changed") == {
        "height": host.inside("document.documentElement.scrollHeight")
    }
    assert host.inside("document.documentElement.scrollHeight <= innerHeight")
    sizes = [message["params"]["height"] for message in host.heard() if "size" in message.get("method", "")]
    assert all(one != two for one, two in pairwise(sizes))


LIGHT, DARK = "rgb(255, 255, 255)", "rgb(28, 29, 33)"


def test_the_hosts_theme_is_taken_and_followed(host):
    host.open(theme="dark")
    host.result(SPRING)
    expect(host.app.locator("rect.revenue").first).to_have_css("fill", "rgb(122, 165, 255)")
    assert colour(host, "body", "backgroundColor") == DARK
    host.tell("ui/notifications/host-context-changed", {"theme": "light"})
    expect(host.app.locator("rect.revenue").first).to_have_css("fill", "rgb(47, 99, 224)")
    assert colour(host, "body", "backgroundColor") == LIGHT


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"color_scheme": "light"}], ids=["dark", "light"])
def test_without_a_theme_the_persons_own_preference_holds(host, options):
    host.open()
    assert colour(host, "body", "backgroundColor") == (DARK if options["color_scheme"] == "dark" else LIGHT)


def test_the_hosts_colours_and_language_are_taken(host):
    variables = {"--color-background-primary": "light-dark(#fffbe6, #000)", "--color-text-primary": "#123456"}
    host.open(theme="light", locale="de-DE", styles={"variables": {**variables, "--font-sans": "serif"}})
    host.result(SPRING)
    expect(host.app.locator("body")).to_have_css("background-color", "rgb(255, 251, 230)")
    expect(host.app.locator("h1")).to_have_css("color", "rgb(18, 52, 86)")
    expect(host.app.locator("h1")).to_have_css("font-family", "serif")
    assert rows(host)[0][1] == "12.500,00\N{NO-BREAK SPACE}€".replace("€", "$")


def test_a_language_that_is_none_does_no_harm(host):
    host.open(theme="light", locale="en_US.UTF-8")
    host.result(SPRING)
    assert rows(host)[0][1] == "$12,500.00"


@pytest.mark.parametrize("currency", [HOSTILE, "USDOLLAR", None])
def test_an_odd_currency_is_written_out(host, currency):
    shown(host, result(item("2026-01-01", 1_234.5, 1, currency), totals=[total(1_234.5, 1, currency)]))
    assert rows(host)[0][1] == f"1,234.5 {currency or ''}".strip()
    assert host.inside("window.ran") is None


def test_hostile_strings_stay_strings(host):
    evil = item("2026-01-01", 5, 2, company={"uuid": HOSTILE, "name": HOSTILE}, country_code=HOSTILE, more=HOSTILE)
    shown(host, result(evil, periodicity="total", grouping=["company", "country", "__proto__", HOSTILE]))
    expect(host.app.locator("foreignObject div")).to_contain_text(HOSTILE)
    expect(host.app.locator("main img, main script")).to_have_count(0)
    host.result({"error": HOSTILE}, content=[{"type": "text", "text": HOSTILE}], isError=True)
    expect(host.app.get_by_role("status")).to_have_text(HOSTILE)
    assert host.inside("window.ran") is None


def test_a_period_of_any_name_is_a_row_of_its_own(host):
    shown(host, result(item("__proto__", 5, 2), JANUARY))
    assert len(rows(host)) == 2
    assert host.inside("'revenue' in {}") is False


def test_nothing_at_all_is_said(host):
    host.open(theme="light")
    host.result(result())
    expect(host.app.get_by_role("status")).to_have_text("No revenue or COGS in this period")


def test_an_error_is_told_in_its_own_words(host):
    host.open(theme="light")
    host.result(SPRING)
    expect(host.app.get_by_role("img")).to_be_visible()
    host.result(None, content=[{"type": "text", "text": "Sign in to NeonPanel again."}], isError=True)
    expect(host.app.get_by_role("status")).to_have_text("Sign in to NeonPanel again.")


@pytest.mark.parametrize("structured", [{}, [1], {"items": [None], "totals": [], "grouping": []}, {"items": 7}])
def test_a_result_of_another_shape_does_not_break_it(host, structured):
    host.open(theme="light")
    host.result(structured)
    expect(host.app.get_by_role("status")).to_have_text("The result cannot be drawn")
    host.result(SPRING)
    expect(host.app.get_by_role("img")).to_be_visible()


def test_a_cancelled_call_is_said_to_be(host):
    host.open(theme="light")
    host.tell("ui/notifications/tool-cancelled", {"reason": "user action"})
    expect(host.app.get_by_role("status")).to_have_text("Cancelled")


def test_only_the_host_is_listened_to(host):
    host.open(theme="light")
    message = {"jsonrpc": "2.0", "method": "ui/notifications/tool-result", "params": {"structuredContent": SPRING}}
    host.inside("message => window.postMessage(message, '*')", message)
    host.page.evaluate("frame.contentWindow.postMessage({ method: 'ui/notifications/tool-cancelled' }, '*')")
    host.page.evaluate("frame.contentWindow.postMessage('hello', '*')")
    host.page.evaluate("frame.contentWindow.postMessage(null, '*')")
    host.tell("ui/notifications/of-the-future", {})
    host.tell("ping", {}, id="beat")
    host.page.wait_for_function("heard.some(message => message.id === 'beat')")
    expect(host.app.get_by_role("status")).to_have_text("Waiting for data")


def test_an_answer_that_was_not_asked_for_is_ignored(host):
    host.open(answers=False)
    host.page.evaluate("tell({ id: 2, result: { hostContext: { theme: 'dark' } } })")
    host.page.evaluate("tell({ id: 1, error: { code: -32601, message: 'no' } })")
    host.tell("ping", {}, id="beat")
    host.page.wait_for_function("heard.some(message => message.id === 'beat')")
    assert [message.get("method") for message in host.heard()] == ["ui/initialize", None]
    host.page.evaluate("tell({ id: 1, result: {} })")
    host.wait_for("ui/notifications/initialized")


def test_what_the_host_asks_is_answered(host):
    host.open(theme="light")
    for identity, method in ((7, "ui/resource-teardown"), ("p", "ping"), (0, "tools/list")):
        host.tell(method, {}, id=identity)
        host.page.wait_for_function("id => heard.some(message => message.id === id && !message.method)", arg=identity)
    answers = [message for message in host.heard() if "method" not in message]
    assert answers[:2] == [{"jsonrpc": "2.0", "id": identity, "result": {}} for identity in (7, "p")]
    assert answers[2]["error"]["code"] == -32601


def test_chatgpt_may_have_the_result_ready(host):
    host.open(openai={"toolOutput": SPRING, "theme": "dark", "locale": "en-US"}, answers=False)
    expect(host.app.get_by_role("img", name="Revenue and COGS in USD")).to_be_visible()
    assert colour(host, "body", "backgroundColor") == DARK


def test_chatgpt_may_bring_the_result_later_and_is_told_the_height(host):
    host.open(openai={"toolOutput": None, "theme": "light"}, answers=False)
    expect(host.app.get_by_role("status")).to_have_text("Waiting for data")
    host.inside("window.heights = []; window.openai.notifyIntrinsicHeight = height => heights.push(height)")
    host.inside(
        "globals => window.dispatchEvent(new CustomEvent('openai:set_globals', { detail: { globals } }))",
        {"toolOutput": SPRING, "theme": "dark"},
    )
    expect(host.app.get_by_role("img")).to_be_visible()
    [frame] = host.page.main_frame.child_frames
    frame.wait_for_function("heights.at(-1) === Math.ceil(document.documentElement.getBoundingClientRect().height)")
    assert colour(host, "body", "backgroundColor") == DARK
