"""The one form of an HTTP error: JSON that names the error, says it in a sentence and carries the request id."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from mcp_app.telemetry import request_id


def error_response(status: int, error: str, description: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error as a client sees it; the member names are OAuth's (RFC 6749, section 5.2)."""
    body = {"error": error, "error_description": description}
    if (current := request_id.get()) is not None:
        body["request_id"] = current
    return JSONResponse(body, status, {"Cache-Control": "no-store", **(headers or {})})


async def http_error(request: Request, error: Exception) -> JSONResponse:
    """Map what the router refuses: an unknown path, or a method that a path does not have."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(getattr(error, "headers", None) or {})
    match status:
        case 404:
            return error_response(404, "not_found", "There is nothing at this path. The MCP endpoint is /mcp.")
        case 405:
            headers["Allow"] = ", ".join(sorted(headers.get("Allow", "").split(", ")))
            return error_response(405, "method_not_allowed", f"This path serves {headers['Allow']}.", headers)
        case _:
            return error_response(status, "request_refused", f"{request.method} was refused.", headers)
