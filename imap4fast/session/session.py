"""The conversation of one session, without a socket: questions of the relay in, answers and effects out.

`Outside` is what a session may want done; `net/driver.py` does it, `tests/play` records it. Times are seconds of the
worker's monotonic clock, given in. The states (not authenticated, authenticated, selected) live in the relay, which
judges every command by them; what is open (AUTHENTICATE, IDLE, an upload) is the relay's mode.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Protocol

from imap4fast._wire import AUTHENTICATED, NOT_AUTHENTICATED, QUESTIONS, TIMEOUTS, Relay
from imap4fast.config.settings import SessionAcl
from imap4fast.config.values import Sock
from imap4fast.imap.replies import Reply
from imap4fast.log import imap as entries
from imap4fast.log.cause import cause
from imap4fast.log.entry import Entry
from imap4fast.policy.facts import Facts
from imap4fast.policy.gate import Powers
from imap4fast.session import alone, answers, commands, faults, processing, responses, tls
from imap4fast.session.charter import Charter
from imap4fast.session.login import Sasl, normalised
from imap4fast.session.mailwork import Mails
from imap4fast.session.processing import Processing


class Outside(Protocol):
    """What a session wants done."""

    @property
    def client_text(self) -> str:
        """`ADDRESS:PORT` of the client."""

    @property
    def to_text(self) -> str:
        """`ADDRESS:PORT` that the client connected to."""

    @property
    def server_text(self) -> str | None:
        """`ADDRESS:PORT` of the server, None before it is known."""

    @property
    def client_address(self) -> tuple[str, int]:
        """The client's address and port."""

    @property
    def server_address(self) -> tuple[str, int] | None:
        """The server's address and port, None before they are known."""

    def proceed(self) -> None:
        """Search the command-acls and connect, or turn the client away."""

    def start_tls(self) -> None:
        """TLS begins on the client's leg with the next octets; `Session.client_secured` or `tls_failed` follows."""

    def client_ended(self) -> None:
        """The client sends no more."""

    def server_ended(self) -> None:
        """The server sends no more."""

    def connect(self, servers: Sequence[Sock]) -> None:
        """Try the servers in order; `Session.connected` or `connect_failed` follows."""

    def close(self) -> None:
        """Send what is queued, then close both legs."""

    def today(self) -> datetime.datetime:
        """Now, with its zone."""

    def service_name(self, port: int) -> str:
        """The system's name of a port."""

    def mails(self) -> Mails:
        """Where this session's mails are processed."""


MOST_COMPLAINTS = 20
"""Faults and refusals that a session logs as warnings."""


class Session:
    """One client's connection and what belongs to it."""

    __slots__ = (
        "acl", "alone", "bad_commands", "began", "candidate", "charter", "complaints", "enabling", "facts", "language",
        "logs", "mechanism", "number", "outside", "over", "powers", "processing", "reason", "relay", "result", "rule",
        "sasl", "status", "transparent", "unlisted_seen", "user",
    )  # fmt: skip

    def __init__(self, charter: Charter, outside: Outside, facts: Facts, number: int, began: float) -> None:
        self.charter = charter
        self.logs = charter.logs
        self.outside = outside
        self.facts = facts
        self.transparent = "YES" if facts.transparent else "NO"
        self.number = number
        self.began = began
        self.acl: SessionAcl
        self.powers: Powers
        self.relay: Relay
        self.processing: Processing | None = None
        """None in pass mode."""
        self.alone = False
        """Whether the proxy greeted by itself: the server's greeting is not for the client."""
        self.language = "EN"
        self.user: str | None = None
        self.candidate: str | None = None
        self.mechanism = ""
        self.sasl: Sasl | None = None
        self.enabling: frozenset[bytes] = frozenset()
        self.bad_commands = 0
        self.unlisted_seen = False
        self.complaints = 0
        self.over = False
        self.rule: str | None = None
        self.status = "REJECTED"
        self.result = "FAILED"
        self.reason = ""

    # ---- begin --------------------------------------------------------------------------------------------------

    def open(self) -> bool:
        """Search the session-acls and command-acls. False: refused, `refusal()` says what the client gets."""
        write, number, facts = self.logs.write, self.number, self.facts
        write(entries.SESSION_START, self.outside.client_text, self.outside.to_text, self.transparent, track=number)
        decision = self.charter.policy.session(facts)
        acl = decision.acl
        self.rule = name = None if acl is None else acl.name
        if not decision.accepted or not isinstance(acl, SessionAcl) or not acl.plug_to:
            write(entries.SESSION_ACL, name, "REJECTED", track=number)
            self.reason = "no plug-to" if acl is not None and acl.accept else "session-acl"
            return False
        write(entries.SESSION_ACL, name, "ACCEPTED", track=number)
        self.acl = acl
        self.language = acl.language
        facts.parent = acl.name
        first = acl.plug_to[0]
        facts.server = (first.host, first.port)
        return True

    def await_tls(self, relay: Relay) -> None:
        """The client's leg begins with TLS."""
        self.relay = relay
        self.status = "ACCEPTED"

    def stand_alone(self, relay: Relay) -> None:
        """The client's leg begins with STARTTLS: greet, and answer until a server is wanted."""
        self.alone = relay.alone = True
        self.relay = relay
        self.powers = self.charter.before_tls if self.tls_required else self.charter.before_server
        self._begin(relay)
        alone.greet(self)

    @property
    def tls_required(self) -> bool:
        """Whether a login needs TLS that is not there yet."""
        use = self.acl.client_ssl
        return use is not None and use.params.require_tls and self.relay.ctls is None

    def admit(self) -> bool:
        """Search the command-acls. False: `refusal` is due."""
        decision = self.charter.policy.command(self.facts)
        accepted, acl = decision.accepted, decision.acl
        self.rule = name = None if acl is None else acl.name
        result = "ACCEPTED" if accepted else "REJECTED"
        self.logs.write(entries.COMMAND_ACL, self.acl.name, name, result, track=self.number)
        if not accepted or acl is None:
            self.reason = "command-acl"
            return False
        self.powers = powers = self.charter.powers[decision.name]
        self.language = powers.acl.language or self.acl.language
        return True

    def start(self, relay: Relay) -> None:
        """Give an admitted session its wire, with its limits. A server's greeting is awaited."""
        self._begin(relay)
        self._heed_mails()
        relay.await_server()

    def _begin(self, relay: Relay) -> None:
        self.relay = relay
        powers = self.powers
        relay.begin(self, powers.gate)
        self.heed_level()
        relay.take_limits(self.charter.limits(self.acl, powers.acl), self.began)
        self.status = "ACCEPTED"
        self.result = "OK"

    def _heed_mails(self) -> None:
        """Process mails from now on, or let them pass, as the command-acl says."""
        if self.powers.acl.no_mail_scanning:
            self.processing = None
            self.relay.pass_mails()
        elif self.processing is None:
            mails = self.outside.mails()
            self.processing = Processing(self, mails)
            self.relay.process_mails(mails.prefix())

    def upload_octets(self, octets: bytes) -> None:
        """Octets of a mail that the client uploads."""
        if self.processing is not None and self.processing.upload is not None:
            self.processing.upload.octets(octets)

    def fetch_octets(self, octets: bytes) -> None:
        """Octets of a mail that the server gives."""
        if self.processing is not None:
            self.processing.intake.octets(octets)

    def turn_away(self) -> None:
        """A command-acl denies a client that hears already."""
        self.status = "REJECTED"
        self.end(Reply.DENIED, self.reason)

    def heed_level(self) -> None:
        """Let the relay decide without questions where the log's level wants no line of that. For a session that has
        begun; to be called again when the level changes.
        """
        self.relay.brief = not self.logs.detailed and not self.alone

    def refusal(self, reply: Reply) -> bytes:
        """One `* BYE` for a client that is not let in."""
        return self.charter.say(self.language, b"* BYE", reply)

    # ---- questions ----------------------------------------------------------------------------------------------

    def ask(self, question: int) -> int:
        """The relay's question (`_wire.QUESTIONS`)."""
        return _FLOWS[question](self)

    def broken(self, error: BaseException) -> None:
        """A rule of this program was broken: this session ends, with its traceback in the log."""
        self.log(entries.INTERNAL_ERROR, "session", cause(error))
        self.end(Reply.INTERNAL_ERROR, "internal error")

    @property
    def authenticated(self) -> bool:
        """Whether a login succeeded."""
        return self.relay.state != NOT_AUTHENTICATED

    def greeted(self) -> None:
        """The server's greeting was good: the client's commands are looked at from now on."""
        self.relay.greeted()
        if self.alone:
            self.alone = False
            self.heed_level()

    def learn(self, names: bytes) -> None:
        """What the server offers in its present state decides the form of AUTHENTICATE.

        LITERAL+ and LITERAL- are not used towards a server: one that gives a command up before its literal may read
        the octets as commands, as Dovecot does (protocol.md 3.2). They go on when the server asks for them.
        """
        offered = names.upper().split()
        self.relay.sasl_ir = b"SASL-IR" in offered
        self.relay.searchres = b"SEARCHRES" in offered or b"IMAP4REV2" in offered

    def take_user(self) -> None:
        """A LOGIN that the relay passed without a question: who asks to log in."""
        relay = self.relay
        name = relay.user
        if name is not None:
            relay.user = None
            self.candidate = normalised(name)
            self.mechanism = "LOGIN"

    def logged_in(self) -> bool:
        """The server accepted the login: the user is known, command-acls that name users are searched again.

        False: the second search denies, the session has ended.
        """
        self.take_user()
        self.relay.state = AUTHENTICATED
        self.user = self.facts.user = self.candidate
        self.bad_commands = 0
        if not self.charter.policy.command_uses_user:
            return True
        parent = self.powers
        if not self.admit():
            self.status = "REJECTED"
            self.reason = "command-acl after login"
            self.end(Reply.DENIED, self.reason)
            return False
        if self.powers is not parent:
            self.relay.gate = self.powers.gate
            self.relay.take_limits(self.charter.limits(self.acl, self.powers.acl), self.began)
            self._heed_mails()
        return True

    # ---- what flows use -----------------------------------------------------------------------------------------

    def log(self, entry: Entry, *args: object, severity: str | None = None) -> None:
        """One line of this session."""
        self.logs.write(entry, *args, track=self.number, severity=severity)

    def removed(self, kind: str, name: bytes) -> None:
        """Something was taken out of what an end said."""
        if self.logs.detailed:
            self.log(entries.REMOVED, kind, name)

    def unlisted(self, name: bytes) -> None:
        """An untagged response was dropped: a warning once a session."""
        self.removed("UNTAGGED", name)
        self.log(entries.UNKNOWN_UNTAGGED, name, severity="D" if self.unlisted_seen else "W")
        self.unlisted_seen = True

    def fault(self, side: str, code: str, offset: int) -> None:
        """An end broke the protocol."""
        self.complaints += 1
        self.log(entries.FAULT, side, code, offset, severity=self._loudness)

    @property
    def _loudness(self) -> str:
        """W for the first faults and refusals of a session, D for what a client repeats without end (T-L16)."""
        return "W" if self.complaints <= MOST_COMPLAINTS else "D"

    def limited(self, item: str, value: int) -> None:
        """A limit of the configuration was reached; the fault or refusal that is its consequence counts by itself."""
        self.log(entries.LIMIT, item, value, severity=self._loudness)

    def reply(self, tag: bytes, condition: bytes, reply: Reply) -> None:
        """A line of the proxy's own, tagged or not, between units."""
        self.relay.reply((tag or b"*") + b" " + self.charter.say(self.language, condition, reply))

    def bad(self, reply: Reply) -> int:
        """`tag BAD`, counted."""
        self._refused(b"BAD", reply)
        return answers.DROP if self.count_bad() else answers.CLOSE

    def refuse(self, reply: Reply) -> int:
        """`tag NO`: understood, not permitted."""
        self._refused(b"NO", reply)
        return answers.DROP

    def _refused(self, condition: bytes, reply: Reply) -> None:
        self.complaints += 1
        self.log(entries.COMMAND_REFUSED, self.relay.command, reply.name, severity=self._loudness)
        self.reply(self.relay.tag, condition, reply)

    def count_bad(self) -> bool:
        """One more bad command. False: too many, the session has ended (T-S14, T-L16)."""
        proxy = self.charter.proxy
        item, most = ("max-bad-commands", proxy.max_bad_commands)
        if not self.authenticated:
            item, most = ("max-bad-prelogin", proxy.max_bad_prelogin)
        self.bad_commands += 1
        if not most or self.bad_commands < most:
            return True
        self.log(entries.LIMIT, item, most)
        self.end(Reply.TOO_MANY_BAD, "too many bad commands")
        return False

    # ---- end ----------------------------------------------------------------------------------------------------

    def end(self, reply: Reply | None, reason: str, *, failed: bool = True) -> int:
        """End the session now; `* BYE` where the client is between units. CLOSE, for the relay."""
        if self.over:
            return answers.CLOSE
        if reply is not None and not self.relay.bye and self.relay.between_units:
            self.relay.reply(self.refusal(reply))
        self._finish(reason, "FAILED" if failed else "OK")
        self.relay.stop()
        self.outside.close()
        return answers.CLOSE

    def _finish(self, reason: str, result: str) -> None:
        self.over = True
        if self.processing is not None:
            self.processing.drop()
        self.reason = self.reason or reason
        if result != "OK":
            self.result = result

    def connect_failed(self, timed_out: bool) -> None:
        """No server could be reached."""
        self.end(Reply.CONNECT_TIMEOUT if timed_out else Reply.CONNECT_FAILED, "no server")

    def client_gone(self) -> None:
        """The client closed its leg."""
        if self.over:
            return
        gone = self.relay.left
        self._finish("logout" if self.relay.left else "client closed", "OK" if gone else "ABORTED")
        self.relay.stop()
        self.outside.close()

    def server_gone(self) -> None:
        """The server closed its leg."""
        if self.over:
            return
        if self.relay.left:
            self.end(None, "logout", failed=False)
        elif self.relay.bye:
            self.end(None, "server closed", failed=False)
        else:
            self.end(Reply.SERVER_CLOSED, "server closed")

    def send_timed_out(self, side: str) -> None:
        """The kernel gave a connection up since what was sent was not taken within send-timeout (TCP_USER_TIMEOUT)."""
        if not self.over:
            faults.timeout(self, side + "-SEND")

    def tick(self, now: float) -> None:
        """Time goes by."""
        if self.over:
            return
        expired = self.relay.tick(now)
        if expired:
            faults.timeout(self, TIMEOUTS[expired])
        elif self.processing is not None:
            self.processing.tick(now)

    def shut_down(self) -> None:
        """The worker ends."""
        self.end(Reply.SHUTDOWN, "shutdown")

    def closed(self, now: float, cin: int, cout: int, sin: int, sout: int) -> None:
        """Both legs are closed: the records of the session."""
        outside, write, number, user = self.outside, self.logs.write, self.number, self.user
        time = f"{now - self.began:.3f}"
        status, result = self.status, self.result
        final = status if status == "REJECTED" or result != "FAILED" else "FAILED"
        write(
            entries.SESSION_END, outside.client_text, outside.server_text, self.transparent, user,
            self.relay.commands if hasattr(self, "relay") else 0, cin, cout, time, final, self.reason, track=number,
        )  # fmt: skip
        client, port = outside.client_address
        server, server_port = outside.server_address or (None, 0)
        name = outside.service_name(server_port) if server_port else None
        write(
            entries.PROXY_EVENT, client, client, port, server, server, server_port, name, user,
            cin, cout, sin, sout, time, status, result, self.rule, track=number,
        )  # fmt: skip

    def part(self) -> None:
        """Let go of both sides: each of them holds the session. To be called when both legs are gone."""
        self.over = True
        self.processing = None
        for name in ("relay", "outside"):
            if hasattr(self, name):
                delattr(self, name)


_FLOWS = dict(
    zip(
        range(1, len(QUESTIONS)),
        (
            commands.look,
            faults.refused,
            faults.client_fault,
            commands.sasl_line,
            faults.too_big,
            responses.greeting,
            responses.status,
            responses.capability,
            responses.enabled,
            responses.bye,
            responses.completed,
            responses.continuation,
            responses.unlisted,
            faults.server_fault,
            faults.limit,
            responses.append_limit,
            tls.client_leg,
            tls.server_leg,
            processing.own,
            processing.go,
            processing.fetch,
            processing.fetch_literal,
            processing.mailbox,
            processing.upload,
            processing.uploaded,
            processing.client_ready,
            processing.server_ready,
        ),
        strict=True,
    )
)
