"""A runtime of raw sockets that misbehaves on request: the event's path names how, the handler how it starts.

It prints the status of each of its requests, so that a test can read what it was told.
"""

import base64
import errno
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ADDRESS = os.environ["AWS_LAMBDA_RUNTIME_API"]
RUNTIME = "/2018-06-01/runtime"
INTEGRATION = {"Content-Type": "application/vnd.awslambda.http-integration-response"}
STREAMING = {**INTEGRATION, "Lambda-Runtime-Function-Response-Mode": "streaming"}
ERROR_TRAILERS = "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"
PRELUDE = json.dumps({"statusCode": 200, "headers": {"content-type": "text/plain"}}).encode()


def say(*words):
    """Print a line in one write, so that those of several threads stay apart."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Request:
    """A POST whose bytes are sent one by one."""

    def __init__(self, path, headers):
        host, port = ADDRESS.split(":")
        self.socket = socket.create_connection((host, int(port)))
        lines = [f"POST {RUNTIME}{path} HTTP/1.1", f"Host: {ADDRESS}", "Transfer-Encoding: chunked"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.raw("\r\n".join([*lines, "", ""]).encode())

    def raw(self, data):
        self.socket.sendall(data)

    def chunk(self, data):
        self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self, trailers=b""):
        self.raw(b"0\r\n" + trailers + b"\r\n")

    def status(self):
        reply = http.client.HTTPResponse(self.socket)
        reply.begin()
        reply.read()
        say("status", reply.status)
        self.socket.close()
        return reply.status


def call(method, path, headers=None, body=None):
    connection = http.client.HTTPConnection(ADDRESS)
    connection.request(method, path, body, headers or {})
    reply = connection.getresponse()
    body = reply.read()
    say(method, path.rsplit("/", 1)[1], reply.status)
    return reply.status, reply.headers, body


def begin(context, prelude=PRELUDE, **headers):
    request = Request(f"/invocation/{context['id']}/response", {**STREAMING, **headers})
    request.chunk(prelude)
    request.chunk(bytes(8))
    return request


def respond(context, body=b"hello", prelude=PRELUDE, **headers):
    request = begin(context, prelude, **headers)
    request.chunk(body)
    request.end()
    return request.status()


def respond_json(context, value, **options):
    return respond(context, json.dumps(value).encode(), **options)


def answer(context, headers):
    """The prelude that the request's body asks for."""
    respond(context, b"answer", json.dumps(json.loads(context["event"]["body"])).encode())


def wait_at_gate(context):
    """Wait until the test opens the gate whose port is the query."""
    with socket.create_connection(("127.0.0.1", int(context["event"]["rawQueryString"]))) as connection:
        connection.recv(1)


def five(context, headers):
    """Five events, each sent when the gate was opened after the one before."""
    request = begin(context)
    for number in range(5):
        request.chunk(b"%d\n" % number)
        wait_at_gate(context)
    request.end()
    request.status()


def wrong_mode(context, headers):
    request = Request(
        f"/invocation/{context['id']}/response", {**STREAMING, "Lambda-Runtime-Function-Response-Mode": "Streaming"}
    )
    request.chunk(PRELUDE + bytes(8) + b"hello")
    request.end()
    request.status()


def error_trailers(context, declared):
    request = begin(context, **({"Trailer": ERROR_TRAILERS} if declared else {}))
    request.chunk(b"some")
    body = base64.b64encode(b'{"errorMessage":"late"}')
    request.end(
        b"Lambda-Runtime-Function-Error-Type: Runtime.Late\r\nLambda-Runtime-Function-Error-Body: " + body + b"\r\n"
    )
    request.status()


def no_separator(context, headers):
    request = Request(f"/invocation/{context['id']}/response", STREAMING)
    request.chunk(PRELUDE)
    request.end()
    request.status()


def truncated(context, headers):
    request = begin(context)
    request.raw(b"ff\r\nsome")
    request.socket.shutdown(socket.SHUT_WR)
    request.status()


def stale(context, headers):
    respond({"id": "00000000-0000-0000-0000-000000000000"})
    respond(context)


def nonce(context, headers):
    respond(context, b"wrong", **{"Lambda-Runtime-Invocation-Id": "another"})
    respond(context, b"right", **{"Lambda-Runtime-Invocation-Id": headers["Lambda-Runtime-Invocation-Id"]})


def twice(context, headers):
    respond(context, b"first")
    respond(context, b"second")


def late_error(context, headers):
    request = begin(context)
    post_error(context)
    request.chunk(b"survived")
    request.end()
    request.status()


def post_error(context):
    kind = {"Lambda-Runtime-Function-Error-Type": "Function.Oops"}
    call("POST", f"{RUNTIME}/invocation/{context['id']}/error", kind, b'{"errorMessage":"oops","errorType":"Oops"}')


def exit_late(context, headers):
    request = begin(context)
    request.chunk(b"some")
    os._exit(3)


def big(context, headers):
    request = begin(context)
    try:
        for _ in range(int(context["event"]["rawQueryString"]) // 1000):
            request.chunk(b"x" * 1000)
        request.end()
    except OSError as error:
        say("write failed", errno.errorcode[error.errno])
    request.status()


def hang_late(context, headers):
    request = begin(context)
    request.chunk(b"some")
    time.sleep(60)


def background(context, headers):
    respond(context)
    wait_at_gate(context)
    say("background done")


def next_early(context, headers):
    call("GET", f"{RUNTIME}/invocation/next")
    respond(context)


def tick(context, headers):
    """Print lines in a thread, which a freeze stops."""
    threading.Thread(target=print_ticks, daemon=True).start()
    respond_json(context, {"pid": os.getpid()})


def print_ticks():
    while True:
        time.sleep(0.01)
        say("tick")


def upstream(context, headers):
    """Keep one connection to the port in the query; say whether the last one still lives."""
    alive = None
    if connection := STATE.get("connection"):
        try:
            connection.settimeout(0.2)
            alive = connection.recv(1) != b""
        except TimeoutError:
            alive = True
    else:
        STATE["connection"] = socket.create_connection(("127.0.0.1", int(context["event"]["rawQueryString"])))
    respond_json(context, {"alive": alive})


def write(context, headers):
    try:
        Path(os.environ["LAMBDA_TASK_ROOT"], "written").write_text("x")
        outcome = "written"
    except OSError as error:
        outcome = errno.errorcode[error.errno]
    respond_json(context, {"outcome": outcome})


def orphan(context, headers):
    child = subprocess.Popen(["/bin/sleep", "300"])
    respond_json(context, {"pids": [os.getpid(), child.pid]})


def buffered(context, headers):
    body = (context["event"].get("body") or "null").encode()
    call("POST", f"{RUNTIME}/invocation/{context['id']}/response", {"Content-Type": "application/json"}, body)


def who(context, headers):
    respond_json(context, {"pid": os.getpid(), "query": context["event"]["rawQueryString"]})


def held(context, headers):
    """Answer when the gate was opened."""
    wait_at_gate(context)
    who(context, headers)


def restore_next(context, headers):
    call("GET", f"{RUNTIME}/restore/next")
    respond(context)


def requests(context, headers):
    """Make the GETs and POSTs that the event's body lists; answer with their statuses and bodies."""
    replies = []
    for method, path, fields, body in json.loads(context["event"]["body"]):
        status, _, reply = call(method, path, fields, body)
        replies.append([status, reply.decode()])
    respond_json(context, replies)


STATE = {}
PAGES = {
    "hello": lambda context, _: respond(context),
    "event": lambda context, headers: respond_json(context, {"event": context["event"], "headers": dict(headers)}),
    "environ": lambda context, _: respond_json(context, dict(os.environ)),
    "trailers": lambda context, _: error_trailers(context, declared=True),
    "undeclared": lambda context, _: error_trailers(context, declared=False),
    "no-json": lambda context, _: respond(context, prelude=b"{'statusCode': 200}"),
    "huge-prelude": lambda context, _: respond(context, prelude=json.dumps({"headers": {"x": "y" * 20_000}}).encode()),
    "plain": lambda context, _: respond(context, b"plain", b"no prelude ", **{"Content-Type": "text/csv"}),
    "error": lambda context, _: post_error(context),
    "exit": lambda context, _: os._exit(3),
    "exit-well": lambda context, _: os._exit(0),
    "kill": lambda context, _: os.kill(os.getpid(), signal.SIGKILL),
    "hang": lambda context, _: time.sleep(60),
}


def serve():
    connection = http.client.HTTPConnection(ADDRESS)
    while True:
        connection.request("GET", f"{RUNTIME}/invocation/next")
        reply = connection.getresponse()
        body = reply.read()
        if reply.status != 200:
            say("next", reply.status)
            sys.exit(9)
        context = {"id": reply.headers["Lambda-Runtime-Aws-Request-Id"], "event": json.loads(body)}
        name = context["event"].get("rawPath", "/buffered").strip("/")
        page = PAGES.get(name) or globals()[name.replace("-", "_")]
        page(context, reply.headers)


def serve_concurrently():
    for _ in range(int(os.environ["AWS_LAMBDA_MAX_CONCURRENCY"]) - 1):
        threading.Thread(target=serve, daemon=True).start()
    serve()


def init_error():
    kind = {"Lambda-Runtime-Function-Error-Type": "Runtime.NoSuchHandler"}
    call("POST", f"{RUNTIME}/init/error", kind, b'{"errorMessage":"no such handler"}')
    sys.exit(1)


def flaky_init():
    """Fail the first start and not the second."""
    marker = Path(os.environ["MARKER"])
    if not marker.exists():
        marker.touch()
        sys.exit(1)
    serve()


def snapshot():
    status, _, _ = call("GET", f"{RUNTIME}/restore/next")
    say("restored", status)
    serve()


def restore_error():
    call("GET", f"{RUNTIME}/restore/next")
    kind = {"Lambda-Runtime-Function-Error-Type": "Runtime.AfterRestoreError"}
    call("POST", f"{RUNTIME}/restore/error", kind, b'{"errorMessage":"no"}')
    sys.exit(65)


def register(events):
    body = json.dumps({"events": events}).encode()
    return call("POST", "/2020-01-01/extension/register", {"Lambda-Extension-Name": "toy"}, body)


def wait_for_event(identifier):
    status, _, body = call("GET", "/2020-01-01/extension/event/next", {"Lambda-Extension-Identifier": identifier})
    say("event", status, body.decode())


def extension(events, waits):
    _, headers, _ = register(events)
    signal.signal(signal.SIGTERM, lambda *_: (say("SIGTERM"), os._exit(0)))
    if waits:
        identifier = headers["Lambda-Extension-Identifier"]
        threading.Thread(target=wait_for_event, args=(identifier,), daemon=True).start()
    serve()


def deaf():
    signal.signal(signal.SIGTERM, lambda *_: say("SIGTERM"))
    serve()


STARTS = {
    "serve": serve,
    "concurrent": serve_concurrently,
    "init_error": init_error,
    "flaky_init": flaky_init,
    "slow_init": lambda: (say("pid", os.getpid()), time.sleep(60)),
    "snapshot": snapshot,
    "restore_error": restore_error,
    "extension": lambda: extension([], waits=True),
    "extension_invoke": lambda: extension(["INVOKE"], waits=True),
    "extension_hangs": lambda: extension([], waits=False),
    "extension_shutdown": lambda: (register(["SHUTDOWN"]), serve()),
    "deaf": deaf,
}

if __name__ == "__main__":
    STARTS[os.environ["_HANDLER"].partition(".")[2]]()
