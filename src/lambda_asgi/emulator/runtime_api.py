"""The Runtime API of one sandbox, as strict as the service's.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
"""

from collections import deque
from collections.abc import Mapping
from typing import Protocol

from .answer import ERROR_TYPE, Answer
from .config import FunctionConfig
from .extensions import Extensions, RefusedError
from .http_connection import Connection, Pending, afterwards
from .invocation import FunctionError, Invocation, Stage
from .listener import Listener
from .responses import encode_head, encode_json
from .wire import MalformedMessageError, RequestHead, TruncatedBodyError

TIMED_OUT = "Sandbox.Timedout"
_ACCEPTED = encode_json(202, {"status": "OK"})
_INVOCATION = "/2018-06-01/runtime/invocation/"
_RESPONSE = "/response"


class Owner(Protocol):
    """The sandbox that a Runtime API belongs to."""

    @property
    def initialising(self) -> bool:
        """Whether the init phase is under way."""
        ...

    def ready(self) -> None:
        """The runtime or an extension waits for what comes next."""
        ...

    def start_failed(self, error: FunctionError) -> None:
        """The runtime reported that init or restore failed."""
        ...


class RuntimeApi:
    """Serves one sandbox: what waits, what runs, and which request is legal when."""

    def __init__(self, config: FunctionConfig, owner: Owner) -> None:
        self._config = config
        self._owner = owner
        self._listener = Listener(lambda _address: _Caller(self))
        self._waiting: deque[Connection] = deque()
        self._restoring: Connection | None = None
        self._invocations: dict[str, Invocation] = {}
        self._wedged = False
        self.extensions = Extensions(config)
        self.port = 0

    async def start(self) -> str:
        """Listen on a free port of the loopback interface; return host and port."""
        host, self.port = await self._listener.start("127.0.0.1", 0)
        return f"{host}:{self.port}"

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        await self._listener.stop()

    async def drained(self, seconds: float) -> None:
        """Wait until what the sandbox sent has been read, at most so many seconds."""
        await self._listener.drained(seconds)

    @property
    def waiting(self) -> bool:
        """Whether the runtime asks for an invocation."""
        return bool(self._waiting)

    @property
    def late(self) -> int:
        """How many invocations have timed out while the runtime still works on them."""
        return sum(map(_is_timed_out, self._invocations.values()))

    @property
    def restoring(self) -> bool:
        """Whether the runtime waits to be restored from its snapshot."""
        return self._restoring is not None

    def restore(self) -> None:
        """Tell the runtime that it has been restored."""
        if self._restoring is not None:
            self._restoring.write(encode_head(200, [("Content-Length", "0")]))
            self._restoring = None

    def send(self, invocation: Invocation) -> None:
        """Hand an invocation to the runtime, which must be waiting."""
        self._invocations[invocation.request_id] = invocation
        fields = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(invocation.event))),
            ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(invocation.deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", self._config.arn),
            ("Lambda-Runtime-Trace-Id", invocation.trace_id),
            ("Lambda-Runtime-Invocation-Id", invocation.nonce),
        ]
        self._waiting.popleft().write(encode_head(200, fields) + invocation.event)
        if self.extensions:
            self.extensions.announce(invocation, self._config.arn)

    def leave(self, connection: Connection) -> None:
        """Note that a connection has ended."""
        if connection in self._waiting:
            self._waiting.remove(connection)
        if self._restoring is connection:
            self._restoring = None
        self.extensions.leave(connection)

    def holds(self, connection: Connection) -> bool:
        """Whether the runtime asked for an invocation there and got none yet."""
        return connection in self._waiting

    def answer(self, connection: Connection, head: RequestHead, body: bytes) -> bytes | None:
        """Do what a request other than a response asks for; return the answer unless it is to come later.

        Raises RefusedError.
        """
        match head.method, head.target.strip("/").split("/"):
            case "GET", ["2018-06-01", "runtime", "invocation", "next"]:
                self._next(connection)
                return None
            case "POST", ["2018-06-01", "runtime", "invocation", request_id, "error"]:
                self._claim(request_id, head).finish(FunctionError.reported(head.header(ERROR_TYPE), body))
                return _ACCEPTED
            case "POST", ["2018-06-01", "runtime", "init", "error"]:
                return self._start_failed(head, body, legal=self._owner.initialising)
            case method, ["2018-06-01", "runtime", "restore", what] if self._config.snapstart:
                return self._restore_route(f"{method} {what}", head, body, connection)
            case method, ["2020-01-01", "extension", *what]:
                return self._extension_route(f"{method} {'/'.join(what)}", head, body, connection)
            case "GET", ["2021-04-23", "credentials"] if self._config.snapstart:
                return _credentials(head)
        raise RefusedError(404, "NotFound", f"no such route: {head.method} {head.target[:80]}")

    def _next(self, connection: Connection) -> None:
        running = sum(invocation.stage is not Stage.RESPONDED for invocation in self._invocations.values())
        if self._wedged or self._restoring or len(self._waiting) + running >= self._config.concurrency_per_sandbox:
            raise _illegal("invocation/next")
        self._waiting.append(connection)
        for request_id, invocation in list(self._invocations.items()):
            if invocation.stage is Stage.RESPONDED and not _is_timed_out(invocation):
                del self._invocations[request_id]
        self._owner.ready()

    def _claim(self, request_id: str, head: RequestHead) -> Invocation:
        """Return the invocation that a request answers. Raises RefusedError."""
        invocation = self._invocations.get(request_id)
        if invocation is None:
            raise RefusedError(400, "InvalidRequestID", "Invalid request ID")
        nonce = head.header("lambda-runtime-invocation-id")
        if nonce and nonce != invocation.nonce:
            raise RefusedError(410, "Runtime.InvokeTimeout", "The answer belongs to an earlier invocation")
        if _is_timed_out(invocation):
            raise self._too_late(invocation)
        if invocation.stage is not Stage.RUNNING:
            raise _illegal("response or error")
        return invocation

    def response(self, head: RequestHead) -> Answer | None:
        """Begin the response to an invocation, if that is what a request brings. Raises RefusedError."""
        if head.method != "POST" or not (head.target.startswith(_INVOCATION) and head.target.endswith(_RESPONSE)):
            return None
        invocation = self._claim(head.target[len(_INVOCATION) : -len(_RESPONSE)], head)
        if head.header("lambda-runtime-function-response-mode") in {"", "streaming"}:
            return Answer(invocation, head, self._too_late)
        self._wedged = True
        message = "Invalid function response mode"
        invocation.finish(FunctionError.of("Runtime.InvalidResponseModeHeader", message))
        raise RefusedError(400, "InvalidFunctionResponseMode", message)

    def _too_late(self, invocation: Invocation) -> RefusedError:
        self._invocations.pop(invocation.request_id, None)
        self._owner.ready()
        return RefusedError(410, "Runtime.InvokeTimeout", "The invocation has timed out")

    def _start_failed(self, head: RequestHead, body: bytes, *, legal: bool) -> bytes:
        if not legal:
            raise _illegal("init or restore error")
        self._owner.start_failed(FunctionError.reported(head.header(ERROR_TYPE), body))
        return _ACCEPTED

    def _restore_route(self, route: str, head: RequestHead, body: bytes, connection: Connection) -> bytes | None:
        if route == "POST error":
            return self._start_failed(head, body, legal=not self._invocations and not self._waiting)
        if route == "GET next" and self._owner.initialising and not self.restoring:
            self._restoring = connection
            self._owner.ready()
            return None
        raise _illegal("restore/next")

    def _extension_route(self, route: str, head: RequestHead, body: bytes, connection: Connection) -> bytes | None:
        if route == "POST register":
            open_ = self._owner.initialising and not self.waiting
            return self.extensions.register(head, body, open_=open_)
        if route == "GET event/next":
            self.extensions.wait(head, connection)
            self._owner.ready()
            return None
        raise RefusedError(404, "NotFound", f"no such route: {route}")


class _Caller:
    """The requests on one connection of a runtime, one after the other."""

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self._head: RequestHead | None = None
        self._body = bytearray()
        self._answer: Answer | None = None

    def begin(self, connection: Connection, head: RequestHead) -> None:
        if self._api.holds(connection):
            connection.close()
            return
        self._head = head
        try:
            self._answer = self._api.response(head)
        except RefusedError as refusal:
            _refuse(connection, refusal, lives=False)

    def piece(self, connection: Connection, data: bytes) -> Pending:
        if self._answer is None:
            self._body += data
            return None
        try:
            return self._answer.piece(data)
        except RefusedError as refusal:
            self._answer = None
            _refuse(connection, refusal, lives=False)
            return None

    def end(self, connection: Connection, trailers: Mapping[str, str]) -> None:
        head, self._head = self._head, None
        if head is None:
            return
        try:
            self._conclude(connection, head, trailers)
        except RefusedError as refusal:
            # Where a body was sent the connection ends: its sender may not have looked for an answer yet.
            _refuse(connection, refusal, lives=head.method == "GET" and head.keep_alive)

    def pause(self) -> None:
        if self._answer is not None:
            self._answer.pause()

    def broken(self, connection: Connection, error: MalformedMessageError | TruncatedBodyError) -> None:
        if self._answer is not None:
            refusal, self._answer = self._answer.break_off(), None
            _refuse(connection, refusal, lives=False)
        else:
            connection.write(encode_json(400, {"errorType": "MalformedRequest", "errorMessage": str(error)}))
            connection.close()

    def left(self, connection: Connection) -> None:
        self._api.leave(connection)

    def _conclude(self, connection: Connection, head: RequestHead, trailers: Mapping[str, str]) -> None:
        answer, self._answer = self._answer, None
        body = bytes(self._body)
        self._body.clear()
        if answer is not None:
            answer.end(trailers)
            connection.hold()
            afterwards(_accept, connection, head)
        elif (reply := self._api.answer(connection, head, body)) is not None:
            _reply(connection, head, reply)


def _accept(connection: Connection, head: RequestHead) -> None:
    _reply(connection, head, _ACCEPTED)
    connection.resume()


def _reply(connection: Connection, head: RequestHead, reply: bytes) -> None:
    connection.write(reply)
    if not head.keep_alive:
        connection.close()


def _illegal(what: str) -> RefusedError:
    return RefusedError(403, "InvalidStateTransition", f"{what} is not allowed in this state")


def _is_timed_out(invocation: Invocation) -> bool:
    return invocation.error is not None and invocation.error.type == TIMED_OUT


def _refuse(connection: Connection, refusal: RefusedError, *, lives: bool) -> None:
    """Answer a request that is declined.

    Where a body may still be on its way the connection is closed in two steps, so that its sender can read the answer.
    """
    reply = {"errorType": refusal.error_type, "errorMessage": str(refusal)}
    connection.write(encode_json(refusal.status, reply, *([] if lives else [("Connection", "close")])))
    if not lives:
        connection.linger()


def _credentials(head: RequestHead) -> bytes:
    if head.header("authorization") != "emulator":
        raise RefusedError(404, "NotFound", "cannot get credentials for the provided token")
    credentials = {"AccessKeyId": "ASIAEMULATOR", "SecretAccessKey": "emulator", "Token": "emulator"}
    return encode_json(200, {**credentials, "Expiration": "2099-12-31T23:59:59Z"})
