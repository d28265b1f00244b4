"""The talk with a server around STARTTLS (RFC 3501 section 6.2.1), without a socket.

    talk = StartTls(tag, required)
    to_send = talk.feed(data)       until `wants_tls`, then TLS begins; then `talk.secured()` is sent, and again
    to_send = talk.feed(data)       until `greeting` is there, or `fault`

Nothing that the server says before TLS goes further than this module; what it can do is asked anew inside. Our
tag is one that it cannot foretell, and nothing may stand behind its answer that begins TLS (T-S03 to T-S07).
"""

from __future__ import annotations

import re
from enum import Enum

MOST_OCTETS = 65536
"""What a server may say in this talk."""

_LONGEST = 8192
_NAME = re.compile(rb"[!#$&'+,./0-9:;<=>?@A-Z\[^_`a-z|~-]+")
"""atom, and no `}`: nothing else can stand in a response code."""

_REFUSALS = (b"NO", b"BAD")
_OWN_GREETING = b"* OK [CAPABILITY %b] ready\r\n"


class _State(Enum):
    GREETING = 1
    ANSWER = 2
    TLS = 3
    CAPABILITY = 4
    DONE = 5


class StartTls:
    """`tag`: what nobody can foretell. `required` False: without STARTTLS the session goes on in plain text."""

    __slots__ = (
        "_data", "_heard", "_names", "_required", "_state", "_tag", "fault", "greeting", "received", "sent", "unread",
    )  # fmt: skip

    def __init__(self, tag: bytes, *, required: bool) -> None:
        self._tag = tag
        self._required = required
        self._state = _State.GREETING
        self._data = b""
        self._heard = 0
        self._names: bytes | None = None
        self.greeting: bytes | None = None
        """The line that stands for the server's greeting, once the talk is over."""
        self.fault = ""
        """Why the session cannot go on."""
        self.unread = 0
        """Octets that stood behind the answer that begins TLS."""
        self.received = self.sent = 0

    @property
    def over(self) -> bool:
        """Whether the relay may listen now."""
        return self._state is _State.DONE and not self.fault

    @property
    def rest(self) -> bytes:
        """What the server said behind the end of the talk."""
        return self._data

    @property
    def wants_tls(self) -> bool:
        """Whether TLS is to begin now."""
        return self._state is _State.TLS and not self.fault

    def feed(self, data: bytes) -> bytes:
        """Octets of the server; what to send to it."""
        self.received += len(data)
        if self.fault or self._state is _State.DONE:
            return b""
        self._data += data
        said = self._go_on()
        self.sent += len(said)
        return said

    def secured(self) -> bytes:
        """TLS is there: ask what the server can do inside of it."""
        self._state = _State.CAPABILITY
        said = self._tag + b"C CAPABILITY\r\n"
        self.sent += len(said)
        return said

    def _go_on(self) -> bytes:
        """All whole lines, up to the end of the talk or to TLS."""
        said, at = b"", 0
        while not self.fault and self._state not in (_State.TLS, _State.DONE):
            end = self._data.find(b"\n", at)
            size = (end if end >= 0 else len(self._data)) - at
            if size >= _LONGEST or self._heard + size > MOST_OCTETS:
                self.fault = "the server says too much"
            if end < 0 or self.fault:
                break
            line = self._data[at:end]
            at = end + 1
            self._heard += size + 1
            if not line.endswith(b"\r") or b"\0" in line or b"\r" in line[:-1]:
                self.fault = "malformed line"
            else:
                said += self._line(line[:-1])
        self._data = self._data[at:]
        if self._state is _State.TLS:
            self._switch()
        return said

    def _switch(self) -> None:
        if self._data:
            self.unread = len(self._data)
            self.fault = "octets behind the answer to STARTTLS"
        self._data = b""

    def _line(self, line: bytes) -> bytes:
        if self._state is _State.GREETING:
            return self._greeted(line)
        words = line.split(b" ", 2)
        if words[0] == b"*":
            self._untagged(words)
        elif self._state is _State.ANSWER and words[0] == self._tag + b"T" and len(words) > 1:
            self._answered(words[1].upper())
        elif self._state is _State.CAPABILITY and words[0] == self._tag + b"C" and len(words) > 1:
            self._told(words[1].upper())
        else:
            self.fault = "an answer to nothing that was asked"
        return b""

    def _greeted(self, line: bytes) -> bytes:
        words = line.upper().split(b" ", 2)
        condition = words[1] if len(words) > 1 and words[0] == b"*" else b""
        if condition == b"PREAUTH":
            self.fault = "PREAUTH instead of STARTTLS"
        elif condition == b"BYE":
            self.fault = "the server refused the session"
        elif condition != b"OK":
            self.fault = "bad greeting"
        if self.fault:
            return b""
        self._state = _State.ANSWER
        self.greeting = line + b"\r\n" if not self._required else None
        return self._tag + b"T STARTTLS\r\n"

    def _untagged(self, words: list[bytes]) -> None:
        """Before TLS nothing is believed, inside of it the list of capabilities."""
        condition = words[1].upper() if len(words) > 1 else b""
        if condition == b"BYE":
            self.fault = "the server said BYE"
        elif condition == b"CAPABILITY" and self._state is _State.CAPABILITY:
            names = words[2].split() if len(words) > 2 else []
            self._names = b" ".join(name for name in names if _NAME.fullmatch(name))

    def _answered(self, status: bytes) -> None:
        if status == b"OK":
            self.greeting = None
            self._state = _State.TLS
        elif status not in _REFUSALS:
            self.fault = "malformed answer"
        elif self._required:
            self.fault = "the server refused STARTTLS"
        else:
            self._state = _State.DONE

    def _told(self, status: bytes) -> None:
        if status != b"OK" or self._names is None:
            self.fault = "no list of capabilities"
            return
        self._state = _State.DONE
        self.greeting = _OWN_GREETING % self._names
