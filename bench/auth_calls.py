"""Calls with a token beside calls without, how often the store is asked, and what the endpoints themselves cost."""

import gc
import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from http import HTTPStatus
from pathlib import Path

from auth.records import Client, User
from auth.server.pkce import challenge_of
from auth.server.server import AuthorizationServer
from bench.asgi import App, entered
from bench.auth_servers import (
    HERE,
    PASSWORD,
    SCOPES,
    Ticking,
    carrying,
    counted,
    issued,
    local_server,
    local_settings,
    registered,
)
from bench.calls import PATH, Call, WrongAnswerError
from mcp_app.app import create_app
from sandbox import running

BLOCK = 20
"""Calls that are timed together: a process's CPU clock is coarse."""

WITHOUT, WITH, PROVIDED = "without a token", "with a token", "with another issuer's token"
MINUTES = 10
CALLS_A_MINUTE = 60
BETWEEN_REFRESHES = 30
"""Seconds, so that no refresh is one too many."""

SIGN_INS = 10
VERIFIER = "v" * 43

Progress = Callable[[str], None]


async def cpu(folder: Path, call: Call, count: int, progress: Progress) -> dict[str, list[float]]:
    """CPU milliseconds of a call, by block, without a token where nobody needs one and with one where all do.

    Tokens of another issuer are the sandbox's, whose keys are fetched by the first call.
    """
    settings, server = local_server(folder)
    async with AsyncExitStack() as stack:
        issuer = stack.enter_context(running())
        free = await stack.enter_async_context(entered(create_app(local_settings(folder, auth_mode="noauth"))))
        closed = await stack.enter_async_context(entered(create_app(settings, authorization=server)))
        theirs = local_settings(folder, auth_mode="provider", provider_issuer=issuer.url)
        provided = await stack.enter_async_context(entered(create_app(theirs)))
        variants = {
            WITHOUT: (free, call),
            WITH: (closed, (await issued(server, HERE)).carried_by(call)),
            PROVIDED: (provided, carrying(call, issuer.access_token())),
        }
        samples: dict[str, list[float]] = {name: [] for name in variants}
        for number in range(count // BLOCK + 1):
            progress(f"calls: {number * BLOCK} of {count}")
            for name, (app, one) in variants.items():
                samples[name].append(await _block(app, one))
    return {name: taken[1:] for name, taken in samples.items()}


async def reads_a_minute(folder: Path, call: Call) -> float:
    """Store reads per minute and grant, while one is used every second."""
    clock = Ticking()
    settings, server = local_server(folder, clock)
    store = counted(server)
    async with entered(create_app(settings, authorization=server)) as app:
        one = (await issued(server, HERE)).carried_by(call)
        store.reads.clear()
        for _ in range(MINUTES * CALLS_A_MINUTE):
            one.check(await app.post(PATH, one.headers, one.body))
            clock.now += 60 / CALLS_A_MINUTE
    return store.reads["grant"] / MINUTES


async def endpoints(folder: Path, count: int, progress: Progress) -> dict[str, list[float]]:
    """Milliseconds of each request, one after the other: codes, refreshes, sign-ins."""
    clock = Ticking()
    settings, server = local_server(folder, clock)
    made = await issued(server, HERE)
    client = await registered(server)
    samples: dict[str, list[float]] = {"code": [], "refresh": [], "sign in": []}
    async with entered(create_app(settings, authorization=server)) as app:
        for number in range(count):
            progress(f"token endpoint: {number} of {count}")
            clock.now += BETWEEN_REFRESHES
            form = await _code(server, made.user, client)
            taken, token = await _token(app, form)
            samples["code"].append(taken)
            refresh = {"grant_type": "refresh_token", "client_id": client.id, "refresh_token": token}
            samples["refresh"].append((await _token(app, refresh))[0])
        for number in range(SIGN_INS):
            progress(f"sign-ins: {number} of {SIGN_INS}")
            began = time.perf_counter()
            await server.users.sign_in("bench", PASSWORD, public=False)
            samples["sign in"].append((time.perf_counter() - began) * 1000)
    return samples


async def _block(app: App, call: Call) -> float:
    """CPU milliseconds of one call, by the mean of a block of them."""
    gc.collect()
    began = time.process_time()
    replies = [await app.post(PATH, call.headers, call.body) for _ in range(BLOCK)]
    elapsed = time.process_time() - began
    for reply in replies:
        call.check(reply)
    return elapsed * 1000 / BLOCK


async def _code(server: AuthorizationServer, user: User, client: Client) -> dict[str, str]:
    """A token request with the code that a consent would have given."""
    redirect_uri = client.redirect_uris[0]
    code = await server.grants.open(
        user=user,
        client=client,
        scopes=SCOPES,
        resource=f"{HERE}{PATH}",
        redirect_uri=redirect_uri,
        challenge=challenge_of(VERIFIER),
    )
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    return form | {"client_id": client.id, "redirect_uri": redirect_uri}


async def _token(app: App, form: dict[str, str]) -> tuple[float, str]:
    """Milliseconds of a token request, and the refresh token that it gave."""
    began = time.perf_counter()
    reply = await app.post_form("/oauth/token", form)
    elapsed = time.perf_counter() - began
    if reply.status != HTTPStatus.OK:
        raise WrongAnswerError(f"HTTP {reply.status}: {reply.body[:500]!r}")
    return elapsed * 1000, json.loads(reply.body)["refresh_token"]
