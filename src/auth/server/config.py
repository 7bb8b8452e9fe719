"""How the authorization server is run; durations are in seconds."""

from typing import NamedTuple

from auth.scopes import DEFAULT_SCOPES

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Limits(NamedTuple):
    """How often something may be tried before it is answered with 429.

    Attributes:
        sign_ins_per_user: in a minute.
        sign_ins_per_address: in a minute; an IPv6 address counts as its /64.
        failures_before_lock: failed sign-ins in a row from which on the user is locked.
        first_lock: how long the first lock lasts; each further failure doubles it.
        longest_lock: the most that doubling leads to.
        token_requests_per_client: in a minute, from one address.
        registrations_per_address: in an hour.
    """

    sign_ins_per_user: int = 5
    sign_ins_per_address: int = 20
    failures_before_lock: int = 5
    first_lock: int = MINUTE
    longest_lock: int = HOUR
    token_requests_per_client: int = 60
    registrations_per_address: int = 10


class Config(NamedTuple):
    """The authorization server's settings.

    Attributes:
        name: the server's name, as people see it.
        access_token: lifetime of an access token.
        refresh_token: a grant ends when it was not used for so long.
        client_token: lifetime of a client-credentials token.
        code: lifetime of an authorization code.
        redemption_mark: how long a redeemed code is remembered, so that a replay of it is known for one.
        grace: how long a superseded refresh token still gets the current one.
        session: lifetime of a login session.
        unused_client: a client that registered itself expires if it gets no token in that time.
        password_cost: bcrypt's cost.
        registration: whether clients may register themselves.
        scopes: those that are offered, in the order of `auth.scopes.SCOPES`; a client that names none means them all.
        public: whether other machines reach the server, whatever its URL says, so that no published password may work.
    """

    name: str = "mcpx"
    access_token: int = HOUR
    refresh_token: int = 30 * DAY
    client_token: int = 15 * MINUTE
    code: int = MINUTE
    redemption_mark: int = HOUR
    grace: int = MINUTE
    session: int = 8 * HOUR
    unused_client: int = 7 * DAY
    password_cost: int = 12
    registration: bool = True
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    public: bool = False
    limits: Limits = Limits()
