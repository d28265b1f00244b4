"""The stub of the extension names what the extension has, and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

from imap4fast import _wire

STUB = Path(_wire.__file__).with_name("_wire.pyi")
TYPING_ONLY = {"Asked", "Transport", "Token", "Octets"}


def names_of(body: list[ast.stmt]) -> set[str]:
    found = set()
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
    return {name for name in found if not name.startswith("_")}


def test_module() -> None:
    stub = names_of(ast.parse(STUB.read_text()).body) - TYPING_ONLY
    layers = {each.__name__ for each in _wire.Relay.__mro__[1:-1]}
    here = {name for name in vars(_wire) if not name.startswith("_")} - layers
    assert stub <= here
    assert {name for name in here if isinstance(getattr(_wire, name), type | int | tuple)} <= stub | {"os", "cython"}


def test_classes() -> None:
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name not in TYPING_ONLY:
            found = getattr(_wire, node.name)
            classes = found.__mro__[:-1]
            here = {name for each in classes for name in vars(each) if not name.startswith("_")}
            if issubclass(found, tuple):
                here -= set(vars(tuple))
            if issubclass(found, Exception):
                here = set(vars(found("what", "why")))
            assert names_of(node.body) == here, node.name
