"""Regular expressions."""

from __future__ import annotations

from imap4fast.config.host import HOSTS
from imap4fast.config.pattern import write_pattern
from imap4fast.config.values import HostMember, HostRegex
from tests.unit.config.harness import read


def test_slashes() -> None:
    assert read(HOSTS, r"/a\/b\.c/") == (HostMember(HostRegex(r"a/b\.c")),)
    assert write_pattern(r"a/b\.c") == r"/a\/b\.c/"


def test_what_the_engine_refuses() -> None:
    assert "bad regular expression: missing ): (a" in read(HOSTS, "/(a/")
    assert "bad regular expression" in read(HOSTS, "/(?=a)/")
    assert "bad regular expression" in read(HOSTS, r"/(a)\1/")
