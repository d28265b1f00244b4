"""Who may import whom (architecture.md section 3), with the table as data."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests.law.tree import COMPILED, Module, modules, parsed, walk_with_place

TIERS = (
    ("_wire",),
    ("errors", "names", "secret", "log"),
    ("config", "imap", "mail"),
    ("policy", "scan", "auth"),
    ("session",),
    ("net",),
    ("proc",),
    ("cli",),
)
"""Lowest first. Within a tier nobody imports another."""

TIER_OF = {name: number for number, names in enumerate(TIERS) for name in names}
NET = TIER_OF["net"]
CLOCKS_AND_SOCKETS = {"socket", "asyncio", "time", "random", "uvloop", "ssl", "secrets"}
"""What nothing below net imports: the four of the architecture, and others that bring the same in."""

LAZY = {"import_module", "__import__"}


def imports(module: Module) -> Iterator[tuple[str, str | None, str]]:
    """(module, name or None for a plain import, place) of each import statement; relative ones as `.`."""
    for node, place in walk_with_place(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None, place
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield ("." if node.level else node.module or "."), alias.name, place


def targets(module: Module, known: set[str]) -> Iterator[tuple[str, str]]:
    """(imported module of this package, place); `from package import module` counts as that module."""
    for source, name, place in imports(module):
        if source.split(".")[0] == "imap4fast":
            inner = f"{source}.{name}"
            yield (inner if name and inner in known else source), place


def names_of(everything: Iterable[Module]) -> set[str]:
    return {module.name for module in everything} | {COMPILED}


def top(name: str) -> str:
    """`log` of `imap4fast.log.entry`; empty for the root."""
    return ".".join(name.split(".")[1:2])


def broken_tiers(everything: Iterable[Module]) -> Iterator[str]:
    everything = tuple(everything)
    known = names_of(everything)
    for module in everything:
        own = top(module.name)
        if own and own not in TIER_OF:
            yield f"{module.path}: {own} has no tier"
            continue
        for target, place in targets(module, known):
            other = top(target)
            if other and other != own and TIER_OF.get(other, 99) >= TIER_OF.get(own, -1):
                yield f"{place}: {module.name} imports {target}"


def broken_forms(everything: Iterable[Module]) -> Iterator[str]:
    """Package roots, relative imports, modules that do not exist."""
    everything = tuple(everything)
    known = names_of(everything)
    roots = {module.name for module in everything if module.package}
    for module in everything:
        for source, name, place in imports(module):
            if source == ".":
                yield f"{place}: relative import"
            elif source == "imap4fast":
                if name != "__version__":
                    yield f"{place}: the package root is imported"
            elif source in roots and (name is None or f"{source}.{name}" not in known):
                yield f"{place}: {source} is a package, {name} no module of it"


def late_imports(everything: Iterable[Module]) -> Iterator[str]:
    """Imports inside functions and classes, and imports by function call."""
    for module in everything:
        for node, _ in walk_with_place(module):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
                for inner in ast.walk(node):
                    if isinstance(inner, (ast.Import, ast.ImportFrom)):
                        yield f"{module.path}:{inner.lineno}: late import"
            name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
            if name in LAZY:
                yield f"{module.path}:{getattr(node, 'lineno', 0)}: {name}"


def clocks_and_sockets(everything: Iterable[Module]) -> Iterator[str]:
    for module in everything:
        if TIER_OF.get(top(module.name), -1) >= NET:
            continue
        for source, _, place in imports(module):
            if source.split(".")[0] in CLOCKS_AND_SOCKETS:
                yield f"{place}: {module.name} imports {source}"
        for node, place in walk_with_place(module):
            if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today") and _is_date(node.value):
                yield f"{place}: {module.name} asks the clock"


def _is_date(node: ast.expr) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in ("datetime", "date")


def without_types(module: Module) -> Module:
    """The module as it runs: without what stands under `if TYPE_CHECKING`, at its top level."""
    body = [node for node in module.tree.body if not (isinstance(node, ast.If) and _type_checking(node.test))]
    return Module(module.name, module.path, ast.Module(body, []), module.package)


def _type_checking(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "TYPE_CHECKING") or (
        isinstance(node, ast.Attribute) and node.attr == "TYPE_CHECKING"
    )


def cycles(everything: Iterable[Module]) -> Iterator[str]:
    """Modules that reach themselves when they run: a name that only annotations need is no edge here.

    (It is one for every other law: no tier may be skipped for a type's sake.)
    """
    everything = tuple(everything)
    known = names_of(everything)
    edges = {module.name: {target for target, _ in targets(without_types(module), known)} for module in everything}
    for start in edges:
        reached: set[str] = set()
        waiting = list(edges[start])
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting.extend(edges.get(name, ()))
        if start in reached:
            yield f"{start} imports itself through others"


LAWS = (broken_tiers, broken_forms, late_imports, clocks_and_sockets, cycles)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_package_keeps_the_law(law: object) -> None:
    assert callable(law)
    assert list(law(modules())) == []


def test_there_is_something_to_look_at() -> None:
    found = {module.name for module in modules()}
    assert {"imap4fast", "imap4fast.log.entry", "imap4fast.errors"} <= found


PLANTED = (
    (broken_tiers, {"imap4fast.log.x": "from imap4fast.config.y import z"}),
    (broken_tiers, {"imap4fast.log.x": "import imap4fast.secret"}),
    (broken_tiers, {"imap4fast.config.x": "from imap4fast.imap.y import z"}),
    (broken_tiers, {"imap4fast.session.x": "from imap4fast.net.y import z"}),
    (broken_tiers, {"imap4fast.session.x": "if TYPE_CHECKING:\n    from imap4fast.net.y import z"}),
    (broken_tiers, {"imap4fast.names": "from imap4fast.errors import x"}),
    (broken_tiers, {"imap4fast.stray": ""}),
    (broken_tiers, {"imap4fast.log.x": "from imap4fast.nowhere.y import z"}),
    (broken_forms, {"imap4fast.net.x": "import imap4fast"}),
    (broken_forms, {"imap4fast.net.x": "from imap4fast import log"}),
    (broken_forms, {"imap4fast.net.x": "from imap4fast import _wire"}),
    (broken_forms, {"imap4fast.net.x": "from . import y"}),
    (broken_forms, {"imap4fast.net.x": "from .y import z"}),
    (broken_forms, {"imap4fast.net.x": "from imap4fast.log import thing", "imap4fast.log/": "thing = 1"}),
    (broken_forms, {"imap4fast.net.x": "import imap4fast.log", "imap4fast.log/": ""}),
    (late_imports, {"imap4fast.net.x": "def f():\n    import os"}),
    (late_imports, {"imap4fast.net.x": "class C:\n    from os import path"}),
    (late_imports, {"imap4fast.net.x": "import importlib\nimportlib.import_module('os')"}),
    (clocks_and_sockets, {"imap4fast.session.x": "import time"}),
    (clocks_and_sockets, {"imap4fast.log.x": "from asyncio.events import get_event_loop"}),
    (clocks_and_sockets, {"imap4fast.policy.x": "import random as r"}),
    (clocks_and_sockets, {"imap4fast.policy.x": "import datetime\ndatetime.datetime.now()"}),
    (clocks_and_sockets, {"imap4fast.errors": "import socket"}),
    (
        cycles,
        {
            "imap4fast.log.a": "from imap4fast.log.b import x",
            "imap4fast.log.b": "from imap4fast.log import c",
            "imap4fast.log.c": "import imap4fast.log.a",
        },
    ),
)

ALLOWED = (
    {"imap4fast.config.x": "from imap4fast.errors import x\nfrom imap4fast._wire import y"},
    {"imap4fast.policy.x": "from imap4fast.config.settings import Settings"},
    {"imap4fast.log.x": "from imap4fast.log.y import z\nimport os", "imap4fast.log.y": ""},
    {"imap4fast.cli.x": "from imap4fast import __version__\nimport time, socket"},
    {"imap4fast.net.x": "from imap4fast.log import imap", "imap4fast.log/": "", "imap4fast.log.imap": ""},
    {"imap4fast.log.x": "from datetime import datetime\ndatetime.fromtimestamp(0)"},
    {
        "imap4fast.log.a": "if TYPE_CHECKING:\n    from imap4fast.log.b import B",
        "imap4fast.log.b": "from imap4fast.log.a import a",
    },
)


def planted(sources: dict[str, str]) -> tuple[Module, ...]:
    """A name that ends with a slash is a package's root."""
    return tuple(parsed(name.rstrip("/"), source, package=name.endswith("/")) for name, source in sources.items())


@pytest.mark.parametrize(("law", "sources"), PLANTED)
def test_a_planted_breach_is_found(law: object, sources: dict[str, str]) -> None:
    assert callable(law)
    assert len(list(law(planted(sources)))) >= 1


@pytest.mark.parametrize("sources", ALLOWED)
def test_what_is_allowed_passes(sources: dict[str, str]) -> None:
    for law in LAWS:
        assert list(law(planted(sources))) == []
