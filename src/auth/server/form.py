"""Reads a form that somebody posted, strictly."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from auth.errors import InvalidRequestError, InvalidTargetError

MAX_BYTES = 64 * 1024
MAX_FIELDS = 100

_TYPE = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> Mapping[str, str]:
    """The parameters of a request's body; one without a value counts as left out (RFC 6749, section 3.2).

    Raises:
        InvalidRequestError: it is no form, too large, not UTF-8, or repeats a parameter.
        InvalidTargetError: it names several resources, which RFC 8707 allows and this server does not serve.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != _TYPE:
        raise InvalidRequestError(f"The body must be {_TYPE}.")
    body = await read_body(request, MAX_BYTES)
    if body is None:
        raise InvalidRequestError(f"The body must not be larger than {MAX_BYTES} bytes.")
    return parse_form(body)


def parse_form(body: bytes) -> Mapping[str, str]:
    """The parameters in a form's bytes; raises what `read_form` does."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise InvalidRequestError("The body is not a form in UTF-8.") from None
    form: dict[str, str] = {}
    for name, value in pairs:
        if name in form:
            raise _repeated(name)
        form[name] = value
    return {name: value for name, value in form.items() if value}


def required(form: Mapping[str, str], name: str) -> str:
    """A parameter that must be there.

    Args:
        form: what was sent.
        name: one of our own names; the error tells it.

    Raises:
        InvalidRequestError: it is not there.
    """
    value = form.get(name)
    if not value:
        raise InvalidRequestError(f"{name} is missing.")
    return value


async def read_body(request: Request, most: int) -> bytes | None:
    """A request's body; None where it has more bytes than `most`.

    Raises:
        InvalidRequestError: it ended early.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                return None
    except ClientDisconnect:
        raise InvalidRequestError("The body ended early.") from None
    return bytes(body)


def _repeated(name: str) -> InvalidRequestError | InvalidTargetError:
    if name == "resource":
        return InvalidTargetError("One resource at a time.")
    return InvalidRequestError("A parameter is repeated.")
