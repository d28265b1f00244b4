"""A session on a stage: its relay between two pipes, a driver that only keeps account, logs that only remember.

Owns what `net/` owns in the live proxy, without sockets and without a clock: `now` is set by the test. Whatever a test
plays, every log entry is checked for its arguments as it is written.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from imap4fast._wire import Relay
from imap4fast.config.basesettings import Conditions
from imap4fast.config.settings import CommandAcl, Proxy, SessionAcl, Settings
from imap4fast.config.values import Address, Sock, WordList, WordMember
from imap4fast.imap.replies import Reply
from imap4fast.log.entry import Entry
from imap4fast.log.lines import BAD_ARGUMENTS, TextLines
from imap4fast.log.setup import Logs
from imap4fast.net.dump import Dump
from imap4fast.policy.facts import Facts
from imap4fast.policy.search import Policy
from imap4fast.session.charter import Charter
from imap4fast.session.session import Session
from tests.law.test_secrets import forms
from tests.play import script as scripts
from tests.play.post import Post
from tests.secrets import PASSWORDS

SERVER = Sock(Address(4, 0xC0000214), 143)
BEGAN = 1000.0
NUMBER = 7
PACES = ("whole", "bytes", "joined", "ahead")
"""How a script is run: a line at a time, an octet at a time, an end's turn at once, or all of the client at once."""


@dataclass(frozen=True)
class Logged:
    """One entry as it was written."""

    entry: Entry
    args: tuple[object, ...]
    track: int
    severity: str | None
    line: str


class Notebook:
    """Logs that remember. `level` is the level in force."""

    def __init__(self, level: int) -> None:
        self.level = level
        self.written: list[Logged] = []
        self._lines = TextLines("imap4-proxy", "host", 1, lambda: 0.0, 0)

    def write(self, entry: Entry, *args: object, track: int = 0, severity: str | None = None) -> None:
        form = entry.form if severity is None else entry.forms[severity]
        if form.level > self.level:
            return
        line = self._lines.line(form, args, track)
        assert BAD_ARGUMENTS not in line, (entry.id, args)
        self.written.append(Logged(entry, args, track, severity, line))

    @property
    def detailed(self) -> bool:
        return self.level >= 7

    @property
    def full(self) -> bool:
        return self.level >= 9

    def enabled(self, entry: Entry, severity: str | None = None) -> bool:
        return (entry.form if severity is None else entry.forms[severity]).level <= self.level

    def flush(self) -> None:
        """As Logs has it."""


class Pipe:
    """A transport that keeps what is written until somebody takes it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.reading = True
        self.queued = 0

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return self.queued

    def taken(self) -> bytes:
        data = b"".join(self.written)
        self.written.clear()
        return data


def words(*names: str) -> WordList:
    """The word list of these names; `!x` excludes, `*` is any."""
    return tuple(
        WordMember(None if name.lstrip("!") == "*" else name.lstrip("!"), negate=name.startswith("!")) for name in names
    )


def accepting(name: str = "ALL", **items: Any) -> CommandAcl:
    """A command-acl that accepts, in pass mode."""
    return CommandAcl(name=name, accept=True, no_mail_scanning=True, **items)


def processing(name: str = "ALL", **items: Any) -> CommandAcl:
    """A command-acl that accepts, and mails are processed."""
    return CommandAcl(name=name, accept=True, **items)


def of_user(*names: str) -> Conditions:
    return Conditions(user=words(*names))


class Stage:
    """One session. `proxy` has items of the proxy section; `session` is the only session-acl, `commands` the
    command-acls in their order.
    """

    client_text = "192.0.2.7:40000"
    to_text = "192.0.2.1:143"
    client_address = ("192.0.2.7", 40000)

    def __init__(
        self,
        *commands: CommandAcl,
        pace: str = "whole",
        session: SessionAcl | None = None,
        level: int = 9,
        unconnected: bool = False,
        post: Post | None = None,
        **proxy: Any,
    ) -> None:
        self.pace = pace
        self.now = BEGAN
        self.notebook = Notebook(level)
        self.server_text: str | None = None
        self.server_address: tuple[str, int] | None = None
        self.connecting: Sequence[Sock] = ()
        self.is_closed = False
        self.tls_began = False
        self.post = post or Post()
        self.relay = Relay()
        self.client, self.server = Pipe(), Pipe()
        charter = self._charter(commands, session, proxy)
        self.session = Session(charter, self, _facts(), NUMBER, self.now)
        self._tap(Dump(charter.proxy, charter.logs))
        self.refused = self._begin()
        if self.refused is None and not unconnected:
            self.connected()

    def _tap(self, dump: Dump) -> None:
        """As net/service.py does it at level full."""
        if self.notebook.full:
            dump.tap_client(self.relay, NUMBER)
            dump.tap_server(self.relay, NUMBER)

    def _charter(self, commands: Sequence[CommandAcl], session: SessionAcl | None, proxy: dict[str, Any]) -> Charter:
        settings = Settings(
            path="x.cfg",
            digest="0",
            proxy=Proxy(
                name="P",
                session_acls=(session or SessionAcl(name="IN", accept=True, plug_to=(SERVER,)),),
                command_acls=tuple(commands) or (accepting(),),
                **proxy,
            ),
        )
        return Charter(settings, Policy(settings), cast(Logs, self.notebook))

    def _begin(self) -> bytes | None:
        """What a client that is not let in gets."""
        said: bytes | None = None
        if not self.session.open():
            said = b""
        elif self.session.acl.client_ssl is not None:
            self.relay.attach_client(self.client, -1, self.now)
            self.session.stand_alone(self.relay)
            return None
        elif not self.session.admit():
            said = self.session.refusal(Reply.DENIED)
        if said is None:
            self.relay.attach_client(self.client, -1, self.now)
            self.session.start(self.relay)
            self.connect(self.session.acl.plug_to)
        else:
            self.relay.stop()
            self._closed(len(said))
        return said

    # ---- what the session wants done

    def connect(self, servers: Sequence[Sock]) -> None:
        self.connecting = servers

    def proceed(self) -> None:
        if self.session.admit():
            self.session.start(self.relay)
            self.connect(self.session.acl.plug_to)
        else:
            self.session.turn_away()

    def start_tls(self) -> None:
        self.tls_began = True

    def mails(self) -> Post:
        return self.post

    def client_ended(self) -> None:
        self.session.client_gone()

    def server_ended(self) -> None:
        self.session.server_gone()

    def today(self) -> datetime.datetime:
        return datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)

    def close(self) -> None:
        assert self.session.over
        self.relay.detach_client()
        self.relay.detach_server()
        self._closed(0)

    def _closed(self, said: int) -> None:
        if not self.is_closed:
            self.is_closed = True
            relay = self.relay
            self.session.closed(self.now, relay.cin + said, relay.cout, relay.sin, relay.sout)

    def service_name(self, port: int) -> str:
        return {143: "imap2"}.get(port, str(port))

    # ---- what happens to it

    def connected(self) -> None:
        """The server took the connection."""
        self.server_address = ("192.0.2.20", 143)
        self.server_text = "192.0.2.20:143"
        self.relay.greeting_until = self.now + self.session.charter.proxy.server_conn.recv_timeout
        self.relay.attach_server(self.server, -1, self.now)

    def wait(self, seconds: float, step: float = 0.5) -> None:
        """Time goes by with nothing said."""
        until = self.now + seconds
        while self.now < until and not self.is_closed:
            self.now = min(self.now + step, until)
            self.session.tick(self.now)

    def says(self, beat: scripts.Beat) -> None:
        feed = self.relay.client_data if beat.client else self.relay.server_data
        for chunk in self._chunks(beat.said):
            feed(chunk)

    def client_says(self, line: str) -> tuple[bytes, bytes]:
        """What client and server hear of it."""
        self.says(scripts.Beat(True, scripts.octets(line), b"", b""))
        return self.client.taken(), self.server.taken()

    def server_says(self, line: str) -> tuple[bytes, bytes]:
        """What client and server hear of it."""
        self.says(scripts.Beat(False, scripts.octets(line), b"", b""))
        return self.client.taken(), self.server.taken()

    def _chunks(self, said: bytes) -> Iterable[bytes]:
        if self.pace == "bytes":
            return (said[at : at + 1] for at in range(len(said)))
        return (said,)

    def play(self, script: str) -> None:
        """Run a script; AssertionError where somebody hears anything else."""
        lines = scripts.beats(script)
        if self.pace == "ahead":
            self._play_ahead(scripts.ahead(lines))
            return
        for beat in scripts.joined(lines) if self.pace == "joined" else lines:
            self.says(beat)
            heard = (self.client.taken(), self.server.taken())
            assert heard == (beat.to_client, beat.to_server), f"after {beat.said!r}"

    def _play_ahead(self, lines: list[scripts.Beat]) -> None:
        """The server hears the same; the client the same lines, those of the proxy perhaps earlier."""
        for beat in lines:
            self.says(beat)
        to_client = b"".join(beat.to_client for beat in lines).splitlines(keepends=True)
        to_server = b"".join(beat.to_server for beat in lines)
        assert self.server.taken() == to_server
        assert sorted(self.client.taken().splitlines(keepends=True)) == sorted(to_client)

    # ---- what came of it

    def logged(self, entry: Entry) -> list[tuple[object, ...]]:
        """The arguments of every line of this entry."""
        return [line.args for line in self.notebook.written if line.entry is entry]

    def fields(self, entry: Entry) -> dict[str, object]:
        """The arguments of the only line of this entry, by name."""
        (args,) = self.logged(entry)
        return dict(zip(entry.keys, args, strict=True))

    def leaks(self, passwords: Iterable[str] = PASSWORDS) -> list[str]:
        """Log arguments and lines that hold a password in any form."""
        wanted = {form for password in passwords for form in forms(password)}
        texts = [
            (line.entry.id, part)
            for line in self.notebook.written
            for part in (line.line.encode(), *(_octets_of(arg) for arg in line.args))
        ]
        return [f"{name}: {text!r}" for name, text in texts if any(form in text for form in wanted)]


def _octets_of(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


def _facts() -> Facts:
    return Facts(client=Address(4, 0xC0000207), client_port=40000, to=(Address(4, 0xC0000201), 143))
