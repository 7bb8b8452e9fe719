"""Who may come in. Knows nothing of MCP tools."""
