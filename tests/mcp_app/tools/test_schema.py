"""Schemas as clients can take them."""

import json
from enum import Enum
from typing import Literal, Optional

import jsonschema
import pytest
from pydantic import BaseModel, Field

from mcp_app.tools.schema import flat_schema


class Colour(Enum):
    RED = "red"


class Point(BaseModel):
    """Two coordinates."""

    x: int
    title: str = Field(description="Not the schema's title")


class Drawing(BaseModel):
    """Lines."""

    points: list[Point]
    first: Point = Field(description="Where it starts")
    colour: Colour | None = None
    kind: Literal["a", "b"] = "a"


class Tree(BaseModel):
    children: list["Tree"] = []
    parent: Optional["Tree"] = None


def test_references_are_resolved() -> None:
    schema = flat_schema(Drawing)
    assert "$ref" not in json.dumps(schema)
    assert "$defs" not in schema
    assert schema["properties"]["points"]["items"]["properties"]["x"] == {"type": "integer"}
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(
        json.loads(Drawing(points=[Point(x=1, title="t")], first=Point(x=1, title="t")).model_dump_json()), schema
    )


def test_what_stands_beside_a_reference_wins() -> None:
    assert flat_schema(Drawing)["properties"]["first"]["description"] == "Where it starts"


def test_generated_titles_go_and_a_property_named_title_stays() -> None:
    item = flat_schema(Drawing)["properties"]["points"]["items"]
    assert "title" in item["properties"]
    assert "title" not in item
    assert "title" not in flat_schema(Drawing)


def test_a_model_without_fields_is_an_empty_object() -> None:
    class Nothing(BaseModel):
        """Nothing."""

    assert flat_schema(Nothing) == {"type": "object", "properties": {}}


def test_examples_are_added() -> None:
    assert flat_schema(Point, [{"x": 1}])["examples"] == [{"x": 1}]


def test_a_model_that_holds_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="Tree refers to itself"):
        flat_schema(Tree)
