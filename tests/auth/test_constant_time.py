"""Must 10: a comparison that leaks time. Secrets are compared by `hmac.compare_digest` and nothing else."""

import ast
from pathlib import Path

import pytest

from tests.support.tools import ROOT

SECRETS = {
    "challenge",
    "cookie",
    "csrf",
    "digest",
    "hash",
    "password",
    "seal",
    "secret",
    "signature",
    "tag",
    "verifier",
}
EQUALITY = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)
SOURCES = sorted((ROOT / "src/auth").rglob("*.py"))


def names(node: ast.expr) -> set[str]:
    """The words of an expression's last name, or of its parts' names; a constant's are no secret's."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return set() if name.isupper() else set(name.lower().split("_"))
        case ast.Call(func=function):
            return names(function)
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return set().union(*map(names, parts))
    return set()


def leaks(source: str) -> list[str]:
    """Comparisons in a source that end at the first byte that differs."""
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare)
        and any(isinstance(how, EQUALITY) for how in node.ops)
        and not any(isinstance(operand, ast.Constant) for operand in (node.left, *node.comparators))
        and any(names(operand) & SECRETS for operand in (node.left, *node.comparators))
    ]


LEAKS = ["given == stored.secret_hash", "hash_of(x) != y", "a in (b, csrf)", "tag == other.tag"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_must_10_no_secret_is_compared_byte_by_byte(path: Path) -> None:
    assert leaks(path.read_text("utf-8")) == []


@pytest.mark.parametrize("leak", LEAKS)
def test_the_rule_knows_a_leak(leak: str) -> None:
    assert leaks(leak) == [leak]
