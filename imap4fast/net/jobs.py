"""What workers, zygotes and helpers say to one another, and what a job may use. One packet a message.

A worker gives a helper an `Order` with two descriptors, the helper gives back one `Answer` without any. A helper may
be in hostile hands: what it says is taken for an answer only as far as it has exactly this shape and size. A zygote
holds nothing that came from outside, and tells its worker of helpers that came and went.
"""

from __future__ import annotations

import array
import socket
from collections.abc import Callable
from typing import Final

import msgspec

from imap4fast.mail.work import CHANGED, EXAMINED, PASSED, REFUSED, REPLACED, Order, Outcome

MESSAGE_BYTES: Final = 131072
"""Orders and answers at most: a thousand leaves with a verdict each fit well; a socket takes it in one packet."""
NOTICE_BYTES: Final = 4096
MIB: Final = 1048576
_KINDS = frozenset((PASSED, CHANGED, REPLACED, REFUSED, EXAMINED))

Work = Callable[[Order, int, int], Outcome]
"""What a helper does: it reads the mail from the first descriptor and writes what it makes to the second. Neither is to
be closed, and their offsets are shared with the worker: pread, pwrite, mmap. What it raises fails the job."""


class Limits(msgspec.Struct, frozen=True):
    """What one job may use, and one helper.

    `cpu_s` and `cpu_s_per_mib` of the mail: processor time, by the kernel (RLIMIT_CPU: whole seconds, so up to one
    more). `wall_s` and three times the CPU's limit: until the worker kills it. `memory_bytes`: anonymous memory above
    that at the helper's start, whatever the mail's size (RLIMIT_DATA). Address space (RLIMIT_AS): that and `maps` times
    the mail, which is mapped once for reading, perhaps once more when normalised, and once as it is written: with a
    mail of 100 MiB 556 MiB above the start. `target_bytes` and four times the mail: the file that is written
    (RLIMIT_FSIZE). `queue_s`: so long does a job wait for a helper. A helper has so many `descriptors`; it is renewed
    after `jobs`, or when its anonymous memory has grown by `growth_bytes`.
    """

    cpu_s: int = 10
    cpu_s_per_mib: float = 1.0
    wall_s: float = 30
    memory_bytes: int = 256 * MIB
    maps: int = 3
    target_bytes: int = 16 * MIB
    jobs: int = 500
    growth_bytes: int = 64 * MIB
    descriptors: int = 16
    queue_s: float = 120

    def cpu(self, size: int) -> int:
        """Seconds of processor time for a mail of `size` octets."""
        return self.cpu_s + int(self.cpu_s_per_mib * size / MIB)

    def wall(self, size: int) -> float:
        """Seconds until a job is killed that has not ended."""
        return self.wall_s + 3 * self.cpu(size)

    def space(self, size: int) -> int:
        """Octets of address space above those at the helper's start."""
        return self.memory_bytes + self.maps * size

    def target(self, size: int) -> int:
        """Octets of the file that a job writes."""
        return self.target_bytes + 4 * size


class Done(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """From a helper: the outcome. `last`: it ends now, because its time has come."""

    outcome: Outcome
    last: bool = False


class Broke(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """From a helper: the work raised an exception, and the helper ends. `over`: for want of memory, or of room in the
    target's limit. `full`: for want of room on the disk, which is no fault of the mail.
    """

    why: str
    over: bool = False
    full: bool = False


Answer = Done | Broke


class Born(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """From a zygote, with two descriptors: the socket to a new helper, and its pidfd."""

    pid: int


class Gone(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """From a zygote: a helper is dead, with this wait status."""

    pid: int
    status: int


class Barren(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """From a zygote: no helper could be made."""

    why: str


Notice = Born | Gone | Barren

_encoder = msgspec.msgpack.Encoder()
_order_decoder: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_answer_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
_notice_decoder: msgspec.msgpack.Decoder[Notice] = msgspec.msgpack.Decoder(Notice)

encode: Callable[[Order | Answer | Notice], bytes] = _encoder.encode
decode_order = _order_decoder.decode
decode_notice = _notice_decoder.decode


def decode_answer(data: memoryview) -> Answer:
    """Raises ValueError for what is no answer."""
    if len(data) > MESSAGE_BYTES:
        raise ValueError("too large")
    try:
        answer = _answer_decoder.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if isinstance(answer, Done):
        _check(answer.outcome)
    return answer


def _check(outcome: Outcome) -> None:
    if outcome.kind not in _KINDS or len(outcome.sha256) not in (0, 32):
        raise ValueError("of no known kind")
    if min(outcome.mail_size, outcome.index_size) < 0:
        raise ValueError("of negative size")


def fits(outcome: Outcome, written: int) -> bool:
    """All that the outcome points to is within the `written` octets of the target."""
    whole = outcome.mail_size + outcome.index_size
    return whole <= written and all(at >= 0 and 0 <= size <= written - at for at, size in outcome.pieces)


def rights(*descriptors: int) -> list[tuple[int, int, array.array[int]]]:
    """Descriptors as sendmsg wants them."""
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]


def room_for(descriptors: int) -> int:
    """The size of the ancillary buffer in which so many come."""
    return socket.CMSG_SPACE(descriptors * array.array("i").itemsize)


def received(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    """The descriptors that came with a packet; the caller owns them."""
    found = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return list(found)
