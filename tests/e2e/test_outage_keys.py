"""KMS or Secrets Manager fails under a whole server, as it is on Lambda: nothing is used up, nobody is turned away."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import botocore.session
import pytest

from auth.events import Event
from auth.server.config import Config
from mcp_app.authorization import authorization_server
from mcp_app.secrets import PAUSE, Secrets
from mcp_app.settings import Settings
from tests.support import auth_server
from tests.support.auth_server import PLENTY, Clock, Running
from tests.support.aws import REGION, moto
from tests.support.customer import Customer, good, shut, unavailable
from tests.support.dynamodb import create_table, credentials
from tests.support.dynamodb_proxy import Proxy, proxy
from tests.support.store_faults import forbidden
from tests.support.whole_server import serving_app

ISSUER = "http://127.0.0.1:8000"
"""Of every instance, wherever it is served."""

SIGNING = {"code", "refresh", "client credentials"}
"""The doors that hand out access tokens."""

SEALING = {"authorize", "consent", "sign in", "account", "disconnect", "code", "refresh", "revoke"}
"""The doors that make or check what the server's secret seals."""


@dataclass
class Aws:
    """A key and a secret behind proxies that can be told to fail, and a place for tables."""

    kms: Proxy
    secrets: Proxy
    table_url: str
    key: str
    secret: str

    def settings(self) -> Settings:
        """Of a server with a table of its own."""
        return Settings(
            auth_mode="oauth",
            log_level="CRITICAL",
            public_url=ISSUER,
            auth_table=create_table(self.table_url).table,
            signing_key_arn=self.key,
            server_secret_arn=self.secret,
        )


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with ExitStack() as stack:
        stack.enter_context(credentials())
        upstream = stack.enter_context(moto())
        table, kms, secrets = (stack.enter_context(proxy(upstream)) for _ in range(3))
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        for name, place in {"DYNAMODB": table, "KMS": kms, "SECRETS_MANAGER": secrets}.items():
            environment.setenv(f"AWS_ENDPOINT_URL_{name}", place.url)
        yield Aws(kms, secrets, table.url, *_made())


def _made() -> tuple[str, str]:
    session = botocore.session.get_session()
    kms, vault = (session.create_client(name, region_name=REGION) for name in ("kms", "secretsmanager"))
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    value = json.dumps({"SERVER_SECRET": "what all instances of the server share"})
    secret = vault.create_secret(Name="server", SecretString=value)["ARN"]
    for client in (kms, vault):
        client.close()
    return key, secret


@contextmanager
def instance(settings: Settings, clock: Clock) -> Iterator[Running]:
    """An instance that has just started."""
    events = list[Event]()
    server = authorization_server(settings, Secrets(settings, clock), events=events.append, clock=clock)
    server.config = Config(limits=PLENTY, password_cost=4)
    with serving_app(settings, Running(server, clock, events, auth_server.Secrets())) as running:
        yield running


def test_while_kms_does_not_sign_the_token_endpoint_is_503_and_uses_nothing_up(aws):
    with instance(aws.settings(), Clock()) as auth:
        customer = Customer(auth)
        held = customer.held()
        doors = customer.doors(held)
        with aws.kms.broken(forbidden):
            assert shut(doors) == SIGNING
            assert auth.client.get("/healthz?deep=1").status_code == 503
        assert shut({name: doors[name] for name in SIGNING}) == set()
    assert "signing_key_unavailable" in auth.names()
    assert not {"code_replayed", "refresh_token_reused"} & set(auth.names())


def test_a_kms_that_is_away_is_503_too(aws):
    with instance(aws.settings(), Clock()) as auth:
        customer = Customer(auth)
        code = customer.code()
        with aws.kms.gone():
            assert unavailable(customer.redeem(code))
        good(customer.redeem(code))


def test_an_instance_that_cannot_read_the_servers_secret_refuses_nobodys_tokens(aws):
    settings, clock = aws.settings(), Clock()
    with instance(settings, clock) as first, instance(settings, clock) as second:
        customer = Customer(first)
        held = customer.held()
        with aws.secrets.broken(forbidden):
            customer.moves_to(second)
            doors = customer.doors(held)
            assert shut(doors) == SEALING
            customer.moves_to(first)
            good(customer.refresh(customer.tokens()["refresh_token"]))
        clock.advance(PAUSE)
        customer.moves_to(second)
        assert shut({name: doors[name] for name in SEALING}) == set()
