"""The `mcpx` command."""
