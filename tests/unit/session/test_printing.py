"""Items printed from a processed mail: every kind, in memory and read as it is needed."""

from __future__ import annotations

import pytest

from imap4fast._wire import tokens
from imap4fast.imap.fetch import request_of
from imap4fast.session.printing import Piece, Range, UnknownEncodingError, UnreadableError, printed
from tests.play.post import Kept, Post

MAIL = (
    b"Subject: hi\r\nFrom: a@b\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\n\r\nhello\r\n--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n"
    b"--x\r\nContent-Transfer-Encoding: odd\r\n\r\n?\r\n--x--\r\n"
)
WHOLE = b"Subject: hi\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n"
WHOLE_DECODED = b"Subject: hi\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\1\2"
INSIDE = (
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n"
)
PLAIN = b"Subject: hi\r\n\r\nhello\r\n"


def answer(items: str, post: Post | None = None, octets: bytes = MAIL) -> bytes | Exception:
    """What the client gets between the parentheses."""
    post = post or Post()
    mail = Kept(octets, post)
    said: list[list[Piece] | Exception] = []
    printed(mail, request_of(tokens(b"a FETCH 1 " + items.encode() + b"\r\n")).items.contents, said.append)
    post.settle()
    (pieces,) = said
    if isinstance(pieces, Exception):
        return pieces
    return b"".join(
        octets[piece.offset : piece.offset + piece.size] if isinstance(piece, Range) else piece for piece in pieces
    )


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("BODY[]", b"BODY[] {%d}\r\n%b" % (len(MAIL), MAIL)),
        ("RFC822.SIZE", b"RFC822.SIZE %d" % len(MAIL)),
        ("BODY[1]", b"BODY[1] {5}\r\nhello"),
        ("BODY[1]<1.2>", b"BODY[1]<1> {2}\r\nel"),
        ("BODY[1]<4.9>", b"BODY[1]<4> {1}\r\no"),
        ("BODY[1]<5.9>", b"BODY[1]<5> {0}\r\n"),
        ("BODY[1]<4294967295.9>", b"BODY[1]<4294967295> {0}\r\n"),
        ("BODY[7]", b"BODY[7] {0}\r\n"),
        ("BODY[HEADER.FIELDS (subject)]", b"BODY[HEADER.FIELDS (SUBJECT)] {15}\r\nSubject: hi\r\n\r\n"),
        ("BODY[HEADER.FIELDS (subject)]<0.3>", b"BODY[HEADER.FIELDS (SUBJECT)]<0> {3}\r\nSub"),
        ("BINARY[2]", b"BINARY[2] ~{3}\r\n\0\1\2"),
        ("BINARY[2]<1.1>", b"BINARY[2]<1> {1}\r\n\1"),
        ("BINARY.SIZE[2]", b"BINARY.SIZE[2] 3"),
        ("(BODY[2] BODY[1])", b"BODY[2] {4}\r\nAAEC BODY[1] {5}\r\nhello"),
        ("PREVIEW", b"PREVIEW {5}\r\nhello"),
    ],
)
def test_items(items: str, expected: bytes, slow: bool) -> None:
    post = Post()
    post.slow = slow
    assert answer(items, post) == expected


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize(
    ("items", "octets", "expected"),
    [
        ("BINARY[]", WHOLE, b"BINARY[] ~{%d}\r\n%b" % (len(WHOLE_DECODED), WHOLE_DECODED)),
        ("BINARY.PEEK[]<5.9>", WHOLE, b"BINARY[]<5> {9}\r\n" + WHOLE_DECODED[5:14]),
        ("BINARY.PEEK[]<5000.9>", WHOLE, b"BINARY[]<5000> {0}\r\n"),
        ("BINARY.SIZE[]", WHOLE, b"BINARY.SIZE[] %d" % len(WHOLE_DECODED)),
        ("BINARY[1]", WHOLE, b"BINARY[1] ~{3}\r\n\0\1\2"),
        ("(BINARY.SIZE[1] BINARY.SIZE[] BINARY.SIZE[9])", WHOLE,
         b"BINARY.SIZE[1] 3 BINARY.SIZE[] %d BINARY.SIZE[9] 0" % len(WHOLE_DECODED)),
        ("BINARY[]", PLAIN, b"BINARY[] {%d}\r\n%b" % (len(PLAIN), PLAIN)),
        ("BINARY[]<3.4>", PLAIN, b"BINARY[]<3> {4}\r\n" + PLAIN[3:7]),
        ("BINARY.SIZE[]", PLAIN, b"BINARY.SIZE[] %d" % len(PLAIN)),
        ("BINARY[1]", INSIDE + WHOLE + b"\r\n--x--\r\n",
         b"BINARY[1] ~{%d}\r\n%b" % (len(WHOLE_DECODED), WHOLE_DECODED)),
        ("BINARY.SIZE[1]", INSIDE + WHOLE + b"\r\n--x--\r\n", b"BINARY.SIZE[1] %d" % len(WHOLE_DECODED)),
        ("BINARY[1]", INSIDE + PLAIN + b"\r\n--x--\r\n", b"BINARY[1] {%d}\r\n%b" % (len(PLAIN), PLAIN)),
    ],
)  # fmt: skip
def test_the_whole_mail_decoded(items: str, octets: bytes, expected: bytes, slow: bool) -> None:
    post = Post()
    post.slow = slow
    assert answer(items, post, octets) == expected


def test_structure_fits_the_octets() -> None:
    found = answer("BODYSTRUCTURE")
    assert isinstance(found, bytes)
    assert found.startswith(b"BODYSTRUCTURE (")
    assert b'"image" "png"' in found.lower()


@pytest.mark.parametrize("items", ["BINARY[3]", "BINARY.SIZE[3]", "(BODY[1] BINARY[3])", "BINARY[]", "BINARY.SIZE[]"])
def test_unknown_encoding(items: str) -> None:
    assert isinstance(answer(items), UnknownEncodingError)


@pytest.mark.parametrize("slow", [False, True])
def test_octets_that_cannot_be_had(slow: bool) -> None:
    class Broken(Kept):
        def at_once(self, offset: int, size: int) -> bytes | None:
            return None

        def read(self, offset: int, size: int, then: object) -> None:
            self._post.later(lambda: then(None))  # type: ignore[operator]

    post = Post()
    post.slow = slow
    said: list[object] = []
    request = request_of(tokens(b"a FETCH 1 BODY[HEADER.FIELDS (a)]\r\n"))
    printed(Broken(MAIL, post), request.items.contents, said.append)
    post.settle()
    assert [type(each) for each in said] == [UnreadableError]
