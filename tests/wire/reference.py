"""The client's direction in plain Python: slow, obviously right, written from protocol.md 3.2 and architecture.md 6.

It has the whole of what the client says at hand, reads it once from the left, and lets the scripted server answer
exactly when the next byte cannot be understood without it. No code is shared with the extension, which it judges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.wire.grammar import MOST, ON_MAILS, Fault, Grammar, Limits
from tests.wire.server import Server

ANY = {b"CAPABILITY", b"NOOP", b"LOGOUT", b"ID", b"UNKNOWN"}
NOT_AUTHENTICATED = {b"STARTTLS", b"AUTHENTICATE", b"LOGIN"}
SELECTED = {b"CHECK", b"CLOSE", b"UNSELECT"} | ON_MAILS | {b"UID-" + name for name in ON_MAILS}
HOLDING = {b"LOGIN", b"AUTHENTICATE", b"ENABLE", b"LOGOUT", b"SELECT", b"EXAMINE", b"CLOSE", b"UNSELECT", b"IDLE"}
TAG = re.compile(rb'[^\x00-\x20\x7f-\xff(){"%*\\+]*')
NAME = re.compile(rb"[A-Za-z0-9.=_+-]*")
EATEN_MARKER = re.compile(rb"\{([0-9]+)(\+?)\}\Z")


class Short(Exception):  # noqa: N818
    """The client has said no more, or waits."""


@dataclass
class Reference:
    """`told` has a row for each refusal: ("fault", tag), ("framing",), ("refused", name, tag), ("big", tag)."""

    permitted: set[bytes]
    server: Server
    limits: Limits = field(default_factory=Limits)
    state: str = "selected"
    sent: bytes = b""
    told: list[tuple[object, ...]] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    ended: bool = False
    pending: dict[bytes, bytes] = field(default_factory=dict)
    data: bytes = b""
    at: int = 0
    eaten: int = 0

    def run(self, data: bytes) -> Reference:
        self.data = data
        try:
            while True:
                self._command()
        except Short:
            self._answers()
        except Fault:
            self.told.append(("framing",))
            self.ended = True
        return self

    # ---- what the client says

    def _line(self) -> bytes:
        """The next line less CRLF; no lone CR or LF, no NUL (R1)."""
        end = self.data.find(b"\n", self.at)
        size = (end + 1 if end >= 0 else len(self.data)) - self.at
        if size > self.limits.line + 2:
            raise Fault(framing=True)
        if end < 0:
            raise Short
        line, self.at = self.data[self.at : end + 1], end + 1
        if not line.endswith(b"\r\n") or re.search(rb"[\0\r]", line[:-2]):
            raise Fault(framing=True)
        return line[:-2]

    def _octets(self, size: int, *, stream: bool = False) -> bytes:
        octets = self.data[self.at : self.at + size]
        self.at += len(octets)
        if stream:
            self.sent += octets
        if len(octets) < size:
            raise Short
        return octets

    def _eat(self, size: int, *, most: int = 1 << 20) -> None:
        """Octets of what is not wanted, and the lines and octets behind them (R3)."""
        eaten = 0
        while True:
            eaten += size
            if eaten > most:
                raise Fault(framing=True)
            self._octets(size)
            found = EATEN_MARKER.search(self._line())
            if not found or not found[2]:
                return
            size, most = int(found[1]), 1 << 20

    # ---- commands

    def _command(self) -> None:
        text = self._line()
        tag = TAG.match(text)
        assert tag
        if len(tag[0]) > 64:
            raise Fault(framing=True)
        shown = b""
        try:
            if not tag[0] or text[tag.end() : tag.end() + 1] != b" ":
                raise Fault
            shown = b"" if tag[0] in self.pending else tag[0]
            if re.search(rb"[\x01-\x1f\x7f]", text):
                raise Fault
            name, start = self._name(text, tag.end() + 1)
            grammar = Grammar(name, self.limits)
            first = text[:start] + grammar.line(text[start:])
            if grammar.marker is None:
                grammar.finished()
            if tag[0] in self.pending or name == b"UNKNOWN":
                raise Fault
        except Fault as fault:
            if fault.framing:
                raise
            self._refuse(("fault", shown), text)
            return
        if name not in self.permitted or not self._in_state(name):
            self._refuse(("refused", name, tag[0]), text)
            return
        if name == b"AUTHENTICATE" and grammar.marker:
            # Its arguments are an atom and base64.
            self._refuse(("fault", tag[0]), text)
            return
        self._go_on(tag[0], name, grammar, first)

    def _name(self, text: bytes, at: int) -> tuple[bytes, int]:
        found = NAME.match(text, at)
        assert found
        self._check_name(found[0], text[found.end() : found.end() + 1])
        name = found[0].upper()
        if name == b"UID":
            found = NAME.match(text, found.end() + 1)
            assert found
            if found.start() > len(text):
                raise Fault
            self._check_name(found[0], text[found.end() : found.end() + 1], uid=True)
            name = b"UID-" + found[0].upper()
            if name[4:] not in ON_MAILS:
                name = b"UNKNOWN"
        elif name not in self.known or name.startswith(b"UID-"):
            name = b"UNKNOWN"
        return name, found.end()

    @staticmethod
    def _check_name(name: bytes, behind: bytes, *, uid: bool = False) -> None:
        if not name or len(name) > 32 or behind not in (b"", b" "):
            raise Fault(framing=behind == b"{" and bool(name) and not uid)

    known: set[bytes] = field(default_factory=set)

    def _in_state(self, name: bytes) -> bool:
        if name in ANY:
            return True
        if name in NOT_AUTHENTICATED:
            return self.state == "not"
        return self.state == "selected" or (self.state == "auth" and name not in SELECTED)

    def _refuse(self, row: tuple[object, ...], text: bytes) -> None:
        self.told.append(row)
        found = EATEN_MARKER.search(text)
        if found and found[2]:
            self._eat(int(found[1]))

    def _go_on(self, tag: bytes, name: bytes, grammar: Grammar, line: bytes) -> None:
        """Gather what is no mail, then send it, then stream mails."""
        parts: list[tuple[bytes, bytes]] = []  # line, its literal
        size = 0
        while grammar.marker and not grammar.uploads:
            _, literal, plus = grammar.marker
            most = min(self.limits.literal, 8192) if self.state == "not" else self.limits.literal
            size += len(line) + literal
            if grammar.literals > 32 or literal > most or size > 2 * most + self.limits.line:
                self.told.append(("fault", tag))
                if plus:
                    self._eat(literal)
                return
            octets = self._octets(literal)
            parts.append((line, octets))
            good = grammar.text_of_literal(octets)
            text = self._line()
            try:
                if re.search(rb"[\x01-\x1f\x7f]", text):
                    raise Fault
                line = grammar.line(text)
                if grammar.marker is None:
                    grammar.finished()
                if not good:
                    raise Fault
            except Fault as fault:
                if fault.framing:
                    raise
                self._refuse(("fault", tag), text)
                return
        if grammar.marker and self._too_big(grammar, tag):
            return
        self._send(tag, name, grammar, parts, line)

    def _too_big(self, grammar: Grammar, tag: bytes) -> bool:
        assert grammar.marker
        _, literal, plus = grammar.marker
        if literal <= MOST and (not self.limits.mail or literal <= self.limits.mail):
            return False
        self.told.append(("big", tag))
        if grammar.tail:
            # The server has a part of the command: only the end of the session takes it back.
            self.ended = True
            raise Short
        if plus:
            self._eat(literal)
        return True

    # ---- what goes on

    def _send(self, tag: bytes, name: bytes, grammar: Grammar, parts: list[tuple[bytes, bytes]], line: bytes) -> None:
        self.pending[tag] = name
        self.commands.append(name)
        for text, octets in parts:
            # Always waited for: a server that rejects the command may run the octets (protocol.md 3.2).
            self.sent += text + b"{%d}\r\n" % len(octets)
            if not self._plus(tag):
                if grammar.marker and grammar.marker[2]:
                    self._eat(grammar.marker[1], most=1 << 62)
                return
            self.sent += octets
        if grammar.marker:
            self._mails(tag, grammar, line)
            return
        self.sent += line + b"\r\n"
        if name == b"IDLE":
            self._idle(tag)
        elif name == b"AUTHENTICATE":
            self._authenticate(tag)
        elif name in HOLDING or parts:
            self._wait(tag)
        elif len(self.pending) >= self.limits.pending:
            self._answers()

    def _mails(self, tag: bytes, grammar: Grammar, line: bytes) -> None:
        while grammar.marker:
            eight, size, plus = grammar.marker
            self.sent += line + b"%s{%d}\r\n" % (eight, size)
            if not self._plus(tag):
                if plus:
                    self._eat(size, most=1 << 62)
                return
            self._octets(size, stream=True)
            text = self._line()
            if re.search(rb"[\x01-\x1f\x7f]", text):
                raise Fault(framing=True)
            grammar.tail = True
            if not grammar.depth:
                grammar.args = 3
            line = grammar.line(text)
            if grammar.marker is None and not grammar.whole_mails:
                raise Fault(framing=True)
            if grammar.marker:
                self._too_big(grammar, tag)
        self.sent += line + b"\r\n"
        if len(self.pending) >= self.limits.pending:
            self._answers()

    def _idle(self, tag: bytes) -> None:
        if not self._plus(tag):
            return
        while self._line().upper() != b"DONE":
            self.told.append(("fault", b""))
        self.sent += self.data[self.at - 6 : self.at]

    def _authenticate(self, tag: bytes) -> None:
        while self._plus(tag):
            self.sent += self._line() + b"\r\n"

    # ---- what the server says

    def _answers(self) -> list[bytes]:
        self.server.feed(self.sent[self.fed :])
        self.fed = len(self.sent)
        said = b"".join(self.server.queue).split(b"\r\n")[:-1]
        self.server.queue = []
        for line in said:
            tag, _, rest = line.partition(b" ")
            if tag in self.pending:
                self._complete(self.pending.pop(tag), rest.split(b" ")[0])
        return said

    fed: int = 0

    def _plus(self, tag: bytes) -> bool:
        """Wait: True for "+", False for the tagged answer."""
        said = self._answers()
        if any(line.startswith(b"+") for line in said):
            return True
        if tag in self.pending:
            raise Short
        return False

    def _wait(self, tag: bytes) -> None:
        self._answers()
        if tag in self.pending:
            raise Short

    def _complete(self, name: bytes, status: bytes) -> None:
        if name in (b"LOGIN", b"AUTHENTICATE") and status == b"OK":
            self.state = "auth"
        elif name in (b"SELECT", b"EXAMINE"):
            self.state = "selected" if status == b"OK" else "auth"
        elif name in (b"CLOSE", b"UNSELECT") and status == b"OK":
            self.state = "auth"
