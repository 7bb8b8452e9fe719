"""The app that the emulator's end-to-end tests host with the real runtime."""

import asyncio
import json
import os
import time

import lambda_asgi

TEXT = [(b"content-type", b"text/event-stream")]
STARTED = {"count": 0}


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    page, _, argument = scope["path"].strip("/").partition("/")
    await PAGES[page](argument, receive, send)


async def lifespan(receive, send):
    await receive()
    STARTED["count"] += 1
    await send({"type": "lifespan.startup.complete"})
    await receive()
    print("lifespan ends", flush=True)
    await send({"type": "lifespan.shutdown.complete"})


async def start(send, status=200):
    await send({"type": "http.response.start", "status": status, "headers": TEXT})


async def body(send, data=b"", more=False):
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def five(_, receive, send):
    await start(send)
    for _ in range(5):
        await body(send, b"%.6f\n" % time.time(), more=True)
        await asyncio.sleep(0.3)
    await body(send)


async def echo(argument, receive, send):
    request = await receive()
    await asyncio.sleep(0.02)
    await start(send)
    seen = {"argument": argument, "body": request["body"].decode(), "pid": os.getpid(), "lifespans": STARTED["count"]}
    await body(send, json.dumps(seen).encode())


async def block(_, receive, send):
    await start(send)
    await body(send, b"begun", more=True)
    time.sleep(60)  # noqa: ASYNC251 (the loop is to be blocked)


async def late(_, receive, send):
    await start(send)
    await body(send, b"begun", more=True)
    raise RuntimeError("late")


async def early(_, receive, send):
    raise RuntimeError("early")


PAGES = {"five": five, "echo": echo, "block": block, "late": late, "early": early}
lambda_asgi.register_after_restore(lambda: print("after restore", flush=True))
