"""The channel between the master and one worker: small frames, one a packet, a descriptor with some of them.

A SOCK_SEQPACKET pair keeps frames whole and tells each end when the other is gone. Nothing here waits: a command that
does not fit at once is kept and sent later, a connection that does not fit is for another worker. A frame that is too
large for a packet goes as a descriptor of sealed memory (sealed.py); who sends and who reads frames does not see that.
"""

from __future__ import annotations

import array
import os
import select
import socket
import sys
from collections import deque
from typing import Final

import msgspec

from imap4fast.net.tlsmaterial import Material
from imap4fast.proc import sealed
from imap4fast.secret import Secret

FRAME_BYTES: Final = 16384
WHY_CHARS: Final = 4000
BATCH: Final = 256
NONE: Final = -1
"""In place of a descriptor."""
_RIGHTS_BYTES = socket.CMSG_SPACE(array.array("i").itemsize)


class Unbind(msgspec.Struct, frozen=True, tag="unbind"):
    """To the worker: accept no more and close the listening sockets; answered by Unbound."""


class Drain(msgspec.Struct, frozen=True, tag="drain"):
    """To the worker: end when all sessions have ended, after `wait_s` end them with BYE; 0: at once."""

    wait_s: float


class Level(msgspec.Struct, frozen=True, tag="level"):
    """To the worker: raise (`up`) or lower the log level."""

    up: bool


class Reopen(msgspec.Struct, frozen=True, tag="reopen"):
    """To the worker: open log files anew."""


class Adopt(msgspec.Struct, frozen=True, tag="adopt"):
    """To the worker, with a descriptor: a connection that the master accepted at the `group`-th listening address."""

    group: int


class Tls(msgspec.Struct, frozen=True, tag="tls"):
    """To the worker: what new handshakes use from now on; `ticket_keys` newest first. `materials` None: as before."""

    materials: tuple[Material, ...] | None
    ticket_keys: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Tls({Secret.MARK})"


class Large(msgspec.Struct, frozen=True, tag="large"):
    """To the worker, with a descriptor of sealed memory: another frame is in it, of so many octets."""

    size: int


class Zygote(msgspec.Struct, frozen=True, tag="zygote"):
    """To the worker, with a descriptor: the socket to a new zygote, in place of one that died."""


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """To the master: the worker accepts connections."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """To the master: the worker could not start, and ends; `what` failed because of `why`."""

    what: str
    why: str


class Heartbeat(msgspec.Struct, frozen=True, tag="beat"):
    """To the master: the worker's loop turns. `full`: it has no descriptors left for further sessions."""

    sessions: int
    full: bool


class Unbound(msgspec.Struct, frozen=True, tag="unbound"):
    """To the master: Unbind is done."""


class NoZygote(msgspec.Struct, frozen=True, tag="nozygote"):
    """To the master: the worker has mails to make, and its zygote died."""


Frame = Unbind | Drain | Level | Reopen | Adopt | Tls | Large | Zygote | Ready | Failed | Heartbeat | Unbound | NoZygote

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)


class Channel:
    """One end. `closed` is set once the other end is gone, or has sent what is no frame: a worker may be in hostile
    hands, so the master's end takes no descriptors and at most BATCH frames at a time."""

    def __init__(self, sock: socket.socket, takes_descriptors: bool) -> None:
        sock.setblocking(False)
        self._rights_bytes = _RIGHTS_BYTES if takes_descriptors else 0
        self._sock = sock
        self._poll = select.poll()
        self._poll.register(sock, select.POLLOUT)
        self._kept: deque[tuple[bytes, int]] = deque()
        self.closed = False

    @staticmethod
    def pair() -> tuple[Channel, Channel]:
        """The master's end and the worker's end of a new channel."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return Channel(one, takes_descriptors=False), Channel(other, takes_descriptors=True)

    def fileno(self) -> int:
        """For a selector or a loop: readable when a frame or the end has come."""
        return self._sock.fileno()

    def close(self) -> None:
        """Closes this end."""
        self.closed = True
        self._sock.close()
        while self._kept:
            self._drop_first()

    def send(self, frame: Frame) -> None:
        """Sends a frame, or keeps it until `push`; order is kept. Raises OSError where a large one finds no memory."""
        if self.closed:
            return
        data = _encoder.encode(frame)
        if len(data) <= FRAME_BYTES:
            self._kept.append((data, NONE))
        else:
            self._kept.append((_encoder.encode(Large(len(data))), sealed.put(data)))
        self.push()

    def push(self) -> None:
        """Sends what was kept, as far as it fits."""
        while self._kept and self._try(*self._kept[0]):
            self._drop_first()

    def _drop_first(self) -> None:
        _, descriptor = self._kept.popleft()
        if descriptor != NONE:
            os.close(descriptor)

    def offer(self, frame: Frame) -> None:
        """Sends a frame that may be lost: the next one says the same better."""
        if not self._kept:
            self._try(_encoder.encode(frame))

    def pass_on(self, frame: Frame, descriptor: int) -> bool:
        """Sends a frame with a descriptor, now or not at all; the caller still owns and closes the descriptor."""
        return not self._kept and self._try(_encoder.encode(frame), descriptor)

    def has_room(self) -> bool:
        """A small frame would be sent at once."""
        return not self.closed and not self._kept and bool(self._poll.poll(0))

    def _try(self, data: bytes, descriptor: int = NONE) -> bool:
        if self.closed:
            return False
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))] if descriptor != NONE else []
        try:
            self._sock.sendmsg([data], rights)
        except BlockingIOError:
            return False
        except OSError:  # the other end is gone; who reads this end learns it as `closed`
            return False
        return True

    def receive(self) -> list[tuple[Frame, int]]:
        """The frames that have come, BATCH at most, each with its descriptor or NONE. Sets `closed` at the end."""
        frames: list[tuple[Frame, int]] = []
        while not self.closed and len(frames) < BATCH:
            try:
                data, rights, _, _ = self._sock.recvmsg(FRAME_BYTES, self._rights_bytes, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                break
            except OSError:
                data, rights = b"", []
            if not data:
                self.closed = True
                break
            try:
                frames.append(_decoded(data, int.from_bytes(rights[0][2], sys.byteorder) if rights else NONE))
            except (msgspec.DecodeError, ValueError):
                self.closed = True
                break
        return frames


def _decoded(data: bytes, descriptor: int) -> tuple[Frame, int]:
    """Raises msgspec.DecodeError or ValueError for what is no frame."""
    frame = _decoder.decode(data)
    if not isinstance(frame, Large):
        return frame, descriptor
    with sealed.opened(descriptor, frame.size) as memory:
        inner = _decoder.decode(memory)
    if isinstance(inner, Large):
        raise ValueError("a large frame in a large frame")
    return inner, NONE
