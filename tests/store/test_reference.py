"""The storage reference says what is stored: every field of every record, every attribute, the schema as it is."""

import re

import pytest

from auth import records
from store import dynamodb_items, limits, sqlite_schema
from tests.support.tools import ROOT

TEXT = (ROOT / "docs/reference/storage.md").read_text()

TITLES = {
    "### user\n": records.User,
    "### username\n": records.Username,
    "### attempts\n": records.Attempts,
    "### client\n": records.Client,
    "### grant\n": records.Grant,
    "`code`:\n": records.Code,
    "`revoked`:\n": records.Revocation,
    "### session\n": records.LoginSession,
    "### keys\n": records.SigningKey,
}


def first_column(title: str) -> list[str]:
    """What the first table behind a title is about."""
    table = re.search(r"(?:^\|.*\n)+", TEXT[TEXT.index(f"\n{title}") :], re.MULTILINE)
    assert table
    return re.findall(r"^\| `(\w+)` \|", table[0], re.MULTILINE)


@pytest.mark.parametrize(("title", "kind"), TITLES.items(), ids=lambda value: str(value).strip())
def test_every_field_of_a_record_has_its_row(title, kind):
    assert first_column(title) == list(kind._fields)


def test_every_kind_of_record_has_its_table():
    kinds = {kind for kind in vars(records).values() if isinstance(kind, type) and hasattr(kind, "_fields")}
    assert set(TITLES.values()) == kinds - {records.KeySet}


def test_every_attribute_of_the_table_has_its_row():
    names = [getattr(dynamodb_items, name) for name in ("KEY", "OWNER", "EXPIRES", "VERSION", "RECORD", "COUNT")]
    assert first_column("## The DynamoDB table\n") == names
    assert f"`{dynamodb_items.COUNTER}`" in TEXT
    assert f"`{dynamodb_items.BY_OWNER}`" in TEXT


def test_the_schema_is_the_one_that_is_made():
    (shown,) = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
    made = ";".join(sqlite_schema.TABLES) + ";"
    assert shown.split() == made.replace(";", "; ").split()
    assert f"`PRAGMA user_version` is {sqlite_schema.VERSION}." in TEXT


def test_the_limits_are_the_ones_that_hold():
    assert f"1 to {limits.MAX_KEY:,} bytes of UTF-8, records 1 to {limits.MAX_RECORD:,} bytes" in TEXT
