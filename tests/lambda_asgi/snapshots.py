"""An app that is snapshotted: its hooks print their names."""

import os
import random

import lambda_asgi

from . import apps

routes = apps.routes
WORDS = {"before": os.environ.get("FAIL") == "before", "after": os.environ.get("FAIL") == "after"}


@lambda_asgi.register_before_snapshot
def first():
    print("before: first", flush=True)


async def second(word, *, end):
    print(f"before: {word}{end}", flush=True)
    if WORDS["before"]:
        raise RuntimeError("cannot close")


lambda_asgi.register_before_snapshot(second, "second", end="!")


@lambda_asgi.register_after_restore
def third():
    print("after: third", flush=True)
    if WORDS["after"]:
        raise RuntimeError("cannot reopen")


@lambda_asgi.register_after_restore
async def fourth():
    print("after: fourth", flush=True)


random.seed(1)
SNAPSHOTTED = random.Random(1).random()


async def rolls(scope, receive, send):
    assert scope["type"] == "http"
    await send(apps.start())
    await send(apps.body(b"same" if random.random() == SNAPSHOTTED else b"other"))
