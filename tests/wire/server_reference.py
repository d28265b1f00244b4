"""The server's direction in plain Python: cutting of units, what passes, what is dropped, where it ends.

Written from protocol.md 0.1 and 3.4, for a session after its greeting; shares no code with the extension.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NAME = re.compile(rb"[A-Za-z0-9.=_+-]+")
UNTAGGED = re.compile(rb"\* (?:([0-9]+) |(?![0-9]))([A-Za-z0-9.=_+-]+)(?: |\r\n)")
TAGGED = re.compile(rb'([^\x00-\x20\x7f-\xff(){"%*\\+]{1,64}) ([A-Za-z0-9.=_+-]+)(?: |\r\n)')
MARKER = re.compile(rb"(.|^)(~?)\{([0-9]*)\}\Z", re.DOTALL)
PLUS_MARKER = re.compile(rb"\{[0-9]+\+\}\Z")
QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
MOST = 4294967295
NO_NUMBER = (b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH", b"CAPABILITY", b"ENABLED")
NUMBERED = (b"EXISTS", b"EXPUNGE", b"VANISHED")
FLAT = (b"EXISTS", b"RECENT", b"EXPUNGE", b"VANISHED", b"SEARCH", b"SORT", b"THREAD", b"FLAGS")


class Fault(Exception):  # noqa: N818
    """The server broke the grammar."""


class Short(Exception):  # noqa: N818
    """The server has said no more."""


@dataclass
class ServerReference:
    """`asked` has one word for each line that somebody must look at."""

    codes: set[bytes]
    listed: set[bytes]
    pending: list[bytes]
    selected: bool = True
    max_line: int = 1048576
    shown: bytes = b""
    asked: list[str] = field(default_factory=list)
    ended: bool = False
    data: bytes = b""
    at: int = 0
    exists: int = -1

    def run(self, data: bytes) -> ServerReference:
        self.data = data
        try:
            while True:
                self._unit(self._line())
        except Short:
            pass
        except Fault:
            self.ended = True
        return self

    def _line(self) -> bytes:
        end = self.data.find(b"\n", self.at)
        size = (end + 1 if end >= 0 else len(self.data)) - self.at
        if size > self.max_line + 2:
            raise Fault
        if end < 0:
            raise Short
        line, self.at = self.data[self.at : end + 1], end + 1
        if not line.endswith(b"\r\n") or b"\0" in line or b"\r" in line[:-2]:
            raise Fault
        return line

    def _unit(self, line: bytes) -> None:
        if line.startswith(b"* "):
            self._untagged(line)
        elif line.startswith(b"+"):
            raise Fault
        else:
            self._tagged(line)

    def _untagged(self, line: bytes) -> None:
        found = UNTAGGED.match(line)
        if not found:
            raise Fault
        number = -1 if found[1] is None else int(found[1])
        if number > MOST:
            raise Fault
        name = found[2].upper()
        if number >= 0 and name in NO_NUMBER:
            raise Fault
        if name in (b"OK", b"NO", b"BAD"):
            self._status(line, line[found.end(2) :])
        elif name in (b"BYE", b"CAPABILITY", b"ENABLED"):
            self.asked.append(name.decode())
            self.shown += line
        elif name == b"PREAUTH":
            raise Fault
        else:
            self._numbers(name, number)
            drop = name not in self.listed
            if drop:
                self.asked.append("UNLISTED")
            self._data(line, drop=drop, flat=name in FLAT and (name in self.listed or name in NUMBERED))

    def _numbers(self, name: bytes, number: int) -> None:
        if name == b"FETCH" and number < 1:
            raise Fault
        if (name == b"EXISTS" and number < 0) or (name == b"EXPUNGE" and number < 1):
            raise Fault
        if name == b"EXISTS":
            self.exists = number
        elif name == b"EXPUNGE" and self.exists >= 0:
            if number > self.exists:
                raise Fault
            self.exists -= 1
        elif name == b"VANISHED":
            self.exists = -1

    def _tagged(self, line: bytes) -> None:
        found = TAGGED.match(line)
        tag = found[1] if found else line.split(b" ")[0]
        if tag not in self.pending or not line.startswith(tag + b" "):
            raise Fault
        if not found or found[2].upper() not in (b"OK", b"NO", b"BAD"):
            raise Fault
        self._status(line, line[found.end(2) :])
        self.pending.remove(tag)

    def _status(self, line: bytes, text: bytes) -> None:
        """Text is no data: quotes, parens and markers mean nothing in it."""
        body = text[:-2]
        if re.search(rb"[\x01-\x1f\x7f]|\}\Z", body) or not self._code_passes(body):
            self.asked.append("STATUS")
        self.shown += line

    def _code_passes(self, body: bytes) -> bool:
        if body.startswith(b"  "):
            # A client that trims may find a code there.
            return False
        if not body.startswith(b" ["):
            return True
        found = NAME.match(body, 2)
        return bool(found) and found[0].upper() in self.codes and b"]" in body  # type: ignore[index]

    def _data(self, line: bytes, *, drop: bool, flat: bool) -> None:
        depth = 0
        while True:
            text = line[:-2]
            depth = self._depth(text, depth)
            size = self._marker(text)
            if size is None:
                if depth:
                    raise Fault
                self.shown += b"" if drop else line
                return
            if flat:
                raise Fault
            octets = self.data[self.at : self.at + size]
            self.at += len(octets)
            self.shown += b"" if drop else line + octets
            if len(octets) < size:
                raise Short
            line = self._line()
            if line[:1] not in (b" ", b")", b"\r"):
                raise Fault

    @staticmethod
    def _depth(text: bytes, depth: int) -> int:
        bare = QUOTED.sub(b"x", text)
        if b'"' in bare:
            raise Fault
        for c in bare:
            depth += {0x28: 1, 0x29: -1}.get(c, 0)
            if depth < 0 or depth > 100:
                raise Fault
        return depth

    @staticmethod
    def _marker(text: bytes) -> int | None:
        if PLUS_MARKER.search(text):
            raise Fault
        found = MARKER.search(text)
        if not found:
            return None
        if found[1] not in (b" ", b"(") or not 1 <= len(found[3]) <= 20 or int(found[3]) > 0x7FFFFFFFFFFFFFFF:
            raise Fault
        return int(found[3])
