"""APPEND and REPLACE where mails are processed (protocol.md section 2.4): the proxy takes the mails of a command by
itself, decides on each, and uploads them under its own command once all have passed; nothing else reaches the server.

append = "APPEND" SP mailbox 1*append-message (RFC 3502), append-message = [SP flag-list] [SP date-time] SP
(literal / literal8 / "UTF8" SP "(" literal8 ")") (RFC 3516, RFC 9755); REPLACE has a number first (RFC 8508).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from imap4fast.imap.replies import Reply
from imap4fast.mail.work import LogLine
from imap4fast.session import answers
from imap4fast.session.commands import quoted
from imap4fast.session.mailwork import ProcessedMail, Receiver, Refused, Work
from imap4fast.session.writer import SLICE

if TYPE_CHECKING:
    from imap4fast._wire import Token
    from imap4fast.session.processing import Processing

MOST_MAILS = 100
"""Mails in one command."""


class Part:
    """One mail of the command, and what stands before it."""

    __slots__ = ("came", "flags", "give_up", "mail", "receiver", "refused", "size", "utf8")

    def __init__(self, flags: bytes, size: int, *, utf8: bool) -> None:
        self.flags = flags
        """Flags and date as they go to the server, with a space behind each."""
        self.size = size
        self.utf8 = utf8
        self.receiver: Receiver | None = None
        self.mail: ProcessedMail | None = None
        self.refused: Refused | None = None
        self.give_up: Callable[[], object] | None = None


class Upload:
    """One command of the client's that brings mails."""

    __slots__ = (
        "_at", "_command", "_head", "_literals", "_name", "_over", "_parts", "_reading", "_sent", "_tag", "_work",
    )  # fmt: skip

    def __init__(self, work: Processing) -> None:
        self._work = work
        relay = work.session.relay
        self._tag = relay.tag
        self._name = relay.command
        self._parts: list[Part] = []
        self._head = b""
        self._literals: list[bytes] = []
        self._command = 0
        self._at = 0
        self._sent = 0
        self._reading = False
        self._over = False

    # ---- what comes ---------------------------------------------------------------------------------------------

    def take(self) -> int:
        """An announcement (the question UPLOAD): PASS takes the mail, DROP says that it is refused."""
        session = self._work.session
        tokens = session.relay.tokens()
        if session.relay.literal is None:  # the whole command came without a mail: CATENATE of URLs
            return self._refuse(Reply.COMMAND_NOT_PERMITTED)
        if not self._parts:
            names = 1 if self._name == b"APPEND" else 2
            mailbox = self._mailbox(tokens[names - 1])
            if mailbox is None:
                return self._bad()
            number = tokens[0] + b" " if names == 2 and isinstance(tokens[0], bytes) else b""
            self._head = self._name.replace(b"-", b" ") + b" " + number + mailbox
            tokens = tokens[names:]
        if len(self._parts) == MOST_MAILS:
            return self._refuse(Reply.TOO_MANY_ARGUMENTS)
        return self._take(tokens)

    def _mailbox(self, token: Token) -> bytes | None:
        """The mailbox's name as it goes to the server; a literal stands behind its announcement."""
        if isinstance(token, bytes):
            return token
        if not isinstance(token, tuple):
            return None
        shown = quoted(token[0], utf8=self._work.session.relay.utf8)
        if shown is None:
            self._literals.append(token[0])
            return b"{%d}" % len(token[0])
        return shown

    def _take(self, tokens: Sequence[Token]) -> int:
        session = self._work.session
        size = session.relay.literal or 0
        flags = b""
        utf8 = False
        for token in tokens:
            if isinstance(token, list):
                flags += b"" if utf8 else b"(" + b" ".join(word for word in token if isinstance(word, bytes)) + b") "
            elif isinstance(token, tuple):
                flags += (quoted(token[0]) or b'""') + b" "
            elif token.upper() == b"UTF8":
                utf8 = True
            elif token.upper() == b"CATENATE":
                return self._refuse(Reply.COMMAND_NOT_PERMITTED)
        if utf8 and not session.relay.utf8:
            return self._bad()
        part = Part(flags, size, utf8=utf8)
        part.receiver = self._work.mails.receive(size, self._ready)
        if part.receiver is None:
            return self._refuse(Reply.SPOOL_FULL)
        self._parts.append(part)
        self._work.upload = self
        return answers.PASS

    def _bad(self) -> int:
        self.drop()
        return self._work.session.bad(Reply.BAD_SYNTAX)

    def _refuse(self, reply: Reply) -> int:
        self.drop()
        return self._work.session.refuse(reply)

    def _ready(self) -> None:
        """The disk has caught up."""
        if not self._over and self._work.flow is None:
            self._work.session.relay.free_client()

    def octets(self, octets: bytes) -> None:
        """Octets of the mail that was announced last."""
        receiver = self._parts[-1].receiver
        if receiver is not None and not receiver.write(octets):
            self._work.session.relay.hold_client()

    # ---- what is decided ----------------------------------------------------------------------------------------

    def whole(self) -> int:
        """The end of the command (the question UPLOADED)."""
        work = self._work
        work.upload = None
        if not all(part.size for part in self._parts):
            return self._refuse(Reply.EMPTY_MAIL)  # RFC 3502: it cancels
        work.session.relay.hold_client()
        work.flow = self
        for part in self._parts:
            receiver, part.receiver = part.receiver, None
            part.give_up = work.mails.process(
                receiver,
                Work("upload"),
                lambda done, lines, part=part: self._processed(part, done, lines),  # type: ignore[misc]
            )
        return answers.DROP

    def _processed(self, part: Part, done: ProcessedMail | Refused, lines: Sequence[LogLine]) -> None:
        part.give_up = None
        if self._over:
            return
        self._work.log_mail(lines)
        if isinstance(done, Refused):
            part.refused = done
        else:
            part.mail = done
        if any(part.mail is None and part.refused is None for part in self._parts):
            return
        refused = next((part.refused for part in self._parts if part.refused is not None), None)
        if refused is not None:
            self._finish(refused)
        else:
            self._send()

    # ---- what goes to the server --------------------------------------------------------------------------------

    def _send(self) -> None:
        """Our own command, up to its first literal."""
        line = self._head if self._literals else self._head + b" " + self._announcement()
        self._command = self._work.session.relay.ask_server(line, goes=True)

    def _announcement(self) -> bytes:
        part = self._parts[self._at]
        size = 0 if part.mail is None else part.mail.size
        return part.flags + (b"UTF8 (~{%d}" if part.utf8 else b"{%d}") % size

    def go(self) -> None:
        """The server wants the literal."""
        relay = self._work.session.relay
        if self._literals:
            name = self._literals.pop()
            relay.await_go()
            relay.send_server(name + b" " + self._announcement() + b"\r\n")
            return
        self._sent = 0
        relay.sending = True
        self.server_ready()

    def server_ready(self) -> None:
        """Send of the mail what the server takes."""
        relay = self._work.session.relay
        mail = self._parts[self._at].mail
        while not self._over and not self._reading and not relay.s_full and mail is not None and relay.sending:
            left = mail.size - self._sent
            if not left:
                self._sent_whole()
                return
            size = min(left, SLICE)
            octets = mail.at_once(self._sent, size)
            if octets is None:
                self._reading = True
                mail.read(self._sent, size, lambda octets, size=size: self._read(octets, size))  # type: ignore[misc]
                return
            self._sent += size
            relay.send_server(octets)

    def _read(self, octets: bytes | None, size: int) -> None:
        self._reading = False
        if self._over:
            return
        if octets is None or len(octets) != size:
            # The server has a part of the mail: only the end of the session takes it back.
            self._work.session.end(Reply.INTERNAL_ERROR, "a processed mail cannot be read")
            return
        self._sent += size
        self._work.session.relay.send_server(octets)
        self.server_ready()

    def _sent_whole(self) -> None:
        """Behind a mail: one more, or the end of the command."""
        relay = self._work.session.relay
        relay.sending = False
        end = b")" if self._parts[self._at].utf8 else b""
        self._at += 1
        if self._at == len(self._parts):
            self._at -= 1
            relay.send_server(end + b"\r\n")
            return
        relay.await_go()
        relay.send_server(end + b" " + self._announcement() + b"\r\n")

    def answered(self) -> None:
        """The server's tagged answer."""
        session = self._work.session
        relay = session.relay
        if relay.answered != self._command:
            self._work.intake.answered(relay.answered)
            return
        if relay.sending or self._reading:
            # It answers in the midst of a mail, and may read the rest as commands.
            session.end(Reply.SERVER_FAULT, "the server gave an upload up")
            return
        self._over = True
        self._work.flow = None
        self._work.tell_held()
        relay.reply(self._work.shown_status(self._tag + b" " + relay.unit))
        self._work.heed_held()
        relay.free_client()

    def _finish(self, refused: Refused) -> None:
        """Nothing goes to the server."""
        self.drop()
        self._work.flow = None
        self._work.reply_code(self._tag, refused)
        self._work.session.relay.free_client()

    def client_ready(self) -> None:
        """Nothing is written to the client here."""

    def drop(self) -> None:
        """Forget what came."""
        self._over = True
        self._work.upload = None
        for part in self._parts:
            if part.receiver is not None:
                part.receiver.drop()
                part.receiver = None
            if part.give_up is not None:
                part.give_up()
                part.give_up = None
