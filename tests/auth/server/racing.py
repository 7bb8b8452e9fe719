"""Many processes with a token endpoint each, on one store: `python -m tests.auth.server.racing KIND PLACE PROCESSES`.

They are forked from one that has imported everything. For each line, a form and what the time is, each of them posts
the form to its own endpoint, all at once; the answers come as one line.
"""

import asyncio
import json
import os
import sys
import traceback
from typing import IO, Any

import httpx2
from starlette.applications import Starlette

from auth import tokens
from auth.server import clients, grants, limits, token
from auth.server.config import Config
from auth.server.routes import routes
from store.dynamodb import DynamoStore
from store.protocol import Store
from store.sqlite import SqliteStore
from tests.support.auth_server import PLENTY, Clock, make_server
from tests.support.dynamodb import PATIENT

IMPORTED = (clients, grants, limits, token, tokens)
"""By the first of them all, which the others are forked from; the server itself imports each when it is needed."""

ISSUER = "https://mcp.example"


def opened(kind: str, place: str, clock: Clock) -> Store:
    """A store of this process's own."""
    if kind == "sqlite":
        return SqliteStore(place, clock)
    return DynamoStore(place, clock, timeouts=PATIENT)


async def answer(kind: str, place: str, questions: IO[str], answers: IO[str]) -> None:
    """Post one form after the other."""
    clock = Clock()
    store = opened(kind, place, clock)
    server = make_server(store, clock, config=Config(limits=PLENTY), events=lambda _event: None)
    app = Starlette(routes=routes(server, lambda _scope: ISSUER))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=ISSUER) as client:
        for line in questions:
            clock.now, form = json.loads(line)
            print(json.dumps(await posted(client, form)), file=answers, flush=True)
    await store.aclose()


async def posted(client: httpx2.AsyncClient, form: dict[str, str]) -> tuple[int, Any]:
    """Status and body of an answer; what a server would log beside a 500, if that is what it comes to."""
    try:
        reply = await client.post("/oauth/token", data=form)
    except Exception:  # noqa: BLE001
        return 500, traceback.format_exc()
    return reply.status_code, reply.json()


def fork(kind: str, place: str) -> tuple[IO[str], IO[str]]:
    """A process of its own, by what is written to it and read from it."""
    (asked, ask), (tell, told) = os.pipe(), os.pipe()
    if not os.fork():
        try:
            os.close(ask)
            os.close(tell)
            with os.fdopen(asked) as questions, os.fdopen(told, "w") as answers:
                asyncio.run(answer(kind, place, questions, answers))
        finally:
            os._exit(0)
    os.close(asked)
    os.close(told)
    return os.fdopen(ask, "w"), os.fdopen(tell)


def main(kind: str, place: str, count: int) -> None:
    """Hand every line to all of them, and their answers back."""
    processes = [fork(kind, place) for _ in range(count)]
    for line in sys.stdin:
        for ask, _ in processes:
            ask.write(line)
            ask.flush()
        answers: list[Any] = [json.loads(tell.readline()) for _, tell in processes]
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
