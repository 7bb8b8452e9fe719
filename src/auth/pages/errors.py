"""What people see when something cannot go on, and what they can do about it."""

from http import HTTPStatus
from typing import Final, NamedTuple

from starlette.responses import HTMLResponse, Response

from auth.errors import OAuthError, TemporarilyUnavailableError, TooManyRequestsError
from auth.pages.render import page, wait
from auth.server.server import AuthorizationServer


class Link(NamedTuple):
    """Where somebody can go on."""

    url: str
    text: str


ACCOUNT: Final = Link("/account", "Your account")


def error_page(server: AuthorizationServer, error: OAuthError) -> Response:
    """An error that no app may be told of by a redirect, or that no app has to do with."""
    match error:
        case TemporarilyUnavailableError():
            return problem_page(
                server,
                error.status,
                "Try again in a moment",
                "The server cannot reach what it needs right now. Nothing is lost; load the page again shortly.",
                retry_after=error.retry_after,
            )
        case TooManyRequestsError():
            return problem_page(
                server,
                error.status,
                "Too many attempts",
                f"Try again in {wait(error.retry_after or 60)}.",
                retry_after=error.retry_after,
            )
    return problem_page(
        server,
        # A page has no challenge that a browser could answer.
        400 if error.status == HTTPStatus.UNAUTHORIZED else error.status,
        "This request cannot go on",
        "The app that sent you here asked for something in a way that is not safe to follow. Nothing was shared with "
        "it. Go back to the app and start again; if that does not help, tell whoever runs it:",
        detail=f"{error.code}: {error.description}",
    )


def stale_page(server: AuthorizationServer) -> Response:
    """A form was sent that is not good any more, or never was."""
    return problem_page(
        server,
        400,
        "This page is too old",
        "It was open for too long, or in a browser that does not keep cookies. Nothing was shared. "
        "Go back to your app and start again from there.",
        link=ACCOUNT,
    )


def foreign_page(server: AuthorizationServer) -> Response:
    """A form was sent by a page of another site."""
    return problem_page(
        server,
        403,
        "This did not come from our page",
        "Another site sent this form, so nothing was done. Go back to your app and start again from there.",
        link=ACCOUNT,
    )


def back_page(server: AuthorizationServer, url: str, place: str) -> Response:
    """The app has to be told of an error, and the user goes there by a link.

    Args:
        server: whose page it is.
        url: the verified redirect URI, with the error.
        place: where that leads, for people.
    """
    return problem_page(
        server,
        400,
        "The app asked for something that does not exist here",
        "Nothing was shared with it. Go back to the app, which is told what was wrong.",
        link=Link(url, f"Back to {place}"),
    )


def problem_page(
    server: AuthorizationServer,
    status: int,
    heading: str,
    text: str,
    *,
    detail: str | None = None,
    link: Link | None = None,
    retry_after: int | None = None,
) -> HTMLResponse:
    """A page that says what is wrong.

    Args:
        server: whose page it is.
        status: of the response.
        heading: in a few words.
        text: what it means, and what to do.
        detail: for whoever runs the app.
        link: where to go on.
        retry_after: seconds after which trying again makes sense.
    """
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return page(
        server, "problem.html", status=status, headers=headers, heading=heading, text=text, detail=detail, link=link
    )
