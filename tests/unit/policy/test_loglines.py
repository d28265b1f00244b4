"""Lines for the log, as a helper sends them."""

from __future__ import annotations

from imap4fast.log import imap, smtd
from imap4fast.log.catalogue import COMPONENTS
from imap4fast.policy.loglines import LONGEST, line


def test_a_line_names_its_entry() -> None:
    found = line(smtd.FORM, "TNEF", 3, "x", severity="E")
    assert (found.entry, found.args, found.severity) == ("SMTD-742", ("TNEF", 3, "x"), "E")
    code, number = found.entry.split("-")
    assert COMPONENTS[code].entries[int(number)] is smtd.FORM


def test_long_values_are_cut() -> None:
    found = line(imap.MAIL_DENIED, "x" * 1000, None, "y" * LONGEST)
    assert found.args[0] == "x" * (LONGEST - 3) + "..."
    assert found.args[1:] == (None, "y" * LONGEST)
