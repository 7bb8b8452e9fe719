"""The app: MCP server, tools and web routes."""
