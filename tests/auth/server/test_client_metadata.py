import pytest

from auth.errors import InvalidClientMetadataError, InvalidRedirectUriError
from auth.scopes import DEFAULT_SCOPES
from auth.server.client_metadata import ALL_GRANTS, checked

URI = "https://app.example/cb"


def metadata(**changes):
    return {"redirect_uris": [URI], "token_endpoint_auth_method": "none"} | changes


def test_a_client_that_says_little_gets_the_defaults():
    found = checked({"redirect_uris": [URI]})
    assert found.name == ""
    assert found.redirect_uris == (URI,)
    assert found.grant_types == ("authorization_code", "refresh_token")
    assert found.scopes == DEFAULT_SCOPES
    assert found.auth_method == "client_secret_basic"
    assert (found.uri, found.application_type) == (None, "web")


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_a_client_says_how_it_authenticates(method):
    assert checked(metadata(token_endpoint_auth_method=method)).auth_method == method


@pytest.mark.parametrize("method", ["private_key_jwt", "client_secret_jwt", "tls_client_auth", "None", ""])
def test_a_way_to_authenticate_that_is_not_served(method):
    if method == "":
        assert checked(metadata(token_endpoint_auth_method=method)).auth_method == "client_secret_basic"
        return
    with pytest.raises(InvalidClientMetadataError) as refusal:
        checked(metadata(token_endpoint_auth_method=method))
    assert "none or client_secret_basic or client_secret_post" in refusal.value.description


def test_a_client_that_can_do_without_its_preferred_method_is_public():
    offer = {"token_endpoint_auth_method": "private_key_jwt"}
    listed = {"token_endpoint_auth_methods_supported": ["private_key_jwt", "none"]}
    assert checked(metadata(**offer, **listed)).auth_method == "none"


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (["authorization_code"], ("authorization_code",)),
        (["refresh_token", "authorization_code"], ("authorization_code", "refresh_token")),
        (
            ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code", "implicit"],
            ("authorization_code",),
        ),
        (["authorization_code", "client_credentials"], ("authorization_code",)),
    ],
)
def test_grant_types_that_are_not_for_such_a_client_are_left_out(asked, given):
    assert checked(metadata(grant_types=asked)).grant_types == given


@pytest.mark.parametrize("asked", [[], ["implicit"], ["refresh_token"], ["client_credentials"]])
def test_a_client_without_a_grant_type_for_it_is_refused(asked):
    with pytest.raises(InvalidClientMetadataError):
        checked(metadata(grant_types=asked))


def test_the_operator_may_allow_client_credentials_to_a_client_with_a_secret():
    asked = {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_basic"}
    found = checked(asked, grants=ALL_GRANTS)
    assert (found.grant_types, found.redirect_uris) == (("client_credentials",), ())
    with pytest.raises(InvalidClientMetadataError):
        checked(asked | {"token_endpoint_auth_method": "none"}, grants=ALL_GRANTS)


def test_only_codes_are_answered():
    assert checked(metadata(response_types=["code", "token"]))
    with pytest.raises(InvalidClientMetadataError):
        checked(metadata(response_types=["token"]))


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (None, DEFAULT_SCOPES),
        ("", DEFAULT_SCOPES),
        ("openid profile offline_access", DEFAULT_SCOPES),
        ("mcp.read", ("mcp.read",)),
        ("mcp.read openid", ("mcp.read",)),
        ("mcp.tools mcp.read mcp.read", ("mcp.read", "mcp.tools")),
        ("MCP.READ", DEFAULT_SCOPES),
    ],
)
def test_scopes_are_ours_or_the_default(asked, given):
    assert checked(metadata(scope=asked)).scopes == given


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Claude", "Claude"),
        ("  Claude \t Code\r\n", "Claude Code"),
        ("Bücher 书 🙂", "Bücher 书 🙂"),
        ("u\u0308ber", "über"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("a\u2066b\u2069c\u200bd\ufeffe\u200f", "abcde"),
        ("a\x00b\x1b[31mc\x7f\x85", "ab[31mc"),
        ("a\u2028b\u2029c", "a b c"),
        ("\u3164\u115f\u2800", ""),
        ("\ue000\U000e0041", ""),
        ("<b>bold</b>", "<b>bold</b>"),
        ("x" * 100, "x" * 100),
    ],
)
def test_must_not_18_a_name_is_plain_text(given, shown):
    assert checked(metadata(client_name=given)).name == shown


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://app.example/about", True),
        ("http://app.example/", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https://user@app.example/", False),
        ("https://app.example/<script>", False),
        ("not a url", False),
    ],
)
def test_must_not_18_a_clients_uri_is_https_or_left_out(given, kept):
    assert checked(metadata(client_uri=given)).uri == (given if kept else None)


@pytest.mark.parametrize(
    ("said", "uris", "kind"),
    [
        (None, ["https://app.example/cb"], "web"),
        ("native", ["https://app.example/cb"], "native"),
        (None, ["http://127.0.0.1/cb", "https://app.example/cb"], "native"),
        ("web", ["cursor://anysphere.cursor-mcp/oauth/callback"], "native"),
    ],
)
def test_an_app_is_native_by_its_redirect_uris(said, uris, kind):
    assert checked(metadata(application_type=said, redirect_uris=uris)).application_type == kind


def test_an_app_is_web_or_native():
    with pytest.raises(InvalidClientMetadataError):
        checked(metadata(application_type="desktop"))


@pytest.mark.parametrize(
    "uris", [None, [], [f"https://app.example/{n}" for n in range(11)], "https://app.example/cb", [1], [None], {}, [[]]]
)
def test_a_client_has_one_to_ten_redirect_uris(uris):
    with pytest.raises(InvalidRedirectUriError):
        checked(metadata(redirect_uris=uris))


def test_ten_redirect_uris_are_few_enough_and_repetition_does_no_harm():
    uris = [f"https://app.example/{n}" for n in range(10)]
    assert checked(metadata(redirect_uris=[*uris, *uris])).redirect_uris == tuple(uris)


def test_one_bad_redirect_uri_spoils_all():
    with pytest.raises(InvalidRedirectUriError):
        checked(metadata(redirect_uris=["https://app.example/cb", "http://app.example/cb"]))


MEMBERS = ["client_name", "client_uri", "scope", "token_endpoint_auth_method", "application_type"]


@pytest.mark.parametrize("value", [1, True, [], {}, ["a"], "x" * 1001])
@pytest.mark.parametrize("member", MEMBERS)
def test_must_not_22_every_text_has_a_type_and_a_size(member, value):
    with pytest.raises(InvalidClientMetadataError):
        checked(metadata(**{member: value}))


@pytest.mark.parametrize("value", [1, "code", {}, [1], [None], ["x"] * 21, ["x" * 1001]])
@pytest.mark.parametrize("member", ["grant_types", "response_types"])
def test_must_not_22_every_list_has_a_type_and_a_size(member, value):
    with pytest.raises(InvalidClientMetadataError):
        checked(metadata(**{member: value}))


def test_must_not_22_a_name_that_fills_the_page_is_refused():
    with pytest.raises(InvalidClientMetadataError):
        checked(metadata(client_name="x" * 101))
