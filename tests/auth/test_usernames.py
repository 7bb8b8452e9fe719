"""What a username is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.usernames import UnfitUsernameError, canonical


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ann", "ann"),
        ("  Ann ", "ann"),
        ("ANN@Example.COM", "ann@example.com"),
        ("ann.o-neil_2+x", "ann.o-neil_2+x"),
        ("\uff41\uff4e\uff4e", "ann"),
        ("Stra\u00dfe", "strasse"),
        ("Ame\u0301lie", "am\u00e9lie"),
        ("7of9", "7of9"),
        ("ann\n", "ann"),
        ("\u0928\u093f\u0930\u091c", "\u0928\u093f\u0930\u091c"),
        ("x" * 64, "x" * 64),
    ],
)
def test_a_name_has_one_form(typed, stored):
    assert canonical(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "x" * 65,
        "\ufdfa" * 64,
        "x" * 10_000_000,
        "ann smith",
        "ann#1",
        "ann/..",
        "a\x00b",
        "an\u202en",
        "<b>ann</b>",
        ".ann",
        "-ann",
        "\u0301ann",
        "ann\ud800",
        "ann\U0001f600",
    ],
)
def test_what_is_no_name_is_refused(typed):
    with pytest.raises(UnfitUsernameError, match="letters, digits"):
        canonical(typed)


@given(st.text(max_size=70))
def test_the_canonical_form_is_its_own(typed):
    try:
        name = canonical(typed)
    except UnfitUsernameError:
        return
    assert canonical(name) == name
    assert 0 < len(name) <= 64
    assert not set(name) & set("#/\\<>\"' \t\r\n\0")
