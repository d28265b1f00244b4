"""Small laws: nothing is printed but by commands, and no error is swallowed whole."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests.law.tree import Module, modules, parsed, walk_with_place

EVERYTHING = {"Exception", "BaseException"}


def prints(everything: Iterable[Module]) -> Iterator[str]:
    for module in everything:
        if module.name.startswith("imap4fast.cli."):
            continue
        for node, place in walk_with_place(module):
            if isinstance(node, ast.Name) and node.id == "print":
                yield f"{place}: print"


def swallowed(everything: Iterable[Module]) -> Iterator[str]:
    """A bare `except:`, an `except Exception:` that does nothing, `suppress(Exception)`."""
    for module in everything:
        for node, place in walk_with_place(module):
            if isinstance(node, ast.ExceptHandler):
                if node.type is None:
                    yield f"{place}: bare except"
                elif names(node.type) & EVERYTHING and all(is_nothing(statement) for statement in node.body):
                    yield f"{place}: every error is swallowed"
            elif isinstance(node, ast.Call) and "suppress" in names(node.func):
                yield from (f"{place}: every error" for argument in node.args if names(argument) & EVERYTHING)


def names(node: ast.expr) -> set[str]:
    """The last parts of names in an expression, also in a tuple."""
    found = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    return found | {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}


def is_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, (ast.Pass, ast.Continue, ast.Break)) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


LAWS = (prints, swallowed)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_package_keeps_the_law(law: object) -> None:
    assert callable(law)
    assert list(law(modules())) == []


@pytest.mark.parametrize(
    ("law", "source"),
    [
        (prints, "print('x')"),
        (prints, "show = print"),
        (swallowed, "try:\n    f()\nexcept:\n    g()"),
        (swallowed, "try:\n    f()\nexcept Exception:\n    pass"),
        (swallowed, "try:\n    f()\nexcept (OSError, BaseException) as error:\n    ..."),
        (swallowed, "for x in y:\n    try:\n        f()\n    except Exception:\n        continue"),
        (swallowed, "import contextlib\nwith contextlib.suppress(Exception):\n    f()"),
    ],
)
def test_a_planted_breach_is_found(law: object, source: str) -> None:
    assert callable(law)
    assert len(list(law([parsed("imap4fast.net.x", source)]))) == 1


def test_what_is_allowed_passes() -> None:
    kept = "try:\n    f()\nexcept Exception as error:\n    report(error)\nexcept OSError:\n    pass\n"
    assert list(swallowed([parsed("imap4fast.net.x", kept)])) == []
    assert list(prints([parsed("imap4fast.cli.x", "print('x')")])) == []
