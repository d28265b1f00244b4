"""The package as data for the laws: every module's syntax tree by its dotted name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "imap4fast"
COMPILED = "imap4fast._wire"


@dataclass(frozen=True)
class Module:
    """One source file. `package` says whether it is an `__init__.py`."""

    name: str
    path: str
    tree: ast.Module
    package: bool = False


def parsed(name: str, source: str, *, package: bool = False) -> Module:
    """A module from its text, as the laws' own tests plant them."""
    return Module(name, name.replace(".", "/") + ".py", ast.parse(source), package)


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package."""
    return tuple(_module(path) for path in sorted(PACKAGE.rglob("*.py")))


def _module(path: Path) -> Module:
    relative = path.relative_to(ROOT)
    parts = relative.with_suffix("").parts
    package = parts[-1] == "__init__"
    name = ".".join(parts[:-1] if package else parts)
    return Module(name, str(relative), ast.parse(path.read_text()), package)


def walk_with_place(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Every node with `path:line`."""
    for node in ast.walk(module.tree):
        yield node, f"{module.path}:{getattr(node, 'lineno', 0)}"
