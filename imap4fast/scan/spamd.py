"""spamd's protocol (SPAMC/1.5): CHECK, whose answer is the score alone; then spamd closes the connection."""

from __future__ import annotations

import re

from imap4fast.scan.head import MOST_OCTETS, Head
from imap4fast.scan.talk import Score, Talk, plain

_STATUS = re.compile(rb"SPAMD/(\d{1,3}\.\d{1,3}) (\d{1,3}) [ -~]*$")
_SPAM = re.compile(rb"(?:True|False|Yes|No) ; (-?\d{1,9}(?:\.\d{1,9})?) / -?\d{1,9}(?:\.\d{1,9})?$", re.IGNORECASE)


class Ping(Talk[str]):
    """PING: the version of the protocol is all that spamd tells of itself. Of its rules it tells nothing."""

    def __init__(self) -> None:
        self._line = bytearray()

    def begin(self) -> list[bytes]:
        return [b"PING SPAMC/1.5\r\n\r\n"]

    def receive(self, octets: bytes) -> None:
        if self.done:
            return
        self._line += octets[: MOST_OCTETS + 1]
        line, end, _ = bytes(self._line).partition(b"\r\n")
        status = _STATUS.match(line)
        if end and status is not None and int(status[2]) == 0:
            self._answer(plain(b"SPAMD/" + status[1]))
        elif end or len(line) > MOST_OCTETS:
            self._reject(line)


class Check(Talk[Score]):
    """CHECK of `size` octets. A score before the last of them was given is nonsense.

    spamd reads by lines, whatever length it was told: it waits for the end of one that has none.
    """

    half_closes = True

    def __init__(self, size: int, user: str = "") -> None:
        if not user.isprintable():
            raise ValueError("no such user can be named to spamd")
        self._size = size
        self._user = user.encode()
        self._head = Head()
        self.wants = size

    def begin(self) -> list[bytes]:
        user = b"User: %s\r\n" % self._user if self._user else b""
        return [b"CHECK SPAMC/1.5\r\nContent-length: %d\r\n%s\r\n" % (self._size, user)]

    def give(self, octets: bytes) -> list[bytes]:
        self.wants -= len(octets)
        return [octets]

    def receive(self, octets: bytes) -> None:
        if self.done:
            return
        self._head.feed(octets)
        if self._head.fault:
            self._reject(self._head.said)
        elif self._head.done:
            self._judge(self._head.fields.get(b"spam", b""))

    def end(self) -> None:
        """A complaint is one line, without a head around it."""
        if not self.done and _STATUS.match(self._head.said):
            self._judge(b"")
        super().end()

    def _judge(self, spam: bytes) -> None:
        said = self._head.said
        status, score = _STATUS.match(said), _SPAM.match(spam)
        if status is None:
            self._reject(said)
        elif int(status[2]) != 0:
            self._answer(Score(None, plain(said)))
        elif score is None or self.wants:
            self._reject(said + b" " + spam)
        else:
            self._answer(Score(float(score[1])))
