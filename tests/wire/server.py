"""A server as careless as the ones measured (protocol.md section 3.2), which notes every command that it sees.

It is the smuggling oracle: what it notes is what a lenient server would have run. It ends a line at a bare LF, drops
what follows a bare CR, takes `{}` for zero, and where it rejects a command before it has read a literal `{n+}`, it runs
the literal's octets as commands. As Dovecot 2.3.19.1 does, it rejects commands that it does not know (it knows few), an
argument too many, and an APPEND that is not just mailbox, flags and date. Nothing of it is shared with the extension.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from imap4fast._wire import COMMANDS

UNKNOWN = {b"REPLACE", b"UID-REPLACE", b"CONVERT", b"UID-CONVERT", b"UIDBATCHES", b"GETJMAPACCESS", b"LANGUAGE"}
UNKNOWN |= {b"COMPARATOR", b"CONVERSIONS", b"ESEARCH", b"URLFETCH", b"RESETKEY", b"GENURLAUTH", b"PROXYAUTH"}
KNOWN = frozenset(COMMANDS[1:]) - UNKNOWN
MOST = {b"CREATE": 1, b"DELETE": 1, b"SUBSCRIBE": 1, b"UNSUBSCRIBE": 1, b"SELECT": 1, b"EXAMINE": 1, b"RENAME": 2}
MOST |= {b"COPY": 2, b"MOVE": 2, b"UID-COPY": 2, b"UID-MOVE": 2, b"UID-EXPUNGE": 1, b"STATUS": 2, b"LSUB": 2}
MOST |= {b"LOGIN": 2}
MONTHS = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
FLAGS = rb'(?: \((?:\\?[^ ()"{\\]+(?: \\?[^ ()"{\\]+)*)?\))?'
DAY = rb"(?: [1-9]|0[1-9]|[12][0-9]|3[01])"
TIME = rb"[0-2][0-9]:[0-5][0-9]:[0-6][0-9] [+-][01][0-9][0-5][0-9]"
DATE = rb'(?: "%b-%b-[0-9]{4} %b")?' % (DAY, MONTHS, TIME)
NAMED = rb'(?:[^ ]+ APPEND (?:"(?:[^"\\]|\\.)*"|[^ ()"{]+))?'
APPENDS = re.compile(NAMED + FLAGS + DATE + rb" (?:UTF8 \()?\Z", re.IGNORECASE)
MARKER = re.compile(rb"(~?)\{([0-9]*)(\+?)\}$")
UPLOADS = (b"APPEND", b"REPLACE", b"UID-REPLACE")
WORD = re.compile(rb'"(?:[^"\\]|\\.)*"|[^ ]+')


@dataclass(frozen=True)
class Script:
    """What the server answers, by turns: each list is walked round and round."""

    results: tuple[bytes, ...] = (b"OK",)  # of commands
    literals: tuple[bool, ...] = (True,)  # whether a synchronising literal is taken
    idles: tuple[bool, ...] = (True,)
    rounds: int = 1  # challenges of AUTHENTICATE
    forms: int = 0  # 0 synchronising only, 1 LITERAL-, 2 LITERAL+
    knows: tuple[bytes, ...] = ()  # commands besides KNOWN
    data: bytes = b""  # untagged data before each tagged answer


@dataclass
class Server:
    """Bytes in by `feed`; answers are appended to `queue`, commands seen to `seen` as (tag, name)."""

    script: Script
    seen: list[tuple[bytes, bytes]] = field(default_factory=list)
    units: list[bytes] = field(default_factory=list)
    queue: list[bytes] = field(default_factory=list)
    literals: list[bytes] = field(default_factory=list)
    buffer: bytes = b""
    mode: str = "line"
    remain: int = 0
    tag: bytes = b""
    name: bytes = b""
    rounds: int = 0
    args: int = 0
    turns: dict[str, int] = field(default_factory=dict)

    def feed(self, data: bytes) -> None:
        self.buffer += data
        while self._step():
            pass

    def _turn(self, what: str) -> object:
        rows = getattr(self.script, what)
        at = self.turns.get(what, 0)
        self.turns[what] = at + 1
        return rows[at % len(rows)]

    def _step(self) -> bool:
        if self.mode == "literal":
            return self._literal()
        end = self.buffer.find(b"\n")
        if end < 0:
            return False
        line, self.buffer = self.buffer[: end + 1], self.buffer[end + 1 :]
        text = line.rstrip(b"\n").split(b"\r")[0]
        if self.mode == "idle":
            self.mode = "line"
            self._tagged(b"OK" if text.upper() == b"DONE" else b"BAD")
        elif self.mode == "sasl":
            self._sasl(text)
        elif self.mode == "more":
            self.mode = "line"
            self._announced(text)
        else:
            self._command(text)
        return True

    def _literal(self) -> bool:
        if len(self.buffer) < self.remain:
            return False
        self.literals.append(self.buffer[: self.remain])
        self.buffer = self.buffer[self.remain :]
        self.mode = "more"
        return True

    def _command(self, text: bytes) -> None:
        words = WORD.findall(text)
        if len(words) < 2:
            self.seen.append((words[0] if words else b"", b""))
            self.queue.append(b"* BAD no command\r\n")
            return
        self.tag, name = words[0], words[1].upper()
        if name == b"UID" and len(words) > 2:
            name += b"-" + words[2].upper()
        self.name = name
        self.args = 0
        self.seen.append((self.tag, name))
        self.units.append(text)
        self._announced(text)

    def _announced(self, text: bytes) -> None:
        marker = MARKER.search(text)
        if marker is None or _inside_quotes(text[: marker.start()]):
            self._finished(text)
            return
        size, sync = int(marker[2] or b"0"), not marker[3]
        self.args += len(WORD.findall(text[: marker.start()])) + 1
        known = self.name in KNOWN or self.name in self.script.knows
        if not known or (marker[1] and self.name not in UPLOADS) or not (sync or self._reads(text, marker)):
            self._tagged(b"BAD")
        elif sync and not self._turn("literals"):
            self._tagged(b"NO")
        else:
            if sync:
                self.queue.append(b"+ OK\r\n")
            self.mode, self.remain = "literal", size

    def _reads(self, text: bytes, marker: re.Match[bytes]) -> bool:
        """Is a literal that was not waited for read as such, or is the command rejected before it?"""
        if not self._takes(int(marker[2] or b"0")):
            return False
        if self.name == b"APPEND" and self.args > 3:
            return APPENDS.match(text[: marker.start()]) is not None
        return self.args - 2 - self.name.startswith(b"UID-") <= MOST.get(self.name, 1 << 30)

    def _takes(self, size: int) -> bool:
        return self.script.forms == 2 or (self.script.forms == 1 and size <= 4096)

    def _finished(self, text: bytes) -> None:
        if self.name not in KNOWN and self.name not in self.script.knows:
            self._tagged(b"BAD")
        elif self.name == b"IDLE":
            if self._turn("idles"):
                self.queue.append(b"+ idling\r\n")
                self.mode = "idle"
            else:
                self._tagged(b"NO")
        elif self.name == b"AUTHENTICATE":
            self.rounds = self.script.rounds
            self._challenge()
        else:
            self._tagged(bytes(self._turn("results")))  # type: ignore[call-overload]

    def _challenge(self) -> None:
        if self.rounds == 0:
            self.mode = "line"
            self._tagged(bytes(self._turn("results")))  # type: ignore[call-overload]
            return
        self.rounds -= 1
        self.mode = "sasl"
        self.queue.append(b"+ \r\n")

    def _sasl(self, text: bytes) -> None:
        if text == b"*":
            self.mode = "line"
            self._tagged(b"BAD")
        else:
            self._challenge()

    def _tagged(self, result: bytes) -> None:
        self.queue.append(self.script.data + self.tag + b" " + result + b" done\r\n")


def _inside_quotes(text: bytes) -> bool:
    inside = False
    at = 0
    while at < len(text):
        if text[at] == 0x5C and inside:
            at += 1
        elif text[at] == 0x22:
            inside = not inside
        at += 1
    return inside
