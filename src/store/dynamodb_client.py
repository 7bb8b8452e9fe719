"""DynamoDB's API with our own time-outs, and its errors as the store's."""

import re
import threading
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from store.protocol import StoreUnavailableError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

CONNECTIONS: Final = 50
"""Kept open at most: more than anyio has threads."""

THROTTLED: Final = 5
"""Seconds after which a table that refused requests for their number may take them again."""

_THROTTLES: Final = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_BROKEN: Final = "Broken"
_CODE: Final = re.compile(r"[A-Za-z0-9]{1,64}")


class ConditionFailedError(Exception):
    """The condition of a write did not hold, or the write was applied before and its answer was lost."""


class Timeouts(NamedTuple):
    """How long to wait, in seconds, and how often to try; botocore's own 60 s would hold a thread that long."""

    connect: float = 1
    read: float = 2
    attempts: int = 3


class DynamoClient:
    """Calls to one table, from any thread; botocore is imported and its client made by the first of them."""

    def __init__(self, table: str, endpoint_url: str | None, region: str | None, timeouts: Timeouts) -> None:
        self.table = table
        self._endpoint_url = endpoint_url
        self._region = region
        self._timeouts = timeouts
        self._made: Any = None
        self._making = threading.Lock()

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """One operation's output; `operation` is the client's method, such as `get_item`.

        Raises:
            ConditionFailedError: the write's condition did not hold.
            StoreUnavailableError: any other failure; its reason holds no name, ARN or URL.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            output: Mapping[str, Any] = getattr(self._client(), operation)(**parameters)
        except ClientError as error:
            raise _refusal(error) from None
        except BotoCoreError as error:
            raise StoreUnavailableError(f"DynamoDB cannot be reached ({type(error).__name__}).") from None
        if _BROKEN in output:
            raise StoreUnavailableError("DynamoDB's answer arrived broken.")
        return output

    def on_table(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """`call` for the operations that name one table."""
        return self.call(operation, {"TableName": self.table, **parameters})

    def close(self) -> None:
        """Close the connections; a later call makes new ones."""
        with self._making:
            if self._made is not None:
                self._made.close()
            self._made = None

    def _client(self) -> Any:
        if self._made is None:
            with self._making:
                if self._made is None:
                    self._made = self._make()
        return self._made

    def _make(self) -> Any:
        # Without boto3, whose import costs a cold start 45 ms and adds nothing to a client.
        import botocore.session
        from botocore.config import Config

        config = Config(
            connect_timeout=self._timeouts.connect,
            read_timeout=self._timeouts.read,
            retries={"mode": "standard", "total_max_attempts": self._timeouts.attempts},
            max_pool_connections=CONNECTIONS,
        )
        session = botocore.session.get_session()
        client = session.create_client(
            "dynamodb", region_name=self._region, endpoint_url=self._endpoint_url, config=config
        )
        client.meta.events.register("before-parse.dynamodb", _mark_broken)
        return client


def _mark_broken(response_dict: Mapping[str, Any], customized_response_dict: dict[str, Any], **_others: object) -> None:
    """Mark an answer that is not what DynamoDB sent; botocore calls this for each answer, before it reads it.

    botocore reads a broken answer to GetItem as one without an item, and gives it after its last attempt.
    """
    if not _whole(response_dict["headers"], response_dict["body"]):
        customized_response_dict[_BROKEN] = True


def _whole(headers: Mapping[str, str], body: bytes) -> bool:
    length, checksum = headers.get("Content-Length"), headers.get("x-amz-crc32")
    return body.startswith(b"{") and length in {None, str(len(body))} and checksum in {None, str(zlib.crc32(body))}


def _refusal(error: "ClientError") -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code == "ConditionalCheckFailedException":
        return ConditionFailedError()
    if code in _THROTTLES:
        return StoreUnavailableError(f"DynamoDB is throttling ({code}).", THROTTLED)
    return StoreUnavailableError(f"DynamoDB refuses ({code if _CODE.fullmatch(code) else 'no code'}).")
