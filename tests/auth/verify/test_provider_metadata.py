"""An issuer's metadata: where it is looked for, what of it is told again, and what stands in for it."""

import pytest

from auth.errors import TemporarilyUnavailableError
from auth.verify.fetching import NoDocumentError
from auth.verify.provider_metadata import AGES, ProviderMetadata, known_members, stand_in, well_known
from tests.auth.verify.conftest import ISSUER

pytestmark = pytest.mark.anyio

RFC8414 = f"{ISSUER}/.well-known/oauth-authorization-server"
OPENID = f"{ISSUER}/.well-known/openid-configuration"
STAND_IN = stand_in(ISSUER, {"authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/t"}, ())


@pytest.fixture
def metadata(documents, clock, events):
    def make(**given):
        return ProviderMetadata(ISSUER, documents, clock, events=events.append, **given)

    return make


@pytest.mark.parametrize(
    ("issuer", "places"),
    [
        (
            "https://i.example",
            (
                "https://i.example/.well-known/oauth-authorization-server",
                "https://i.example/.well-known/openid-configuration",
            ),
        ),
        (
            "https://i.example/",
            (
                "https://i.example/.well-known/oauth-authorization-server",
                "https://i.example/.well-known/openid-configuration",
            ),
        ),
        (
            "https://i.example:8443/realms/a",
            (
                "https://i.example:8443/.well-known/oauth-authorization-server/realms/a",
                "https://i.example:8443/realms/a/.well-known/openid-configuration",
            ),
        ),
    ],
)
def test_it_is_looked_for_at_the_well_known_places(issuer, places):
    assert well_known(issuer) == places


async def test_the_first_place_goes_first(metadata, documents, issuer):
    documents.at |= {RFC8414: issuer.metadata(), OPENID: issuer.metadata(scopes_supported=["openid"])}
    assert (await metadata().get())["scopes_supported"] == ["dcr.create"]
    assert documents.asked == [RFC8414]


@pytest.mark.parametrize(
    "first", [NoDocumentError("404", absent=True), {"issuer": "https://other.example"}, {}, {"issuer": ISSUER}]
)
async def test_the_second_place_is_looked_at_where_the_first_has_nothing_good(metadata, documents, issuer, first):
    documents.at |= {RFC8414: first, OPENID: issuer.metadata()}
    assert (await metadata().get())["issuer"] == ISSUER


async def test_a_server_that_does_not_answer_is_not_asked_twice(metadata, documents, issuer, events):
    documents.at |= {RFC8414: NoDocumentError("down"), OPENID: issuer.metadata()}
    with pytest.raises(TemporarilyUnavailableError) as raised:
        await metadata().get()
    assert raised.value.retry_after > 0
    assert documents.asked == [RFC8414]
    assert [(event.name, event.details["what"], event.details["reason"]) for event in events] == [
        ("provider_unavailable", "metadata", "down")
    ]


async def test_a_place_that_is_set_is_the_only_one(metadata, documents, issuer):
    documents.at |= {RFC8414: issuer.metadata(), f"{ISSUER}/meta": issuer.metadata(scopes_supported=["x"])}
    assert (await metadata(url=f"{ISSUER}/meta").get())["scopes_supported"] == ["x"]
    assert documents.asked == [f"{ISSUER}/meta"]


async def test_it_is_kept_for_an_hour_and_the_last_good_one_longer(metadata, documents, issuer, clock):
    documents.at[RFC8414] = issuer.metadata()
    made = metadata(stand_in=STAND_IN)
    first = await made.get()
    clock.advance(AGES.most - 1)
    assert await made.get() is first
    assert documents.asked == [RFC8414]
    documents.at[RFC8414] = NoDocumentError("down")
    clock.advance(1)
    assert await made.get() is first
    assert await made.get() is first
    assert documents.asked == [RFC8414] * 2
    documents.at[RFC8414] = issuer.metadata(scopes_supported=["new"])
    clock.advance(AGES.retry)
    assert (await made.get())["scopes_supported"] == ["new"]
    assert AGES.most == 3600


async def test_where_there_is_none_the_settings_stand_in_until_there_is(metadata, documents, issuer, clock):
    made = metadata(stand_in=STAND_IN)
    assert await made.get() == STAND_IN
    assert await made.get() == STAND_IN
    assert documents.asked == [RFC8414, OPENID]
    documents.at[RFC8414] = issuer.metadata()
    clock.advance(60)
    assert (await made.get())["token_endpoint"] == f"{ISSUER}/oauth2/token"


def test_what_stands_in_says_what_an_mcp_client_needs():
    urls = {
        "authorization_endpoint": f"{ISSUER}/oauth2/authorize",
        "token_endpoint": f"{ISSUER}/oauth2/token",
        "registration_endpoint": f"{ISSUER}/oauth2/register",
        "jwks_uri": f"{ISSUER}/keys",
    }
    assert stand_in(ISSUER, urls, ["read:a"]) == {
        "issuer": ISSUER,
        **urls,
        "scopes_supported": ["read:a"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
    }
    assert "scopes_supported" not in stand_in(ISSUER, urls, [])
    assert "jwks_uri" not in stand_in(ISSUER, {**urls, "jwks_uri": None}, [])
    assert stand_in(ISSUER, {**urls, "token_endpoint": None}, []) is None


async def test_the_keys_place_is_the_documents(metadata, documents, issuer):
    documents.at[RFC8414] = issuer.metadata()
    assert await metadata().jwks_uri() == issuer.metadata()["jwks_uri"]
    documents.at[RFC8414] = issuer.metadata(jwks_uri=None)
    with pytest.raises(TemporarilyUnavailableError, match="names no keys"):
        await metadata().jwks_uri()


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": f"{ISSUER}/"},
        {"issuer": None},
        {"issuer": [ISSUER]},
        {"authorization_endpoint": None},
        {"token_endpoint": None},
        {"token_endpoint": "http://issuer.example/token"},
        {"token_endpoint": "http://127.0.0.1/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "//issuer.example/a"},
        {"authorization_endpoint": "https://me:pass@issuer.example/a"},
        {"authorization_endpoint": "https://[issuer/a"},
        {"authorization_endpoint": "https://issuer.example/a\n"},
        {"authorization_endpoint": "https:///a"},
        {"authorization_endpoint": 7},
    ],
    ids=str,
)
def test_must_not_18_a_document_that_leads_nowhere_safe_is_none(issuer, changes):
    with pytest.raises(ValueError, match=r"is another issuer's|names no https URL"):
        known_members(issuer.metadata(**changes), ISSUER, local=False)


def test_urls_without_tls_are_for_this_machine_alone(issuer):
    local = issuer.metadata(token_endpoint="http://127.0.0.1:9/token", jwks_uri="http://issuer.example/keys")
    told = known_members(local, ISSUER, local=True)
    assert told["token_endpoint"] == "http://127.0.0.1:9/token"
    assert "jwks_uri" not in told


def test_only_what_is_known_and_of_its_kind_is_told_again(issuer):
    odd = {
        "scopes_supported": "dcr.create",
        "grant_types_supported": ["authorization_code", 7],
        "registration_endpoint": "http://issuer.example/register",
        "service_documentation": "javascript:alert(1)",
        "require_pushed_authorization_requests": "yes",
        "signed_metadata": "e30.e30.e30",
        "x_internal": {"secret": "s"},
        "mtls_endpoint_aliases": {},
        "authorization_response_iss_parameter_supported": True,
        "userinfo_endpoint": f"{ISSUER}/userinfo?x=1",
    }
    assert known_members(issuer.metadata(**odd), ISSUER, local=False) == {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/oauth2/authorize",
        "token_endpoint": f"{ISSUER}/oauth2/token",
        "jwks_uri": issuer.metadata()["jwks_uri"],
        "userinfo_endpoint": f"{ISSUER}/userinfo?x=1",
        "response_types_supported": ["code"],
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }
