"""Edits: what they name is changed, what they do not name stays byte for byte, and twice is once."""

from __future__ import annotations

import mmap
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail import ambiguity, edit
from imap4fast.mail.edit import ADD, DELETE, REPLACE, Edits, HeaderOp, Replacement
from tests.unit.mail.mails import CLEAN, FORWARDED, TWO, leaf, leaves, leaves_of_python, multipart, scan

NEW = Replacement(b"Content-Type: text/plain\r\nX-Mark: 1\r\n", b"instead\r\n")
THREE = multipart(b"boundary=b", b"pre\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b\r\n\r\nthree\r\n--b--\r\nepi\r\n")


def done(data: bytes, edits: Edits) -> bytes:
    return bytes(edit.apply(data, scan(data), edits))


def test_nothing_to_do_is_the_same_object() -> None:
    assert edit.apply(TWO, scan(TWO), Edits()) is TWO
    tagged = done(TWO, Edits(subject_prefix="[S] "))
    assert edit.apply(tagged, scan(tagged), Edits(subject_prefix="[S] ", cleaned=True)) is tagged


def test_a_subject_prefix() -> None:
    assert done(TWO, Edits(subject_prefix="[S] ")) == TWO.replace(b"Subject: two", b"Subject: [S] two")


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (HeaderOp(ADD, "X-New", "v"), TWO.replace(b"\r\n\r\n", b"\r\nX-New: v\r\n\r\n", 1)),
        (HeaderOp(ADD, "Subject", "two parts"), TWO),
        (HeaderOp(REPLACE, "subject", "x"), TWO.replace(b"Subject: two parts", b"subject: x")),
        (HeaderOp(REPLACE, "X-New", "v"), TWO.replace(b"\r\n\r\n", b"\r\nX-New: v\r\n\r\n", 1)),
        (HeaderOp(DELETE, "SUBJECT"), TWO.replace(b"Subject: two parts\r\n", b"")),
        (HeaderOp(DELETE, "X-Other"), TWO),
    ],
)
def test_modify_header(op: HeaderOp, expected: bytes) -> None:
    once = done(TWO, Edits(headers=(op,)))
    assert once == expected
    assert done(once, Edits(headers=(op,))) == once


def test_T_H03_no_line_end_gets_into_a_header() -> None:  # noqa: N802
    once = done(TWO, Edits(headers=(HeaderOp(ADD, "X-New", "a\r\nBcc: b\r\n\r\nc"),)))
    assert b"X-New: a Bcc: b c\r\n" in once


def test_a_part_is_replaced_whole() -> None:
    index = scan(TWO)
    part = index.part(2)
    once = done(TWO, Edits(parts={2: NEW}))
    assert once == TWO[: part.header] + NEW.header + b"\r\n" + NEW.octets + TWO[part.body + part.body_size :]
    assert leaves(once) == leaves_of_python(once) == [b"first", b"instead\r\n"]


def test_the_only_part_of_a_mail() -> None:
    data = b"From: a@example.com\r\nContent-Type: text/html\r\nContent-Language: cs\r\n\r\n<b>\r\n"
    once = done(data, Edits(parts={0: NEW}))
    assert once == b"From: a@example.com\r\nMIME-Version: 1.0\r\n" + NEW.header + b"\r\n" + NEW.octets


def test_a_mail_in_a_mail_keeps_its_header() -> None:
    once = done(FORWARDED, Edits(parts={2: NEW}))
    assert b"From: b@example.com\r\nSubject: inside\r\nMIME-Version: 1.0\r\n" + NEW.header + b"\r\ninstead" in once
    assert leaves(once)[0] == b"instead\r\n"


def test_the_whole_body() -> None:
    once = done(TWO, Edits(body=NEW, subject_prefix="[S] "))
    assert leaves(once) == [b"instead\r\n"]
    assert b"Subject: [S] two parts\r\n" in once
    assert done(once, Edits(body=NEW, subject_prefix="[S] ")) == once


def test_fields_of_ours_that_are_added_keep_their_place() -> None:
    edits = Edits(body=NEW, headers=(HeaderOp(ADD, "X-Imap4fast-Scan", "clean"),), cleaned=True)
    forged = TWO.replace(b"Subject", b"X-Imap4fast-Scan: trusted\r\nSubject")
    once = done(forged, edits)
    assert once.count(b"X-Imap4fast-Scan") == 1
    assert done(once, edits) == once


@pytest.mark.parametrize(
    ("removed", "left"),
    [
        ({1}, [b"two", b"three"]),
        ({2}, [b"one", b"three"]),
        ({3}, [b"one", b"two"]),
        ({1, 2}, [b"three"]),
        ({2, 3}, [b"one"]),
        ({1, 3}, [b"two"]),
        ({1, 2, 3}, [b""]),
    ],
)
def test_parts_removed(removed: set[int], left: list[bytes]) -> None:
    once = done(THREE, Edits(removed=frozenset(removed)))
    assert leaves(once) == leaves_of_python(once) == left
    assert b"\r\n\r\npre\r\n--b\r\n" in once
    assert once.endswith(b"\r\n--b--\r\nepi\r\n")


def test_removed_and_replaced_together() -> None:
    once = done(THREE, Edits(removed=frozenset((1,)), parts={2: NEW}))
    assert leaves(once) == [b"instead\r\n", b"three"]
    once = done(THREE, Edits(removed=frozenset((2, 3)), parts={1: NEW}))
    assert leaves(once) == [b"instead\r\n"]


def test_what_is_said_of_a_part_in_a_replaced_one_is_void() -> None:
    assert leaves(done(FORWARDED, Edits(parts={2: NEW, 3: NEW, 4: NEW}, removed=frozenset((5,))))) == [
        b"instead\r\n",
        b"instead\r\n",
    ]


def test_a_mail_in_a_mail_removed() -> None:
    once = done(FORWARDED, Edits(removed=frozenset((2,))))
    assert leaves(once) == leaves_of_python(once) == [b"", b"plain", b"<p>html</p>"]


def test_the_whole_mail_removed() -> None:
    assert leaves(done(TWO, Edits(removed=frozenset((0,))))) == [b""]


def test_pieces_of_a_mapped_file_are_views() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(TWO)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            pieces = edit.pieces(mapped, scan(TWO), Edits(parts={2: NEW}))
            assert b"".join(pieces) == done(TWO, Edits(parts={2: NEW}))
            kept = sum(len(piece) for piece in pieces if isinstance(piece, memoryview))
            assert kept == scan(TWO).part(2).header + len(b"\r\n--b1--\r\nepilogue\r\n")
            pieces.clear()


@given(st.sampled_from(CLEAN), st.data())
def test_any_edits_leave_a_mail_with_one_reading(data: bytes, draw: st.DataObject) -> None:
    index = scan(data)
    numbers = st.sets(st.integers(0, len(index) - 1))
    removed, parts = draw.draw(numbers), draw.draw(numbers)
    edits = Edits(subject_prefix="[S] ", removed=frozenset(removed), parts=dict.fromkeys(parts - removed, NEW))
    once = done(data, edits)
    assert leaves(once) == leaves_of_python(once)


def test_untouched_leaf_of_a_plain_mail() -> None:
    data = leaf(b"Content-Type: text/plain\r\n", b"body \t\r\n")
    assert done(data, Edits(subject_prefix="x ")).endswith(b"\r\n\r\nbody \t\r\n")


def test_what_is_left_of_a_multipart_has_one_reading() -> None:
    once = done(FORWARDED, Edits(removed=frozenset((1, 3))))
    assert ambiguity.find(once, scan(once)) == []
    data = multipart(b"boundary=b", b"--b\r\n" + FORWARDED.partition(b"\r\n")[2] + b"--b--\r\n")
    once = done(data, Edits(removed=frozenset((1,))))
    assert ambiguity.find(once, scan(once)) == []


def test_an_empty_mail_in_a_mail_is_replaced() -> None:
    once = done(
        multipart(b"boundary=b", b"--b\r\nContent-Type: message/rfc822\r\n\r\n--b--\r\n"), Edits(parts={2: NEW})
    )
    assert ambiguity.find(once, scan(once)) == []
    assert leaves(once) == [b"instead\r\n"]
