"""clamd's protocol (clamd(8)): the octets as a stream, a file by its path, and the version.

All requests of a connection are in one IDSESSION, so that the next mail needs no new connection: replies carry the
number of the request, which is checked. Commands and replies end in NUL.
"""

from __future__ import annotations

import re
from typing import TypeVar

from imap4fast.mail.work import Scan
from imap4fast.scan.talk import Talk, failed, found, free, plain, skipped

T = TypeVar("T")

MOST_REPLY = 8192
"""Octets of a reply: a path of 4096 and the name of a virus have room."""
MOST_FRAME = 1 << 20
_POOLS = re.compile(rb"\bpools (\d+) pools_used (\d+\.\d+[KMG]?) ")
_STREAM = b"stream: "
_OVER = b"INSTREAM size limit exceeded"
_TIMED_OUT = b"COMMAND READ TIMED OUT"


class _Request(Talk[T]):
    """A command, the `turn`th (from 0) on its connection, and the reply up to its NUL."""

    def __init__(self, turn: int) -> None:
        self._turn = turn
        self._reply = bytearray()

    def _command(self, command: bytes) -> bytes:
        session = b"" if self._turn else b"zIDSESSION\0"
        return b"%sz%s\0" % (session, command)

    def receive(self, octets: bytes) -> None:
        if self.done:
            self.reusable = False
            return
        self._reply += octets[: MOST_REPLY + 1]
        reply, end, more = bytes(self._reply).partition(b"\0")
        if len(reply) > MOST_REPLY:
            self._reject(reply)
        elif end:
            self._judge(reply)
            # Whatever comes behind an answer is none to a question of ours.
            self.reusable = self.reusable and not more

    def _judge(self, reply: bytes) -> None:
        number, _, text = reply.partition(b": ")
        if number == b"%d" % (self._turn + 1):
            self._understand(text)
        elif reply.startswith(_TIMED_OUT):
            self.cut = plain(reply)
        elif not number.isdigit() and reply.endswith(b" ERROR"):
            self._complain(reply)
        else:
            self._reject(reply)

    def _understand(self, text: bytes) -> None:
        raise NotImplementedError

    def _complain(self, text: bytes) -> None:
        """What ends in ERROR."""
        self._reject(text)


class _Inspection(_Request[Scan]):
    """A request whose reply is `SUBJECT: OK`, `SUBJECT: NAME FOUND` or ends in ERROR."""

    _subject: bytes

    @property
    def _all_given(self) -> bool:
        return True

    def _understand(self, text: bytes) -> None:
        said = text.removeprefix(self._subject)
        if said == text:
            if text.endswith(b" ERROR"):
                self._complain(text)
            else:
                self._reject(text)
        elif said.endswith(b" FOUND"):
            self._answer(found(said.removesuffix(b" FOUND")), reusable=self._all_given)
        elif said.endswith(b" ERROR"):
            self._complain(said)
        elif said == b"OK" and self._all_given:
            self._answer(free(), reusable=True)
        else:
            self._reject(text)

    def _complain(self, text: bytes) -> None:
        # A daemon that takes less than the mail has looked at a part of it, at most.
        self._answer(skipped("larger than the engine takes") if text.startswith(_OVER) else failed(plain(text)))


class Instream(_Inspection):
    """`INSTREAM`: `size` octets in frames with their length. An OK before the last octet was given is nonsense."""

    def __init__(self, size: int, turn: int = 0) -> None:
        super().__init__(turn)
        self._subject = _STREAM
        self.wants = size

    @property
    def _all_given(self) -> bool:
        return self.wants == 0

    def begin(self) -> list[bytes]:
        return [self._command(b"INSTREAM") + (b"" if self.wants else bytes(4))]

    def give(self, octets: bytes) -> list[bytes]:
        self.wants -= len(octets)
        frames = []
        for start in range(0, len(octets), MOST_FRAME):
            frame = octets[start : start + MOST_FRAME]
            frames += [len(frame).to_bytes(4, "big"), frame]
        return frames if self.wants else [*frames, bytes(4)]


class ScanFile(_Inspection):
    """`SCAN` of a file that the daemon can read. The path is ours, nothing of the mail is in it (T-A06)."""

    def __init__(self, path: bytes, turn: int = 0) -> None:
        if b"\0" in path or b"\n" in path:
            raise ValueError("no such path can be named to clamd")
        super().__init__(turn)
        self._path = path
        self._subject = path + b": "

    def begin(self) -> list[bytes]:
        return [self._command(b"SCAN " + self._path)]


class Version(_Request[str]):
    """`VERSION`: program, number and date of the signatures in one line."""

    def begin(self) -> list[bytes]:
        return [self._command(b"VERSION")]

    def _understand(self, text: bytes) -> None:
        if text.startswith(b"ClamAV "):
            self._answer(plain(text), reusable=True)
        else:
            self._reject(text)


class Stats(_Request[str]):
    """`STATS`: how much memory the signatures take, which tells one set from another.

    VERSION tells of ClamAV's own signatures alone: others may be loaded anew every hour under the same version. The
    result is empty while they are being loaded, when two sets are in memory.
    """

    def begin(self) -> list[bytes]:
        return [self._command(b"STATS")]

    def _understand(self, text: bytes) -> None:
        pools = _POOLS.search(text)
        if pools is None:
            self._reject(text)
        else:
            self._answer(plain(pools[2]) if pools[1] == b"1" else "", reusable=True)
