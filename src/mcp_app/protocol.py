"""The protocol versions that the server speaks, for those parts of it that do without the SDK."""

from typing import Final

MODERN_VERSIONS: Final = ("2026-07-28",)
"""Versions whose every request describes itself."""

HANDSHAKE_VERSIONS: Final = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Versions that begin with `initialize`, newest first."""

VERSIONS: Final = (*MODERN_VERSIONS, *HANDSHAKE_VERSIONS)
"""Newest first."""
