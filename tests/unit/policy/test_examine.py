"""The form of mails: what is corrected, what is rejected, and what is left as the very object that came."""

from __future__ import annotations

import pytest

from imap4fast.mail.ambiguity import find
from imap4fast.mail.corrections import FilterRules
from imap4fast.policy import examine
from imap4fast.policy.examine import AMBIGUOUS, FORM, form
from tests.unit.policy.jobs import HEADER, INFECTED, simple

EIGHT_BIT = HEADER.replace(b"Hello", b"caf\xe9") + b"\r\ntext\r\n"
TWO_TYPES = HEADER + b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n"


@pytest.mark.parametrize("mail", [simple(), INFECTED, HEADER + b"\r\n", b""])
def test_a_mail_in_good_form_is_left_alone(mail: bytes) -> None:
    found = form(mail, FilterRules(), b"")
    assert found.data is mail
    assert (found.rejected, found.log, found.ambiguous) == (None, (), None)
    assert found.index.size == len(mail)


def test_line_ends_are_made_canonical() -> None:
    found = form(simple().replace(b"\r\n", b"\n"), FilterRules(), b"")
    assert found.data == simple()
    assert found.index.size == len(simple())
    assert found.rejected is None


def test_what_is_not_enabled_is_rejected() -> None:
    found = form(EIGHT_BIT, FilterRules(), b"")
    assert found.rejected == (FORM, "accept-8bit-header: 8-bit character in header")
    assert [(line.entry, line.args[0], line.severity) for line in found.log] == [
        ("SMTD-742", "ACCEPT-8BIT-HEADER", "E")
    ]


def test_what_is_enabled_is_corrected() -> None:
    found = form(EIGHT_BIT, FilterRules(accept_8bit_header=True), b"")
    assert found.rejected is None
    assert found.data != EIGHT_BIT
    assert found.data[:].isascii()
    assert found.log[0].severity == "W"


def test_ambiguous_mails_are_written_anew() -> None:
    found = form(TWO_TYPES, FilterRules(), b"seed")
    assert found.rejected is None
    assert find(found.data, found.index) == []
    assert found.ambiguous is TWO_TYPES
    assert [(line.entry, line.args[0], line.args[3]) for line in found.log] == [("SMTD-743", "T-M02", "NORMALISE")]
    assert form(found.data, FilterRules(), b"seed").data is found.data


def test_ambiguous_mails_are_denied_where_the_filter_says_so() -> None:
    found = form(TWO_TYPES, FilterRules(ambiguous_mime="deny"), b"")
    assert found.rejected is not None
    assert found.rejected[0] == AMBIGUOUS
    assert found.rejected[1].startswith("T-M02: ")
    assert found.log[0].severity == "E"


def test_ambiguous_mails_are_kept_where_the_filter_says_so() -> None:
    found = form(TWO_TYPES, FilterRules(ambiguous_mime="keep"), b"")
    assert found.data is TWO_TYPES
    assert found.ambiguous is TWO_TYPES
    assert (found.rejected, found.log) == (None, ())


def test_ambiguous_mails_that_are_too_large_are_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examine, "MOST_NORMALISED", 10)
    found = form(TWO_TYPES, FilterRules(), b"")
    assert found.rejected is not None
    assert found.rejected[1].endswith("too large to be written anew")


def test_caps_are_those_of_the_filter() -> None:
    deep = HEADER + b"Content-Type: message/rfc822\r\n\r\n" * 5 + b"Content-Type: text/plain\r\n\r\nx\r\n"
    assert form(deep, FilterRules(), b"").rejected is None
    found = form(deep, FilterRules(max_depth=2), b"")
    assert found.rejected is not None
    assert found.rejected[1].startswith("max-depth")
    assert "TOO_DEEP" in FilterRules(max_depth=2).scan(deep).faults


def test_no_more_lines_than_are_read() -> None:
    odd = HEADER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    odd += b"--b\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx\r\n" * 50 + b"--b--\r\n"
    assert len(form(odd, FilterRules(), b"").log) == examine.MOST_LINES
