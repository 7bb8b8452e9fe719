"""When a key cannot be used."""

from auth.errors import TemporarilyUnavailableError


class KeyUnavailableError(TemporarilyUnavailableError):
    """A key of the server's own cannot be used now; clients keep what they have and try again.

    Attributes:
        reason: what is wrong, for the operator: names settings, files and AWS's error codes, never a value or an ARN.
    """

    def __init__(self, reason: str, retry_after: int = 5) -> None:
        super().__init__("The server cannot use its keys now. Try again.", retry_after)
        self.reason = reason

    def __str__(self) -> str:
        """What the operator reads."""
        return self.reason
