import json
import os
import subprocess
import sys
import textwrap

import pytest

from tests.support.tools import ROOT


def run(code, *, lean=True):
    """What a fresh interpreter prints, read as JSON, and what it says on the side."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LEAN": "1" if lean else "", "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", "import json, sys\n" + textwrap.dedent(code)]
    finished = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout), finished.stderr


CALL = """
    from tests.support.mcp_direct import *
    [said] = answers(("tools/call", ECHO, {era}))
    assert said["result"]["structuredContent"] == {{"message": "hi"}}, said
    print(json.dumps(sorted(sys.modules)))
"""

NEVER = {
    "boto3",
    "click",
    "cryptography",
    "httpx2",
    "jsonschema",
    "mcp.client",
    "mcp.server.mcpserver",
    "mcp.server.request_state",
    "uvicorn",
}


@pytest.mark.parametrize(("era", "other"), [("MODERN", "mcp_types._v2025_11_25"), ("LEGACY", "mcp_types._v2026_07_28")])
def test_a_first_call_imports_what_its_era_needs(era, other):
    modules, _ = run(CALL.format(era=era))
    assert NEVER & set(modules) == set()
    assert other not in modules


def test_the_switch_imports_everything():
    modules, _ = run(CALL.format(era="MODERN"), lean=False)
    assert {"mcp.client", "mcp.server.mcpserver", "mcp_types._v2025_11_25"} <= set(modules)


def test_both_ways_answer_alike():
    code = """
        from tests.support.mcp_direct import *
        client = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        print(json.dumps(answers(
            ("tools/call", ECHO, MODERN), ("tools/call", ECHO, LEGACY),
            ("tools/list", {}, MODERN), ("tools/list", {}, LEGACY),
            ("server/discover", {}, MODERN), ("initialize", client, LEGACY), ("ping", {}, LEGACY),
            ("tools/call", {"name": 5}, MODERN), ("tools/call", {"name": 5}, LEGACY), ("no/such", {}, MODERN),
        )))
    """
    assert run(code, lean=True)[0] == run(code, lean=False)[0]


def test_the_rest_of_the_sdk_works_afterwards():
    code = """
        import asyncio
        from tests.support.mcp_direct import *
        answers(("tools/call", ECHO, MODERN))

        import mcp, mcp.server, mcp.types, mcp_types.methods
        from mcp import ClientSession, Client
        from mcp.server import MCPServer
        app = MCPServer("other")

        @app.tool()
        def add(a: int, b: int) -> int:
            return a + b

        async def use(mode):
            async with Client(app, mode=mode) as client:
                names = [tool.name for tool in (await client.list_tools()).tools]
                return names, (await client.call_tool("add", {"a": 1, "b": 2})).structured_content

        tables = [mcp_types.methods.CLIENT_REQUESTS, mcp_types.methods.SERVER_RESULTS]
        real = all(getattr(value, "__module__", "types").startswith(("mcp_types._v", "types", "typing"))
                   for table in tables for value in table.values())
        used = [asyncio.run(use(mode)) for mode in ("legacy", "auto")]
        print(json.dumps([*used, real, mcp.ClientSession.__module__]))
    """
    added = [["add"], {"result": 3}]
    assert run(code)[0] == [added, added, True, "mcp.client.session"]


def test_models_defined_later_are_as_ever():
    code = """
        import pydantic, types
        before = (pydantic.TypeAdapter, types.MappingProxyType, dict(pydantic.BaseModel.model_config))
        from tests.support.mcp_direct import *
        answers(("tools/call", ECHO, MODERN), ("tools/call", ECHO, LEGACY))
        after = (pydantic.TypeAdapter, types.MappingProxyType, dict(pydantic.BaseModel.model_config))

        class Later(pydantic.BaseModel):
            number: int

        print(json.dumps([before == after, Later.__pydantic_complete__, "uvicorn" in sys.modules]))
    """
    assert run(code)[0] == [True, True, False]


def test_an_unknown_name_is_an_attribute_error_still():
    code = """
        from tests.support.mcp_direct import *
        server()
        import mcp
        try:
            mcp.no_such_name
        except AttributeError as error:
            print(json.dumps(str(error)))
    """
    assert "no_such_name" in run(code)[0]


def test_where_the_lean_way_fails_the_plain_one_takes_over():
    code = """
        class FailOnce:
            failed = False

            def find_spec(self, name, path=None, target=None):
                if name == "mcp.server.streamable_http_manager" and not self.failed:
                    self.failed = True
                    raise ImportError("not today")

        sys.meta_path.insert(0, FailOnce())
        from tests.support.mcp_direct import *
        said = answers(("tools/call", ECHO, MODERN), ("tools/call", {"name": "no"}, MODERN))
        print(json.dumps([said[0]["result"]["isError"], said[1]["error"]["code"], "mcp.client" in sys.modules]))
    """
    said, logged = run(code)
    assert said == [False, -32602, True]
    assert "the lean import of the MCP SDK failed" in logged


def test_an_sdk_that_is_there_already_is_taken_as_it_is():
    code = """
        import mcp
        from tests.support.mcp_direct import *
        [said] = answers(("tools/call", ECHO, MODERN))
        print(json.dumps([said["result"]["isError"], type(mcp).__name__]))
    """
    assert run(code)[0] == [False, "module"]
