"""What becomes of an authorization code that somebody presents: a function of the grant and a clock.

Everything that binds the code is checked before anything is consumed, and only a request that passes all of it counts
as a replay (OAuth 2.1, section 4.1.3). So nobody but the client itself can use a code up or have its grant revoked.
"""

from typing import NamedTuple

from auth.errors import InvalidGrantError, InvalidTargetError, OAuthError
from auth.records import Code, Grant
from auth.server import authorization_code, pkce

NOT_GOOD = "The code is unknown, used, expired, or was issued to another client."


class Request(NamedTuple):
    """What came with the code.

    Attributes:
        secret: the code's.
        client_id: of the client that authenticated.
        verifier: PKCE's.
        resource: canonical; None if it named none.
    """

    secret: str
    client_id: str
    redirect_uri: str
    verifier: str
    resource: str | None


class Redeem(NamedTuple):
    """The code is good."""


class Replay(NamedTuple):
    """The code is good, and was used before: whoever has it should not."""


class Refuse(NamedTuple):
    """The code is not good, and the grant stays as it is."""

    error: OAuthError


def decide(grant: Grant, request: Request, now: int, *, mark: int) -> Redeem | Replay | Refuse:
    """What to do with a code.

    Args:
        grant: what is stored under the code's grant id.
        request: what came with the code.
        now: epoch seconds.
        mark: seconds for which a redemption is remembered.
    """
    code = grant.code
    if code is None or not authorization_code.is_secret(request.secret, code.hash):
        return Refuse(InvalidGrantError(NOT_GOOD))
    if error := _mismatch(grant, code, request):
        return Refuse(error)
    if code.redeemed is not None and grant.revoked is None and now < code.redeemed + mark:
        return Replay()
    if code.redeemed is not None or grant.revoked is not None or now >= code.expires:
        return Refuse(InvalidGrantError(NOT_GOOD))
    return Redeem()


def redeemed(grant: Grant, seed: str, now: int) -> Grant:
    """The grant once its code was redeemed: active, and marked so that the code is known when it comes again."""
    assert grant.code  # noqa: S101 - what `decide` answered with Redeem has one
    return grant._replace(code=grant.code._replace(redeemed=now), seed=seed, last_used=now)


def _mismatch(grant: Grant, code: Code, request: Request) -> OAuthError | None:
    if request.client_id != grant.client_id:
        return InvalidGrantError(NOT_GOOD)
    if request.redirect_uri != code.redirect_uri:
        return InvalidGrantError("redirect_uri is not the one of the authorization request.")
    if not pkce.proves(request.verifier, code.challenge):
        return InvalidGrantError("code_verifier does not belong to the code_challenge.")
    if request.resource not in (None, grant.resource):
        return InvalidTargetError("resource is not the one that was granted.")
    return None
