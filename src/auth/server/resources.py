"""The URLs that this server is as a protected resource (RFC 8707, RFC 9728)."""

from auth.errors import InvalidTargetError

PATHS = ("", "/mcp", "/sse")
"""Below the issuer; the bare origin is what people paste, `POST /` being the same as `POST /mcp`."""


def resources(issuer: str) -> frozenset[str]:
    """Every `resource` that a token may be for; a token for any of them is good at all of them."""
    return frozenset(f"{issuer}{path}" for path in PATHS)


def named_resource(issuer: str, named: str | None) -> str | None:
    """The resource that a request names; None where it names none.

    URL libraries put a slash behind a bare origin; that one form is taken for the origin itself.

    Raises:
        InvalidTargetError: it is not this server's.
    """
    resource = issuer if named == f"{issuer}/" else named
    if resource is not None and resource not in resources(issuer):
        raise InvalidTargetError("The resource is not this server's.")
    return resource


def default_resource(issuer: str) -> str:
    """What a client means that names no resource."""
    return f"{issuer}/mcp"
