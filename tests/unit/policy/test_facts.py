"""Facts: what a session knows before it knows anything."""

from __future__ import annotations

from imap4fast.config.values import Address
from imap4fast.policy.facts import Facts


def test_what_is_not_known_at_the_start() -> None:
    facts = Facts(Address(4, 1), 1024, (Address(4, 2), 143))
    assert (facts.transparent, facts.server, facts.user, facts.groups) == (False, None, None, ())
    assert (facts.parent, facts.client_name, facts.when) == ("", None, None)


def test_a_session_changes_its_facts_for_the_second_search() -> None:
    facts = Facts(Address(4, 1), 1024, (Address(4, 2), 143))
    facts.user = "alice"
    assert facts.user == "alice"
