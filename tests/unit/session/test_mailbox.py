"""What a session knows of the selected mailbox, and what the client has not heard yet."""

from __future__ import annotations

from imap4fast.session.mailbox import MOST_KEPT, Mailbox
from tests.play.post import Kept, Post


def box() -> Mailbox:
    return Mailbox(b"INBOX", read_only=False)


def mail() -> Kept:
    return Kept(b"A: b\r\n\r\nc", Post())


def test_numbers_of_the_two_sides() -> None:
    known = box()
    known.hold(b"* 2 EXPUNGE\r\n")
    known.hold(b"* 4 EXISTS\r\n")
    known.hold(b"* 3 EXPUNGE\r\n")
    assert known.asked(b"1:5") == b"1:3"
    assert known.asked(b"2") is None
    assert [known.shown(number) for number in (1, 2, 3)] == [1, 3, 5]
    assert known.release() == [b"* 2 EXPUNGE\r\n", b"* 4 EXISTS\r\n", b"* 3 EXPUNGE\r\n"]
    assert known.asked(b"1:5") == b"1:5"
    assert not known.held


def test_new_mails_are_counted_with_those_that_the_client_still_has() -> None:
    known = box()
    assert known.counted(b"* 4 EXISTS\r\n") is None
    known.hold(b"* 2 EXPUNGE\r\n")
    known.hold(b"* 3 EXPUNGE\r\n")
    assert known.counted(b"* 4 exists\r\n") == b"* 6 EXISTS\r\n"
    assert known.counted(b"* 4 EXPUNGE\r\n") is None
    known.hold(b"* VANISHED 5\r\n")
    assert known.counted(b"* 4 EXISTS\r\n") is None


def test_vanished_leaves_no_numbers() -> None:
    known = box()
    known.hold(b"* VANISHED (EARLIER) 3:4\r\n")
    assert known.asked(b"1") == b"1"
    known.hold(b"* VANISHED 5\r\n")
    assert known.asked(b"1") is None
    known.release()
    assert known.asked(b"1") == b"1"


def test_mails_at_hand() -> None:
    known = box()
    mails = [mail() for _ in range(MOST_KEPT + 1)]
    for uid, each in enumerate(mails, 1):
        known.keep(uid, uid + 10, each)
    assert known.at_hand(1) is None
    assert known.number_of(1) is None
    assert known.at_hand(2) is mails[1]
    assert known.number_of(2) == 12
    known.heard(b"* 9 EXISTS\r\n")
    assert known.number_of(2) == 12
    known.heard(b"* 1 EXPUNGE\r\n")
    assert known.number_of(2) is None
    assert known.at_hand(2) is mails[1]
    known.forget()
    assert known.at_hand(2) is None


def test_other_uidvalidity_other_mails() -> None:
    known = box()
    known.validity(7)
    known.keep(1, 1, mail())
    known.validity(7)
    assert known.at_hand(1) is not None
    known.validity(8)
    assert known.at_hand(1) is None
