"""What clients send as arguments, and what they are told when it does not fit."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, field_validator, model_validator

from mcp_app.tools.tool import Arguments, InvalidArgumentsError
from mcp_app.tools.validation import parse_arguments, unwrap


class Order(Arguments):
    item: str
    count: int = Field(default=1, ge=1, le=9)
    tags: tuple[str, ...] = Field(default=(), max_length=2)

    @field_validator("item")
    @classmethod
    def _known(cls, value: str) -> str:
        if value == "nothing":
            raise ValueError("nothing cannot be ordered")
        return value

    @model_validator(mode="after")
    def _brewed(self) -> "Order":
        if self.item == "coffee" and self.count > 1:
            raise ValueError("count is too much for this item")
        return self


class Wrapped(Arguments):
    params: dict[str, int]


class Nothing(Arguments):
    pass


@pytest.mark.parametrize(
    "raw",
    [
        {"item": "tea"},
        '{"item": "tea"}',
        {"params": {"item": "tea"}},
        {"arguments": {"item": "tea"}},
        {"arguments": '{"item": "tea"}'},
        '{"params": {"item": "tea"}}',
    ],
)
def test_what_clients_wrap_is_unwrapped(raw: Any) -> None:
    assert parse_arguments(Order, raw) == Order(item="tea")


@pytest.mark.parametrize("depth", [101, 970, 100_000])
def test_arguments_in_a_text_are_nested_no_deeper_than_others(depth: int) -> None:
    with pytest.raises(InvalidArgumentsError, match="nested more than 100 levels deep"):
        parse_arguments(Order, f'{{"item": {"[" * (depth - 1)}{"]" * (depth - 1)}}}')


@pytest.mark.parametrize("raw", [None, {}, "", "  ", "{}", {"params": {}}, {"arguments": None}])
def test_no_arguments_are_an_empty_object(raw: Any) -> None:
    assert parse_arguments(Nothing, raw) == Nothing()


def test_a_field_named_like_a_wrapper_is_a_field() -> None:
    assert parse_arguments(Wrapped, {"params": {"a": 1}}) == Wrapped(params={"a": 1})


def test_wrappers_are_opened_once() -> None:
    assert unwrap({"params": {"params": {"item": "tea"}}}, frozenset()) == {"params": {"item": "tea"}}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({}, "item is required."),
        ({"item": 7}, "item should be a valid string."),
        ({"item": "tea", "count": 0}, "count should be greater than or equal to 1."),
        ({"item": "tea", "count": "x", "tags": [1]}, "count should be a valid integer"),
        ({"item": "tea", "tags": ["a", 1]}, "tags.1 should be a valid string."),
        ({"item": "tea", "size": 1}, "size is not known here; allowed: item, count, tags."),
        ({"item": "nothing"}, "item: nothing cannot be ordered."),
        ({"item": "coffee", "count": 2}, "count is too much for this item."),
        ({"item": "tea", "tags": ["a", "b", "c"]}, "tags should have at most 2 items."),
        ([], "The arguments must be a JSON object."),
        (7, "The arguments must be a JSON object."),
        ("[1]", "The arguments must be a JSON object."),
        ("tea", "The arguments must be a JSON object; this text is not JSON."),
        ('{"\\ud800": 1}', "The arguments must be a JSON object; this text is not JSON."),
        ({"\ud800": 1}, "arguments should be a valid string"),
        ("[" * 100_000, "The arguments are nested more than 100 levels deep."),
    ],
)
def test_what_is_wrong_is_said_shortly(raw: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentsError) as raised:
        parse_arguments(Order, raw)
    assert str(raised.value).startswith(message)
    assert "pydantic" not in str(raised.value)


def test_what_a_caller_made_up_is_told_in_part_and_printable() -> None:
    with pytest.raises(InvalidArgumentsError) as raised:
        parse_arguments(Nothing, {f"\x1b[31m{number}{'x' * 1000}": 1 for number in range(1000)})
    assert len(str(raised.value)) < 2000
    assert str(raised.value).startswith(r"\x1b[31m0xxx")


def test_a_tool_without_arguments_says_so() -> None:
    with pytest.raises(InvalidArgumentsError, match="allowed: no arguments at all"):
        parse_arguments(Nothing, {"x": 1})


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_anything_else_is_refused_and_never_an_accident(raw: Any) -> None:
    for sent in (raw, json.dumps(raw)):
        with suppress(InvalidArgumentsError):
            parse_arguments(Order, sent)
