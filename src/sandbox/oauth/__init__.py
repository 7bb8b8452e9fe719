"""NeonPanel's authorization server, its exchange of tokens for user JWTs, and its introspection."""
