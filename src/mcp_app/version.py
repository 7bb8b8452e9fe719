"""The product's version, as `pyproject.toml` has it: looking it up in the installed metadata would cost 10 ms."""

from typing import Final

VERSION: Final = "0.1.0"
