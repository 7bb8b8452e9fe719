"""Callers whose signature AWS verified."""

import pytest

from auth.principal import Principal
from auth.verify.authenticator import RefusedError
from auth.verify.iam import IamAuthenticator

pytestmark = pytest.mark.anyio

ARN = "arn:aws:sts::123456789012:assumed-role/gateway/session"


def scope(authorizer: object, headers: list[tuple[bytes, bytes]] | None = None) -> dict[str, object]:
    event = {"requestContext": {"authorizer": authorizer}}
    return {"type": "http", "headers": headers or [], "extensions": {"aws.lambda": {"event": event}}}


async def test_a_caller_is_known_by_its_arn_and_may_do_everything():
    found = await IamAuthenticator().authenticate(scope({"iam": {"userArn": ARN, "accountId": "123456789012"}}))
    assert found == Principal(ARN, None, None)


@pytest.mark.parametrize(
    "given",
    [
        {"type": "http", "headers": []},
        {"type": "http", "headers": [(b"x-amzn-user-arn", ARN.encode()), (b"authorization", b"AWS4-HMAC-SHA256 x")]},
        {"type": "http", "headers": [], "extensions": {}},
        {"type": "http", "headers": [], "extensions": {"aws.lambda": {"event": {}}}},
        scope(None),
        scope({"iam": None}),
        scope({"iam": {}}),
        scope({"iam": {"userArn": ""}}),
        scope({"iam": {"userArn": None}}),
        scope({"iam": {"userArn": [ARN]}}),
        scope({"jwt": {"claims": {"userArn": ARN}}}),
        scope([ARN]),
    ],
)
async def test_who_did_not_come_that_way_is_asked_to_sign(given):
    with pytest.raises(RefusedError) as raised:
        await IamAuthenticator().authenticate(given)
    assert (raised.value.error, raised.value.status) == (None, 401)
