"""JSON Schemas as MCP clients can take them: flat, small, without references."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

JSON = dict[str, Any]


def flat_schema(model: type[BaseModel], examples: Sequence[Mapping[str, Any]] = ()) -> JSON:
    """The model's JSON Schema with an object at its root, every `$ref` resolved and generated titles left out.

    Clients hide tools whose input schema has references at its root, and titles repeat the property names.

    Raises:
        ValueError: the model refers to itself, which a schema without references cannot say.
    """
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    flat: JSON = _inline(schema, definitions, ())
    flat.pop("description", None)
    flat.setdefault("properties", {})
    if examples:
        flat["examples"] = [dict(example) for example in examples]
    return flat


def _inline(node: Any, definitions: JSON, path: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_inline(item, definitions, path) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _resolve(node, definitions, path)
    return {
        key: _properties(value, definitions, path) if key == "properties" else _inline(value, definitions, path)
        for key, value in node.items()
        if key != "title"
    }


def _properties(properties: JSON, definitions: JSON, path: tuple[str, ...]) -> JSON:
    return {name: _inline(schema, definitions, path) for name, schema in properties.items()}


def _resolve(node: JSON, definitions: JSON, path: tuple[str, ...]) -> Any:
    name = node["$ref"].removeprefix("#/$defs/")
    if name in path:
        raise ValueError(f"{name} refers to itself")
    siblings = {key: value for key, value in node.items() if key != "$ref"}
    return _inline({**definitions[name], **siblings}, definitions, (*path, name))
