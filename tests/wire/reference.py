"""The client's direction in plain Python: slow, obviously right, written from protocol.md 3.2 and architecture.md 6.

It has the whole of what the client says at hand, reads it once from the left, and lets the scripted server answer
exactly when the next byte cannot be understood without it. No code is shared with the extension, which it judges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.wire.server import Server

ANY = {b"CAPABILITY", b"NOOP", b"LOGOUT", b"ID", b"UNKNOWN"}
NOT_AUTHENTICATED = {b"STARTTLS", b"AUTHENTICATE", b"LOGIN"}
ON_MAILS = {b"EXPUNGE", b"SEARCH", b"SORT", b"THREAD", b"FETCH", b"STORE", b"COPY", b"MOVE", b"REPLACE", b"CONVERT"}
SELECTED = {b"CHECK", b"CLOSE", b"UNSELECT"} | ON_MAILS | {b"UID-" + name for name in ON_MAILS}
ALONE = {b"CAPABILITY", b"NOOP", b"LOGOUT", b"STARTTLS", b"NAMESPACE", b"IDLE", b"CHECK", b"CLOSE", b"UNSELECT", b"EXPUNGE"}
ALONE |= {b"UNAUTHENTICATE", b"GETJMAPACCESS"}
OPTIONAL = {b"UNKNOWN", b"UIDBATCHES", b"CONVERSIONS", b"LANGUAGE"}
ON_SETS = {b"FETCH", b"STORE", b"COPY", b"MOVE", b"CONVERT"}
ON_SETS |= {b"UID-" + name for name in ON_SETS} | {b"UID-EXPUNGE"}
FETCHES = {b"FETCH", b"UID-FETCH"}
UPLOADS = {b"APPEND": 1, b"REPLACE": 2, b"UID-REPLACE": 2}      # arguments before the first mail, at least
LISTS = {b"LIST", b"LSUB", b"XLIST"}
HOLDING = {b"LOGIN", b"AUTHENTICATE", b"ENABLE", b"LOGOUT", b"SELECT", b"EXAMINE", b"CLOSE", b"UNSELECT", b"IDLE"}

TAG = re.compile(rb'[^\x00-\x20\x7f-\xff(){"%*\\+]*')
NAME = re.compile(rb"[A-Za-z0-9.=_+-]*")
QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){"]+')
FIELD = re.compile(rb'[^\x00-\x20\x7f-\xff(){"\]]+')
MARKER = re.compile(rb"(~?)\{([0-9]{1,20})(\+?)\}\Z")
EATEN_MARKER = re.compile(rb"\{([0-9]{1,20})(\+?)\}\Z")
NUMBER = rb"(?:0|[1-9][0-9]{0,9})"
NZ = rb"[1-9][0-9]{0,9}"
SET = re.compile(rb"(?:%b|\*)(?::(?:%b|\*))?(?:,(?:%b|\*)(?::(?:%b|\*))?)*\Z" % (NZ, NZ, NZ, NZ))
PART = rb"%b(?:\.%b)*" % (NZ, NZ)
PARTIAL = rb"(?:<%b\.%b>)?" % (NUMBER, NZ)
SECTION = re.compile(
    rb"(?i:BODY(?:\.PEEK)?\[(?:%b(?:\.(?:HEADER|TEXT|MIME))?|HEADER|TEXT)?\]|BINARY(?:\.PEEK|\.SIZE)?\[(?:%b)?\])%b\Z"
    % (PART, PART, PARTIAL)
)
FIELDS = re.compile(rb"(?i:BODY(?:\.PEEK)?\[(?:%b\.)?HEADER\.FIELDS(?:\.NOT)?)\Z" % PART)
FIELDS_END = re.compile(rb"\]" + PARTIAL + rb"\Z")
NUMBERS = re.compile(rb"[0-9]+")
MOST = 4294967295


class Fault(Exception):  # noqa: N818  (the project's word)
    """The client broke the grammar; `framing` ends the session."""

    def __init__(self, *, framing: bool = False) -> None:
        super().__init__()
        self.framing = framing


class Short(Exception):  # noqa: N818
    """The client has said no more, or waits."""


@dataclass
class Limits:
    line: int = 65536
    literal: int = 65536
    mail: int = 0
    pending: int = 64
    forms: int = 0
    utf8: bool = False
    searchres: bool = False


@dataclass
class Grammar:
    """The arguments of one command, over all its lines."""

    name: bytes
    limits: Limits
    depth: int = 0
    args: int = 0
    literals: int = 0
    wildcards: int = 0
    fields: str = ""           # "", "open" before the list of HEADER.FIELDS, "in" inside, "out" behind it
    fields_depth: int = 0
    field_count: int = 0
    tail: bool = False
    marker: tuple[bytes, int, bytes] | None = None

    def line(self, text: bytes, *, first: bool) -> bytes:
        """One line less CRLF, from behind the name or literal: its canonical form less the marker."""
        out, at, self.marker, last = b"", 0, None, "start"
        while at < len(text):
            spaces = len(text) - at - len(text[at:].lstrip(b" "))
            if at + spaces == len(text):
                if last == "(":
                    raise Fault
                break
            if spaces and (last == "(" or text[at + spaces : at + spaces + 1] == b")"):
                raise Fault
            token, kind = self._token(text, at + spaces)
            apart = kind == ")" or (last == ")" and token[:1] == b"]" and (kind == "]" or self.name not in FETCHES)) or last == "("
            if not spaces and not apart:
                # A marker glued to a token is a malformed marker; all else is a mere error.
                raise Fault(framing=kind == "marker")
            if self.tail and not self.depth and kind == "atom" and token.upper() not in (b"UTF8", b"CATENATE", b"ANNOTATION"):
                raise Fault
            out += (b" " if spaces else b"") + (b"" if kind == "marker" else token)
            at += spaces + len(token)
            self._take(token, kind)
            last = kind
        if self.marker is None and (self.depth or self.fields):
            raise Fault
        return out

    def _token(self, text: bytes, at: int) -> tuple[bytes, str]:
        c = text[at : at + 1]
        if c in (b"(", b")"):
            return c, c.decode()
        if c == b'"':
            found = QUOTED.match(text, at)
            if not found:
                raise Fault(framing=True)
            return found[0], "quoted"
        if c == b"{" or text[at : at + 2] == b"~{":
            found = MARKER.match(text, at)
            if not found or (found[1] and self.name not in UPLOADS) or int(found[2]) > 0x7FFFFFFFFFFFFFFF:
                raise Fault(framing=True)
            return found[0], "marker"
        if self.fields == "out" and c == b"]":
            found = ATOM.match(text, at)
            assert found
            return found[0], "]"
        found = (FIELD if self.fields == "in" else ATOM).match(text, at)
        if not found:
            raise Fault
        if text[found.end() : found.end() + 1] == b"{" or (found[0] == b"~" and text[found.end() : found.end() + 2] == b" {"):
            raise Fault(framing=True)
        return found[0], "atom"

    def _take(self, token: bytes, kind: str) -> None:
        if kind not in (")", "]"):
            self._count(kind)
        if self.name in ON_SETS and self.args == 1 and kind not in (")", "]"):
            if kind != "atom" or not self._is_set(token):
                raise Fault
            return
        getattr(self, "_" + {"(": "open", ")": "close", "]": "fields_end"}.get(kind, kind))(token)

    def _count(self, kind: str) -> None:
        if self.name in ALONE:
            raise Fault
        self.args += 1
        if self.args > 512:
            raise Fault
        if self.fields == "out" or (self.fields == "open" and kind != "("):
            raise Fault
        if self.fields == "in":
            self.field_count += 1

    def _open(self, token: bytes) -> None:
        if self.fields == "in":
            raise Fault
        self.depth += 1
        if self.depth > 32:
            raise Fault
        if self.fields == "open":
            self.fields, self.fields_depth, self.field_count = "in", self.depth, 0

    def _close(self, token: bytes) -> None:
        if not self.depth or self.fields in ("out", "open"):
            raise Fault
        if self.fields == "in":
            if not self.field_count:
                raise Fault
            self.fields = "out"
        self.depth -= 1

    def _fields_end(self, token: bytes) -> None:
        if not FIELDS_END.match(token) or not _small(token):
            raise Fault
        self.fields = ""

    def _atom(self, token: bytes) -> None:
        self._wild(token)
        if self.name in FETCHES and b"[" in token and not self.fields:
            if FIELDS.match(token) and _small(token):
                self.fields = "open"
            elif not SECTION.match(token) or not _small(token):
                raise Fault

    def _quoted(self, token: bytes) -> None:
        if re.search(rb"\\[^\"\\]", re.sub(rb"\\[\"\\]", b"", token)):
            raise Fault
        if any(c >= 0x80 for c in token):
            if not self.limits.utf8:
                raise Fault
            try:
                token.decode()
            except UnicodeDecodeError:
                raise Fault from None
        self._wild(token)

    def _marker(self, token: bytes) -> None:
        found = MARKER.match(token)
        assert found
        if self.name == b"AUTHENTICATE":
            raise Fault
        self.literals += 1
        self.marker = (found[1], int(found[2]), found[3])

    def _wild(self, token: bytes) -> None:
        self.wildcards += token.count(b"*") + token.count(b"%")
        if self.name in LISTS and self.wildcards > 16:
            raise Fault

    def _is_set(self, token: bytes) -> bool:
        if token == b"$":
            return self.limits.searchres
        return bool(SET.match(token)) and _small(token)

    def finished(self) -> None:
        if self.name in ALONE or self.name in OPTIONAL:
            return
        if self.args < (2 if self.name in FETCHES else 1):
            raise Fault

    @property
    def uploads(self) -> bool:
        """Does the marker announce a mail?"""
        return self.args > UPLOADS.get(self.name, 1 << 30)

    def text_of_literal(self, octets: bytes) -> bool:
        """Octets of a gathered literal: whole lines without NUL; a field's name is printable without colon; few wildcards."""
        if self.fields == "in" and re.search(rb"[^\x21-\x7e]|:", octets):
            return False
        self.wildcards += octets.count(b"*") + octets.count(b"%")
        if self.name in LISTS and self.wildcards > 16:
            return False
        return not re.search(rb"[\0\r\n]", octets.replace(b"\r\n", b""))


def _small(token: bytes) -> bool:
    return all(int(number) <= MOST for number in NUMBERS.findall(token))


@dataclass
class Reference:
    """`told` has one row for each question of a refusal: ("fault", tag), ("framing",), ("refused", name, tag), ("big", tag)."""

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
            first = text[:start] + grammar.line(text[start:], first=True)
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
        elif name not in self.known:
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
        parts: list[tuple[bytes, bytes]] = []      # line, its literal
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
                line = grammar.line(text, first=False)
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
            unasked = self._unasked(len(octets))
            self.sent += text + b"{%d%s}\r\n" % (len(octets), b"+" if unasked else b"")
            if not unasked and not self._plus(tag):
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

    def _unasked(self, size: int) -> bool:
        return self.limits.forms == 2 or (self.limits.forms == 1 and size <= 4096)

    def _mails(self, tag: bytes, grammar: Grammar, line: bytes) -> None:
        while grammar.marker:
            eight, size, plus = grammar.marker
            unasked = bool(plus) and self._unasked(size)
            self.sent += line + b"%s{%d%s}\r\n" % (eight, size, b"+" if unasked else b"")
            if not unasked and not self._plus(tag):
                if plus:
                    self._eat(size, most=1 << 62)
                return
            self._octets(size, stream=True)
            text = self._line()
            if re.search(rb"[\x01-\x1f\x7f]", text):
                raise Fault(framing=True)
            grammar.tail = True
            line = grammar.line(text, first=False)
            if grammar.marker is None and re.sub(rb'"(?:[^"\\]|\\.)*"', b"x", line).rstrip(b")") and not _closes_first(line):
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


def _closes_first(line: bytes) -> bool:
    """Does this end of an upload stay inside the list that the announcement opened, up to its last parens?"""
    depth, low = 0, 0
    for c in re.sub(rb'"(?:[^"\\]|\\.)*"', b"x", line).rstrip(b")"):
        depth += {0x28: 1, 0x29: -1}.get(c, 0)
        low = min(low, depth)
    closing = len(line) - len(line.rstrip(b")"))
    return low == 0 and depth - closing < 0
