"""Every entry of the log catalogue is written somewhere, and everything that is written is in the catalogue."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from types import ModuleType

import pytest

from imap4fast.log import cfgp, imap, logs, netc, smtd, ssle, tcps
from imap4fast.log.catalogue import COMPONENTS
from imap4fast.log.entry import Component, Entry
from tests.law.tree import Module, modules, parsed, walk_with_place

CATALOGUE: dict[str, ModuleType] = {
    "imap4fast.log.imap": imap,
    "imap4fast.log.tcps": tcps,
    "imap4fast.log.cfgp": cfgp,
    "imap4fast.log.netc": netc,
    "imap4fast.log.smtd": smtd,
    "imap4fast.log.ssle": ssle,
    "imap4fast.log.logs": logs,
}

NAMED = [
    (file, name, value)
    for file, module in CATALOGUE.items()
    for name, value in vars(module).items()
    if isinstance(value, Entry)
]


def uses(everything: Iterable[Module]) -> Iterator[tuple[str, str]]:
    """(catalogue file, constant) wherever a module outside that file names one."""
    for module in everything:
        as_module = dict(_module_names(module))
        for node, _ in walk_with_place(module):
            if isinstance(node, ast.ImportFrom) and node.module in CATALOGUE:
                for alias in node.names:
                    yield node.module, alias.name
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                file = as_module.get(node.value.id)
                if file:
                    yield file, node.attr


def _module_names(module: Module) -> Iterator[tuple[str, str]]:
    """Local names under which a module knows catalogue files."""
    for node, _ in walk_with_place(module):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if f"{node.module}.{alias.name}" in CATALOGUE:
                    yield alias.asname or alias.name, f"{node.module}.{alias.name}"


@pytest.fixture(scope="module")
def used() -> set[tuple[str, str]]:
    return set(uses(modules()))


@pytest.mark.parametrize(("file", "name"), [(file, name) for file, name, _ in NAMED], ids=lambda part: part)
def test_every_entry_is_written_somewhere(used: set[tuple[str, str]], file: str, name: str) -> None:
    assert (file, name) in used, f"nobody writes {file}.{name}"


@pytest.mark.parametrize("entry", [entry for _, _, entry in NAMED], ids=lambda entry: entry.id)
def test_values_have_different_names(entry: Entry) -> None:
    assert len(set(entry.keys)) == len(entry.keys) == len(entry.form.kinds)
    assert not set(entry.keys) & set(entry.form.fixed)


def test_every_component_stands_in_the_catalogue() -> None:
    components = [value for module in CATALOGUE.values() for value in vars(module).values()]
    assert {value.code for value in components if isinstance(value, Component)} == set(COMPONENTS)


def test_entries_are_made_in_the_catalogue_only() -> None:
    """Nobody else makes a Component or an Entry."""
    makers = {
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Component", "Entry")
    }
    assert makers == set(CATALOGUE) | {"imap4fast.log.entry"}


def test_both_ways_of_naming_an_entry_are_seen() -> None:
    one = parsed("imap4fast.net.x", "from imap4fast.log.imap import LIMIT, FAULT as F\n")
    two = parsed("imap4fast.net.y", "from imap4fast.log import imap as entries\nwrite(entries.LOGIN, 1)\nother.LIMIT\n")
    assert set(uses([one])) == {("imap4fast.log.imap", "LIMIT"), ("imap4fast.log.imap", "FAULT")}
    assert set(uses([two])) == {("imap4fast.log.imap", "LOGIN")}
