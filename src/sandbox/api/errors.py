"""What the API refuses."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse

Errors = Mapping[str, Sequence[str]]


class ApiError(Exception):
    """A refusal: `{message}`, and what is wrong with each field where it is a 422."""

    def __init__(self, status: int, message: str, errors: Errors | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors

    def response(self) -> JSONResponse:
        """As it is answered."""
        body = {"message": self.message} if self.errors is None else {"message": self.message, "errors": self.errors}
        return JSONResponse(body, self.status, {"WWW-Authenticate": "Bearer"} if self.status == 401 else None)  # noqa: PLR2004


def invalid(errors: Errors) -> ApiError:
    """The refusal of parameters, by their names."""
    return ApiError(422, "The given data was invalid.", errors)


async def not_found(_request: Request, _error: Exception) -> JSONResponse:
    """The answer where there is no such address."""
    return ApiError(404, "Not found.").response()


async def not_allowed(_request: Request, _error: Exception) -> JSONResponse:
    """The answer where an address has no such method."""
    return ApiError(405, "Method not allowed.").response()
