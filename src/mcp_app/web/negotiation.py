"""What a client would rather have (RFC 9110, section 12.5.1)."""

from collections.abc import Iterator


def accepts(accept: str, media_type: str) -> float:
    """How much a client wants a media type: 0 (not at all) to 1, by the most specific range of its Accept header."""
    kind = media_type.partition("/")[0]
    ranges = dict(_ranges(accept))
    return next((ranges[name] for name in (media_type, f"{kind}/*", "*/*") if name in ranges), 0.0)


def prefers_html(accept: str) -> bool:
    """Whether a page is asked for by name, and wanted at least as much as JSON; a bare `*/*` is a machine's."""
    html = dict(_ranges(accept)).get("text/html", 0.0)
    return html > 0 and html >= accepts(accept, "application/json")


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for item in accept.lower().split(","):
        media_range, *parameters = (part.strip() for part in item.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        yield media_range, _number(quality)


def _number(quality: str) -> float:
    try:
        return min(1.0, max(0.0, float(quality)))
    except ValueError:
        return 0.0
