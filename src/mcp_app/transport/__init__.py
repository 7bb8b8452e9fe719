"""The MCP transports."""
