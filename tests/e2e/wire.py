"""A raw client: bytes out as written, responses in as they came, every wait bounded.

It knows of IMAP only where a response ends (a line, and the literals that it announces).
"""

from __future__ import annotations

import contextlib
import fnmatch
import re
import socket
import ssl
import time
from dataclasses import dataclass, field

Address = tuple[str, int]

WAIT_S = 6.0
"""How long a test waits for bytes that must come."""

_LITERAL = re.compile(rb"~?\{(\d+)\}\r\n$")
_TEXT_ONLY = re.compile(rb"^\S+ (OK|NO|BAD|BYE|PREAUTH)\b", re.IGNORECASE)


class WireError(AssertionError):
    """The other end did not do what the script says."""


@dataclass
class Reply:
    """Answer to one command: the text after the tag, and the untagged units before it, without last CRLF."""

    tagged: bytes
    untagged: list[bytes] = field(default_factory=list)

    @property
    def status(self) -> str:
        return self.tagged.split(b" ", 1)[0].decode("latin-1").upper()

    def one(self, start: bytes) -> bytes:
        """The only untagged unit that starts with `start`."""
        (found,) = [unit for unit in self.untagged if unit.startswith(start)]
        return found


class Wire:
    """One connection of a test."""

    last = b""
    """The begin of the last response, or what came of it before the end."""

    def __init__(self, address: Address, wait_s: float = WAIT_S, rcvbuf: int | None = None, source: str = "") -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        if rcvbuf is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(wait_s)
        try:
            if source:
                self.sock.bind((source, 0))
            self.sock.connect(address)
        except OSError:
            self.sock.close()
            raise
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = address
        self.port: int = self.sock.getsockname()[1]
        self.wait_s = wait_s
        self.received = 0
        self.sent = 0
        self.greeting = b""
        self.broken = ""
        self._buffer = bytearray()
        self._ended = False
        self._tags = 0

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.sock.close()

    def vanish(self) -> None:
        """Close with a reset, as a machine that lost its mains would after its restart."""
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.settimeout(self.wait_s)
        self.sock.sendall(data)
        self.sent += len(data)

    def send_slowly(self, data: bytes, step: int = 1, pause_s: float = 0.0) -> None:
        """Every `step` bytes in a segment of their own."""
        for start in range(0, len(data), step):
            self.send(data[start : start + step])
            if pause_s:
                time.sleep(pause_s)

    def flood(self, data: bytes, timeout_s: float = WAIT_S) -> None:
        """Send what the other end takes; its closing in the middle is no error."""
        self.sock.settimeout(timeout_s)
        with contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLError):
            self.sock.sendall(data)
            self.sent += len(data)

    def greet(self) -> Wire:
        """Take the server's greeting."""
        self.greeting = self.unit()
        return self

    # TLS

    def secure(
        self, context: ssl.SSLContext, name: str | None = "localhost", session: ssl.SSLSession | None = None
    ) -> Wire:
        """TLS as a client from here on; raises ssl.SSLError, or OSError where the other end just closes."""
        assert not self._buffer, bytes(self._buffer)
        self.sock.settimeout(self.wait_s)
        self.sock = context.wrap_socket(self.sock, server_hostname=name, session=session, suppress_ragged_eofs=False)
        return self

    def starttls(self, context: ssl.SSLContext, name: str | None = "localhost") -> Wire:
        """As `secure`, after STARTTLS, which must be answered OK."""
        self.send(b"tls STARTTLS\r\n")
        reply = self.answer(b"tls")
        if reply.status != "OK":
            raise WireError(f"STARTTLS ended {reply.tagged!r}")
        return self.secure(context, name)

    @property
    def tls(self) -> ssl.SSLSocket:
        assert isinstance(self.sock, ssl.SSLSocket)
        return self.sock

    # reading

    def _more(self, deadline: float) -> bool:
        """Read once; False at the end of the stream."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise WireError(f"nothing more in time; so far {bytes(self._buffer[-400:])!r}")
        self.sock.settimeout(left)
        try:
            chunk = self.sock.recv(1 << 18)
        except TimeoutError:
            raise WireError(f"nothing more in time; so far {bytes(self._buffer[-400:])!r}") from None
        except (ConnectionError, ssl.SSLError) as error:
            self.broken = str(error)
            chunk = b""
        self._buffer += chunk
        self.received += len(chunk)
        self._ended = self._ended or not chunk
        return bool(chunk)

    def unread(self, data: bytes) -> None:
        """Have `data` come once more."""
        self._buffer[:0] = data

    def take(self, size: int, timeout_s: float | None = None) -> bytes:
        """Exactly `size` bytes."""
        deadline = time.monotonic() + (timeout_s or self.wait_s)
        while len(self._buffer) < size:
            if not self._more(deadline):
                raise WireError(f"closed after {bytes(self._buffer[-400:])!r}")
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def line(self, timeout_s: float | None = None) -> bytes:
        """One line with its CRLF."""
        deadline = time.monotonic() + (timeout_s or self.wait_s)
        start = 0
        while (end := self._buffer.find(b"\n", start)) < 0:
            start = len(self._buffer)
            if not self._more(deadline):
                raise WireError(f"closed after {bytes(self._buffer[-400:])!r}")
        line = self.take(end + 1)
        if not line.endswith(b"\r\n"):
            raise WireError(f"line without CRLF: {line!r}")
        return line

    def unit(self, timeout_s: float | None = None) -> bytes:
        """One response with its literals, without the last CRLF."""
        whole = part = self.line(timeout_s)
        while not _TEXT_ONLY.match(whole) and (mark := _LITERAL.search(part)):
            literal = self.take(int(mark[1]), timeout_s)
            part = self.line(timeout_s)
            whole += literal + part
        self.last = whole[:200].rstrip(b"\r\n")
        return whole[:-2]

    def answer(self, tag: bytes, timeout_s: float | None = None) -> Reply:
        """Everything up to the tagged answer of `tag`; other tags count as out of order."""
        units = []
        while not (unit := self.unit(timeout_s)).startswith(tag + b" "):
            if not unit.startswith((b"* ", b"+")):
                raise WireError(f"expected the answer to {tag!r}, got {unit!r}")
            units.append(unit)
        return Reply(unit[len(tag) + 1 :], units)

    def rest(self, timeout_s: float | None = None) -> bytes:
        """All bytes until the other end closes; it must close in time."""
        deadline = time.monotonic() + (timeout_s or self.wait_s)
        while not self._ended and self._more(deadline):
            pass
        data = bytes(self._buffer)
        self._buffer.clear()
        self.last = data.rstrip(b"\r\n").split(b"\r\n")[-1][:200] or b"the connection closed"
        return data

    def quiet(self, seconds: float) -> None:
        """Nothing comes for so long."""
        self.sock.settimeout(seconds)
        try:
            chunk = self.sock.recv(4096)
        except TimeoutError:
            chunk = None
        if self._buffer or chunk is not None:
            raise WireError(f"expected silence, got {bytes(self._buffer)!r} {chunk!r}")

    # commands

    def tag(self) -> bytes:
        self._tags += 1
        return b"t%d" % self._tags

    def command(self, text: bytes, timeout_s: float | None = None) -> Reply:
        """Send one line under a fresh tag, give its answer."""
        tag = self.tag()
        self.send(tag + b" " + text + b"\r\n")
        return self.answer(tag, timeout_s)

    def ok(self, text: bytes, timeout_s: float | None = None) -> Reply:
        """As `command`, and it must end OK."""
        reply = self.command(text, timeout_s)
        if reply.status != "OK":
            raise WireError(f"{text[:80]!r} ended {reply.tagged!r}")
        return reply

    def append(self, mailbox: bytes, mail: bytes, plus: bool = True) -> Reply:
        tag = self.tag()
        mark = b"{%d+}" if plus else b"{%d}"
        self.send(tag + b" APPEND " + mailbox + b" " + mark % len(mail) + b"\r\n")
        if not plus and not (go := self.unit()).startswith(b"+"):
            raise WireError(f"expected +, got {go!r}")
        self.send(mail + b"\r\n")
        return self.answer(tag, 60)


def play(wire: Wire, script: str) -> None:
    """Run lines of `C: text` (sent with CRLF), `C- text` (without), `S: pattern` (one unit, * and ? as in file names),
    `S* pattern` (units are skipped until one fits), `S.` (the other end closes). Python's escapes hold in C and S."""
    for number, row in enumerate(script.strip().splitlines(), 1):
        verb, _, text = row.strip().partition(" ")
        data = text.encode("latin-1").decode("unicode_escape").encode("latin-1")
        try:
            _step(wire, verb, data)
        except WireError as error:
            raise WireError(f"step {number} `{row.strip()}`: {error}") from None


def _step(wire: Wire, verb: str, data: bytes) -> None:
    if verb in ("C:", "C-"):
        wire.send(data + (b"\r\n" if verb == "C:" else b""))
    elif verb == "S:":
        _expect(wire.unit(), data)
    elif verb == "S*":
        while not _fits(wire.unit(), data):
            pass
    elif verb == "S.":
        _expect(wire.rest(), data)
    else:
        raise ValueError(verb)


def _fits(unit: bytes, pattern: bytes) -> bool:
    # Brackets are IMAP's own here, not a set of characters.
    return fnmatch.fnmatchcase(unit, pattern.replace(b"[", b"[[]"))


def _expect(unit: bytes, pattern: bytes) -> None:
    if not _fits(unit, pattern):
        raise WireError(f"expected {pattern!r}, got {unit!r}")
