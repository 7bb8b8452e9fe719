"""The protocol versions that the server speaks, for those parts of it that do without the SDK."""

from typing import Final

VERSIONS: Final = ("2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Newest first."""
