"""Signing with KMS: a real one on loopback, as far as moto is one."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import jwt
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from auth.keys.errors import KeyUnavailableError
from auth.keys.key_set import KEPT, KMS_HEAD_START
from auth.keys.keys import Keys
from tests.support.aws import REGION, aws_server
from tests.support.calls import UNREACHABLE
from tests.support.oauth_keys import LIFETIME, make_keys, put_set, rsa_keys, signing_key
from tests.support.serve import serving

pytestmark = pytest.mark.anyio

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Mine", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}],
}


class Kms:
    """KMS as an operator sees it."""

    def __init__(self) -> None:
        self.client: Any = boto3.client("kms", region_name=REGION)

    def key(self, spec: str = "RSA_2048", usage: str = "SIGN_VERIFY", **more: Any) -> str:
        return str(self.client.create_key(KeySpec=spec, KeyUsage=usage, **more)["KeyMetadata"]["Arn"])

    def count(self) -> int:
        return len(self.client.list_keys()["Keys"])

    def tags(self, arn: str) -> dict[str, str]:
        return {tag["TagKey"]: tag["TagValue"] for tag in self.client.list_resource_tags(KeyId=arn)["Tags"]}

    def policy(self, arn: str) -> Any:
        return json.loads(self.client.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])


@pytest.fixture(scope="module")
def kms() -> Iterator[Kms]:
    with aws_server(), pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        yield Kms()


@pytest.fixture(scope="module")
def arn(kms: Kms) -> str:
    """A key that tests may share which leave it as it is."""
    return kms.key()


async def verified_by_pyjwt(keys: Keys, token: str):
    published = jwt.PyJWKSet.from_dict(await keys.jwks())
    return jwt.decode(token, published[kid_of(token)], algorithms=["RS256"])


def kid_of(token: str) -> str:
    return jwt.get_unverified_header(token)["kid"]


async def test_kms_signs_what_everybody_verifies(store, clock, arn):
    keys = make_keys(store, clock, kms_key=arn)
    assert await verified_by_pyjwt(keys, await keys.sign({"a": 1}, {})) == {"a": 1}
    (key,) = (await keys.key_set()).keys
    assert key.private == f"kms:{arn}"


async def test_verifying_asks_kms_for_nothing(store, clock, arn, monkeypatch):
    token = await make_keys(store, clock, kms_key=arn).sign({}, {})
    monkeypatch.setenv("AWS_ENDPOINT_URL", UNREACHABLE)
    keys = make_keys(store, clock, kms_key=arn)
    assert kid_of(token) in await keys.verification_keys()


@pytest.mark.parametrize("name", ["id", "alias", "alias ARN"])
async def test_an_id_or_an_alias_stands_for_its_key(store, clock, kms, arn, name):
    metadata = kms.client.describe_key(KeyId=arn)["KeyMetadata"]
    alias = f"alias/of-{name.replace(' ', '-')}"
    kms.client.create_alias(AliasName=alias, TargetKeyId=arn)
    given = {"id": metadata["KeyId"], "alias": alias, "alias ARN": arn.rpartition(":")[0] + f":{alias}"}[name]
    await make_keys(store, clock, kms_key=arn).sign({}, {})
    again = make_keys(store, clock, kms_key=given)
    assert await again.sign({}, {})
    (key,) = (await again.key_set()).keys
    assert key.private == f"kms:{arn}"


async def test_one_command_rotates_to_a_key_with_the_spec_policy_and_tags_of_the_one_before(store, clock, kms):
    tags = [{"TagKey": "mcpx:signing", "TagValue": "stack"}, {"TagKey": "team", "TagValue": "b"}]
    arn = kms.key("RSA_3072", Policy=json.dumps(POLICY), Tags=tags, Description="Signs tokens.")
    keys = make_keys(store, clock, kms_key=arn)
    before = await keys.sign({}, {})
    new = await keys.rotate()
    clock.advance(KMS_HEAD_START)
    after = await keys.sign({}, {})
    assert (kid_of(after), kid_of(before) != new.id) == (new.id, True)
    assert await verified_by_pyjwt(keys, after) == await verified_by_pyjwt(keys, before) == {}
    made = new.private.removeprefix("kms:")
    metadata = kms.client.describe_key(KeyId=made)["KeyMetadata"]
    assert [metadata[name] for name in ("KeySpec", "KeyUsage", "Description")] == [
        "RSA_3072",
        "SIGN_VERIFY",
        "Signs tokens.",
    ]
    assert kms.tags(made) == {"mcpx:signing": "stack", "team": "b"}
    assert kms.policy(made) == POLICY


async def test_the_key_in_the_settings_does_not_come_back_after_a_rotation(store, clock, kms):
    arn = kms.key()
    keys = make_keys(store, clock, kms_key=arn)
    first = kid_of(await keys.sign({}, {}))
    await keys.rotate()
    clock.advance(LIFETIME + 2 * KEPT)
    last = (await make_keys(store, clock).rotate()).id  # a command line that was not told of KMS
    clock.advance(LIFETIME + 2 * KEPT)
    for settings in ({"kms_key": arn}, {}):
        assert kid_of(await make_keys(store, clock, **settings).sign({}, {})) == last
    assert first in [key.id for key in (await keys.key_set()).keys]
    assert first not in await make_keys(store, clock).verification_keys()


async def test_a_key_that_is_new_in_the_settings_takes_over(store, clock, kms, tmp_path):
    files = await rsa_keys(store, tmp_path, clock)
    before = await files.sign({}, {})
    seen = [kid_of(before)]
    for _ in range(2):
        keys = make_keys(store, clock, folder=tmp_path, kms_key=kms.key())
        assert kid_of(await keys.sign({}, {})) == seen[-1]
        clock.advance(KMS_HEAD_START)
        seen.append(kid_of(await keys.sign({}, {})))
    assert len(set(seen)) == 3
    assert await verified_by_pyjwt(keys, before) == {}


async def test_a_machine_that_was_not_told_of_kms_makes_no_file(store, clock, arn, tmp_path):
    token = await make_keys(store, clock, kms_key=arn).sign({}, {})
    other = make_keys(store, clock, folder=tmp_path / "keys")
    assert kid_of(await other.sign({}, {})) == kid_of(token)
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    ("spec", "usage"), [("RSA_2048", "ENCRYPT_DECRYPT"), ("ECC_NIST_P256", "SIGN_VERIFY")], ids=["use", "kind"]
)
async def test_a_key_that_cannot_sign_with_rs256_is_refused(store, clock, kms, spec, usage):
    with pytest.raises(KeyUnavailableError, match="SIGNING_KEY_ARN must name an RSA key for signing"):
        await make_keys(store, clock, kms_key=kms.key(spec, usage)).sign({}, {})


async def test_kms_that_is_down_is_unavailable_and_alarms(store, clock, arn, monkeypatch, events):
    await make_keys(store, clock, kms_key=arn).sign({}, {})
    monkeypatch.setenv("AWS_ENDPOINT_URL", UNREACHABLE)
    keys = make_keys(store, clock, kms_key=arn, events=events.append)
    with pytest.raises(KeyUnavailableError) as raised:
        await keys.sign({}, {})
    assert str(raised.value) == "KMS did not answer: EndpointConnectionError."
    assert raised.value.status == 503
    assert [(event.name, event.alarming) for event in events] == [("signing_key_unavailable", True)]


async def test_a_key_that_is_gone_or_never_was_is_told_by_its_code(store, clock, arn):
    gone = arn[:-12] + "0" * 12
    refused = pytest.raises(KeyUnavailableError, match=r"^KMS refused: NotFoundException\.$")
    with refused:
        await make_keys(store, clock, kms_key=gone).sign({}, {})
    await put_set(store, signing_key()._replace(private=f"kms:{gone}"))
    with refused:
        await make_keys(store, clock).sign({}, {})


async def test_what_is_no_kms_is_told_in_our_own_words(store, clock, arn, monkeypatch):
    async def respond(_request: Any) -> Response:
        return Response('{"__type": "<b>of key</b>", "message": "arn:aws:kms"}', 400)

    async with serving(Starlette(routes=[Route("/", respond, methods=["POST"])])) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", url)
        with pytest.raises(KeyUnavailableError, match=r"^KMS refused: unknown error\.$"):
            await make_keys(store, clock, kms_key=arn).sign({}, {})
