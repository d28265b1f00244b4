"""Responses with octets of a mail: whole, in slices, and while the client does not take them."""

from __future__ import annotations

from imap4fast._wire import Relay
from imap4fast.session.printing import Range
from imap4fast.session.writer import AT_ONCE, Writer
from tests.play.post import Kept, Post
from tests.play.stage import Pipe

LARGE = b"x" * (3 * AT_ONCE)


class Case:
    def __init__(self, octets: bytes, *, slow: bool = False) -> None:
        self.post = Post()
        self.post.slow = slow
        self.mail = Kept(octets, self.post)
        self.relay = Relay()
        self.pipe = Pipe()
        self.relay.attach_client(self.pipe, -1, 0.0)
        self.writer = Writer(self.relay)
        self.ended: list[bool] = []

    def write(self) -> None:
        pieces = (b"* 1 FETCH (BODY[] {%d}\r\n" % self.mail.size, Range(0, self.mail.size), b")\r\n")
        self.writer.write(pieces, self.mail, self.ended.append)

    @property
    def expected(self) -> bytes:
        return b"* 1 FETCH (BODY[] {%d}\r\n%b)\r\n" % (self.mail.size, self.mail.octets)


def test_a_small_one_goes_whole() -> None:
    case = Case(b"A: b\r\n\r\n")
    case.write()
    assert case.pipe.written == [case.expected]
    assert case.ended == [True]


def test_a_large_one_is_read_in_slices() -> None:
    case = Case(LARGE, slow=True)
    case.write()
    assert case.writer.busy
    case.post.settle()
    assert case.pipe.taken() == case.expected
    assert case.ended == [True]
    assert not case.relay.saying


def test_a_client_that_takes_no_more() -> None:
    case = Case(LARGE)
    case.relay.client_paused()
    case.write()
    assert case.pipe.taken() == b""
    assert case.writer.busy
    case.writer.drop()
    assert not case.writer.busy


def test_what_others_say_waits() -> None:
    case = Case(LARGE, slow=True)
    case.write()
    case.relay.reply(b"* OK still working\r\n")
    case.post.settle()
    assert case.pipe.taken() == case.expected + b"* OK still working\r\n"


def test_a_mail_that_breaks_off() -> None:
    case = Case(LARGE, slow=True)
    case.mail.octets = LARGE[:100]
    case.write()
    case.post.settle()
    assert case.ended == [False]
    assert not case.writer.busy
