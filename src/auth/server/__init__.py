"""The OAuth 2.1 authorization server: one module per endpoint or RFC, its decisions as pure functions."""
