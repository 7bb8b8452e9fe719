"""Whatever clients, thieves, operators, clocks and stores do: no second family, nobody locked out, no resurrection."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from auth.errors import InvalidGrantError, OAuthError, TooManyRequestsError
from auth.keys.server_key import ServerKey
from auth.records import User, encode, user_key
from auth.server.config import Config
from auth.server.grants import Grants
from auth.server.pkce import challenge_of
from store.protocol import StoreUnavailableError
from store.sqlite import SqliteStore
from tests.support.auth_server import Clock, Secrets, add_user, public_client
from tests.support.granting import BOTH, REDIRECT_URI, VERIFIER, current_token
from tests.support.interrupted_store import Fault, InterruptedStore

RESOURCE = "https://mcp.example/mcp"
CONFIG = Config()
APP, OTHER = public_client(), public_client("other")


@dataclass
class Family:
    """What must be true of one grant.

    Attributes:
        tokens: every refresh token there ever was, the current one last.
        superseded: when each but the last was, by the server's clock.
        ended: why it is no more.
    """

    code: str
    opened: int
    epoch: int
    redeemed: int | None = None
    used: int = 0
    tokens: list[str] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)
    ended: str | None = None

    @property
    def id(self) -> str:
        return self.code.partition(".")[0]

    def expires(self) -> int:
        return self.opened + CONFIG.code if self.redeemed is None else self.used + CONFIG.refresh_token

    def looping(self, now: int) -> bool:
        return sum(abs(now - time) < 60 for time in self.superseded[-8:]) == 8

    def retries(self, place: int, now: int) -> bool:
        """Whether the token at a place was superseded too lately to be a thief's."""
        return len(self.tokens) - 1 - place <= 8 and now - self.superseded[place] <= CONFIG.grace


class Refreshing(RuleBasedStateMachine):
    """Grants over SQLite, and what is known of them."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.runner = asyncio.Runner()
        self.store = InterruptedStore(SqliteStore(":memory:", self.clock))
        self.events: list[str] = []
        self.server_key = ServerKey(Secrets())
        self.grants = Grants(
            self.store,
            self.server_key,
            CONFIG,
            lambda event: self.events.append(event.name),
            clock=self.clock,
            randomness=lambda n: next(self.random).to_bytes(n, "big"),
        )
        self.random = iter(range(1, 10**9))
        self.families: list[Family] = []
        self.user: User

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(coroutine)

    @initialize()
    def sign_in(self) -> None:
        self.user = self.run(add_user(self.store))
        self.issue(redeemed=True)

    def teardown(self) -> None:
        self.run(self.store.aclose())
        self.runner.close()

    @property
    def now(self) -> int:
        return int(self.clock.now)

    def pick(self, choice: int) -> Family:
        return self.families[choice % len(self.families)]

    def active(self) -> list[Family]:
        """Those that can be refreshed now."""
        return [
            family for family in self.families if family.tokens and self.lives(family) and not family.looping(self.now)
        ]

    def lives(self, family: Family) -> bool:
        return family.ended is None and family.epoch == self.user.epoch

    def fresh(self) -> list[Family]:
        """Those whose code is good, or known when it comes again."""
        return [
            family
            for family in self.families
            if self.lives(family) and (family.redeemed is None or self.now < family.redeemed + CONFIG.redemption_mark)
        ]

    async def redeem(self, family: Family, **changes: Any) -> None:
        asked = {"client": APP, "redirect_uri": REDIRECT_URI, "verifier": VERIFIER, "resource": None, **changes}
        grant = await self.grants.redeem(family.code, **asked)
        token = await current_token(self.server_key, grant)
        assert self.lives(family)
        assert family.redeemed is None, "a code was good twice"
        family.redeemed = family.used = self.now
        family.tokens = [token]

    async def refresh(self, family: Family, token: str) -> str:
        _, current = await self.grants.refresh(token, client=APP, scopes=None, resource=None)
        assert self.lives(family), "a grant that ended gave tokens"
        if token == family.tokens[-1] and current != token:
            self.rotated(family, current, self.now)
        assert current == family.tokens[-1], "there are two families"
        return current

    def rotated(self, family: Family, current: str, at: int) -> None:
        family.tokens.append(current)
        family.superseded.append(at)
        family.used = at

    def refused(self, attempt: Coroutine[Any, Any, Any]) -> OAuthError | StoreUnavailableError | None:
        try:
            self.run(attempt)
        except (OAuthError, StoreUnavailableError) as error:
            return error
        return None

    @rule(redeemed=st.booleans())
    def issue(self, redeemed: bool) -> None:
        if len(self.families) >= 4:
            return
        code = self.run(
            self.grants.open(
                user=self.user,
                client=APP,
                scopes=BOTH,
                resource=RESOURCE,
                redirect_uri=REDIRECT_URI,
                challenge=challenge_of(VERIFIER),
            )
        )
        self.families.append(Family(code, self.now, self.user.epoch))
        if redeemed:
            self.run(self.redeem(self.families[-1]))

    @precondition(lambda self: self.active())
    @rule(choice=st.integers(0, 3), times=st.integers(1, 10), pause=st.sampled_from([1, 7, 30]))
    def refresh_again_and_again(self, choice: int, times: int, pause: int) -> None:
        family = self.active()[choice % len(self.active())]
        for _ in range(times):
            if family.looping(self.now):
                assert isinstance(self.refused(self.refresh(family, family.tokens[-1])), TooManyRequestsError)
            else:
                self.run(self.refresh(family, family.tokens[-1]))
            self.clock.advance(pause)
        self.forget_what_expired()

    @precondition(lambda self: self.families)
    @rule(choice=st.integers(0, 3))
    def present_the_code(self, choice: int) -> None:
        family = self.pick(choice)
        before, good = family.redeemed, self.lives(family)
        error = self.refused(self.redeem(family))
        if before is None:
            assert isinstance(error, InvalidGrantError) != good
            return
        assert isinstance(error, InvalidGrantError)
        if self.now < before + CONFIG.redemption_mark:
            family.ended = family.ended or "replay"

    @precondition(lambda self: self.fresh())
    @rule(
        choice=st.integers(0, 3),
        wrong=st.sampled_from(
            [{"client": OTHER}, {"verifier": "w" * 43}, {"redirect_uri": "https://evil.example/"}, {"resource": "x"}]
        ),
    )
    def present_the_code_wrongly(self, choice: int, wrong: dict[str, Any]) -> None:
        family = self.fresh()[choice % len(self.fresh())]
        assert isinstance(self.refused(self.redeem(family, **wrong)), OAuthError)

    @precondition(lambda self: any(family.tokens for family in self.families))
    @rule(choice=st.integers(0, 3), age=st.integers(0, 12))
    def present_a_refresh_token(self, choice: int, age: int) -> None:
        if not (family := self.pick(choice)).tokens:
            return
        place = max(0, len(family.tokens) - 1 - age)
        lives, looping, count = self.lives(family), family.looping(self.now), len(family.tokens)
        error = self.refused(self.refresh(family, family.tokens[place]))
        if not lives:
            assert isinstance(error, InvalidGrantError)
            if place < count - 1 and not family.retries(place, self.now):
                family.ended = family.ended or "reuse"
        elif place == count - 1:
            assert isinstance(error, TooManyRequestsError) if looping else error is None
            assert len(family.tokens) == (count if looping else count + 1)
        elif family.retries(place, self.now):
            assert error is None
            assert len(family.tokens) == count
        else:
            assert isinstance(error, InvalidGrantError)
            family.ended = "reuse"

    @precondition(lambda self: any(family.tokens for family in self.families))
    @rule(choice=st.integers(0, 3), generation=st.integers(0, 12), stolen=st.booleans())
    def present_a_forged_or_foreign_token(self, choice: int, generation: int, stolen: bool) -> None:
        if not (family := self.pick(choice)).tokens:
            return
        token = family.tokens[generation % len(family.tokens)]
        forged = token if stolen else f"{family.id}.{generation}.{'x' * 43}"
        client = OTHER if stolen else APP
        attempt = self.grants.refresh(forged, client=client, scopes=None, resource=None)
        assert isinstance(self.refused(attempt), InvalidGrantError)

    @precondition(lambda self: self.active())
    @rule(choice=st.integers(0, 3), rivals=st.integers(1, 5), skew=st.sampled_from([0, 1, 61, -1, -100]))
    def race(self, choice: int, rivals: int, skew: int) -> None:
        """Several machines read the same generation; each is overtaken by the next before it writes."""
        family, there = self.active()[choice % len(self.active())], self.now + skew
        if family.looping(there) or any(there >= other.expires() for other in self.families):
            return
        token, answers = family.tokens[-1], []

        async def refresh() -> None:
            _, current = await self.grants.refresh(token, client=APP, scopes=None, resource=None)
            answers.append(current)

        async def refresh_elsewhere() -> None:
            self.clock.advance(skew)
            await refresh()
            self.clock.advance(-skew)

        self.store.first = [refresh_elsewhere] + [refresh] * (rivals - 1)
        self.run(refresh())
        assert len(answers) == rivals + 1
        assert len(set(answers)) == 1, "a race made two families"
        assert answers[0] != token
        self.rotated(family, answers[0], there)
        assert self.events[-rivals - 1 :] == ["refresh_rotated"] + ["refresh_retried"] * rivals

    @precondition(lambda self: self.active())
    @rule(choice=st.integers(0, 3))
    def revoke_while_it_is_refreshed(self, choice: int) -> None:
        family = self.active()[choice % len(self.active())]

        async def end() -> None:
            assert await self.grants.revoke(family.id, "user")
            family.ended = "user"

        self.store.first = [end]
        assert isinstance(self.refused(self.refresh(family, family.tokens[-1])), InvalidGrantError)

    @precondition(lambda self: self.families)
    @rule(choice=st.integers(0, 3))
    def two_machines_redeem(self, choice: int) -> None:
        family = self.pick(choice)
        if family.redeemed is not None or not self.lives(family):
            return

        async def first() -> None:
            await self.redeem(family)

        self.store.first = [first]
        assert isinstance(self.refused(self.redeem(family)), InvalidGrantError)
        family.ended = "replay"

    @precondition(lambda self: self.active())
    @rule(choice=st.integers(0, 3), fault=st.sampled_from(["read", "before", "after"]))
    def crash_while_it_is_refreshed(self, choice: int, fault: Fault) -> None:
        family = self.active()[choice % len(self.active())]
        self.store.fault = fault
        assert isinstance(self.refused(self.refresh(family, family.tokens[-1])), StoreUnavailableError)
        if fault == "after":
            found = self.run(self.grants.find(family.id))
            self.rotated(family, self.run(current_token(self.server_key, found)), self.now)

    @precondition(lambda self: self.families)
    @rule(choice=st.integers(0, 3))
    def crash_before_the_code_is_used_up(self, choice: int) -> None:
        family = self.pick(choice)
        if family.redeemed is None and self.lives(family):
            self.store.fault = "before"
            assert isinstance(self.refused(self.redeem(family)), StoreUnavailableError)

    @precondition(lambda self: self.families)
    @rule(choice=st.integers(0, 3))
    def revoke(self, choice: int) -> None:
        family = self.pick(choice)
        assert self.run(self.grants.revoke(family.id, "operator")) == (family.ended is None)
        family.ended = family.ended or "operator"

    @rule()
    def change_the_password(self) -> None:
        seen = self.run(self.store.get(user_key(self.user.id)))
        self.user = self.user._replace(epoch=self.user.epoch + 1)
        assert self.run(self.store.replace(seen, encode(self.user)))

    @rule(
        seconds=st.sampled_from([0, 1, 5, 29, 59, 60, 61, 300, 3599, 3600, 29 * 86400, 31 * 86400, -1, -30, -61, -4000])
    )
    def let_time_pass(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.forget_what_expired()

    def forget_what_expired(self) -> None:
        for family in [family for family in self.families if self.now >= family.expires()]:
            self.families.remove(family)
            attempt = self.refresh(family, family.tokens[-1]) if family.tokens else self.redeem(family)
            assert isinstance(self.refused(attempt), InvalidGrantError)

    @invariant()
    def nothing_but_reuse_replay_and_revocation_ends_a_grant_and_nothing_revives_it(self) -> None:
        for family in self.families:
            found = self.run(self.grants.find(family.id))
            assert found
            assert (found.revoked is not None) == (family.ended is not None)
            assert found.generation == max(0, len(family.tokens) - 1)

    @invariant()
    def who_holds_the_newest_or_the_just_superseded_token_is_not_locked_out(self) -> None:
        for family in self.families:
            found = self.run(self.grants.find(family.id))
            for place, token in list(enumerate(family.tokens))[-10:]:
                newest = place == len(family.tokens) - 1
                good = self.lives(family) and (newest or family.retries(place, self.now))
                assert self.run(self.grants.is_active(token, found)) == good


Refreshing.TestCase.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRefreshing = Refreshing.TestCase
