"""`mcpx clients`, as a process, over SQLite."""

import json
from pathlib import Path


def pairs(output: str) -> dict[str, str]:
    return dict(line.split(": ") for line in output.splitlines())


def test_a_client_gets_its_secret_once(mcpx):
    done = mcpx("clients", "add", "--name", "Web", "--redirect-uri", "https://web.example/callback")
    added = pairs(done.stdout)
    assert done.returncode == 0
    assert set(added) == {"client_id", "client_secret"}
    assert "not shown again" in done.stderr
    listed = mcpx.ok("clients", "list", "--json")
    assert added["client_id"] in listed
    assert added["client_secret"] not in listed


def test_must_10_a_clients_secret_is_not_stored(mcpx):
    secret = pairs(mcpx.ok("clients", "add", "--name", "Gateway", "--grant", "client_credentials"))["client_secret"]
    for path in Path(mcpx.folder).rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes()


def test_a_gateway_acts_for_itself(mcpx):
    arguments = ["--name", "Bedrock", "--grant", "client_credentials", "--scope", "mcp.read"]
    added = json.loads(mcpx.ok("clients", "add", *arguments, "--auth-method", "client_secret_post", "--json"))
    assert added["client_secret"]
    assert (added["grants"], added["scopes"]) == (["client_credentials"], ["mcp.read"])
    assert (added["secret"], added["redirect_uris"]) == ("client_secret_post", [])


def test_a_public_client_gets_no_secret(mcpx):
    done = mcpx("clients", "add", "--name", "App", "--public", "--redirect-uri", "http://127.0.0.1/callback")
    assert set(pairs(done.stdout)) == {"client_id"}
    assert done.stderr == ""


def test_clients_are_listed_for_people_and_for_scripts(mcpx):
    for name in ("Zebra", "ant"):
        mcpx.ok("clients", "add", "--name", name, "--public", "--redirect-uri", f"https://{name.lower()}.example/back")
    title, ant, zebra = mcpx.ok("clients", "list").splitlines()
    assert title.split() == ["ID", "NAME", "SOURCE", "GRANTS", "LAST", "USED"]
    assert (ant.split()[1:3], zebra.split()[1:3]) == (["ant", "added"], ["Zebra", "added"])
    assert ant.endswith(" -")
    listed = json.loads(mcpx.ok("clients", "list", "--json"))
    assert [client["redirect_uris"] for client in listed] == [
        ["https://ant.example/back"],
        ["https://zebra.example/back"],
    ]


def test_a_client_is_removed(mcpx):
    client_id = pairs(mcpx.ok("clients", "add", "--name", "Gateway", "--grant", "client_credentials"))["client_id"]
    assert "removed" in mcpx.ok("clients", "remove", client_id)
    assert "There are no clients yet" in mcpx.ok("clients", "list")
    assert "there is no client" in mcpx.refused("clients", "remove", client_id)


def test_what_cannot_be_is_one_sentence(mcpx):
    assert "--name NAME" in mcpx.refused("clients", "add", "--name", " ", "--redirect-uri", "https://app.example/cb")
    assert "--redirect-uri" in mcpx.refused("clients", "add", "--name", "Web")
    assert (
        "redirect" in mcpx.refused("clients", "add", "--name", "Web", "--redirect-uri", "javascript:alert(1)").lower()
    )
    refused = mcpx.refused("clients", "add", "--name", "App", "--public", "--grant", "client_credentials")
    assert "clients with a secret" in refused
    for words in (["add"], ["add", "--name", "x", "--grant", "password"], ["add", "--name", "x", "--scope", "all"]):
        assert mcpx("clients", *words).returncode == 2
