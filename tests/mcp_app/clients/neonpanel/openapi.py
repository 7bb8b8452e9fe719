"""NeonPanel's published OpenAPI documents, as far as they say what a request must look like."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import yaml
from jsonschema import Draft202012Validator, FormatChecker

from sandbox import Received

_DATES: Final = FormatChecker(["date"])
"""Of all formats; ids are no UUIDs in the documents' own examples, whatever their formats say."""


class Document:
    """One document."""

    def __init__(self, path: Path) -> None:
        self._document: dict[str, Any] = yaml.safe_load(path.read_text())

    def knows(self, method: str, path: str) -> bool:
        """Whether it has an operation for that."""
        return self._operation(method, path) is not None

    def departures(self, request: Received) -> list[str]:
        """What in a request the document does not allow; a request that it does not know departs in all."""
        found = self._operation(request.method, request.path)
        if found is None:
            return [f"{request.method} {request.path} is not there"]
        operation, segments = found
        parameters = [self._resolved(parameter) for parameter in operation.get("parameters", [])]
        return [
            *_path(segments, parameters),
            *_query(request.query, parameters),
            *_headers(request),
            *_body(request, self._resolved(operation.get("requestBody", {}))),
        ]

    def _operation(self, method: str, path: str) -> tuple[Mapping[str, Any], Mapping[str, str]] | None:
        """The operation, and what stands for the names in its path; literal paths come before those with names."""
        for template in sorted(self._document["paths"], key=lambda template: template.count("{")):
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
            operation = self._document["paths"][template].get(method.lower())
            if operation is not None and (match := re.fullmatch(pattern, path)):
                return operation, match.groupdict()
        return None

    def _resolved(self, node: Any) -> Any:
        """The node with what it refers to in place."""
        if isinstance(node, list):
            return [self._resolved(member) for member in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return self._resolved(self._at(node["$ref"]))
        return {name: self._resolved(member) for name, member in node.items()}

    def _at(self, reference: str) -> Any:
        found: Any = self._document
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
        return found


def _path(segments: Mapping[str, str], parameters: list[Any]) -> Iterator[str]:
    known = {parameter["name"]: parameter["schema"] for parameter in parameters if parameter["in"] == "path"}
    for name, text in segments.items():
        yield from _faults(f"path {name}", _value(unquote(text), known[name]), known[name])


def _query(query: list[tuple[str, str]], parameters: list[Any]) -> Iterator[str]:
    known = {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "query"}
    given = {name: [value for key, value in query if key == name] for name, _ in query}
    yield from (f"query {name} is not known" for name in given.keys() - known.keys())
    required = {name for name, parameter in known.items() if parameter.get("required")}
    yield from (f"query {name} is missing" for name in required - given.keys())
    pages = {"page", "per_page"}
    if pages <= known.keys() and not pages <= given.keys():
        yield "page and per_page are not both there"
    for name in given.keys() & known.keys():
        yield from _parameter(known[name], given[name])


def _parameter(parameter: Mapping[str, Any], texts: list[str]) -> Iterator[str]:
    name, schema = parameter["name"], parameter["schema"]
    if schema.get("type") == "array":
        # A key for each value, which is what `form` and `explode` mean (OpenAPI 3, "Style Values").
        if (parameter.get("style", "form"), parameter.get("explode", True)) != ("form", True):
            yield f"query {name} is not written so"
        yield from _faults(f"query {name}", [_value(text, schema["items"]) for text in texts], schema)
        return
    if len(texts) > 1:
        yield f"query {name} is repeated"
    yield from _faults(f"query {name}", _value(texts[0], schema), schema)


def _headers(request: Received) -> Iterator[str]:
    if not request.headers.get("authorization", "").startswith("Bearer "):
        yield "no bearer token"
    if request.headers.get("accept") != "application/json":
        yield "accepts something else than JSON"


def _body(request: Received, described: Mapping[str, Any]) -> Iterator[str]:
    if not described:
        if request.body:
            yield "a body where none is known"
        return
    content = described["content"].get(request.headers.get("content-type", ""))
    if content is None:
        yield f"a body of type {request.headers.get('content-type')}"
        return
    body = json.loads(request.body)
    yield from _faults("body", body, content["schema"])
    # Members beside those that are known are allowed by JSON Schema, and not by us.
    yield from (f"body {name} is not known" for name in _unknown(body, content["schema"]))


def _unknown(body: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    properties = schema.get("properties")
    if not isinstance(body, dict) or properties is None:
        return
    yield from body.keys() - properties.keys()
    for name, member in body.items():
        yield from _unknown(member, properties.get(name, {}))


def _value(text: str, schema: Mapping[str, Any]) -> Any:
    """A value that was written as text, of its type; the text itself where it is none of that type."""
    if schema.get("type") == "integer" and re.fullmatch(r"-?(0|[1-9][0-9]*)", text):
        return int(text)
    return text


def _faults(where: str, value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    for error in Draft202012Validator(dict(schema), format_checker=_DATES).iter_errors(value):
        yield f"{where}: {error.message}"
