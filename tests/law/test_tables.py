"""No row stands twice in a table of a parametrised test: it would test nothing more."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.law.tree import ROOT

FILES = sorted((ROOT / "tests").rglob("test_*.py"))


def tables(tree: ast.Module) -> Iterator[list[ast.expr]]:
    """The rows of each table that stands as a literal: in its place, or as a variable of the module."""
    named = {}
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(target, ast.Name):
            named[target.id] = node.value
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "parametrize" and len(node.args) > 1:
            given = node.args[1]
            rows = named.get(given.id) if isinstance(given, ast.Name) else given
            if isinstance(rows, (ast.List, ast.Tuple, ast.Set)):
                yield rows.elts


def row(node: ast.expr) -> str:
    """A row without its id."""
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "param":
        kept = [mark for mark in node.keywords if mark.arg != "id"]
        return ", ".join(map(ast.unparse, [*node.args, *(mark.value for mark in kept)]))
    return ast.unparse(node).removeprefix("(").removesuffix(")")


def repeated(source: str) -> list[str]:
    counts = (Counter(map(row, rows)) for rows in tables(ast.parse(source)))
    return [text for count in counts for text, times in count.items() if times > 1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rows_are_different(path: Path) -> None:
    assert repeated(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "@pytest.mark.parametrize('x', [1, 2, 1])\ndef f(x): pass",
        "@pytest.mark.parametrize(('x', 'y'), [(1, 'a'), (1, \"a\")])\ndef f(x): pass",
        "@pytest.mark.parametrize('x', ROWS)\ndef f(x): pass\nROWS = ['a', 'b', 'a']",
        "@pytest.mark.parametrize('x', ROWS)\ndef f(x): pass\nROWS: list[str] = ['a', 'a']",
        "@pytest.mark.parametrize('x', [(1, 2), pytest.param(1, 2, id='again')])\ndef f(x): pass",
    ],
)
def test_a_planted_breach_is_found(source: str) -> None:
    assert len(repeated(source)) == 1


def test_equal_rows_of_two_tables_pass() -> None:
    source = "@pytest.mark.parametrize('x', [1])\n@pytest.mark.parametrize('y', [1])\ndef f(x, y): pass"
    assert repeated(source) == []
