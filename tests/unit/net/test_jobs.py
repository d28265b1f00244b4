"""What passes between worker, zygote and helper, and what is not taken for an answer."""

from __future__ import annotations

import os
import socket

import msgspec
import pytest

from imap4fast.mail.work import CHANGED, PASSED, Order, Outcome, Scan, Verdicts
from imap4fast.net import jobs
from imap4fast.net.jobs import MESSAGE_BYTES, MIB, Barren, Born, Broke, Done, Gone, Limits


def answer(data: bytes) -> jobs.Answer:
    return jobs.decode_answer(memoryview(data))


@pytest.mark.parametrize(
    "said",
    [
        Done(Outcome(PASSED)),
        Done(Outcome(CHANGED, 5, 6, b"h" * 32, pieces=((1, 2),), verdicts=Verdicts(Scan("free"))), last=True),
        Broke("why"),
        Broke("why", over=True),
    ],
)
def test_answers_come_as_they_were_given(said: jobs.Answer) -> None:
    assert answer(jobs.encode(said)) == said


def test_orders_and_notices_come_as_they_were_given() -> None:
    order = Order("process", "upload", "ALL", ("a",), ("b", "c"), 7, b"s", "now", "CS", Verdicts(spam=1.5))
    assert jobs.decode_order(jobs.encode(order)) == order
    for notice in (Born(1), Gone(2, 9), Barren("why")):
        assert jobs.decode_notice(jobs.encode(notice)) == notice


NO_ANSWERS = {
    "nothing": b"",
    "no msgpack": b"\xc1",
    "another tag": msgspec.msgpack.encode([7, 1]),
    "too short": msgspec.msgpack.encode([0]),
    "another type": msgspec.msgpack.encode([0, [5]]),
    "no text": b"\x92\x01\xa2\xff\xfe",
    "deep": b"\x94\x00\x91\xa6passed\xc2" + b"\x91" * 50_000 + b"\x00",
    "unknown kind": jobs.encode(Done(Outcome("odd"))),
    "negative": jobs.encode(Done(Outcome(PASSED, -1))),
    "negative index": jobs.encode(Done(Outcome(PASSED, 1, -1))),
    "no hash": jobs.encode(Done(Outcome(PASSED, sha256=b"short"))),
    "huge": jobs.encode(Broke("x" * MESSAGE_BYTES)),
    "with more behind": jobs.encode(Broke("x")) + b"\x00",
}


@pytest.mark.parametrize("data", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        answer(data)


@pytest.mark.parametrize(
    ("outcome", "written", "fits"),
    [
        (Outcome(PASSED), 0, True),
        (Outcome(PASSED, 5, 6), 11, True),
        (Outcome(PASSED, 5, 7), 11, False),
        (Outcome(PASSED, pieces=((0, 5), (5, 6))), 11, True),
        (Outcome(PASSED, pieces=((6, 6),)), 11, False),
        (Outcome(PASSED, pieces=((-1, 6),)), 11, False),
        (Outcome(PASSED, pieces=((12, -1),)), 11, False),
    ],
)
def test_an_outcome_points_to_what_was_written(outcome: Outcome, written: int, fits: bool) -> None:
    assert jobs.fits(outcome, written) is fits


def test_limits_grow_with_the_mail() -> None:
    limits = Limits()
    assert (limits.cpu(0), limits.cpu(100 * MIB)) == (10, 110)
    assert (limits.wall(0), limits.wall(100 * MIB)) == (60, 360)
    assert (limits.space(0), limits.space(100 * MIB)) == (256 * MIB, 556 * MIB)
    assert (limits.target(0), limits.target(100 * MIB)) == (16 * MIB, 416 * MIB)


def test_descriptors_pass() -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    read, write = os.pipe()
    with one, other:
        one.sendmsg([b"x"], jobs.rights(read, write))
        _, ancillary, _, _ = other.recvmsg(10, jobs.room_for(2))
        came = jobs.received(ancillary)
        assert [os.fstat(number).st_ino for number in came] == [os.fstat(number).st_ino for number in (read, write)]
        for number in (read, write, *came):
            os.close(number)
        one.send(b"x")
        assert jobs.received(other.recvmsg(10, jobs.room_for(2))[1]) == []
