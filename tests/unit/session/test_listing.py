"""The mails of a FETCH as the server names them; conversations are in tests/play/test_vanished.py."""

from __future__ import annotations

import pytest

from imap4fast.imap.fetch import Items, Request
from imap4fast.session import listing
from imap4fast.session.listing import Listing, Row, Stage
from imap4fast.session.mailbox import Mailbox


def named(*dynamic: bytes) -> Listing:
    return Listing(Mailbox(b"INBOX", read_only=False), Request(b"1:*", Items(dynamic, (), False)), uid=True)


def test_rows_begin_with_nothing() -> None:
    row = Row(2, 5)
    assert (row.stage, row.refused, tuple(row.pieces)) == (Stage.NEW, None, ())


def test_a_row_learns_what_is_said() -> None:
    row = Row(2, 5)
    row.learn({b"FLAGS": b"(\\seen)", b"RFC822.SIZE": b"12"})
    row.learn({b"INTERNALDATE": b'" 1-Jan-2026 00:00:00 +0000"', b"RFC822.SIZE": b"x"})
    assert (row.seen, row.size, row.date) == (True, 12, " 1-Jan-2026 00:00:00 +0000")


def test_pieces_of_one_mail() -> None:
    found = named(b"FLAGS", b"MODSEQ")
    assert not found.data(1, None, [(b"FLAGS", b"()")])
    assert not found.data(1, 5, [(b"UID", b"5")])
    assert not found.rows
    assert found.data(1, None, [(b"MODSEQ", b"(1)")])
    assert found.rows[5].dynamic == b"FLAGS () UID 5 MODSEQ (1)"


def test_a_piece_of_another_mail_with_the_number_is_not_used() -> None:
    found = named(b"FLAGS")
    found.data(1, 4, [(b"UID", b"4")])
    assert not found.data(1, 5, [(b"UID", b"5")])
    assert found.data(1, None, [(b"FLAGS", b"()")])
    assert list(found.rows) == [5]
    found.data(2, None, [(b"FLAGS", b"()")])
    found.forget_numbers()
    assert not found.data(2, 6, [(b"UID", b"6")])


def test_pieces_of_a_mail_whose_number_changes() -> None:
    """Each has the UID, as answers to UID FETCH must."""
    found = named(b"FLAGS", b"MODSEQ")
    assert not found.data(3, 6, [(b"UID", b"6"), (b"FLAGS", b"()")])
    assert not found.data(2, 5, [(b"UID", b"5"), (b"FLAGS", b"(\\Seen)")])
    found.forget_numbers()
    assert found.data(2, 6, [(b"UID", b"6"), (b"MODSEQ", b"(1)")])
    assert list(found.rows) == [6]
    assert found.rows[6].dynamic == b"UID 6 FLAGS () MODSEQ (1)"


def test_more_of_a_mail() -> None:
    """A change of flags is for the client, who asked for them; a size is for the proxy."""
    found = named(b"FLAGS")
    found.data(1, 5, [(b"UID", b"5"), (b"FLAGS", b"()")])
    assert not found.data(1, 5, [(b"UID", b"5"), (b"FLAGS", b"(\\Seen)")])
    assert found.data(1, 5, [(b"UID", b"5"), (b"RFC822.SIZE", b"7")])
    assert not found.data(1, 5, [(b"UID", b"5"), (b"RFC822.SIZE", b"8"), (b"MODSEQ", b"(9)")])
    assert found.rows[5].size == 8


def test_what_nobody_asked_for_is_for_the_client() -> None:
    """Flags that somebody else has set: of a mail that is asked for, and of another one."""
    found = named(b"MODSEQ")
    assert not found.data(9, 7, [(b"UID", b"7"), (b"FLAGS", b"()"), (b"MODSEQ", b"(1)")])
    assert not found.rows
    assert not found.data(1, 5, [(b"UID", b"5"), (b"FLAGS", b"()"), (b"MODSEQ", b"(1)"), (b"INTERNALDATE", b'""')])
    assert list(found.rows) == [5]


def test_what_stands_between() -> None:
    found = named()
    found.put_between((b"a", b"b"))
    found.put_between((b"c",))
    found.data(1, 5, [(b"UID", b"5")])
    found.data(2, 6, [(b"UID", b"6")])
    found.put_between((b"d",))
    assert found.take_between(0) == [b"a", b"b", b"c"]
    assert (found.take_between(0), found.take_between(1)) == ([], [])
    assert found.take_between(2) == [b"d"]
    assert found.renumbered


@pytest.mark.parametrize("bound", ["MOST_ROWS", "MOST_LISTED"])
def test_all_is_bounded(monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    found = named(b"FLAGS")
    assert not found.full
    monkeypatch.setattr(listing, bound, 1)
    found.data(1, 5, [(b"UID", b"5"), (b"FLAGS", b"()")])
    assert found.full


def test_pieces_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_LISTED", 1000)
    found = named(b"FLAGS")
    for number in range(1, 12):
        found.data(number, number, [(b"UID", b"%d" % number), (b"BODY[HEADER]", b"x" * 5000)])
    assert found.full
