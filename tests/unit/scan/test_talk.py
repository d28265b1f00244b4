"""Words of a scanner are made harmless; a talk is over in one of three ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail.work import Scan
from imap4fast.scan.clamd import Instream, Version
from imap4fast.scan.spamd import Check
from imap4fast.scan.talk import MOST_NAME, failed, found, free, plain, skipped


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"Eicar-Test-Signature", "Eicar-Test-Signature"),
        (b"{HEX}php.cmdshell.1.UNOFFICIAL", "{HEX}php.cmdshell.1.UNOFFICIAL"),
        (b" Trojan/Win32!x (a, b) ", "Trojan/Win32!x (a, b)"),
        (b"a\r\nX-Injected: yes\r\n\r\n", "a__X-Injected: yes"),
        (b"<script>alert('x')</script>", "_script_alert(_x_)_/script_"),
        (b'"><!ENTITY x SYSTEM "file">&x;', "___!ENTITY x SYSTEM _file___x;"),
        (b"%{filename}\x1b[2J\x00`id`\\", "_{filename}_[2J__id__"),
        (b"J\xc3\xa9 \xff", "J__ _"),
        (b"", ""),
    ],
)
def test_t_a07_words_of_a_scanner_cannot_be_anything_else(said: bytes, shown: str) -> None:
    assert plain(said) == shown


@given(st.binary(max_size=2000))
def test_t_a07_plain_is_printable_ascii_of_bounded_length(said: bytes) -> None:
    text = plain(said)
    assert len(text) <= MOST_NAME
    assert text.isascii()
    assert text == "" or text.isprintable()
    assert not set(text) & set("\"'<>&%`\\")


def test_results() -> None:
    assert found(b"X\n") == Scan("found", "X")
    assert found(b"") == Scan("found", "unnamed")
    assert free() == Scan("free")
    assert skipped("why") == Scan("skipped", "why")
    assert failed("why") == Scan("error", "why")


def test_the_end_counts_only_before_the_answer() -> None:
    talk = Version(0)
    assert not talk.done
    talk.end()
    assert talk.done
    assert talk.cut == "closed before the answer was whole"
    answered = Version(0)
    answered.receive(b"1: ClamAV 1\0")
    answered.end()
    assert (answered.result, answered.cut) == ("ClamAV 1", None)


@pytest.mark.parametrize(
    ("reply", "stays"),
    [(b"OK", False), (b"X FOUND", True), (b"no memory ERROR", True)],
)
def test_t_a04_only_what_was_found_stays_when_not_all_was_written(reply: bytes, stays: bool) -> None:
    talk = Instream(0)
    talk.receive(b"1: stream: %s\0" % reply)
    result = talk.result
    talk.unwritten()
    assert not talk.reusable
    assert talk.result == (result if stays else None)
    assert talk.nonsense == (None if stays else "answered before it had all")


def test_t_a04_no_score_when_not_all_was_written() -> None:
    talk = Check(0)
    talk.receive(b"SPAMD/1.1 0 EX_OK\r\nSpam: False ; 1.5 / 5.0\r\n\r\n")
    talk.unwritten()
    assert (talk.result, talk.nonsense) == (None, "answered before it had all")
    talk = Check(0)
    talk.end()
    talk.unwritten()
    assert (talk.nonsense, talk.cut) == (None, "closed before the answer was whole")


def test_a_talk_without_a_mail_is_given_none() -> None:
    talk = Version(0)
    assert talk.wants == 0
    with pytest.raises(NotImplementedError):
        talk.give(b"x")
