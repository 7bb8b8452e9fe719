"""What was right once is looked at again at the next request."""

import pytest

from tests.support.auth_server import public_client
from tests.support.customer import Customer, good
from tests.support.visitor import authorization


def test_must_not_5_consent_is_never_remembered_not_even_for_an_app_in_use(auth):
    customer = Customer(auth)
    good(customer.refresh(customer.tokens()["refresh_token"]))
    issued = auth.names().count("code_issued")
    assert customer.browser.question(authorization())
    assert auth.names().count("code_issued") == issued


@pytest.mark.parametrize("uri", ["javascript://app.example/%0Aalert(1)", "data:text/html,x", "http://app.example/cb"])
def test_must_not_4_a_stored_client_with_a_redirect_uri_that_none_may_have_gets_no_answer(auth, uri):
    customer = Customer(auth)
    auth.add(public_client("old", redirect_uris=(uri,)))
    for changes in ({}, {"response_type": "token"}):
        reply = customer.browser.get(authorization(client_id="old", redirect_uri=uri, **changes))
        assert (reply.status_code, "location" in reply.headers) == (400, False)
