"""All components of the log catalogue together. Numbers are kept apart by each component, components here."""

from __future__ import annotations

from imap4fast.log.cfgp import CFGP
from imap4fast.log.entry import Component, Entry
from imap4fast.log.imap import IMAP
from imap4fast.log.logs import LOGS
from imap4fast.log.netc import NETC
from imap4fast.log.smtd import SMTD
from imap4fast.log.ssle import SSLE
from imap4fast.log.tcps import TCPS


def by_code(*components: Component) -> dict[str, Component]:
    """The components by their code; ValueError when two have the same."""
    found = {component.code: component for component in components}
    if len(found) != len(components):
        raise ValueError("two components of the log catalogue have one code")
    return found


COMPONENTS = by_code(IMAP, TCPS, CFGP, NETC, SSLE, SMTD, LOGS)


def entries() -> list[Entry]:
    """Every entry, by component in the manual's order and by number."""
    return [component.entries[number] for component in COMPONENTS.values() for number in sorted(component.entries)]
