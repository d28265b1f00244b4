"""The catalogue as a whole, and the entries whose texts users rely on."""

from __future__ import annotations

import pytest

from imap4fast.log import cfgp, imap, logs, mavi, mspa, netc, ssle, tcps
from imap4fast.log.catalogue import COMPONENTS, by_code, entries
from imap4fast.log.entry import Component, Entry

CONTRACT = {
    "IMAP-701-I": "SESSION-START FROM=%s TO=%s TRANSP=%s",
    "IMAP-702-I": (
        "SESSION-END CLIENT=%s SERVER=%s TRANSP=%s USER=%s CMDs=%d IN=%u OUT=%u TIME=%s %s REASON=%s"  # "and why"
    ),
    "IMAP-721-I": "ACL PHASE=1 NAME=%s %s",
    "IMAP-722-I": "ACL PHASE=2 PARENT=%s NAME=%s %s",
    "IMAP-730-W": "COMMAND NAME=%s REASON=%s",
    "IMAP-740-W": "LIMIT NAME=%s VALUE=%u",
    "IMAP-745-W": "FAULT SIDE=%s CODE=%s OFFSET=%u",
    "IMAP-888-I": (
        "PROXY-EVENT PROTOCOL=TCP CLIENT=%s CLIENT-IP=%s CLIENT-PORT=%u SERVER=%s SERVER-IP=%s SERVER-PORT=%u "
        "SERVER-PORT-NAME=%s USER=%s BYTES-CIN=%u BYTES-COUT=%u BYTES-SIN=%u BYTES-SOUT=%u DURATION=%s STATUS=%s "
        "RESULT=%s RULE=%s"
    ),
    "TCPS-722-K": "Listening sockets unbound",
}


def test_identifiers_are_unique() -> None:
    found = [entry.id for entry in entries()]
    assert len(set(found)) == len(found)
    assert len({(entry.component, entry.number) for entry in entries()}) == len(found)


@pytest.mark.parametrize("identifier", CONTRACT)
def test_texts_of_the_contract(identifier: str) -> None:
    assert {entry.id: entry.text for entry in entries()}[identifier] == CONTRACT[identifier]


def test_numbers_of_the_contract() -> None:
    assert "IMAP-731-D" in {entry.id for entry in entries()}
    assert {641, 642, 706, 707, 710, 711, 717, 722} <= set(tcps.TCPS.entries)
    assert tcps.GRACEFUL_END.id == "TCPS-710-K"
    assert "SIGRTMIN" in tcps.GRACEFUL_END.text


def test_two_components_of_one_code_are_refused() -> None:
    with pytest.raises(ValueError, match="one code"):
        by_code(Component("TEST", "a"), Component("TEST", "b"))


@pytest.mark.parametrize("module", [imap, tcps, cfgp, netc, ssle, mavi, mspa, logs])
def test_each_file_names_every_entry_of_its_component(module: object) -> None:
    named = [value for value in vars(module).values() if isinstance(value, Entry)]
    component = next(value for value in vars(module).values() if isinstance(value, Component))
    assert {entry.number for entry in named} == set(component.entries)
    assert COMPONENTS[component.code] is component


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.id)
def test_every_entry_is_explained(entry: Entry) -> None:
    assert len(entry.help) > 20
    assert entry.help.endswith(".")
    assert entry.text.isascii()
