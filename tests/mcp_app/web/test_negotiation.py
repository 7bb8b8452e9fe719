import pytest

from mcp_app.web.negotiation import accepts, prefers_html

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (CHROME, True),
        ("text/html", True),
        ("TEXT/HTML; q=0.5, application/json;q=0.5", True),
        ("text/html;q=0.4, application/json", False),
        ("text/html;q=0", False),
        ("text/html;q=x", False),
        ("*/*", False),
        ("text/*", False),
        ("application/json", False),
        ("application/json, text/event-stream", False),
        ("", False),
        (";,;q=", False),
    ],
)
def test_a_page_is_for_those_who_name_it(accept, html):
    assert prefers_html(accept) is html


@pytest.mark.parametrize(
    ("accept", "media_type", "quality"),
    [
        ("text/html;q=0.3, text/*;q=0.7, */*;q=0.5", "text/html", 0.3),
        ("text/html;q=0.3, text/*;q=0.7, */*;q=0.5", "text/plain", 0.7),
        ("text/html;q=0.3, text/*;q=0.7, */*;q=0.5", "image/png", 0.5),
        ("text/html;level=1;q=2", "text/html", 1.0),
        ("text/html", "application/json", 0.0),
    ],
)
def test_the_most_specific_range_counts(accept, media_type, quality):
    assert accepts(accept, media_type) == quality
