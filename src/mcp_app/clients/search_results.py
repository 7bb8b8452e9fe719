"""What OpenAI's Responses API found on the web, out of the output items of a response.

The model is asked for JSON, which gives a title, an address and a snippet of each page. With JSON asked for, OpenAI
adds no `url_citation` annotations and leaves its citation marks in the text, so that addresses are checked against
`web_search_call.action.sources`, the pages that were really consulted. A model or gateway without JSON output answers
in prose; then the citations are the results, and where there are none, the sources.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

RESULTS_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "title": {"type": "string"},
                    "url": {"type": "string"},
                    "snippet": {"type": "string"},
                },
                "required": ["title", "url", "snippet"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["results"],
    "additionalProperties": False,
}

_SNIPPET_CHARACTERS: Final = 500
_TITLE_CHARACTERS: Final = 200
# What pages and models write is a stranger's: bounded, so that no text is searched to its end from every place.
_CITATION_MARK: Final = re.compile("\ue200[^\ue200\ue201]{0,200}\ue201|[\ue000-\uf8ff]")
_LIST_MARK: Final = re.compile(r"^\s*(?:[-*•#>]+|\d+[.)])\s+")
_LINK: Final = re.compile(r"\(?\[[^\[\]]{0,300}\]\([^()]{0,2000}\)\)?")
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\s]+")


class RefusalError(Exception):
    """The model declined to search."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page; `snippet` may be empty."""

    title: str
    url: str
    snippet: str


def parse_results(output: Any, limit: int) -> list[SearchResult]:
    """The pages that a response's `output` names, best first, each once.

    Raises:
        RefusalError: the model declined.
        ValueError: the output is no list of output items.
    """
    if not isinstance(output, list):
        raise ValueError("no output items")  # noqa: TRY004 - a fault in what was received, not in how this is called
    items = [item for item in output if isinstance(item, Mapping)]
    parts = [part for item in items for part in _mappings(item.get("content"))]
    sources = list(_sources(items))
    consulted = {_identity(url) for url in sources}
    found = _first_with_any(
        (result for result in _structured(parts) if not consulted or _identity(result.url) in consulted),
        _cited(parts),
        (SearchResult(urlsplit(url).netloc, url, "") for url in sources),
    )
    if not found and any(part.get("type") == "refusal" for part in parts):
        raise RefusalError
    return found[:limit]


def _first_with_any(*alternatives: Iterable[SearchResult]) -> list[SearchResult]:
    for alternative in alternatives:
        unique = {_identity(result.url): result for result in reversed(list(alternative))}
        if unique:
            return list(reversed(unique.values()))
    return []


def _structured(parts: Iterable[Mapping[str, Any]]) -> Iterator[SearchResult]:
    for part in parts:
        try:
            answer = json.loads(_text(part))
        except (ValueError, RecursionError):
            continue
        listed = answer.get("results") if isinstance(answer, Mapping) else answer
        for item in _mappings(listed):
            yield from _result(item.get("title"), item.get("url"), item.get("snippet"))


def _cited(parts: Iterable[Mapping[str, Any]]) -> Iterator[SearchResult]:
    for part in parts:
        for note in _mappings(part.get("annotations")):
            if note.get("type") == "url_citation":
                yield from _result(note.get("title"), note.get("url"), _sentence(_text(part), note.get("start_index")))


def _sources(items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for item in items:
        action = item.get("action")
        if item.get("type") == "web_search_call" and isinstance(action, Mapping):
            for source in (*_mappings(action.get("sources")), action):
                url = web_address(source.get("url"))
                if url is not None:
                    yield url


def _result(title: Any, url: Any, snippet: Any) -> Iterator[SearchResult]:
    address = web_address(url)
    if address is not None:
        yield SearchResult(
            clean(title, _TITLE_CHARACTERS) or urlsplit(address).netloc, address, clean(snippet, _SNIPPET_CHARACTERS)
        )


def web_address(url: Any) -> str | None:
    """An http or https URL without OpenAI's tracking parameter; None for anything else."""
    if not isinstance(url, str) or _UNSAFE.search(url.strip()):
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    query = "&".join(part for part in parts.query.split("&") if part != "utm_source=openai")
    return urlunsplit(parts._replace(query=query))


def _identity(url: str) -> tuple[str, str, str]:
    """What makes two addresses the same page: scheme, `www.`, a trailing slash, fragment and `utm_` do not."""
    parts = urlsplit(url)
    query = "&".join(sorted(part for part in parts.query.split("&") if part and not part.startswith("utm_")))
    return parts.netloc.lower().removeprefix("www."), parts.path.rstrip("/"), query


def clean(text: Any, limit: int) -> str:
    """Text on one line, without citation marks, control and direction characters, cut at a word's end."""
    if not isinstance(text, str):
        return ""
    line = _UNSAFE.sub(" ", _CITATION_MARK.sub("", text)).strip()
    return line if len(line) <= limit else line[:limit].rpartition(" ")[0].rstrip(" ,;:") + "…"


def _sentence(text: str, end: Any) -> str:
    """The line of prose that a citation at that index closes, without list marks and the link itself."""
    if not isinstance(end, int) or not 0 <= end <= len(text):
        return ""
    line = _LINK.sub("", text[:end].rpartition("\n")[2])
    return _LIST_MARK.sub("", line).rstrip(" ([")


def _text(part: Mapping[str, Any]) -> str:
    text = part.get("text")
    return text if part.get("type") == "output_text" and isinstance(text, str) else ""


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    return (item for item in (value if isinstance(value, list) else ()) if isinstance(item, Mapping))
