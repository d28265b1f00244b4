"""The top level of a file."""

from __future__ import annotations

from imap4fast.config.schema import Item, Section
from imap4fast.config.sections.file import FILE_SECTION
from tests.unit.config.harness import read


def test_sections() -> None:
    kinds = {member.keyword for member in FILE_SECTION.members if isinstance(member, Section)}
    assert kinds == {
        *("resolver", "antivirus", "antispam", "html-filter", "ssl-params", "ssl-cert-match", "oob-auth", "shaper"),
        *("time-period-set", "imap4-proxy"),
    }


def test_version() -> None:
    version = FILE_SECTION.member("version")
    assert isinstance(version, Item)
    assert read(version.type, "IMAP4FAST-1") == "IMAP4FAST-1"
    assert "expected, not `IMAP4FAST-2`" in read(version.type, "IMAP4FAST-2")
