"""What FETCH asks for, by the forms that clients send (protocol.md section 4.1) and by rows T-F22 and T-F23."""

from __future__ import annotations

import pytest

from imap4fast._wire import tokens
from imap4fast.imap.fetch import Content, FetchError, Kind, Request, quick_request, request_of


def asked(rest: bytes) -> Request:
    """Both ways to read it agree."""
    unit = b"a FETCH 1:* " + rest + b"\r\n"
    found = request_of(tokens(unit))
    quick = quick_request(unit)
    assert quick is None or quick == found
    return found


def content(rest: bytes) -> Content:
    (found,) = asked(rest).items.contents
    return found


@pytest.mark.parametrize(
    ("rest", "dynamic", "labels", "seen"),
    [
        (b"FLAGS", [b"FLAGS"], [], False),
        (b"(UID FLAGS)", [b"UID", b"FLAGS"], [], False),
        (b"ALL", [b"FLAGS", b"INTERNALDATE"], [b"RFC822.SIZE", b"ENVELOPE"], False),
        (b"fast", [b"FLAGS", b"INTERNALDATE"], [b"RFC822.SIZE"], False),
        (b"FULL", [b"FLAGS", b"INTERNALDATE"], [b"RFC822.SIZE", b"ENVELOPE", b"BODY"], False),
        (b"BODY[]", [], [b"BODY[]"], True),
        (b"(body.peek[] uid)", [b"UID"], [b"BODY[]"], False),
        (b"(UID RFC822.SIZE RFC822.peek)", [b"UID"], [b"RFC822.SIZE", b"RFC822"], False),
        (b"RFC822.HEADER", [], [b"RFC822.HEADER"], False),
        (b"RFC822.TEXT", [], [b"RFC822.TEXT"], True),
        (b"(UID RFC822.SIZE BODY.PEEK[]<65536.65536>)", [b"UID"], [b"RFC822.SIZE", b"BODY[]"], False),
        (b"(PREVIEW (LAZY) UID)", [b"UID"], [b"PREVIEW"], False),
        (b"(PREVIEW BODYSTRUCTURE)", [], [b"PREVIEW", b"BODYSTRUCTURE"], False),
        (b"(BINARY.PEEK[1.2]<0.10> BINARY.SIZE[1])", [], [b"BINARY[1.2]", b"BINARY.SIZE[1]"], False),
        (b"(BODY[1.2.MIME] BODY.PEEK[3.HEADER])", [], [b"BODY[1.2.MIME]", b"BODY[3.HEADER]"], True),
        (
            b"(UID BODY.PEEK[HEADER.FIELDS (From to \"X-Odd]\")] FLAGS)",
            [b"UID", b"FLAGS"],
            [b'BODY[HEADER.FIELDS (FROM TO "X-ODD]")]'],
            False,
        ),
    ],
)  # fmt: skip
def test_items(rest: bytes, dynamic: list[bytes], labels: list[bytes], seen: bool) -> None:
    items = asked(rest).items
    assert list(items.dynamic) == dynamic
    assert [item.label for item in items.contents] == labels
    assert items.seen is seen


def test_partial() -> None:
    assert content(b"BODY.PEEK[1]<0.393216>").span == (0, 393216)
    assert content(b"BODY[HEADER.FIELDS.NOT (a)]<5.7>") == Content(
        Kind.FIELDS, b"BODY[HEADER.FIELDS.NOT (A)]", b"HEADER", (b"A",), True, (5, 7), True
    )
    assert content(b"BODY.PEEK[2.HEADER.FIELDS (a)]").section == b"2.HEADER"


def test_modifiers() -> None:
    assert asked(b"(FLAGS) (CHANGEDSINCE 12345 VANISHED)").modifiers == b"(CHANGEDSINCE 12345 VANISHED)"
    assert asked(b"BODY.PEEK[HEADER.FIELDS (a)] (CHANGEDSINCE 0)").modifiers == b"(CHANGEDSINCE 0)"
    assert asked(b"PREVIEW (LAZY)") == asked(b"(PREVIEW (LAZY))") == asked(b"PREVIEW")
    assert asked(b"PREVIEW (LAZY) (CHANGEDSINCE 0)").modifiers == b"(CHANGEDSINCE 0)"


@pytest.mark.parametrize(
    "rest",
    [
        b"BODY[0]", b"BODY[1.0]", b"BODY[TEXT.1]", b"BODY[MIME]", b"BINARY[HEADER]", b"BODY[]<0>", b"BODY[]<0.0>",
        b"BODY[HEADER.FIELDS ()]", b"BINARY.SIZE[1]<0.5>", b"SNIPPET", b"RFC822.SHA1", b"ANNOTATION", b"X-FOO", b"()",
        b"(ALL)", b"(FLAGS ALL)", b"FLAGS UID", b"(PREVIEW (EAGER))", b"(FLAGS (UID))", b"FLAGS (UPDATE)",
        b"DIGEST.SHA1",
        b"BODY.SIZE[1]", b"(BODY[HEADER.FIELDS (a)])x", b"BODY[HEADER.FIELDS (\"a:b\")]", b"UID (CHANGEDSINCE x)",
        b"BODY[HEADER.FIELDS (a\\)]",
        b"PREVIEW (EAGER)", b"UID (CHANGEDSINCE 1VANISHED)", b"UID (CHANGEDSINCE 01)", b"UID (PARTIAL 0:5)",
        b"UID (VANISHEDVANISHED)",
    ],
)  # fmt: skip
def test_what_has_no_answer(rest: bytes) -> None:
    with pytest.raises(FetchError):
        asked(rest)
