"""A relay between two transports that keep what they are given, with a session that records each question.

Owns the driving of `Relay` in the tests of the wire: chunking, the order of client's and server's bytes, and what is
compared between two runs. Knows nothing of the expected results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from imap4fast import _wire
from imap4fast._wire import ANSWERS, ASK, COMMANDS, DENY, FAULTS, FIRST_FRAMING, PASS, QUESTIONS, Gate, Relay
from tests.wire.server import Script, Server

CODES: tuple[bytes, ...] = (
    b"UIDVALIDITY",
    b"UIDNEXT",
    b"UNSEEN",
    b"READ-WRITE",
    b"READ-ONLY",
    b"APPENDUID",
    b"COPYUID",
    b"PERMANENTFLAGS",
)
CODES += (b"CLOSED", b"HIGHESTMODSEQ", b"TRYCREATE", b"ALERT", b"TOOBIG", b"NOPERM")
UNTAGGED: tuple[bytes, ...] = (
    b"LIST",
    b"LSUB",
    b"XLIST",
    b"NAMESPACE",
    b"STATUS",
    b"SEARCH",
    b"ESEARCH",
    b"SORT",
    b"THREAD",
    b"FLAGS",
)
UNTAGGED += (b"RECENT", b"QUOTA", b"QUOTAROOT", b"MYRIGHTS", b"ACL", b"METADATA")
DENIED = (b"UNKNOWN", b"DELETE", b"COMPRESS", b"UNAUTHENTICATE", b"PROXYAUTH", b"STARTTLS", b"SETACL", b"UID-EXPUNGE")
ASKED = (b"LOGIN", b"AUTHENTICATE", b"ENABLE", b"ID", b"LOGOUT")

ANSWER = {name: code for code, name in enumerate(ANSWERS)}
QUESTION = {name: code for code, name in enumerate(QUESTIONS)}
STATES = {"not": _wire.NOT_AUTHENTICATED, "auth": _wire.AUTHENTICATED, "selected": _wire.SELECTED}

Event = tuple[object, ...]
Split = Callable[[bytes], Iterable[bytes]]


def gate(denied: Sequence[bytes] = DENIED, asked: Sequence[bytes] = ASKED, *, unknown: bool = False) -> Gate:
    """A gate that passes every command but these."""
    actions = bytes(DENY if name in denied else ASK if name in asked else PASS for name in COMMANDS)
    return Gate(actions, CODES, UNTAGGED, unknown)


class Pipe:
    """A transport that keeps what is written, and says whether its side may be read."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.reading = True
        self.queued = 0

    def write(self, data: bytes) -> None:
        assert type(data) is bytes
        assert data
        self.written.append(data)

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return self.queued

    @property
    def bytes(self) -> bytes:
        return b"".join(self.written)


class Play:
    """One session. `answers` overrides what a question is answered: an index of ANSWERS or a function of the play."""

    def __init__(
        self,
        *,
        state: str = "selected",
        gate: Gate | None = None,
        script: Script | None = None,
        answers: dict[str, int | Callable[[Play], int]] | None = None,
        greet: bool = True,
        settings: Mapping[str, int] | None = None,
        **more: int,
    ) -> None:
        self.answers = answers or {}
        self.events: list[Event] = []
        self.errors: list[BaseException] = []
        self.server = Server(script or Script())
        self.relay = Relay()
        self.relay.begin(self, gate or _DEFAULT)
        self.client_pipe, self.server_pipe = self._attach()
        for name, value in {**(settings or {}), **more}.items():
            setattr(self.relay, name, value)
        self.taken = 0
        if greet:
            self.says(b"* OK ready\r\n")
            self.relay.state = STATES[state]
            self.client_pipe.written.clear()
            self.events.clear()

    def _attach(self) -> tuple[Pipe, Pipe]:
        client, server = Pipe(), Pipe()
        self.relay.attach_client(client, -1, 0.0)
        self.relay.attach_server(server, -1, 0.0)
        return client, server

    # ---- the session's side

    def broken(self, exc: BaseException) -> None:
        self.errors.append(exc)

    def ask(self, question: int) -> int:
        name = QUESTIONS[question]
        self.events.append(self._event(name))
        answer = self.answers.get(name)
        if answer is None:
            return ANSWER[getattr(self, "_" + name.lower(), self._pass)()]
        return answer if isinstance(answer, int) else answer(self)

    def _event(self, name: str) -> Event:
        relay = self.relay
        if name in ("CLIENT_FAULT", "SERVER_FAULT"):
            return (name, FAULTS[relay.fault], relay.tag if name == "CLIENT_FAULT" else b"")
        if name in ("COMMAND", "COMPLETED"):
            return (name, relay.command, relay.tag, relay.unit)
        if name == "REFUSED":
            return (name, relay.command, relay.tag, relay.wrong_state)
        if name == "TOO_BIG":
            return (name, relay.tag, relay.literal)
        if name == "LIMIT":
            return (name, _wire.LIMITS[relay.limit])
        return (name, relay.unit)

    def _pass(self) -> str:
        return "PASS"

    def _greeting(self) -> str:
        self.relay.greeted()
        return "PASS"

    def _client_fault(self) -> str:
        if self.relay.fault >= FIRST_FRAMING:
            self.relay.reply(b"* BAD framing\r\n* BYE closing\r\n")
            return "CLOSE"
        self.relay.reply((self.relay.tag or b"*") + b" BAD syntax\r\n")
        return "DROP"

    def _refused(self) -> str:
        self.relay.reply(self.relay.tag + b" NO refused\r\n")
        return "DROP"

    def _too_big(self) -> str:
        self.relay.reply(self.relay.tag + b" NO [TOOBIG] refused\r\n")
        return "DROP"

    def _unlisted(self) -> str:
        return "DROP"

    def _server_fault(self) -> str:
        self.relay.reply(b"* BYE closing\r\n")
        return "CLOSE"

    def _limit(self) -> str:
        return "CLOSE"

    def _completed(self) -> str:
        if self.relay.status == 0 and self.relay.command in (b"LOGIN", b"AUTHENTICATE"):
            self.relay.state = _wire.AUTHENTICATED
        return "PASS"

    # ---- both ends

    def client(self, data: bytes, split: Split | None = None) -> None:
        for chunk in split(data) if split else (data,):
            self.relay.client_data(chunk)

    def says(self, data: bytes, split: Split | None = None) -> None:
        """The server says these bytes."""
        for chunk in split(data) if split else (data,):
            self.relay.server_data(chunk)

    def read(self) -> None:
        """The scripted server reads what has arrived; its answers wait in `server.queue`."""
        arrived = self.server_pipe.bytes
        self.server.feed(arrived[self.taken :])
        self.taken = len(arrived)

    def answer(self, count: int | None = None, split: Split | None = None) -> bool:
        """Deliver the scripted server's next answers; False if it has none."""
        self.read()
        said, self.server.queue = self.server.queue[:count], self.server.queue[len(self.server.queue[:count]) :]
        if said and not self.relay.stopped:
            self.says(b"".join(said), split)
        return bool(said)

    def settle(self, split: Split | None = None) -> None:
        """Let the scripted server answer until nothing moves."""
        while self.answer(split=split) and not self.relay.stopped:
            pass
        self.read()

    @property
    def sent(self) -> bytes:
        return self.server_pipe.bytes

    @property
    def shown(self) -> bytes:
        return self.client_pipe.bytes

    @property
    def faults(self) -> list[str]:
        return [str(event[1]) for event in self.events if event[0] in ("CLIENT_FAULT", "SERVER_FAULT")]

    @property
    def questions(self) -> list[str]:
        return [str(event[0]) for event in self.events]

    def result(self) -> tuple[object, ...]:
        """All that must not depend on chunking."""
        assert not self.errors, self.errors
        return (self.sent, self.shown, tuple(self.events), self.relay.stopped, self.relay.state)


_DEFAULT = gate()


def whole(data: bytes) -> Iterator[bytes]:
    yield data


def single(data: bytes) -> Iterator[bytes]:
    """Byte by byte."""
    for at in range(len(data)):
        yield data[at : at + 1]


def cut(at: int) -> Split:
    """In two at this offset."""
    return lambda data: [part for part in (data[:at], data[at:]) if part]


def pieces(sizes: Sequence[int]) -> Split:
    """Chunks of these sizes in turn, again and again."""

    def split(data: bytes) -> Iterator[bytes]:
        at = turn = 0
        while at < len(data):
            yield data[at : at + sizes[turn % len(sizes)]]
            at += sizes[turn % len(sizes)]
            turn += 1

    return split
