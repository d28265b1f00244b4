"""The index of a mail: what belongs where, sections, faults, caps."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from imap4fast._wire import MIME_FAULTS, MailIndex, MimePart
from tests.mime import corpus
from tests.mime.soundness import sound

MIXED = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
NESTED = (
    MIXED
    + b"pre\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n"
    + b"Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\ntwo\r\n--c\r\nContent-Type: text/html\r\n"
    + b"Content-Transfer-Encoding: base64\r\n\r\nPGI+\r\n--c--\r\n--b--\r\nepi\r\n"
)


def parts(mail: bytes, **caps: int) -> list[MimePart]:
    index = MailIndex.scan(mail, **caps)
    return [index.part(number) for number in range(len(index))]


def bodies(mail: bytes) -> list[bytes]:
    return [mail[part.body : part.body + part.body_size] for part in parts(mail)]


def section(mail: bytes, spec: bytes) -> bytes | None:
    found = MailIndex.scan(mail).section(spec)
    return None if found is None else mail[found[0] : found[0] + found[1]]


def faults(mail: bytes, **caps: int) -> set[str]:
    return set(MailIndex.scan(mail, **caps).faults)


def test_parts_of_a_nested_mail() -> None:
    found = parts(NESTED)
    assert [part.kind for part in found] == ["multipart", "leaf", "message", "multipart", "leaf", "leaf"]
    assert [part.parent for part in found] == [-1, 0, 0, 2, 3, 3]
    assert [part.depth for part in found] == [0, 1, 1, 2, 3, 3]
    assert [part.children for part in found] == [(1, 2), (), (3,), (4, 5), (), ()]
    assert [part.type + b"/" + part.subtype for part in found] == [
        b"multipart/mixed",
        b"text/plain",
        b"message/rfc822",
        b"multipart/alternative",
        b"text/plain",
        b"text/html",
    ]
    assert bodies(NESTED)[1] == b"one"
    assert bodies(NESTED)[4:] == [b"two", b"PGI+"]
    assert MailIndex.scan(NESTED).leaves == (1, 4, 5)


@pytest.mark.parametrize("caps", [{}, {"max_depth": 100}, {"max_parts": 3}, {"max_depth": 2}, {"max_header": 60}])
def test_each_mail_has_a_sound_index(caps: dict[str, int]) -> None:
    for mail in corpus.mails().values():
        sound(MailIndex.scan(mail, **caps), mail)


def test_lines_and_size() -> None:
    index = MailIndex.scan(NESTED)
    assert (index.size, index.lines) == (len(NESTED), NESTED.count(b"\n"))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (b"1", b"one"),
        (b"1.MIME", b"\r\n"),
        (b"2.MIME", b"Content-Type: message/rfc822\r\n\r\n"),
        (b"2.1", b"two"),
        (b"2.2", b"PGI+"),
        (b"2.2.mime", b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
        (b"2.header", b"Subject: in\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"),
        (b"1.1", b"one"),
        (b"1.1.1", None),
        (b"1.HEADER", None),
        (b"1.TEXT", None),
        (b"3", None),
        (b"2.3", None),
        (b"0", None),
        (b"MIME", None),
        (b"1.", None),
        (b".1", None),
        (b"1..1", None),
        (b"1.X", None),
        (b"1X", None),
        (b"TEXT.1", None),
        (b"HEADER.FIELDS", None),
        (b"4294967297", None),
        (b"1" * 40, None),
    ],
)
def test_sections(spec: bytes, expected: bytes | None) -> None:
    assert section(NESTED, spec) == expected


def test_sections_of_the_whole() -> None:
    assert section(NESTED, b"") == NESTED
    assert section(NESTED, b"HEADER") == MIXED
    assert section(NESTED, b"text") == NESTED[len(MIXED) :]


def test_find() -> None:
    index = MailIndex.scan(NESTED)
    assert index.find(()) == 0
    assert [index.find(path) for path in ((1,), (2,), (2, 1), (2, 2), (1, 1))] == [1, 2, 4, 5, 1]
    assert [index.find(path) for path in ((0,), (3,), (-1,), (1, 1, 1), (2, 3), (1, 2))] == [-1] * 6


def test_part_one_of_a_leaf_is_the_leaf() -> None:
    mail = b"Subject: x\r\n\r\nbody"
    assert section(mail, b"1") == b"body"
    assert section(mail, b"1.MIME") == b"Subject: x\r\n\r\n"
    assert section(mail, b"2") is None


def test_no_such_part() -> None:
    index = MailIndex.scan(b"")
    for number in (-1, 1, 1 << 40):
        with pytest.raises(IndexError):
            index.part(number)
        with pytest.raises(IndexError):
            index.decoded_size(number)


def test_an_index_is_not_made_by_hand() -> None:
    with pytest.raises(TypeError):
        MailIndex()
    for name in ("max_header", "max_parts", "max_depth"):
        with pytest.raises(ValueError, match="cap"):
            MailIndex.scan(b"", **{name: 0})


def test_buffers_of_all_kinds(tmp_path: Path) -> None:
    expected = MailIndex.scan(NESTED).pack()
    assert MailIndex.scan(bytearray(NESTED)).pack() == expected
    assert MailIndex.scan(memoryview(b"xx" + NESTED)[2:]).pack() == expected
    path = tmp_path / "mail"
    path.write_bytes(NESTED)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        index = MailIndex.scan(mapped)
        # Nothing of the data is held: a map that is would not close.
    assert index.pack() == expected
    with pytest.raises(BufferError):
        MailIndex.scan(memoryview(NESTED)[::2])
    with pytest.raises(TypeError):
        MailIndex.scan("text")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mail", "fault"),
    [
        (b"X: y\n\r\n", "BARE_LF"),
        (b"X: y\r\n\r\na\nb", "BARE_LF"),
        (b"X: y\rz\r\n\r\n", "BARE_CR"),
        (b"X: y\r\n\r\nab\r", "BARE_CR"),
        (b"X: y\r\n\r\n" + b"a" * 40 + b"\r" + b"b" * 40, "BARE_CR"),
        (b"X: y\r\n\r\na\0b", "NUL"),
        (b"X: \xc3\xa9\r\n\r\n", "EIGHT_BIT_HEADER"),
        (b"junk\r\n\r\n", "JUNK_LINE"),
        (b"Subject : x\r\n\r\n", "SPACED_NAME"),
        (b"Subject: x\r\n", "NO_BLANK_LINE"),
        (b"", "NO_BLANK_LINE"),
        (MIXED + b"--b\r\nX: y\r\n--b--\r\n", "HEADER_CUT"),
        (b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\n", "TYPE_TWICE"),
        (b"Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n", "ENCODING_TWICE"),
        (
            MIXED.replace(b"\r\n\r\n", b"\r\nContent-Disposition: a\r\nContent-Disposition: b\r\n\r\n"),
            "DISPOSITION_TWICE",
        ),
        (b"Content-Type: text\r\n\r\n", "BROKEN_TYPE"),
        (b"Content-Transfer-Encoding: base 64\r\n\r\n", "BROKEN_ENCODING"),
        (b"Content-Type: text/plain; @\r\n\r\n", "BROKEN_PARAMETERS"),
        (b"Content-Type: text/plain; a=b; A=c\r\n\r\n", "PARAMETER_TWICE"),
        (b"Content-Type: text/plain; a=b; a*0=c\r\n\r\n", "PARAMETER_TWICE"),
        (b"Content-Type: multipart/mixed\r\n\r\n", "NO_BOUNDARY"),
        (b'Content-Type: multipart/mixed; boundary=""\r\n\r\n', "EMPTY_BOUNDARY"),
        (b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n" % (b"x" * 71), "LONG_BOUNDARY"),
        (MIXED, "NO_PARTS"),
        (MIXED + b"--b\r\n\r\nx", "NOT_CLOSED"),
        (MIXED + b"--bc\r\n\r\n--b--\r\n", "BOUNDARY_TAIL"),
        (MIXED + b"--b\r\n\r\n--b--x\r\n", "BOUNDARY_TAIL"),
        (MIXED.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"), "ENCODED_PARTS"),
    ],
)
def test_faults(mail: bytes, fault: str) -> None:
    assert fault in faults(mail)
    assert fault in MIME_FAULTS


def test_a_clean_mail_has_no_faults() -> None:
    assert faults(NESTED) == set()
    assert faults(MIXED + b"--b \t\r\n\r\n\xc3\xa9\r\n--b-- \r\n") == set()


def test_each_octet_that_does_not_belong_is_seen_at_each_place() -> None:
    text = b"X: y\r\n\r\n" + b"0123456789abcdef\r\n" * 6
    for at in range(8, len(text)):
        for octet, fault in ((b"\0", "NUL"), (b"\n", "BARE_LF"), (b"\r", "BARE_CR")):
            assert fault in faults(text[:at] + octet + text[at:])
        assert faults(text[:at] + b"x" + text[at:]) <= {"BARE_LF", "BARE_CR"}
    assert faults(text) == set()


def test_cap_on_parts() -> None:
    mail = MIXED + b"--b\r\n\r\nx\r\n" * 20 + b"--b--\r\n"
    index = MailIndex.scan(mail, max_parts=5)
    assert len(index) == 5
    assert "TOO_MANY_PARTS" in index.faults
    assert "TOO_MANY_PARTS" not in MailIndex.scan(mail, max_parts=22).faults
    messages = b"Content-Type: message/rfc822\r\n\r\n" * 4
    assert "TOO_MANY_PARTS" in faults(messages, max_parts=3)


def test_cap_on_depth() -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth) for depth in range(10)
    )
    index = MailIndex.scan(deep, max_depth=4)
    assert max(index.part(number).depth for number in range(len(index))) == 3
    assert "TOO_DEEP" in index.faults
    assert index.bodystructure.count(b"octet-stream") == 1
    messages = MailIndex.scan(b"Content-Type: message/rfc822\r\n\r\n" * 6, max_depth=3)
    assert (len(messages), "TOO_DEEP" in messages.faults) == (3, True)


def test_cap_on_a_header() -> None:
    mail = b"Subject: a\r\n" + b"X: " + b"y" * 1000 + b"\r\nContent-Type: text/html\r\n\r\nbody"
    index = MailIndex.scan(mail, max_header=500)
    assert "HEADER_TOO_LARGE" in index.faults
    assert index.part(0).subtype == b"plain"
    assert index.section(b"TEXT") == (len(mail) - 4, 4)
    assert "HEADER_TOO_LARGE" not in MailIndex.scan(mail).faults


def test_a_digest_has_mails_in_it() -> None:
    mail = b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n\r\ny\r\n--b--\r\n"
    assert [part.kind for part in parts(mail)] == ["multipart", "message", "leaf"]


def test_a_multipart_without_parts_is_a_leaf_for_scanners() -> None:
    assert MailIndex.scan(MIXED + b"text").leaves == (0,)
    assert MailIndex.scan(b"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx").leaves == (0,)


def test_words_are_kept_up_to_a_length() -> None:
    (part,) = parts(b"Content-Type: %b/%b\r\nContent-Transfer-Encoding: %b\r\n\r\n" % (b"A" * 99, b"B" * 99, b"C" * 99))
    assert (part.type, part.subtype, part.encoding) == (b"a" * 80, b"b" * 80, b"c" * 80)


@pytest.mark.parametrize("mail", list(corpus.mails().values())[::7])
def test_each_beginning_of_a_mail_has_an_index(mail: bytes) -> None:
    for size in range(min(len(mail), 1500)):
        index = MailIndex.scan(mail[:size], max_depth=100)
        assert index.size == size
        assert MailIndex.unpack(index.pack()).pack() == index.pack()
