"""A helper: one process that makes mails, one after the other, and can do nothing else.

It takes an order with two descriptors from its socket, does the work, and answers. What the work raises is the job's
failure and the end of this helper: nobody knows what a mail that breaks a parser has left behind in it.
"""

from __future__ import annotations

import errno
import os
import socket

from imap4fast.mail.work import Order, Outcome
from imap4fast.net.jobs import (
    MESSAGE_BYTES,
    Answer,
    Broke,
    Done,
    Limits,
    Work,
    decode_order,
    encode,
    received,
    room_for,
)
from imap4fast.proc import sandbox
from imap4fast.proc.sandbox import Confinement, Memory
from imap4fast.proc.seccomp import Filter

_WHY_CHARS = 500
_RIGHTS_BYTES = room_for(2)
_ROOM = (errno.ENOMEM, errno.EFBIG, errno.EMFILE)
_FULL = (errno.ENOSPC, errno.EDQUOT)


def live(sock: int, work: Work, limits: Limits, proc: int, syscalls: Filter) -> None:
    """In a fresh process: confines it, then works until its time or its worker has gone. `sock` is a descriptor."""
    sock, figures = sandbox.keep_only(sock, sandbox.open_figures(proc))
    orders = socket.socket(fileno=sock)
    confinement = Confinement(limits, Memory(figures))
    buffer = bytearray(MESSAGE_BYTES)
    syscalls.load()
    for left in reversed(range(limits.jobs)):
        if not _one_job(orders, buffer, work, confinement, last=not left):
            return


def _one_job(sock: socket.socket, buffer: bytearray, work: Work, confinement: Confinement, last: bool) -> bool:
    """False: there is no further one for this process."""
    size, ancillary, flags, _ = sock.recvmsg_into([buffer], _RIGHTS_BYTES, socket.MSG_CMSG_CLOEXEC)
    descriptors = received(ancillary)
    if not size or flags & (socket.MSG_CTRUNC | socket.MSG_TRUNC) or len(descriptors) != 2:
        return False
    order = decode_order(memoryview(buffer)[:size])
    confinement.before_job(order.size)
    answer = _done(work, order, *descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    if isinstance(answer, Done) and (last or confinement.grown()):
        answer = Done(answer.outcome, last=True)
    return _said(sock, answer)


def _done(work: Work, order: Order, source: int, target: int) -> Answer:
    try:
        outcome = work(order, source, target)
    except BaseException as error:
        number = error.errno if isinstance(error, OSError) else None
        over = isinstance(error, MemoryError) or number in _ROOM
        return Broke(f"{type(error).__name__}: {error}"[:_WHY_CHARS], over, number in _FULL)
    if not isinstance(outcome, Outcome):
        return Broke(f"the work returned {type(outcome).__name__}")
    return Done(outcome)


def _said(sock: socket.socket, answer: Answer) -> bool:
    """Sends the answer. False: it was the last."""
    data = encode(answer)
    if len(data) > MESSAGE_BYTES:
        answer = Broke(f"an answer of {len(data)} octets")
        data = encode(answer)
    sock.send(data)
    return isinstance(answer, Done) and not answer.last
