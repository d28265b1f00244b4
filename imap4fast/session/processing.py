"""What a session has besides where mails are processed: the selected mailbox, the flow under way, and the questions
that the relay asks only then.

One flow at a time, FETCH or an upload; the client's next command waits for its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from imap4fast.imap.fetch import FetchError, quick_request, request_of
from imap4fast.imap.fetchdata import DROPPED, SUNK, FetchDataError, items_of
from imap4fast.imap.replies import Reply
from imap4fast.imap.responses import DYNAMIC_ITEMS
from imap4fast.log.catalogue import entry_of
from imap4fast.session import answers, responses
from imap4fast.session.download import MOST_HEADER, Download, Headers, Prefetch, is_of_headers
from imap4fast.session.intake import WHOLE, Intake
from imap4fast.session.mailbox import Mailbox, is_earlier
from imap4fast.session.upload import Upload
from imap4fast.session.writer import Writer

if TYPE_CHECKING:
    from imap4fast._wire import Token
    from imap4fast.mail.work import LogLine
    from imap4fast.session.mailwork import Mails, Refused
    from imap4fast.session.session import Session

ASKED = frozenset(b"FETCH UID-FETCH SELECT EXAMINE SEARCH UID-SEARCH SORT UID-SORT".split())
"""Commands that the session looks at because mails are processed."""

KEEP_ALIVE_S = 10.0
"""How long a client waits for a mail before it hears that work goes on."""

MOST_HELD = 10_000
"""Untagged responses that are held back from the client."""

MOST_HELD_OCTETS = 4 << 20
"""Their octets: VANISHED may be as long as a line of the server's."""

AHEAD_S = 1.0
"""How long a client says nothing before mails are fetched ahead."""

FORGET_S = 30.0
"""How long mails stay at hand in a session in which nothing is said."""

_QUIET = frozenset(b"FETCH STORE SEARCH SORT THREAD".split())
"""Commands during which the client must not hear of EXPUNGE (RFC 9051 section 7.5.1)."""

_BY_NUMBER = frozenset(b"STORE SEARCH SORT THREAD COPY MOVE REPLACE CONVERT".split())
"""Commands with numbers of mails, which are wrong while the client has not heard of an EXPUNGE."""


class Flow(Protocol):
    """What the relay's questions are about while the client waits."""

    def answered(self) -> None:
        """A command of the proxy's own was answered."""

    def go(self) -> None:
        """The server wants the literal that such a command announced."""

    def client_ready(self) -> None:
        """The client takes octets again."""

    def server_ready(self) -> None:
        """The server takes octets again."""

    def drop(self) -> None:
        """The session is over."""


class Processing:
    """Of one session, from the moment when its command-acl says that mails are processed."""

    __slots__ = (
        "_cin",
        "_quiet_since",
        "box",
        "flow",
        "intake",
        "leaving",
        "mails",
        "naming",
        "session",
        "upload",
        "writer",
    )

    def __init__(self, session: Session, mails: Mails) -> None:
        self.session = session
        self.mails = mails
        self.intake = Intake(session, mails)
        self.writer = Writer(session.relay)
        self.box: Mailbox | None = None
        self.naming: Mailbox | None = None
        """The mailbox that SELECT or EXAMINE asks for."""
        self.leaving: bytes | None = None
        """The mailbox that DELETE or RENAME is about."""
        self.flow: Flow | None = None
        self._cin = 0
        self._quiet_since = 0.0
        self.upload: Upload | None = None
        """The upload whose mails are still coming."""

    # ---- commands -----------------------------------------------------------------------------------------------

    def look(self, name: bytes) -> int | None:
        """The client's command `name`, before anything else looks at it; None: as if mails were not processed."""
        answer = self.catch_up(name)
        if answer is not None:
            return answer
        if name in (b"FETCH", b"UID-FETCH"):
            return self._fetch(uid=name == b"UID-FETCH")
        if name in (b"SELECT", b"EXAMINE"):
            return self._select(name)
        if b"SEARCH" in name or b"SORT" in name:
            return self._search()
        if name in (b"DELETE", b"RENAME"):
            leaving = _mailbox_of(self.session.relay.tokens())
            self.leaving = None if leaving is None else self._encoded(leaving)
        return None

    def catch_up(self, name: bytes) -> int | None:
        """Tell what was held back, where the command `name` permits; the answer, where it would mean other mails."""
        if self.box is None or not self.box.held:
            return None
        if name in _QUIET and name != b"FETCH":
            return self.session.refuse(Reply.EXPUNGE_ISSUED)
        if name not in _QUIET:
            self.tell_held()
            self.heed_held()
            if name in _BY_NUMBER:
                return self.session.refuse(Reply.EXPUNGE_ISSUED)
        return None

    def _fetch(self, *, uid: bool) -> int:
        session = self.session
        try:
            request = quick_request(session.relay.unit) or request_of(session.relay.tokens())
        except FetchError:
            return session.bad(Reply.BAD_SYNTAX)
        if self.box is None:
            return session.bad(Reply.BAD_STATE)
        if not request.items.contents:
            return self._fetch_dynamic(request.set, uid=uid)
        early = session.powers.acl.mail_view == "headers-first" and is_of_headers(request.items)
        return (Headers if early else Download)(self, self.box, request, uid=uid).begin()

    def _fetch_dynamic(self, numbers: bytes, *, uid: bool) -> int:
        """Items that tell nothing of the mail: the server answers."""
        box = self.box
        if uid or box is None or not box.held:
            return answers.PASS
        there = box.asked(numbers)
        if there is None:
            return self.session.refuse(Reply.EXPUNGE_ISSUED)
        relay = self.session.relay
        tag, name, _, rest = relay.unit.split(b" ", 3)
        relay.replacement = b" ".join((tag, name, there, rest))
        return answers.REPLACE

    def _encoded(self, name: bytes) -> bytes:
        """A mailbox's name as mails are kept under it: with UTF8=ACCEPT `&` is itself, else it begins a coded run (RFC
        3501 section 5.1.3), and `&AOk-` of the one is not that of the other.
        """
        return name.replace(b"&", b"&-") if self.session.relay.utf8 else name

    def _select(self, name: bytes) -> int | None:
        name_of = _mailbox_of(self.session.relay.tokens())
        if name_of is None:
            return self.session.bad(Reply.BAD_SYNTAX)
        self.naming = Mailbox(self._encoded(name_of), read_only=name == b"EXAMINE" or self.session.powers.acl.read_only)
        return None if self.session.powers.acl.read_only and name == b"SELECT" else answers.PASS

    def _search(self) -> int | None:
        """RETURN (UPDATE ...) would let the server send items of FETCH unasked (RFC 5465 section 7)."""
        tokens = self.session.relay.tokens()
        if _is_return(tokens):
            options = tokens[1]
            if isinstance(options, list) and any(
                isinstance(word, bytes) and word.upper() in _BARRED for word in options
            ):
                return self.session.refuse(Reply.COMMAND_NOT_PERMITTED)
        return answers.PASS

    def completed(self, name: bytes, *, ok: bool) -> None:
        """The server's answer to a command of the client's that changes what is selected, or the names of mailboxes."""
        if name in (b"SELECT", b"EXAMINE"):
            self.box = self.naming if ok else None
            self.naming = None
            if ok and self.box is not None and b"[READ-ONLY]" in self.session.relay.unit.upper():
                self.box.read_only = True
        elif name in (b"CLOSE", b"UNSELECT") and ok:
            self.box = None
        elif name in (b"DELETE", b"RENAME") and ok and self.leaving is not None:
            self.mails.forget_mailbox(self.leaving)

    # ---- what the server says -----------------------------------------------------------------------------------

    def fetch_literal(self) -> int:
        """The question FETCH_LITERAL."""
        relay = self.session.relay
        head = relay.unit.rsplit(b" ", 1)[0].replace(b"(", b" ").rsplit(b" ", 1)[-1].upper()
        if head in DYNAMIC_ITEMS:
            return answers.PASS if relay.literal_in <= relay.max_literal else answers.DROP
        if head == b"BODY[HEADER]" and isinstance(self.flow, Headers):
            return answers.PASS if relay.literal_in <= MOST_HEADER else answers.DROP
        return self.intake.literal(head)

    def fetch(self) -> int:
        """The question FETCH: a whole response."""
        session = self.session
        unit, number = session.relay.unit, session.relay.number
        try:
            items = items_of(unit)
        except FetchDataError:
            self.intake.broken()
            session.unlisted(b"FETCH")
            return answers.DROP
        values = dict(items)
        word = values.get(b"UID", b"")
        uid = int(word) if word.isdigit() and len(word) <= 10 else None
        whole = self.intake.data(uid, values)
        if not whole and isinstance(self.flow, Download) and self.flow.data(number, uid, items):
            return answers.DROP
        if whole:
            items = [item for item in items if item[0] not in WHOLE]
        return self._show(number, items, alone=whole or self.flow is not None)

    def _show(self, number: int, items: Sequence[tuple[bytes, bytes]], *, alone: bool) -> int:
        """What of FETCH data the client may see: dynamic items, under the number that it knows (R11). `alone`: a UID
        that nothing else stands beside was for the proxy.
        """
        session, box = self.session, self.box
        kept, gone = [], []
        for name, value in items:
            if name in DYNAMIC_ITEMS and SUNK not in value and DROPPED not in value:
                kept.append(name + b" " + value)
            else:
                gone.append(name)
        responses.removed(session, "FETCH", gone)
        if not kept or (alone and all(text.startswith(b"UID ") for text in kept)):
            return answers.DROP
        if box is not None and box.vanished:
            return self._hold(box, b"* %d FETCH (%b)\r\n" % (number, b" ".join(kept)))
        shown = number if box is None else box.shown(number)
        line = b"* %d FETCH (%b)\r\n" % (shown, b" ".join(kept))
        if isinstance(self.flow, Download) and self.flow.tell_between(line):
            return answers.DROP
        session.relay.replacement = line
        return answers.REPLACE

    def mailbox(self) -> int:
        """The question MAILBOX: EXISTS, EXPUNGE, VANISHED."""
        box, line = self.box or self.naming, self.session.relay.unit
        if box is None or is_earlier(line):
            return answers.PASS
        if (counted := box.counted(line)) is not None:
            box.arrived = self.session.powers.acl.prefetch
            if isinstance(self.flow, Download) and self.flow.tell_between(counted):
                return answers.DROP
            self.session.relay.replacement = counted
            return answers.REPLACE
        if box.held or (self.flow is not None and b"EXISTS" not in line.upper()):
            answer = self._hold(box, line)
            if isinstance(self.flow, Download):
                self.flow.expunged()
            return answer
        box.heard(line)
        if b"EXISTS" in line.upper() and self.naming is None:
            box.arrived = self.session.powers.acl.prefetch
        if isinstance(self.flow, Download) and self.flow.tell_between(line):
            return answers.DROP
        return answers.PASS

    def _hold(self, box: Mailbox, line: bytes) -> int:
        """Hold an untagged response back from the client."""
        box.hold(line)
        if len(box.held) > MOST_HELD or box.held_octets > MOST_HELD_OCTETS:
            return self.session.end(Reply.SERVER_FAULT, "too much to be held back")
        return answers.DROP

    def tell_held(self) -> None:
        """What was held back goes to the client."""
        if self.box is not None:
            for line in self.box.release():
                self.session.relay.reply(line)

    def heed_held(self) -> None:
        """While something is held back every command is asked about, and every FETCH response."""
        held = self.box is not None and bool(self.box.held)
        self.session.relay.asking = held
        self.session.relay.watching = held

    def learn(self, name: bytes, value: bytes) -> None:
        """A status line's UIDVALIDITY or UIDNEXT."""
        box = self.naming or self.box
        if box is None or not value.isdigit() or len(value) > 10:
            return
        if name == b"UIDVALIDITY":
            box.validity(int(value))
        else:
            box.next_uid = int(value)

    # ---- what flows use -----------------------------------------------------------------------------------------

    def shown_status(self, line: bytes) -> bytes:
        """A tagged status line of the server's as the client may see it."""
        return responses.rewritten(self.session, line)

    def reply_code(self, tag: bytes, refused: Refused) -> None:
        """`tag NO [CODE] text` for a mail that is not shown or not taken."""
        session = self.session
        reply = Reply.SPOOL_FULL if refused.full else _REPLIES.get(refused.code, Reply.MAIL_REFUSED)
        session.reply(tag, b"NO", reply)

    def log_mail(self, lines: Sequence[LogLine]) -> None:
        """What was decided about a mail, as its helper says it."""
        for line in lines:
            self.session.log(entry_of(line.entry), *line.args, severity=line.severity)

    def tick(self, now: float) -> None:
        """A client that waits hears now and then that it is not forgotten: a whole line between two units (R16)."""
        relay = self.session.relay
        if self.flow is None and self.box is not None and now - self._quiet_since >= FORGET_S:
            self.box.forget()
        if relay.cin != self._cin or not relay.between_units:
            self._cin = relay.cin
            self._quiet_since = now
        elif self.flow is None:
            self._look_ahead(now)
        elif now - self._quiet_since >= KEEP_ALIVE_S:
            self.session.reply(b"", b"OK", Reply.WORKING)

    def _look_ahead(self, now: float) -> None:
        """Fetch and process a mail that has just come, while the client does nothing (`prefetch`)."""
        box, relay = self.box, self.session.relay
        if box is None or not box.arrived or not box.next_uid or now - self._quiet_since < AHEAD_S:
            return
        if relay.pending_count or not relay.at_command or box.held:
            return
        box.arrived -= 1
        Prefetch(self, box).begin()

    def drop(self) -> None:
        """The session is over."""
        flow, self.flow = self.flow, None
        upload, self.upload = self.upload, None
        self.intake.drop()
        self.writer.drop()
        if upload is not None:
            upload.drop()
        if flow is not None:
            flow.drop()


_BARRED = frozenset((b"UPDATE", b"CONTEXT"))
_REPLIES = {
    b"LIMIT": Reply.MAIL_LIMIT,
    b"UNAVAILABLE": Reply.MAIL_UNAVAILABLE,
    b"UNKNOWN-CTE": Reply.UNKNOWN_CTE,
    b"TOOBIG": Reply.TOO_BIG,
}


def _mailbox_of(tokens: Sequence[Token]) -> bytes | None:
    """The mailbox's name, the first argument."""
    first = tokens[0] if tokens else None
    return first[0] if isinstance(first, tuple) else first if isinstance(first, bytes) else None


def _is_return(tokens: Sequence[Token]) -> bool:
    return len(tokens) > 1 and isinstance(tokens[0], bytes) and tokens[0].upper() == b"RETURN"


def _of(session: Session) -> Processing:
    assert session.processing is not None
    return session.processing


def _flow_of(session: Session) -> Flow | None:
    return _of(session).flow


def own(session: Session) -> int:
    """The question OWN."""
    flow = _flow_of(session)
    if flow is not None:
        flow.answered()
    return answers.DROP


def go(session: Session) -> int:
    """The question GO."""
    flow = _flow_of(session)
    if flow is not None:
        flow.go()
    return answers.DROP


def fetch(session: Session) -> int:
    """The question FETCH."""
    return _of(session).fetch()


def fetch_literal(session: Session) -> int:
    """The question FETCH_LITERAL."""
    return _of(session).fetch_literal()


def mailbox(session: Session) -> int:
    """The question MAILBOX."""
    return _of(session).mailbox()


def upload(session: Session) -> int:
    """The question UPLOAD."""
    work = _of(session)
    if work.upload is not None:
        return work.upload.take()
    answer = work.catch_up(session.relay.command)
    return Upload(work).take() if answer is None else answer


def uploaded(session: Session) -> int:
    """The question UPLOADED."""
    upload = _of(session).upload
    assert upload is not None
    return upload.whole()


def client_ready(session: Session) -> int:
    """The question CLIENT_READY."""
    flow = _flow_of(session)
    if flow is not None:
        flow.client_ready()
    return answers.DROP


def server_ready(session: Session) -> int:
    """The question SERVER_READY."""
    flow = _flow_of(session)
    if flow is not None:
        flow.server_ready()
    return answers.DROP
