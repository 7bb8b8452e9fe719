"""AWS IAM: a caller whose SigV4 signature AWS has verified before the function was invoked."""

from collections.abc import Mapping
from typing import Any

from auth.principal import Principal
from auth.verify.authenticator import RefusedError


class IamAuthenticator:
    """Lets in whoever AWS says it is (a function URL or an HTTP API route with `AWS_IAM`).

    It is found in the event that Lambda hands over, which no client writes; IAM's policies decided who may come.
    """

    async def authenticate(self, scope: Mapping[str, Any]) -> Principal:
        """The principal named by the caller's ARN; IAM knows no scopes, so all is allowed.

        Raises:
            RefusedError: the request did not come that way.
        """
        found: Any = scope
        for name in ("extensions", "aws.lambda", "event", "requestContext", "authorizer", "iam", "userArn"):
            found = found.get(name) if isinstance(found, Mapping) else None
        if not isinstance(found, str) or not found:
            raise RefusedError(None, "Sign the request with AWS credentials (SigV4).")
        return Principal(subject=found)
