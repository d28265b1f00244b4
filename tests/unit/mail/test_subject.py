"""The prefix is there once, whatever the subject was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast._wire import decode_words
from imap4fast.mail import fields, subject, words

TAG = "[SPAM] "


def tagged(header: bytes, prefix: str = TAG) -> str:
    done = subject.prefixed(header, prefix)
    found = [field for field in fields.fields(done) if field.name == b"subject"]
    assert len(found) == 1
    assert subject.prefixed(done, prefix) is done
    return decode_words(found[0].value)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"Subject: Hello\r\n\r\n", "[SPAM] Hello"),
        (b"subject:Hello\r\n\r\n", "[SPAM] Hello"),
        (b"From: a\r\n\r\n", "[SPAM]"),
        (b"Subject:\r\n\r\n", "[SPAM]"),
        (b"Subject: \r\n\r\n", "[SPAM]"),
        (b"Subject: one\r\nSubject: two\r\n\r\n", "[SPAM] one"),
        (b"Subject: [SPAM] one\r\nSubject: two\r\n\r\n", "[SPAM] one"),
        (b"Subject: a\r\n folded\r\n\tline\r\n\r\n", "[SPAM] a folded line"),
        (b"Subject: =?utf-8?q?=C3=A9t=C3=A9?=\r\n\r\n", "[SPAM] \u00e9t\u00e9"),
        (b"Subject: =?utf-8?q?=5BSPAM=5D_x?=\r\n\r\n", "[SPAM] x"),
        (b"Subject: [SPAM]\r\n x\r\n\r\n", "[SPAM] x"),
        (b"Subject: \xc3\xa9\r\n\r\n", "[SPAM] \u00e9"),
        (b"Subject: \xe9\r\n\r\n", "[SPAM] \u00e9"),
        (b"Subject", "[SPAM]"),
        (b"", "[SPAM]"),
    ],
)
def test_T_H04_missing_duplicate_encoded_folded(header: bytes, expected: str) -> None:  # noqa: N802
    assert words.collapsed(tagged(header)) == expected


def test_T_H03_an_encoded_line_end_is_a_blank() -> None:  # noqa: N802
    done = subject.prefixed(b"Subject: =?utf-8?q?x=0D=0ABcc:_y?=\r\n\r\n", TAG)
    assert done == b"Subject: [SPAM] x Bcc: y\r\n\r\n"


def test_T_H03_also_where_the_prefix_is_there() -> None:  # noqa: N802
    assert tagged(b"Subject: [SPAM] =?utf-8?q?x=0D=0ABcc:_y?=\r\n\r\n") == "[SPAM] x Bcc: y"


def test_T_H04_lines_are_folded() -> None:  # noqa: N802
    done = subject.prefixed(b"Subject: " + b"word " * 40 + "\u017elu\u0165".encode() * 40 + b"\r\n\r\n", TAG)
    assert max(map(len, done.split(b"\r\n"))) <= 76


def test_other_fields_stay() -> None:
    done = subject.prefixed(b"From: a\r\nSubject: x\r\nTo:  b\r\n\r\n", TAG)
    assert done == b"From: a\r\nSubject: [SPAM] x\r\nTo:  b\r\n\r\n"


def test_an_empty_prefix_changes_nothing() -> None:
    header = b"Subject: x\r\n\r\n"
    assert subject.prefixed(header, " ") is header


@given(st.text(max_size=40), st.text(min_size=1, max_size=20), st.booleans())
def test_any_subject_and_any_prefix(text: str, prefix: str, raw: bool) -> None:
    value = text.encode("utf-8", "replace").replace(b"\n", b"").replace(b"\r", b"") if raw else words.encoded(text)
    header = b"Subject: " + value + b"\r\n\r\n"
    if words.collapsed(prefix):
        done = tagged(header, prefix)
        assert words.collapsed(done).startswith(words.collapsed(prefix))
    else:
        assert subject.prefixed(header, prefix) is header
