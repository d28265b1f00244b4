"""FETCH where mails are processed (architecture.md section 7): the server is asked for dynamic items and for whole
mails, the client is answered from processed ones.

1. The set goes to the server with the dynamic items: the answers say which mails there are, with their UIDs.
2. Each mail is looked for where processed ones are kept; else it is fetched whole by its UID and processed.
3. The answers are printed in their order, as soon as the next one is there; several mails are worked on meanwhile.
4. \\Seen is set where an item that sets it was answered; then the tagged answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imap4fast.imap.fetch import Items, Kind, Request
from imap4fast.imap.fetchdata import string_of
from imap4fast.imap.replies import Reply
from imap4fast.mail.spoolkey import Origin
from imap4fast.mail.work import LogLine
from imap4fast.session import answers
from imap4fast.session.intake import too_large
from imap4fast.session.listing import Listing, Row, Stage
from imap4fast.session.mailwork import ProcessedMail, Receiver, Refused, Work
from imap4fast.session.printing import Piece, UnknownEncodingError, printed

if TYPE_CHECKING:
    from imap4fast.session.mailbox import Mailbox
    from imap4fast.session.processing import Processing

WINDOW = 6
"""Mails of one FETCH that are worked on at once."""

MOST_HEADERS = 16 << 20
"""The same with headers that are looked at without their mails; mails behind them are processed whole."""

MOST_UIDS = 200
"""UIDs in one STORE of the proxy's own."""


class Download:
    """One FETCH of the client's. `uid`: it is UID FETCH."""

    __slots__ = (
        "_again", "_answered_seen", "_at", "_listing", "_over", "_pumping", "_refused", "_request", "_rows", "_session",
        "_storing", "_tag", "_uid", "_work", "box", "named",
    )  # fmt: skip

    def __init__(self, work: Processing, box: Mailbox, request: Request, *, uid: bool) -> None:
        self._work = work
        self._session = session = work.session
        self.box = box
        self._request = request
        self._uid = uid
        self._tag = session.relay.tag
        self.named = Listing(box, request, uid=uid)
        self._rows: Sequence[Row] = ()
        self._at = 0
        self._listing = self._storing = 0
        self._refused: Refused | None = None
        self._answered_seen: list[int] = []
        self._pumping = self._again = False
        self._over = False

    # ---- 1: which mails -----------------------------------------------------------------------------------------

    def begin(self) -> int:
        """Take the command: the client waits from now on."""
        session, request = self._session, self._request
        numbers = request.set if self._uid else self.box.asked(request.set)
        if numbers is None:
            return self._gone()
        session.relay.hold_client()
        self._work.flow = self
        session.relay.watching = True
        if self._known(numbers):
            return answers.DROP
        line = b"%bFETCH %b (%b)" % (b"UID " if self._uid else b"", numbers, b" ".join(self._names()))
        self._listing = session.relay.ask_server(line + (b" " + request.modifiers if request.modifiers else b""))
        return answers.DROP

    def _names(self) -> list[bytes]:
        """The dynamic items that the server is asked for, and what the proxy must know."""
        items = self._request.items
        names = [b"UID", b"INTERNALDATE", *(name for name in items.dynamic if name not in (b"UID", b"INTERNALDATE"))]
        if items.seen and b"FLAGS" not in names:
            names.append(b"FLAGS")
        if self._session.relay.max_mail_in:
            names.append(b"RFC822.SIZE")
        return names

    def _gone(self) -> int:
        """All mails of the set are expunged, and the client has not heard of it."""
        if self.box.vanished:
            return self._session.refuse(Reply.EXPUNGE_ISSUED)
        self._session.reply(self._tag, b"OK", Reply.DONE)
        return answers.DROP

    def _known(self, numbers: bytes) -> bool:
        """A single mail that the server has reported, wanted for its content alone, is answered without the server."""
        request = self._request
        if not self._uid or request.modifiers or not numbers.isdigit() or set(request.items.dynamic) - {b"UID"}:
            return False
        uid = int(numbers)
        number, mail = self.box.number_of(uid), self.box.at_hand(uid)
        if number is None or mail is None or (request.items.seen and not self.box.read_only):
            return False
        row = Row(number, uid, b"UID %d" % uid)
        self._rows = (row,)
        self._have(row, mail)
        return True

    def data(self, number: int, uid: int | None, items: Sequence[tuple[bytes, bytes]]) -> bool:
        """FETCH data without a mail in them; whether they are an answer to what was asked."""
        if not self._listing:
            return False
        if self._too_much():
            return True
        if self.box.vanished and not self._uid:
            self._refused = Refused(b"UNAVAILABLE", "the server expunged mails in the midst of FETCH")
            return False
        return self.named.data(number, uid, items)

    def expunged(self) -> None:
        """The server has said EXPUNGE or VANISHED, which is held back. Behind VANISHED nobody can tell the numbers that
        the client knows: it hears of it before the mails that the server has not named yet.
        """
        self.named.forget_numbers()
        if self._listing and self.box.vanished and self._may_tell_held:
            self._put_between(self.box.release())

    def tell_between(self, line: bytes) -> bool:
        """A response that is right for a client only when it has heard what waits; whether it waits, too."""
        if not self.named.between:
            return False
        self._put_between((line,))
        return True

    def _put_between(self, lines: Sequence[bytes]) -> None:
        self.named.put_between(lines)
        self._too_much()

    def _too_much(self) -> bool:
        """Whether the session has ended, since its server says more than a mailbox has to tell."""
        if self.named.full:
            self._session.end(Reply.SERVER_FAULT, "more answers than a mailbox has mails")
        return self._session.over

    # ---- what the server answers --------------------------------------------------------------------------------

    def go(self) -> None:
        """No command of this flow ends in a literal."""

    def answered(self) -> None:
        """The tagged answer to a command of our own (the question OWN)."""
        relay = self._session.relay
        if relay.answered == self._listing:
            self._listing = 0
            if relay.status != 0:
                self._finish(relay.unit)
                return
            self._rows = self.listed()
            self._pump()
        elif relay.answered == self._storing:
            self._storing = 0
            self._set_seen()
        else:
            self._work.intake.answered(relay.answered)

    # ---- 2: each mail -------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Begin with what may be begun, write what is ready. What comes at once calls here while this runs."""
        self._again = True
        if self._pumping:
            return
        self._pumping = True
        while self._again and not self._over:
            self._again = False
            for row in self._rows[self._at : self._at + WINDOW]:
                if row.stage == Stage.NEW:
                    self._look_up(row)
            self._fetch_next()
            while self._write_next():
                pass
        self._pumping = False
        if not self._over and self._at == len(self._rows) and not self._work.writer.busy:
            self._set_seen()

    def _look_up(self, row: Row) -> None:
        session, box = self._session, self.box
        row.stage = Stage.LOOKED_FOR
        if session.relay.max_mail_in and row.size > session.relay.max_mail_in:
            self._deny(row, too_large(session, row.size))
            return
        mail = box.at_hand(row.uid)
        if mail is not None:
            self._have(row, mail)
            return
        origin = self._origin(row)
        if origin is None:
            row.stage = Stage.WANTED
            return
        self._work.mails.find(origin, lambda found: self._found(row, found))

    def _origin(self, row: Row) -> Origin | None:
        """What the mail is kept under: nothing where the server says no UIDVALIDITY (architecture.md section 7)."""
        box = self.box
        return self._work.mails.origin(box.name, box.uidvalidity, row.uid) if box.uidvalidity else None

    def _found(self, row: Row, mail: ProcessedMail | Refused | None) -> None:
        if self._over:
            return
        if mail is None:
            row.stage = Stage.WANTED
        elif isinstance(mail, Refused):
            row.refused = mail
            row.stage = Stage.READY
        else:
            self._have(row, mail)
        self._pump()

    def _fetch_next(self) -> None:
        intake = self._work.intake
        if intake.busy:
            return
        for row in self._rows[self._at : self._at + WINDOW]:
            if row.stage == Stage.WANTED:
                row.stage = Stage.COMING
                intake.want(row.uid, lambda came, row=row: self._came(row, came))  # type: ignore[misc]
                return

    def _came(self, row: Row, came: Receiver | Refused | None) -> None:
        """The server has answered for one mail."""
        if self._over:
            if came is not None and not isinstance(came, Refused):
                came.drop()
            return
        if isinstance(came, Refused) and came.full:
            row.refused = came
            row.stage = Stage.READY
        elif isinstance(came, Refused):
            self._deny(row, came)
        elif came is None:
            if not self.box.expunged and not self.box.vanished and not self.named.renumbered:
                row.refused = Refused(b"UNAVAILABLE", "the server did not give the mail")
            row.stage = Stage.READY
        else:
            self._process(row, came)
        self._pump()

    def _deny(self, row: Row, refused: Refused) -> None:
        """A mail that is denied unseen: another one says so, or nothing is shown."""
        self._process(row, None, refused.reason, refused.size)

    def _process(self, row: Row, receiver: Receiver | None, refused: str = "", size: int = 0) -> None:
        row.stage = Stage.PROCESSED
        work = Work("download", self._origin(row), row.date, refused, size)
        row.give_up = self._work.mails.process(receiver, work, lambda done, lines: self._processed(row, done, lines))

    def _processed(self, row: Row, done: ProcessedMail | Refused, lines: Sequence[LogLine]) -> None:
        row.give_up = None
        if self._over:
            return
        self._work.log_mail(lines)
        if isinstance(done, Refused):
            row.refused = done
            row.stage = Stage.READY
        else:
            self._have(row, done)
        self._pump()

    def _have(self, row: Row, mail: ProcessedMail) -> None:
        self.box.keep(row.uid, row.number, mail)
        self._print(row, mail)

    def _print(self, row: Row, mail: ProcessedMail) -> None:
        row.mail = mail
        row.stage = Stage.PRINTED
        printed(mail, self._request.items.contents, lambda pieces: self._printed(row, pieces))

    # ---- 3: the answers -----------------------------------------------------------------------------------------

    def _printed(self, row: Row, pieces: Sequence[Piece] | Exception) -> None:
        if self._over:
            return
        row.stage = Stage.READY
        if isinstance(pieces, UnknownEncodingError):
            row.refused = Refused(b"UNKNOWN-CTE", "transfer encoding is not known")
        elif isinstance(pieces, Exception):
            row.refused = Refused(b"UNAVAILABLE", "the processed mail cannot be read")
        else:
            head = b"* %d FETCH (%b" % (row.number, row.dynamic + b" " if row.dynamic and pieces else row.dynamic)
            row.pieces = (head, *pieces, b")\r\n")
        self._pump()

    def _write_next(self) -> bool:
        """Write the next answer, if it is ready. Whether it was written at once."""
        writer = self._work.writer
        if writer.busy or self._at == len(self._rows) or self._rows[self._at].stage != Stage.READY or self._over:
            return False
        row = self._rows[self._at]
        self._tell_between()
        self._at += 1
        self._again = True  # one more has come into the window
        if row.refused is not None:
            self._refused = self._refused or row.refused
            return True
        if row.pieces:
            if self._request.items.seen and not row.seen and not self.box.read_only:
                self._answered_seen.append(row.uid)
            pieces, row.pieces = row.pieces, ()
            mail = row.mail
            del row.mail  # rows stay to the end of the command, mails must not
            writer.write(pieces, mail, self._written)
        return not writer.busy

    def _tell_between(self) -> None:
        """What the client is to hear before the next answer."""
        for line in self.named.take_between(self._at):
            self._session.relay.reply(line)

    def _written(self, whole: bool) -> None:
        if not whole and not self._over:
            self._session.end(None, "a processed mail cannot be read")
            return
        self._pump()

    # ---- 4: the end ---------------------------------------------------------------------------------------------

    def _set_seen(self) -> None:
        """\\Seen for the mails that were read, then the end."""
        uids = self._answered_seen[:MOST_UIDS]
        if self._storing:
            return
        if not uids:
            self._finish(None)
            return
        del self._answered_seen[:MOST_UIDS]
        line = b"UID STORE %b +FLAGS (\\Seen)" % b",".join(b"%d" % uid for uid in uids)
        self._storing = self._session.relay.ask_server(line)

    def _finish(self, line: bytes | None) -> None:
        """The tagged answer: the server's, where it refused the set; else the proxy's own."""
        self._over = True
        session = self._session
        self._work.flow = None
        self._at = len(self.named.rows)
        self._tell_between()
        if self.named.renumbered:
            self.box.renumbered()
        if self._may_tell_held:
            self._work.tell_held()
        self._tell(line)
        self._work.heed_held()
        session.relay.free_client()

    @property
    def _may_tell_held(self) -> bool:
        """EXPUNGE may be told during UID FETCH, not during FETCH (RFC 9051 section 7.5.1)."""
        return self._uid

    def _tell(self, line: bytes | None) -> None:
        session = self._session
        if line is not None:
            session.relay.reply(self._work.shown_status(self._tag + b" " + line))
        elif self._refused is not None:
            self._work.reply_code(self._tag, self._refused)
        else:
            session.reply(self._tag, b"OK", Reply.DONE)

    def listed(self) -> Sequence[Row]:
        """The mails that the server has named."""
        return tuple(self.named.rows.values())

    def client_ready(self) -> None:
        """The client takes octets again."""
        self._work.writer.go_on()

    def server_ready(self) -> None:
        """Nothing is sent to the server here."""

    def drop(self) -> None:
        """The session is over: work that nobody waits for is given up."""
        self._over = True
        for row in self._rows:
            if row.give_up is not None:
                row.give_up()
                row.give_up = None


MOST_HEADER = 262144
"""Octets of a header that is looked at without its mail; a mail with a longer one is processed whole."""


def is_of_headers(items: Items) -> bool:
    """Whether all that is asked for stands in the header of the mail itself, or is its size."""
    return all(
        item.kind in (Kind.ENVELOPE, Kind.SIZE)
        or (item.kind in (Kind.FIELDS, Kind.SECTION) and item.section == b"HEADER")
        for item in items.contents
    )


class Headers(Download):
    """FETCH of headers under `mail-view headers-first`: the header comes from the server and goes through what rewrites
    headers; the size is the server's. No mail is transferred for it. A header that may not be shown as it is leads to
    the whole mail.
    """

    __slots__ = ()

    def _names(self) -> list[bytes]:
        names = super()._names()
        return [*names, *(() if b"RFC822.SIZE" in names else (b"RFC822.SIZE",)), b"BODY.PEEK[HEADER]"]

    def data(self, number: int, uid: int | None, items: Sequence[tuple[bytes, bytes]]) -> bool:
        """FETCH data; the header in them stays with the mail that it belongs to."""
        taken = super().data(number, uid, items)
        row = None if uid is None else self.named.rows.get(uid)
        header = string_of(dict(items).get(b"BODY[HEADER]", b""))
        if header is None or row is None or row.header is not None or not self._listing:
            return taken
        if self.named.octets + len(header) <= MOST_HEADERS:
            self.named.octets += len(header)
            row.header = header
        return taken

    def _look_up(self, row: Row) -> None:
        mail = None if row.header is None else self._work.mails.header(row.header, row.size)
        row.header = None
        if mail is None:
            super()._look_up(row)
        else:
            self._print(row, mail)


class Prefetch(Download):
    """One mail that has just come, fetched and processed before the client asks for it: of all this it hears nothing.

    The client waits for it no longer than for one mail; what it says meanwhile is next.
    """

    __slots__ = ()

    def __init__(self, work: Processing, box: Mailbox) -> None:
        super().__init__(work, box, Request(b"%d:*" % box.next_uid, Items((), (), False)), uid=True)

    def listed(self) -> Sequence[Row]:
        """The first mail that is really new: `n:*` names the last one even where it is older."""
        rows = [row for row in super().listed() if row.uid >= self.box.next_uid]
        if len(rows) < 2:
            self.box.arrived = 0
        if rows:
            self.box.next_uid = rows[0].uid + 1
        return rows[:1]

    def _printed(self, row: Row, pieces: Sequence[Piece] | Exception) -> None:
        row.stage = Stage.READY
        self._pump()

    def _tell(self, line: bytes | None) -> None:
        """Nobody has asked."""

    @property
    def _may_tell_held(self) -> bool:
        """No command of the client's is in progress."""
        return False
