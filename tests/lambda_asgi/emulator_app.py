"""The app that the emulator's end-to-end tests host with the real runtime."""

import asyncio
import json
import os
import threading

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


async def five(port, receive, send):
    """Five events, each sent when the gate at the port was opened after the one before."""
    await start(send)
    for number in range(5):
        await body(send, b"%d\n" % number, more=True)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        await reader.read()
        writer.close()
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
    threading.Event().wait()


async def late(_, receive, send):
    await start(send)
    await body(send, b"begun", more=True)
    raise RuntimeError("late")


async def early(_, receive, send):
    raise RuntimeError("early")


PAGES = {"five": five, "echo": echo, "block": block, "late": late, "early": early}
lambda_asgi.register_after_restore(lambda: print("after restore", flush=True))
