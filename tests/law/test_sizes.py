"""A file is one subject, a function one idea. Tables may be as long as they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.law.tree import ROOT, modules

FILE_LINES = 500
FUNCTION_LINES = 60
TABLE_LINES = 8
"""From this length on a literal, or a module's statement that assigns, is a table and not counted."""


def span(node: ast.AST) -> int:
    return getattr(node, "end_lineno", 0) - getattr(node, "lineno", 0) + 1


def table_lines(node: ast.AST) -> int:
    """Lines of the outermost tables below `node`."""
    total = 0
    for child in ast.iter_child_nodes(node):
        at_top = isinstance(node, ast.Module) and isinstance(child, (ast.Assign, ast.AnnAssign))
        literal = isinstance(child, (ast.Dict, ast.List, ast.Tuple, ast.Set))
        if (at_top or literal) and span(child) >= TABLE_LINES:
            total += span(child)
        else:
            total += table_lines(child)
    return total


def long_functions(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = span(node) - table_lines(node)
            if length > FUNCTION_LINES:
                yield f"{node.name} has {length} lines"


def file_length(source: str) -> int:
    return len(source.splitlines()) - table_lines(ast.parse(source))


@pytest.mark.parametrize("path", [module.path for module in modules()])
def test_sizes(path: str) -> None:
    source = (ROOT / path).read_text()
    assert file_length(source) <= FILE_LINES
    assert list(long_functions(ast.parse(source))) == []


def test_a_long_function_is_found() -> None:
    lines = ["def f():", *(f"    g({number})" for number in range(FUNCTION_LINES))]
    assert list(long_functions(ast.parse("\n".join(lines)))) == ["f has 61 lines"]
    assert list(long_functions(ast.parse("\n".join(lines[:-1])))) == []


def test_a_long_file_is_found() -> None:
    assert file_length("f()\n" * 501) == 501


def test_tables_are_not_counted() -> None:
    table = "T = {\n" + "".join(f"    {number}: {number},\n" for number in range(600)) + "}\n"
    assert file_length(table + "f()\n") == 1
    indented = "".join(f"    {line}\n" for line in table.splitlines())
    assert list(long_functions(ast.parse("def f():\n" + indented))) == []
    calls = "X = component.entry(\n" + "    1,\n" * 600 + ")\n"
    assert file_length(calls) == 0


def test_the_tests_of_laws_keep_to_them() -> None:
    for path in sorted(Path(__file__).parent.glob("*.py")):
        assert file_length(path.read_text()) <= FILE_LINES
