"""What came of a call; each door maps it to its own form."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mcp_app.tools.content import Content, NeedsInput, Text


class Status(Enum):
    """The five ways a call can end."""

    OK = "ok"
    INVALID = "invalid"
    FORBIDDEN = "forbidden"
    FAILED = "failed"
    NEEDS_INPUT = "needs input"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one call.

    Attributes:
        content: what to show; for anything but `OK` and `NEEDS_INPUT`, one sentence for the caller.
        structured: the result that the tool's output schema describes.
        needs: the questions of a `NEEDS_INPUT`.
        scopes: all that the call needs, where it is `FORBIDDEN` for want of them.
        error: `status`, `code`, `message` and `details` of a failure, for programs, where it is a service's.
    """

    status: Status
    content: tuple[Content, ...] = ()
    structured: Mapping[str, Any] | None = None
    needs: NeedsInput | None = None
    scopes: frozenset[str] = frozenset()
    error: Mapping[str, Any] | None = None

    @classmethod
    def refusal(
        cls,
        status: Status,
        message: str,
        scopes: frozenset[str] = frozenset(),
        error: Mapping[str, Any] | None = None,
    ) -> "Outcome":
        """An outcome that is only a message."""
        return cls(status, (Text(message),), scopes=scopes, error=error)

    @property
    def is_error(self) -> bool:
        """Whether the caller should see this as a failure."""
        return self.status not in (Status.OK, Status.NEEDS_INPUT)
