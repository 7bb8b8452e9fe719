"""The answer to ChatGPT's check that a domain is its owner's (Apps SDK, "Submit your app")."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mcp_app.settings import Settings

PATH = "/.well-known/openai-apps-challenge"


def apps_challenge_routes(settings: Settings) -> list[Route]:
    """The route, where there is something to answer."""
    answer = settings.openai_apps_challenge
    if answer is None:
        return []

    async def challenge(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(answer, headers={"Cache-Control": "no-cache"})

    return [Route(PATH, challenge, name="openai_apps_challenge")]
