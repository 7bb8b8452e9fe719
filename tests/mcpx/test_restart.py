"""Who signed in stays so when the server starts anew, and behind whichever command."""

import base64
import hashlib
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from tests.mcpx.test_token import call
from tests.support.cli import started
from tests.support.command import running
from tests.support.gate import PATIENCE
from tests.support.person import Person

CALLBACK = "http://127.0.0.1:9/callback"
VERIFIER = "a verifier of more than forty-three characters, as PKCE wants".replace(" ", "-").replace(",", "")


def tokens(url: str, **form: str) -> dict[str, str]:
    reply = httpx2.post(f"{url}/oauth/token", data=form, timeout=PATIENCE)
    assert reply.status_code == 200, reply.text
    return reply.json()


def sign_in(url: str) -> tuple[str, dict[str, str]]:
    """Register a client, let the laptop's user allow it; the client's id and its tokens."""
    metadata = {"client_name": "A client", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    client_id = httpx2.post(f"{url}/oauth/register", json=metadata, timeout=PATIENCE).json()["client_id"]
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "state": "x",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    with Person("mcpuser", "OMG!letmein") as person:
        back = person.answer(f"{url}/oauth/authorize?{urlencode(query)}")
    code = parse_qs(urlsplit(back).query)["code"][0]
    form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER, "client_id": client_id}
    return client_id, tokens(url, grant_type="authorization_code", **form)


@pytest.mark.parametrize(("first", "second"), [("serve", "lambda"), ("lambda", "serve")])
def test_the_laptops_user_signs_in_once(tmp_path, first, second):
    env = {"AUTH_DB_PATH": str(tmp_path / "auth.db")}
    with running(first, env=env) as server:
        client_id, granted = sign_in(server.url)
        assert call(server.url, granted["access_token"]).status_code == 200
        url = server.url
        server.stop()
    with started(second, "--port", str(urlsplit(url).port), env=env):
        assert call(url, granted["access_token"]).status_code == 200
        renewed = tokens(url, grant_type="refresh_token", refresh_token=granted["refresh_token"], client_id=client_id)
        assert call(url, renewed["access_token"]).status_code == 200
