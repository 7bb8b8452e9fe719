"""The URLs that this server is as a protected resource (RFC 8707, RFC 9728)."""

PATHS = ("", "/mcp", "/sse")
"""Below the issuer; the bare origin is what people paste, `POST /` being the same as `POST /mcp`."""


def resources(issuer: str) -> frozenset[str]:
    """Every `resource` that a token may be for; a token for any of them is good at all of them."""
    return frozenset(f"{issuer}{path}" for path in PATHS)


def canonical_resource(issuer: str, asked: str) -> str | None:
    """The resource that a client means; None where it is not this server's.

    URL libraries put a slash behind a bare origin; that one form is taken for the origin itself.
    """
    return issuer if asked == f"{issuer}/" else asked if asked in resources(issuer) else None


def default_resource(issuer: str) -> str:
    """What a client means that names no resource."""
    return f"{issuer}/mcp"
