"""Apps for the runtime to host: well-behaved and otherwise."""

import asyncio
import json
import os
import sys

import lambda_asgi
from tests.support.gate import wait_at

TEXT = [(b"content-type", b"text/plain")]


def start(status=200, headers=TEXT):
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(data=b"", more=False):
    return {"type": "http.response.body", "body": data, "more_body": more}


def gate_of(scope):
    """The port that the query names."""
    return int(scope["query_string"])


LIFE = {"startups": 0}


async def routes(scope, receive, send):
    """`/name` runs the function `name` of this module; the lifespan is counted."""
    if scope["type"] == "lifespan":
        await lifespan(scope, receive, send)
    else:
        await PAGES[scope["path"].strip("/").split("/")[0]](scope, receive, send)


async def lifespan(scope, receive, send):
    await receive()
    LIFE["startups"] += 1
    scope["state"]["startups"] = LIFE["startups"]
    await send({"type": "lifespan.startup.complete"})
    await receive()
    print("lifespan: shutdown", flush=True)
    await send({"type": "lifespan.shutdown.complete"})


async def echo(scope, receive, send):
    """What the app sees of the request, as JSON."""
    request = await receive()
    lambda_ = scope["extensions"]["aws.lambda"]
    context = lambda_["context"]
    state = dict(scope["state"])
    scope["state"]["touched"] = True
    seen = {
        "method": scope["method"],
        "path": scope["path"],
        "raw_path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
        "client": scope["client"],
        "server": scope["server"],
        "scheme": scope["scheme"],
        "root_path": scope["root_path"],
        "http_version": scope["http_version"],
        "body": request["body"].decode("latin-1"),
        "more_body": request["more_body"],
        "state": state,
        "event": lambda_["event"],
        "deadline_ms": lambda_["deadline_ms"],
        "context": {
            "aws_request_id": context.aws_request_id,
            "invoked_function_arn": context.invoked_function_arn,
            "deadline_ms": context.deadline_ms,
            "remaining_ms": context.get_remaining_time_in_millis(),
            "function_name": context.function_name,
            "function_version": context.function_version,
            "memory_limit_in_mb": context.memory_limit_in_mb,
            "log_group_name": context.log_group_name,
            "log_stream_name": context.log_stream_name,
            "client_context": context.client_context,
            "identity": context.identity,
            "tenant_id": context.tenant_id,
        },
        "request_id_variable": lambda_asgi.request_id.get(),
        "trace_id_variable": lambda_asgi.trace_id.get(),
        "trace_id_environment": os.environ.get("_X_AMZN_TRACE_ID"),
    }
    await send(start(headers=[(b"content-type", b"application/json")]))
    await send(body(json.dumps(seen).encode()))


async def early_raise(scope, receive, send):
    await send(start())
    raise ValueError("before the first body")


async def late_raise(scope, receive, send):
    await send(start())
    await send(body(b"begun", more=True))
    raise ValueError("after the first body")


async def raise_at_end(scope, receive, send):
    await send(start(500))
    await send(body(b"handled"))
    raise ValueError("after the last body")


async def never_ends(scope, receive, send):
    await send(start())
    await send(body(b"tick", more=True))
    await asyncio.Event().wait()


async def never_begins(scope, receive, send):
    await asyncio.Event().wait()


async def polite(scope, receive, send):
    """Listens for the disconnect, and still says goodbye."""
    await receive()
    await send(start())
    await send(body(b"hello ", more=True))
    message = await receive()
    print(message["type"], flush=True)
    await send(body(b"goodbye"))


async def listens_after(scope, receive, send):
    await receive()
    await send(start())
    await send(body(b"all"))
    print((await receive())["type"], flush=True)


async def no_response(scope, receive, send):
    await receive()


async def half_response(scope, receive, send):
    await send(start())
    await send(body(b"half", more=True))


async def large(scope, receive, send):
    """20 MB, as one body and as many."""
    await send(start())
    await send(body(b"a" * 10_000_000, more=True))
    for _ in range(100):
        await send(body(b"b" * 100_000, more=True))
    await send(body())


async def endless_bytes(scope, receive, send):
    """Sends until the server takes no more."""
    await send(start())
    try:
        while True:
            await send(body(b"x" * 65536, more=True))
    except OSError as error:
        print(f"stopped: {type(error).__name__}", flush=True)
        raise


TAKEN = {"bytes": 0}


async def much(scope, receive, send):
    """64 MB; how much of it the server took so far is what `taken` says."""
    await send(start())
    for _ in range(1000):
        await send(body(b"x" * 65536, more=True))
        TAKEN["bytes"] += 65536
    await send(body())


async def taken(scope, receive, send):
    await send(start())
    await send(body(b"%d" % TAKEN["bytes"]))


async def events(scope, receive, send):
    """Five events, each sent when the gate was opened after the one before."""
    await send(start(headers=[(b"content-type", b"text/event-stream")]))
    for number in range(5):
        await send(body(b"data: %d\n\n" % number, more=True))
        await wait_at(gate_of(scope))
    await send(body())


async def five_events(scope, receive, send):
    """Five events, one after the other."""
    await send(start(headers=[(b"content-type", b"text/event-stream")]))
    for number in range(5):
        await send(body(b"data: %d\n\n" % number, more=True))
        await asyncio.sleep(0)
    await send(body())


BACKGROUND = {"done": 0}


async def background(scope, receive, send):
    await send(start())
    await send(body(b"%d" % BACKGROUND["done"]))
    await wait_at(gate_of(scope))
    BACKGROUND["done"] += 1


async def cookies(scope, receive, send):
    headers = [
        (b"Set-Cookie", b"a=1; Path=/"),
        (b"set-cookie", b"b=2"),
        (b"Vary", b"Origin"),
        (b"vary", b"Accept"),
        (b"Content-Length", b"2"),
        (b"Connection", b"keep-alive"),
        (b"Transfer-Encoding", b"chunked"),
        (b"WWW-Authenticate", b"Bearer"),
    ]
    await send(start(201, headers))
    await send(body(b"ok"))


async def injection(scope, receive, send):
    await send(start(headers=[(b"location", b"/\r\nset-cookie: stolen=1")]))
    await send(body(b"never"))


async def recovers(scope, receive, send):
    try:
        await send(start(headers=[(b"bad name", b"1")]))
    except lambda_asgi.LambdaAsgiError:
        await send(start(400))
        await send(body(b"recovered"))


async def huge_head(scope, receive, send):
    await send(start(headers=[(b"x-large", b"x" * 17_000)]))
    await send(body(b"never"))


async def status(scope, receive, send):
    """`/status/204` answers 204, with a body that must not go out where none may."""
    await send(start(int(scope["path"].split("/")[2])))
    await send(body(b"content"))


async def empty(scope, receive, send):
    await send(start(202))
    await send(body())


async def open_empty(scope, receive, send):
    """An empty first body: the head must go out at once; then nothing that would end the stream."""
    await send(start())
    await send(body(b"", more=True))
    await wait_at(gate_of(scope))
    await send(body(b"", more=True))
    await send(body(b"late", more=True))
    await send(body())


async def binary(scope, receive, send):
    await send(start(headers=[(b"content-type", b"image/png")]))
    await send(body(b"\x89PNG", more=True))
    await send(body(b"\xff\x00"))


async def too_large_for_buffer(scope, receive, send):
    await send(start())
    await send(body(b"x" * (6 * 1024 * 1024 + 1)))


MEETING: list[asyncio.Event] = []


async def meet(scope, receive, send):
    """Ends when four of these run at once."""
    me = asyncio.Event()
    MEETING.append(me)
    if len(MEETING) == 4:
        for each in MEETING:
            each.set()
    await me.wait()
    await send(start())
    await send(body(lambda_asgi.request_id.get().encode()))


async def small(scope, receive, send):
    await receive()
    await send(start())
    await send(body(b"ok"))


async def collector(scope, receive, send):
    import gc

    await send(start())
    await send(body(json.dumps([gc.isenabled(), gc.get_freeze_count() > 1000, IMPORTED_WITH_GC]).encode()))


async def unbuffered(scope, receive, send):
    sys.stdout.write("metric line without a flush\n")
    await never_begins(scope, receive, send)


async def two_senders(scope, receive, send):
    await send(start())
    await asyncio.gather(send(body(b"a", more=True)), send(body(b"b", more=True)))
    await send(body())


async def slow_background(scope, receive, send):
    await send(start())
    await send(body(b"all"))
    await asyncio.Event().wait()


PAGES = {name: value for name, value in globals().items() if asyncio.iscoroutinefunction(value)}
IMPORTED_WITH_GC = __import__("gc").isenabled()


async def no_lifespan(scope, receive, send):
    assert scope["type"] == "http"
    await small(scope, receive, send)


async def echo_only(scope, receive, send):
    assert scope["type"] == "http"
    await echo(scope, receive, send)


async def failing_lifespan(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


async def raising_lifespan(scope, receive, send):
    await receive()
    raise RuntimeError("no database")


async def failing_shutdown(scope, receive, send):
    if scope["type"] == "http":
        await small(scope, receive, send)
        return
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.failed", "message": "could not flush"})


wrapped = lambda_asgi.handler(routes)
not_callable = 3
