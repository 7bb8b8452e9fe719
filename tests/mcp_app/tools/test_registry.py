"""What the registry makes of a call, whatever the tool does."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Sequence
from typing import Any, cast

import anyio
import pytest
from pydantic import Field

import mcp_app.tools.utility
from auth.principal import VISITOR, Principal
from mcp_app.clients.errors import SlowError
from mcp_app.deadline import Deadline
from mcp_app.tools.content import Content, Image, InputRequest, NeedsInput, Text
from mcp_app.tools.context import ToolContext
from mcp_app.tools.outcome import Outcome, Status
from mcp_app.tools.registry import Registry, UnknownToolError, discover
from mcp_app.tools.tool import (
    Annotations,
    Arguments,
    ForbiddenError,
    InvalidArgumentsError,
    Result,
    Tool,
    ToolError,
    tool,
)
from tests.support.calls import idle_clients, text_of

pytestmark = pytest.mark.anyio

HINTS = Annotations(read_only=True, open_world=False)
WRITES = Annotations(read_only=False, open_world=False)


class Number(Arguments):
    value: int = Field(ge=0)


class Doubled(Result):
    value: float | None


@tool(name="math.double", title="Double", annotations=HINTS, examples=[{"value": 2}])
async def double(arguments: Number, _context: ToolContext) -> Doubled:
    """Doubles."""
    return Doubled(value=arguments.value * 2)


def failing(error: BaseException) -> Tool[Any]:
    @tool(title="Failing", annotations=HINTS)
    async def fail(_arguments: Arguments, _context: ToolContext) -> Doubled:
        """Fails."""
        raise error

    return fail


async def run(made: Tool[Any], arguments: Any = None, seconds: float = 5, name: str | None = None) -> Outcome:
    context = ToolContext(deadline=Deadline.after(seconds), clients=idle_clients())
    return await Registry([made]).call(name or made.name, arguments, context)


async def test_a_result_is_text_and_structure() -> None:
    outcome = await run(double, {"value": 21})
    assert outcome == Outcome(Status.OK, (Text('{"value": 42.0}'),), {"value": 42.0})
    assert not outcome.is_error


@pytest.mark.parametrize("name", ["math.double", "math_double"])
async def test_a_tool_is_called_by_either_spelling(name: str) -> None:
    assert (await run(double, {"value": 1}, name=name)).status is Status.OK


async def test_content_blocks_are_passed_on() -> None:
    blocks = (Text("a"), Image(b"\x89PNG", "image/png"))

    @tool(title="Blocks", annotations=HINTS)
    async def show(_arguments: Arguments, _context: ToolContext) -> Sequence[Content]:
        """Shows."""
        return blocks

    assert show.output_schema is None
    assert await run(show) == Outcome(Status.OK, blocks)


async def test_a_question_back_is_passed_on() -> None:
    question = NeedsInput({"name": InputRequest("elicitation/create", {"message": "Who?"})}, state="s")

    @tool(title="Ask", annotations=HINTS)
    async def ask(_arguments: Arguments, _context: ToolContext) -> NeedsInput:
        """Asks."""
        return question

    outcome = await run(ask)
    assert outcome == Outcome(Status.NEEDS_INPUT, needs=question)
    assert not outcome.is_error


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (ToolError("No such order."), Status.FAILED, "No such order."),
        (InvalidArgumentsError("value: odd."), Status.INVALID, "value: odd."),
        (SlowError("Probe"), Status.FAILED, "Probe did not answer in time. Try again later."),
        (TimeoutError(), Status.FAILED, "Failing did not finish in time. Try again later."),
        (ValueError("inside text"), Status.FAILED, "Failing failed for an internal reason. It has been logged."),
    ],
)
async def test_each_error_has_its_outcome(error: Exception, status: Status, text: str) -> None:
    outcome = await run(failing(error))
    assert (outcome.status, text_of(outcome)) == (status, text)
    assert outcome.is_error


async def test_an_unexpected_error_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    await run(failing(ValueError("inside text")))
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "tool fail failed")
    assert "inside text" in caplog.text


async def test_a_result_that_is_no_json_number_fails() -> None:
    @tool(title="Odd", annotations=HINTS)
    async def odd(_arguments: Arguments, _context: ToolContext) -> Doubled:
        """Odd."""
        return Doubled(value=float("nan"))

    assert (await run(odd)).status is Status.FAILED


@pytest.mark.parametrize(
    ("hints", "advice"),
    [
        (HINTS, "Try again later."),
        (WRITES, "It may have been carried out or not: look before you call again."),
    ],
)
async def test_a_call_ends_at_its_deadline(hints: Annotations, advice: str) -> None:
    @tool(title="Endless", annotations=hints)
    async def endless(_arguments: Arguments, _context: ToolContext) -> Doubled:
        """Never ends."""
        await anyio.sleep_forever()
        raise AssertionError

    outcome = await run(endless, seconds=0.05)
    assert text_of(outcome) == f"Endless did not finish in time. {advice}"


async def test_a_write_that_fails_unexpectedly_may_have_been_carried_out() -> None:
    @tool(title="Careless", annotations=WRITES)
    async def careless(_arguments: Arguments, _context: ToolContext) -> Doubled:
        """Writes, and gives what no client can be sent."""
        return Doubled(value=float("nan"))

    assert text_of(await run(careless)).endswith("It may have been carried out or not: look before you call again.")


class EndOfTheWorld(BaseException):
    """What no `except Exception` catches."""


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError(), EndOfTheWorld("inside")]
)
async def test_no_tool_can_end_the_server(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    outcome = await run(failing(error))
    assert text_of(outcome) == "Failing failed for an internal reason. It has been logged."
    assert "tool fail failed" in caplog.text


@pytest.mark.parametrize("at_once", [False, True])
async def test_how_a_call_ends_whose_caller_left_is_nobodys_concern(at_once: bool) -> None:
    begun, complaints = asyncio.Event(), list[Any]()

    @tool(title="Sore", annotations=HINTS)
    async def sore(_arguments: Arguments, _context: ToolContext) -> Doubled:
        """Fails before its caller leaves, or because of that."""
        try:
            begun.set()
            await (asyncio.sleep(0) if at_once else anyio.sleep_forever())
            raise SlowError("Probe")
        except asyncio.CancelledError:
            raise SlowError("Probe") from None

    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    call = asyncio.create_task(run(sore))
    await begun.wait()
    call.cancel()
    await asyncio.wait({call})
    assert call.cancelled()
    del call
    gc.collect()
    assert complaints == []


async def test_a_tool_that_ignores_its_cancellation_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    released, ended = asyncio.Event(), asyncio.Event()

    @tool(title="Stubborn", annotations=HINTS)
    async def stubborn(_arguments: Arguments, _context: ToolContext) -> Doubled:
        """Never gives in."""
        while not released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await released.wait()
        ended.set()
        raise ValueError("too late to matter")

    assert text_of(await run(stubborn, seconds=0.01)) == "Stubborn did not finish in time. Try again later."
    assert "work goes on though it was cancelled" in caplog.text
    released.set()
    await ended.wait()


async def test_a_caller_that_leaves_takes_the_tool_with_it() -> None:
    began, cleaned = asyncio.Event(), asyncio.Event()

    @tool(title="Endless", annotations=HINTS)
    async def endless(_arguments: Arguments, _context: ToolContext) -> Doubled:
        """Cleans up when it is cancelled, which takes a turn of the loop."""
        try:
            began.set()
            await anyio.sleep_forever()
        finally:
            await asyncio.sleep(0)
            cleaned.set()
        raise AssertionError

    async with anyio.create_task_group() as group:
        group.start_soon(run, endless)
        await began.wait()
        group.cancel_scope.cancel()
    assert cleaned.is_set()


class Other(Result):
    value: float | None


@pytest.mark.parametrize(
    "answer",
    [None, 5, "text", [{"type": "text", "text": "hi"}], [Text("half a pair: \ud800")], Other(value=1.0)],
)
async def test_an_answer_that_no_client_can_be_sent_fails(answer: Any) -> None:
    @tool(title="Odd", annotations=HINTS)
    async def odd(_arguments: Arguments, _context: ToolContext) -> Doubled:
        """Odd."""
        return cast("Doubled", answer)

    assert text_of(await run(odd)) == "Odd failed for an internal reason. It has been logged."


async def test_an_unknown_tool_is_an_error_of_its_own() -> None:
    with pytest.raises(UnknownToolError):
        await run(double, name="math.triple")


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        Registry([double, double])


def test_tools_are_found_in_a_fixed_order() -> None:
    modules = [found.function.__module__ for found in discover(mcp_app.tools.utility)]
    assert modules == sorted(modules)
    assert len(modules) >= 5


async def test_a_deadline_is_never_negative() -> None:
    assert Deadline(5.0, lambda: 9.0).remaining() == 0.0
    assert Deadline.after(5.0, lambda: 9.0).remaining() == 5.0


@pytest.mark.parametrize("principal", [VISITOR, Principal("ann", "app", frozenset({"other"}))])
async def test_who_lacks_the_scopes_is_refused_at_every_door_before_anything_runs(principal: Principal) -> None:
    context = ToolContext(deadline=Deadline.after(5), clients=idle_clients(), principal=principal)
    outcome = await Registry([double]).call("math.double", {"value": "not looked at"}, context)
    assert outcome == Outcome.refusal(
        Status.FORBIDDEN, "Double needs the permission mcp.read. Sign in to give it.", frozenset({"mcp.read"})
    )
    assert outcome.is_error


async def test_who_has_them_is_served() -> None:
    principal = Principal("ann", "app", frozenset({"mcp.tools"}))
    context = ToolContext(deadline=Deadline.after(5), clients=idle_clients(), principal=principal)
    assert (await Registry([double]).call("math.double", {"value": 1}, context)).status is Status.OK


async def test_a_tool_may_refuse_by_itself() -> None:
    outcome = await run(failing(ForbiddenError("Only on Mondays.", ["work"])))
    assert outcome == Outcome.refusal(Status.FORBIDDEN, "Only on Mondays.", frozenset({"work"}))
