"""The Runtime API of one sandbox, as strict as the service's.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
"""

import asyncio
import base64
import binascii
from collections import deque
from typing import Protocol

from .config import FunctionConfig
from .extensions import Extensions, RefusedError
from .invocation import AlreadyAnsweredError, FunctionError, Invocation, ResponseTooLargeError, Stage
from .responses import encode_head, encode_json
from .wire import Body, Listener, MalformedMessageError, RequestHead, TruncatedBodyError, linger, read_head

TIMED_OUT = "Sandbox.Timedout"
_ACCEPTED = encode_json(202, {"status": "OK"})
_ERROR_TYPE = "lambda-runtime-function-error-type"
_ERROR_BODY = "lambda-runtime-function-error-body"


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
        self._listener = Listener(self._serve)
        self._waiting: deque[asyncio.StreamWriter] = deque()
        self._restoring: asyncio.StreamWriter | None = None
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
        self.extensions.announce(invocation, self._config.arn)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (head := await read_head(reader)) is not None and writer not in self._waiting:
                body = Body(reader, head)
                try:
                    await self._route(head, body, writer)
                except RefusedError as refusal:
                    if not await _refuse(refusal, head, reader, writer):
                        return
                if not head.keep_alive:
                    return
        except (MalformedMessageError, TruncatedBodyError) as error:
            writer.write(encode_json(400, {"errorType": "MalformedRequest", "errorMessage": str(error)}))
        finally:
            self._leave(writer)

    def _leave(self, writer: asyncio.StreamWriter) -> None:
        if writer in self._waiting:
            self._waiting.remove(writer)
        if self._restoring is writer:
            self._restoring = None
        self.extensions.leave(writer)

    async def _route(self, head: RequestHead, body: Body, writer: asyncio.StreamWriter) -> None:
        match head.method, head.target.strip("/").split("/"):
            case "GET", ["2018-06-01", "runtime", "invocation", "next"]:
                self._next(writer)
            case "POST", ["2018-06-01", "runtime", "invocation", request_id, "response"]:
                await self._response(self._claim(request_id, head), head, body)
                _accept(writer)
            case "POST", ["2018-06-01", "runtime", "invocation", request_id, "error"]:
                invocation = self._claim(request_id, head)
                invocation.finish(FunctionError.reported(head.header(_ERROR_TYPE), await body.read_all()))
                _accept(writer)
            case "POST", ["2018-06-01", "runtime", "init", "error"]:
                await self._start_failed(head, body, writer, legal=self._owner.initialising)
            case method, ["2018-06-01", "runtime", "restore", what] if self._config.snapstart:
                await self._restore_route(f"{method} {what}", head, body, writer)
            case method, ["2020-01-01", "extension", *what]:
                await self._extension_route(f"{method} {'/'.join(what)}", head, body, writer)
            case "GET", ["2021-04-23", "credentials"] if self._config.snapstart:
                _credentials(head, writer)
            case _:
                raise RefusedError(404, "NotFound", f"no such route: {head.method} {head.target[:80]}")

    def _next(self, writer: asyncio.StreamWriter) -> None:
        running = sum(invocation.stage is not Stage.RESPONDED for invocation in self._invocations.values())
        if self._wedged or self._restoring or len(self._waiting) + running >= self._config.concurrency_per_sandbox:
            raise _illegal("invocation/next")
        self._waiting.append(writer)
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

    async def _response(self, invocation: Invocation, head: RequestHead, body: Body) -> None:
        if head.header("lambda-runtime-function-response-mode") not in {"", "streaming"}:
            self._wedged = True
            message = "Invalid function response mode"
            invocation.finish(FunctionError.of("Runtime.InvalidResponseModeHeader", message))
            raise RefusedError(400, "InvalidFunctionResponseMode", message)
        invocation.respond(head.header("content-type") or "application/octet-stream")
        try:
            while piece := await body.read():
                await invocation.deliver(piece)
        except ResponseTooLargeError as error:
            message = f"Exceeded maximum allowed payload size ({invocation.limit} bytes)."
            invocation.finish(FunctionError.of("Function.ResponseSizeTooLarge", message))
            raise RefusedError(413, "RequestEntityTooLarge", message) from error
        except (TruncatedBodyError, MalformedMessageError) as error:
            message = "HTTP request detected as truncated"
            invocation.finish(FunctionError.of("Runtime.TruncatedResponse", message))
            raise RefusedError(400, "TruncatedHTTPRequest", message) from error
        except AlreadyAnsweredError as error:
            raise self._too_late(invocation) from error
        if invocation.answered.done():
            raise self._too_late(invocation)
        invocation.finish(_trailer_error(body.trailers))

    def _too_late(self, invocation: Invocation) -> RefusedError:
        self._invocations.pop(invocation.request_id, None)
        self._owner.ready()
        return RefusedError(410, "Runtime.InvokeTimeout", "The invocation has timed out")

    async def _start_failed(self, head: RequestHead, body: Body, writer: asyncio.StreamWriter, *, legal: bool) -> None:
        if not legal:
            raise _illegal("init or restore error")
        error = FunctionError.reported(head.header(_ERROR_TYPE), await body.read_all())
        _accept(writer)
        await writer.drain()
        self._owner.start_failed(error)

    async def _restore_route(self, route: str, head: RequestHead, body: Body, writer: asyncio.StreamWriter) -> None:
        if route == "POST error":
            await self._start_failed(head, body, writer, legal=not self._invocations and not self._waiting)
        elif route == "GET next" and self._owner.initialising and not self.restoring:
            self._restoring = writer
            self._owner.ready()
        else:
            raise _illegal("restore/next")

    async def _extension_route(self, route: str, head: RequestHead, body: Body, writer: asyncio.StreamWriter) -> None:
        if route == "POST register":
            open_ = self._owner.initialising and not self.waiting
            writer.write(self.extensions.register(head, await body.read_all(), open_=open_))
        elif route == "GET event/next":
            self.extensions.wait(head, writer)
            self._owner.ready()
        else:
            raise RefusedError(404, "NotFound", f"no such route: {route}")


def _illegal(what: str) -> RefusedError:
    return RefusedError(403, "InvalidStateTransition", f"{what} is not allowed in this state")


def _is_timed_out(invocation: Invocation) -> bool:
    return invocation.error is not None and invocation.error.type == TIMED_OUT


def _accept(writer: asyncio.StreamWriter) -> None:
    writer.write(_ACCEPTED)


async def _refuse(
    refusal: RefusedError, head: RequestHead, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Answer a request that is declined; return whether the connection is still of use.

    Where a body may still be on its way the connection is closed in two steps, so that its sender can read the answer.
    """
    reply = {"errorType": refusal.error_type, "errorMessage": str(refusal)}
    bodiless = head.method == "GET"
    writer.write(encode_json(refusal.status, reply, *([] if bodiless else [("Connection", "close")])))
    if not bodiless:
        await linger(reader, writer)
    return bodiless


def _trailer_error(trailers: dict[str, str]) -> FunctionError | None:
    error_type = trailers.get(_ERROR_TYPE, "")
    if not error_type:
        return None
    try:
        body = base64.b64decode(trailers.get(_ERROR_BODY, ""), validate=True)
    except binascii.Error:
        body = b""
    return FunctionError.reported(error_type, body)


def _credentials(head: RequestHead, writer: asyncio.StreamWriter) -> None:
    if head.header("authorization") != "emulator":
        raise RefusedError(404, "NotFound", "cannot get credentials for the provided token")
    credentials = {"AccessKeyId": "ASIAEMULATOR", "SecretAccessKey": "emulator", "Token": "emulator"}
    writer.write(encode_json(200, {**credentials, "Expiration": "2099-12-31T23:59:59Z"}))
