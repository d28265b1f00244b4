"""The allow-lists of response codes and untagged responses."""

from __future__ import annotations

from imap4fast._wire import COMMANDS
from imap4fast.imap import responses


def test_upper_case_words() -> None:
    for name in responses.CODES | responses.NEVER | responses.UNTAGGED | set(responses.UNTAGGED_OF):
        assert name == name.upper().strip()
        assert b" " not in name
        assert name


def test_lists_exclude_each_other() -> None:
    assert not responses.CODES & responses.NEVER
    assert not responses.UNTAGGED & set(responses.UNTAGGED_OF)
    assert responses.AFTER_LOGIN <= responses.CODES
    assert b"CAPABILITY" not in responses.CODES


def test_what_leads_past_the_proxy_never_passes() -> None:
    assert {b"REFERRAL", b"COMPRESSIONACTIVE"} <= responses.NEVER
    assert not responses.UNTAGGED & {b"BYE", b"CAPABILITY", b"ENABLED", b"PREAUTH", b"OK", b"NO", b"BAD"}


def test_commands_exist() -> None:
    assert set(responses.UNTAGGED_OF.values()) <= set(COMMANDS)
