import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_app.clients.search_results import RefusalError, SearchResult, clean, parse_results, web_address
from tests.support.openai import PAGES, found, message, output_text, web_search_call


def page(url: str, title: str = "T", snippet: str = "S") -> dict[str, str]:
    return {"title": title, "url": url, "snippet": snippet}


def urls(output: Any, limit: int = 20) -> list[str]:
    return [result.url for result in parse_results(output, limit)]


def test_the_pages_of_a_json_answer_are_the_results() -> None:
    assert parse_results(found(*PAGES), 2) == [SearchResult(**PAGES[0]), SearchResult(**PAGES[1])]


def test_a_page_is_listed_once() -> None:
    same = ("https://a.example/x", "http://www.a.example/x/#part", "https://a.example/x?utm_source=openai")
    assert urls(found(*(page(url) for url in same), page("https://a.example/y"))) == [
        "https://a.example/x",
        "https://a.example/y",
    ]


def test_an_address_that_was_never_consulted_is_left_out() -> None:
    answer = message(output_text(json.dumps({"results": [page("https://made.up/"), page("https://real.example/a")]})))
    assert urls([web_search_call("https://www.real.example/a/?utm_source=openai"), answer]) == [
        "https://real.example/a"
    ]


def test_pages_that_were_opened_count_as_consulted() -> None:
    opened = {"type": "web_search_call", "action": {"type": "open_page", "url": "https://real.example/a"}}
    answer = message(output_text(json.dumps({"results": [page("https://real.example/a")]})))
    assert urls([web_search_call("https://other.example/"), opened, answer]) == ["https://real.example/a"]


def test_without_sources_the_answer_is_taken_as_it_is() -> None:
    assert urls([message(output_text(json.dumps({"results": [page("https://a.example/")]})))]) == ["https://a.example/"]


@pytest.mark.parametrize(
    ("before", "snippet"),
    [
        ("Two pages:\n- The protocol is open. ", "The protocol is open."),
        (
            "1. **Spec**: 2025 was its year. ([other](https://b.example/)) Now this. ",
            "**Spec**: 2025 was its year. Now this.",
        ),
        ("", ""),
    ],
)
def test_citations_stand_in_for_a_json_answer(before: str, snippet: str) -> None:
    text = f"{before}([spec](https://a.example/s))\n- More."
    note = {"type": "url_citation", "title": "Spec", "url": "https://a.example/s?utm_source=openai"}
    output = [message(output_text(text, note | {"start_index": len(before), "end_index": len(before) + 30}))]
    assert parse_results(output, 5) == [SearchResult("Spec", "https://a.example/s", snippet)]


def test_sources_stand_in_for_citations() -> None:
    assert parse_results([web_search_call("https://a.example/x"), message(output_text("Nothing cited."))], 5) == [
        SearchResult("a.example", "https://a.example/x", "")
    ]


def test_nothing_found_is_an_empty_list() -> None:
    assert parse_results([message(output_text('{"results": []}'))], 5) == []


def test_a_refusal_is_told_apart() -> None:
    with pytest.raises(RefusalError):
        parse_results([message({"type": "refusal", "refusal": "I cannot help with that."})], 5)


@pytest.mark.parametrize("output", [None, {}, "text", 7])
def test_no_list_of_items_is_odd(output: Any) -> None:
    with pytest.raises(ValueError, match="no output items"):
        parse_results(output, 5)


@pytest.mark.parametrize("part", ["\ue200", "[", "([", "[a]("])
def test_no_text_can_keep_the_server_busy(part: str) -> None:
    text = part * 100_000
    note = {"type": "url_citation", "title": text, "url": "https://a.example/", "start_index": len(text)}
    began = time.process_time()
    assert parse_results([message(output_text(text, note))], 5)
    assert time.process_time() - began < 2  # seconds; it was a minute while a mark's end was sought from every place


def test_half_a_surrogate_pair_is_left_out() -> None:
    pages = [page("https://b.example/\ud800"), page("https://a.example/") | {"title": "A\ud800", "snippet": "\udfff b"}]
    assert parse_results(found(*pages), 5) == [SearchResult("A", "https://a.example/", "b")]


@pytest.mark.parametrize(
    "item",
    [
        None,
        "text",
        {},
        {"type": "reasoning", "summary": []},
        {"type": "message", "content": "text"},
        {"type": "message", "content": [None, {"type": "output_text"}, {"type": "output_text", "text": 7}]},
        message(output_text('{"results": {"a": 1}}')),
        message(output_text('{"results": [null, {"url": null}, {"title": "no address"}]}')),
        message(output_text("[1, 2]")),
        message(output_text("x", {"type": "file_citation"}, {"type": "url_citation", "start_index": "1"})),
        {"type": "web_search_call", "action": None},
        {"type": "web_search_call", "action": {"sources": [{"type": "api", "name": "oai-weather"}]}},
    ],
)
def test_odd_items_are_passed_over(item: Any) -> None:
    assert urls([item, *found(page("https://a.example/"))]) == ["https://a.example/"]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://a.example/x?y=1#z", "https://a.example/x?y=1#z"),
        (" http://a.example ", "http://a.example"),
        ("HTTPS://a.example/", "https://a.example/"),
        ("https://a.example/?a=%20&utm_source=openai&b", "https://a.example/?a=%20&b"),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("data:text/html,x", None),
        ("https:///x", None),
        ("https://a.example/\nSet-Cookie: x", None),
        ("https://[", None),
        ("//a.example", None),
        ("a.example", None),
        (None, None),
        (7, None),
    ],
)
def test_only_web_addresses_are_results(url: Any, address: str | None) -> None:
    assert web_address(url) == address


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  two\n\twords ", "two words"),
        ("Said so.\ue200cite\ue202turn1search0\ue201 More.", "Said so. More."),
        ("stray \ue201mark", "stray mark"),
        ("abc\u202edef\x1b[0m", "abc def [0m"),
        ("one two three four", "one two…"),
        (None, ""),
    ],
)
def test_text_is_one_clean_line(text: Any, line: str) -> None:
    assert clean(text, 12 if text and text.startswith("one") else 100) == line


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["type", "content", "text", "annotations", "action", "sources", "url", "results", "start_index"]
            )
            | st.text(max_size=3),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=4))
def test_whatever_the_output_holds_results_are_web_addresses(output: list[Any]) -> None:
    for result in parse_results(output, 3):
        assert result.url.startswith(("http://", "https://"))
        assert result.title
