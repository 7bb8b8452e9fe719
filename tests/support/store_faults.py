"""A DynamoDB that can be told to fail, in every way that a real one does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.aws import moto
from tests.support.dynamodb import Dynamo, create_table, credentials
from tests.support.dynamodb_proxy import Exchange, Fault, Proxy, Reply, proxy


def refused(exchange: Exchange) -> None:
    """Nobody listens: connections are refused, kept ones end."""
    exchange.drop()


def throttled(exchange: Exchange) -> None:
    """The table has no capacity left."""
    exchange.refuse(400, "ProvisionedThroughputExceededException")


def failing(exchange: Exchange) -> None:
    """An internal error of the service."""
    exchange.refuse(500, "InternalServerError")


def forbidden(exchange: Exchange) -> None:
    """The role may not."""
    exchange.refuse(400, "AccessDeniedException")


def unwell(exchange: Exchange) -> None:
    """Something before the service answers for it."""
    exchange.answer(Reply(503, [("Content-Type", "text/html")], b"<h1>http://internal is down</h1>"))


def hanging(exchange: Exchange) -> None:
    """No answer until the fault is over."""
    exchange.server.proxy.healed.wait()
    exchange.drop()


def answer_lost(exchange: Exchange) -> None:
    """The request is carried out and its answer never comes."""
    exchange.forward()
    exchange.drop()


def answer_cut(exchange: Exchange) -> None:
    """The request is carried out and its answer breaks off."""
    exchange.answer(exchange.forward(), cut=1)
    exchange.drop()


def left_undone(exchange: Exchange) -> None:
    """A read of many records that got to none of them."""
    undone = {"Responses": {}, "UnprocessedKeys": json.loads(exchange.sent)["RequestItems"]}
    exchange.answer(Reply(200, [("Content-Type", "application/x-amz-json-1.0")], json.dumps(undone).encode()))


@dataclass
class FaultyDynamo(Dynamo):
    """A table behind a proxy.

    Attributes:
        proxy: knows what was asked.
    """

    proxy: Proxy

    @contextmanager
    def broken(self, fault: Fault) -> Iterator[None]:
        """Show a fault for every request while the block runs."""
        with self.proxy.gone() if fault is refused else self.proxy.broken(fault):
            yield

    def another_table(self) -> Dynamo:
        """A new, empty table behind the same proxy."""
        return create_table(self.url)

    def once(self, fault: Fault, operation: str = "", times: int = 1) -> None:
        """Show a fault for the next requests, or the next of an operation such as `PutItem`."""
        self.proxy.once(fault, operation, times)


@contextmanager
def faulty_dynamodb() -> Iterator[FaultyDynamo]:
    """A new table on a moto server, behind a proxy that can be told to fail; credentials are in the environment.

    `with dynamo.broken(throttled): ...` breaks it for a while, `dynamo.once(answer_lost, "PutItem")` once.
    """
    with credentials(), moto() as upstream, proxy(upstream) as front:
        yield FaultyDynamo(front.url, create_table(upstream).table, front)
