"""What every measurement needs: the variants' packages, the interpreter, the call, and one timed exchange."""

import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.calls import PATH, Call, WrongAnswerError
from bench.http_client import Connection
from bench.variants import Variant
from lambda_asgi.emulator import Emulator

_LOG_LINES = 20

Samples = Mapping[str, list[float]]
"""Milliseconds, by variant, in the order in which they were taken."""


@dataclass(frozen=True)
class Lab:
    """The surroundings of a measurement.

    Attributes:
        packages: each variant's package, by its key.
        python: the interpreter that runs them.
        call: the tool call that they answer.
        progress: takes a few words on what is under way.
    """

    packages: Mapping[str, Path]
    python: Path
    call: Call
    progress: Callable[[str], None]

    @asynccontextmanager
    async def emulated(self, variant: Variant, *, freeze: bool) -> AsyncIterator[Emulator]:
        """Emulate a variant's function. A wrong answer inside takes along the last lines that it logged."""
        log: deque[str] = deque(maxlen=_LOG_LINES)
        function = variant.function(self.packages[variant.key], self.python, freeze=freeze)
        async with Emulator(function, log=log.append) as emulator:
            try:
                yield emulator
            except WrongAnswerError as error:
                error.add_note("\n".join([variant.title, *log]))
                raise


async def timed_ms(connection: Connection, call: Call) -> float:
    """Milliseconds from sending a call until the last byte of its answer. Raises WrongAnswerError."""
    began = time.perf_counter()
    reply = await connection.post(PATH, call.headers, call.body)
    elapsed = time.perf_counter() - began
    call.check(reply)
    return elapsed * 1000
