"""Coverage of processes that start with an environment of their own."""

import os


def variables() -> dict[str, str]:
    """What makes a new process measure itself; empty unless this one is measured."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS")}
