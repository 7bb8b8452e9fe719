"""Forms as the endpoints read them."""

from urllib.parse import parse_qsl

from starlette.requests import Request


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form in the body (application/x-www-form-urlencoded), the last of each name."""
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
