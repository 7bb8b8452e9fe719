"""Errors as pages."""

import pytest

from auth.errors import (
    InvalidClientError,
    InvalidRequestError,
    OAuthError,
    TemporarilyUnavailableError,
    TooManyRequestsError,
)
from auth.pages.errors import error_page
from tests.support.auth_server import auth_server


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (InvalidRequestError("The state is missing."), 400, "invalid_request: The state is missing."),
        (InvalidClientError("Nobody knows it."), 400, "invalid_client: Nobody knows it."),
        (TooManyRequestsError("Too many requests.", 90), 429, "Try again in 2 minutes."),
        (TooManyRequestsError("Too many requests.", 60), 429, "Try again in a minute."),
        (TemporarilyUnavailableError("No store.", 2), 503, "Nothing is lost; load the page again shortly."),
    ],
)
def test_an_error_says_what_to_do_and_when(tmp_path, error: OAuthError, status, said):
    with auth_server(tmp_path) as running:
        reply = error_page(running.server, error)
    assert reply.status_code == status
    assert said in bytes(reply.body).decode()
    wanted = None if error.retry_after is None else str(error.retry_after)
    assert reply.headers.get("retry-after") == wanted
    assert "www-authenticate" not in reply.headers
