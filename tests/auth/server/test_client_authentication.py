import base64

import pytest

from auth.server.client_authentication import LONGEST_CLIENT_ID, parse_basic
from tests.support.auth_server import Running, confidential_client, public_client
from tests.support.granting import Dance

ID, SECRET = "backend", "backend-secret"


def basic(client_id: str = ID, secret: str = SECRET, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"


def ask(auth: Running, authorization: str | bytes | None = None, **form: str) -> tuple[int, str]:
    """What the token endpoint says to a client that asks for nothing that there is."""
    headers = {} if authorization is None else {"Authorization": authorization}
    reply = auth.client.post("/oauth/token", data={"grant_type": "nothing", **form}, headers=headers)
    assert reply.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in reply.headers) == (reply.status_code == 401)
    return reply.status_code, reply.json()["error"]


IN = (400, "unsupported_grant_type")
OUT = (401, "invalid_client")
BAD = (400, "invalid_request")


@pytest.fixture(scope="module")
def known(shared: Running) -> Running:
    shared.add(confidential_client(ID, SECRET))
    shared.add(confidential_client("posting", SECRET, auth_method="client_secret_post"))
    shared.add(public_client("app"))
    return shared


STRANGE = ["é", "a\x00b", "a\nb", "\U0001f600", "x" * (LONGEST_CLIENT_ID + 1), "../..", "#", "🦊" * 300]


def test_a_client_is_known_by_the_way_it_is_registered_for(known: Running) -> None:
    assert ask(known, basic()) == IN
    assert ask(known, basic(scheme="bAsIc")) == IN
    assert ask(known, basic(), client_id=ID) == IN
    assert ask(known, client_id="posting", client_secret=SECRET) == IN
    assert ask(known, client_id="app") == IN
    assert ask(known, client_id="app", client_secret="") == IN


def test_a_wrong_secret_or_a_missing_one_is_401_with_a_challenge(known: Running) -> None:
    assert ask(known, basic(secret="wrong")) == OUT
    assert ask(known, basic(secret="")) == OUT
    assert ask(known, client_id=ID) == OUT
    assert ask(known, client_id="posting", client_secret="wrong") == OUT
    assert ask(known, client_id="posting") == OUT


def test_another_method_than_the_registered_one_is_401(known: Running) -> None:
    assert ask(known, client_id=ID, client_secret=SECRET) == OUT
    assert ask(known, basic("posting")) == OUT
    assert ask(known, basic("app", "")) == OUT
    assert ask(known, client_id="app", client_secret="anything") == OUT


def test_an_unknown_client_is_answered_like_one_with_a_wrong_secret(known: Running) -> None:
    replies = [
        known.client.post("/oauth/token", data={"grant_type": "x"}, headers={"Authorization": basic(*pair)})
        for pair in (("nobody", SECRET), (ID, "wrong"))
    ]
    assert replies[0].status_code == replies[1].status_code == 401
    assert replies[0].text == replies[1].text
    assert ask(known) == OUT


def test_a_client_says_who_it_is_in_exactly_one_way(known: Running) -> None:
    assert ask(known, basic(), client_secret=SECRET) == BAD
    assert ask(known, basic(), client_id="posting") == BAD
    both = [("Authorization", basic()), ("Authorization", basic())]
    reply = known.client.post("/oauth/token", data={"grant_type": "x"}, headers=both)
    assert reply.status_code == 400


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !!!!",
        "Basic YmFja2VuZA",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b":secret").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Basic " + base64.b64encode(b"%FF:%FF").decode(),
        "Basic " + base64.b64encode("böse:ß".encode()).decode(),
        "Basic " + base64.b64encode(b"a\x00b:c").decode(),
        "Basic " + "QUFB" * 4000,
        "Bearer abc.def.ghi",
        "Basic\tYTpi",
        b"Basic \xff\xfe",
        b"\xff",
    ],
)
def test_must_12_a_bad_basic_header_is_401(known: Running, header: str | bytes) -> None:
    assert ask(known, header) == OUT


@pytest.mark.parametrize(
    "client_id", ["é", "a\x00b", "a\nb", "\U0001f600", "x" * (LONGEST_CLIENT_ID + 1), "../..", "#", "🦊" * 300]
)
def test_must_12_a_strange_client_id_is_401(known: Running, client_id: str) -> None:
    assert ask(known, client_id=client_id) == OUT


def test_the_parts_of_basic_are_form_encoded() -> None:
    header = basic("https%3A%2F%2Fapp.example%2Fclient", "a+b%3Ac%C3%A9:d")
    assert parse_basic(header) == ("https://app.example/client", "client_secret_basic", "a b:cé:d")


def test_a_client_that_was_known_by_its_document_needs_none_at_the_token_endpoint(dance: Dance) -> None:
    url = "https://client.example/oauth/metadata.json"
    code = dance.code(client=public_client(url, source="document"))
    reply = dance.redeem(code, client_id=url)
    assert reply.status_code == 200, reply.text
    assert dance.refresh(reply.json()["refresh_token"], client_id=url).status_code == 200
