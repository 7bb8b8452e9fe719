"""What the OAuth endpoints refuse."""

from starlette.responses import JSONResponse


class OAuthError(Exception):
    """A refusal as RFC 6749, section 5.2, and RFC 7591, section 3.2.2, have it.

    Attributes:
        code: the error's name on the wire.
    """

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status

    def response(self) -> JSONResponse:
        """As it is answered."""
        headers = {"Cache-Control": "no-store"}
        if self.code == "invalid_client":
            headers["WWW-Authenticate"] = 'Basic realm="neonpanel"'
        return JSONResponse({"error": self.code, "error_description": self.description}, self.status, headers)
