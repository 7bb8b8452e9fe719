"""JSON Schemas as MCP clients can take them: flat, small, without references."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

JSON = dict[str, Any]


def flat_schema(model: type[BaseModel], examples: Sequence[Mapping[str, Any]] = (), *, nullable: bool = True) -> JSON:
    """The model's JSON Schema with an object at its root, every `$ref` resolved and what says nothing left out.

    Clients hide tools whose input schema has references at its root. Titles repeat the names of properties, and a
    nested model's docstring the name of the property that holds it.

    Args:
        model: what is described.
        examples: objects that it takes.
        nullable: whether what may be null is said to; arguments are rather left out, and some clients refuse a type
            that is a list.

    Raises:
        ValueError: the model refers to itself, which a schema without references cannot say.
    """
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    for definition in definitions.values():
        definition.pop("description", None)
    flat: JSON = _inline(schema, definitions, ())
    flat.pop("description", None)
    flat.setdefault("properties", {})
    if not nullable:
        flat["properties"] = {name: _without_null(node) for name, node in flat["properties"].items()}
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
    return _compact(
        {
            key: _properties(value, definitions, path) if key == "properties" else _inline(value, definitions, path)
            for key, value in node.items()
            if key != "title" and not _says_nothing(key, value)
        }
    )


def _says_nothing(key: str, value: Any) -> bool:
    return (key == "default" and value in (None, [])) or (key == "additionalProperties" and value is True)


def _compact(node: JSON) -> JSON:
    """`anyOf` one type or null as that type with null beside it, which says the same in half the length."""
    either = node.get("anyOf", ())
    if len(either) != 2 or either[1] != {"type": "null"} or not isinstance(either[0].get("type"), str):  # noqa: PLR2004
        return node
    if "enum" in either[0]:
        return node
    siblings = {key: value for key, value in node.items() if key != "anyOf"}
    return {**either[0], **siblings, "type": [either[0]["type"], "null"]}


def _without_null(node: JSON) -> JSON:
    if isinstance(node.get("type"), list):
        return {**node, "type": next(name for name in node["type"] if name != "null")}
    return node


def _properties(properties: JSON, definitions: JSON, path: tuple[str, ...]) -> JSON:
    return {name: _inline(schema, definitions, path) for name, schema in properties.items()}


def _resolve(node: JSON, definitions: JSON, path: tuple[str, ...]) -> Any:
    name = node["$ref"].removeprefix("#/$defs/")
    if name in path:
        raise ValueError(f"{name} refers to itself")
    siblings = {key: value for key, value in node.items() if key != "$ref"}
    return _inline({**definitions[name], **siblings}, definitions, (*path, name))
