"""A small IMAP server of one mailbox for FakeServer.play: answers whatever a proxy may ask, or lies as a test says.

It knows what a proxy needs that processes mail: LOGIN, SELECT, FETCH of whole mails and of what has no content, STORE,
APPEND, SEARCH. Mails are by UID; their numbers are their places in the order of UIDs.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.e2e.fakeserver import CAPABILITIES, Session
from tests.e2e.wire import WireError

_MARK = re.compile(rb"~?\{(\d+)(\+?)\}\r\n$")
_BODY = re.compile(rb"BODY(\.PEEK)?\[\]|RFC822(?!\.)")


@dataclass
class Request:
    """One command of the proxy: `word` is without UID. Then the mails that it names, and if it asks for octets."""

    tag: bytes
    word: bytes
    text: bytes
    by_uid: bool
    uids: list[int] = field(default_factory=list)
    wants_mail: bool = False


_uidvalidities = itertools.count(1000)
"""Each server is a mailbox that no proxy has seen before."""

Trick = Callable[[Request], bytes | None]
"""Octets to send in place of the whole answer, TAG in them standing for the tag; None: as a good server does."""


class Last(bytes):
    """Such octets, and then the connection ends."""


def one_of(word: bytes, answer: bytes, *, mail: bool = False) -> Trick:
    """A trick for the commands of a word; with `mail` only where a mail's octets are asked for."""

    def trick(request: Request) -> bytes | None:
        fits = request.word == word and (request.wants_mail or not mail)
        return answer if fits else None

    return trick


class MailServer:
    """Serves each connection with the same mails; what was asked is kept in `requests`, of all connections."""

    def __init__(
        self, mails: Sequence[bytes] | dict[int, bytes] = (), trick: Trick | None = None, uidvalidity: int = 0
    ) -> None:
        self.mails = dict(mails) if isinstance(mails, dict) else dict(enumerate(mails, 1))
        self.by_user: dict[bytes, dict[int, bytes]] = {}
        """Other mails for some users."""
        self.flags: dict[int, set[bytes]] = {}
        self.uidvalidity = uidvalidity or next(_uidvalidities)
        self.requests: list[Request] = []
        self.appended: list[bytes] = []
        self.before: dict[bytes, bytes] = {}
        """Untagged responses before the answer to a word."""
        self.patience_s = 40.0
        """How long it waits for a command."""
        self.segment = 0
        """Octets in a segment; 0: as they come."""
        self._trick = trick

    @property
    def fetched(self) -> list[int]:
        """The UIDs whose octets were asked for, in order."""
        return [uid for request in self.requests if request.wants_mail for uid in request.uids]

    def __call__(self, session: Session) -> None:
        session.wait_s = self.patience_s
        session.say_hello()
        mails = self.mails
        try:
            while True:
                request, literals = self._read(session, mails)
                if request.word == b"LOGIN":
                    mails = self.by_user.get(request.text.split()[0].strip(b'"'), mails)
                self.requests.append(request)
                answer = self._answered(request, mails, literals)
                self._send(session, answer)
                if request.word == b"LOGOUT" or isinstance(answer, Last):
                    return
                if request.word == b"IDLE":
                    session.line()
                    self._send(session, request.tag + b" OK done\r\n")
        except WireError as error:
            if "closed" not in str(error):
                raise

    def _send(self, session: Session, data: bytes) -> None:
        if self.segment:
            session.send_slowly(data, self.segment, 0.0002)
        else:
            session.send(data)

    def _read(self, session: Session, mails: dict[int, bytes]) -> tuple[Request, list[bytes]]:
        line = session.line()
        literals: list[bytes] = []
        while mark := _MARK.search(line):
            if not mark[2]:
                session.send(b"+ go\r\n")
            literals.append(session.take(int(mark[1])))
            line = line[: mark.start()] + b"LITERAL" + session.line()
        tag, _, text = line[:-2].partition(b" ")
        word, _, rest = text.partition(b" ")
        by_uid = word.upper() == b"UID"
        if by_uid:
            word, _, rest = rest.partition(b" ")
        request = Request(tag, word.upper(), rest, by_uid)
        if request.word in (b"FETCH", b"STORE", b"COPY", b"MOVE"):
            request.uids = self._named(rest.split()[0], by_uid, sorted(mails))
            request.wants_mail = request.word == b"FETCH" and _BODY.search(rest.upper()) is not None
        return request, literals

    @staticmethod
    def _named(text: bytes, by_uid: bool, uids: list[int]) -> list[int]:
        """The UIDs of a set."""
        last = (uids[-1] if uids else 0) if by_uid else len(uids)
        named: list[int] = []
        for span in text.split(b","):
            ends = sorted(last if end == b"*" else int(end) for end in span.split(b":"))
            known = uids if by_uid else range(1, len(uids) + 1)
            named += [at if by_uid else uids[at - 1] for at in known if ends[0] <= at <= ends[-1]]
        return named

    def _answered(self, request: Request, mails: dict[int, bytes], literals: list[bytes]) -> bytes:
        lie = self._trick(request) if self._trick else None
        if lie is not None:
            return type(lie)(lie.replace(b"TAG", request.tag))
        said = {
            b"CAPABILITY": b"* CAPABILITY " + CAPABILITIES + b"\r\n",
            b"ID": b"* ID NIL\r\n",
            b"LOGOUT": b"* BYE\r\n",
            b"IDLE": b"+ idling\r\n",
        }.get(request.word, b"")
        end = b"OK done\r\n"
        if request.word in (b"LOGIN", b"AUTHENTICATE"):
            end = b"OK [CAPABILITY " + CAPABILITIES + b"] in\r\n"
        elif request.word in (b"SELECT", b"EXAMINE"):
            said = (
                b"* FLAGS (\\Seen)\r\n* %d EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY %d] ok\r\n"
                % (
                    len(mails),
                    self.uidvalidity,
                )
                + b"* OK [UIDNEXT 999] ok\r\n"
            )
            end = b"OK [READ-%s] selected\r\n" % (b"ONLY" if request.word == b"EXAMINE" else b"WRITE")
        elif request.word in (b"FETCH", b"STORE"):
            said = b"".join(self._told(request, mails, uid) for uid in request.uids)
        elif request.word == b"SEARCH":
            known = sorted(mails) if request.by_uid else range(1, len(mails) + 1)
            said = b"* SEARCH " + b" ".join(b"%d" % at for at in known) + b"\r\n"
        elif request.word == b"APPEND":
            self.appended += literals
            end = b"OK [APPENDUID %d %d] stored\r\n" % (self.uidvalidity, 1000 + len(self.appended))
        said = self.before.get(request.word, b"") + said
        return said if request.word == b"IDLE" else said + request.tag + b" " + end

    def _told(self, request: Request, mails: dict[int, bytes], uid: int) -> bytes:
        """A FETCH of one mail."""
        text, octets = request.text.upper(), mails[uid]
        flags = self.flags.setdefault(uid, set())
        if request.word == b"STORE":
            flags.add(b"\\Seen")
        items = [b"UID %d" % uid] if request.by_uid or b"UID" in text else []
        if b"FLAGS" in text or request.word == b"STORE":
            items.append(b"FLAGS (" + b" ".join(sorted(flags)) + b")")
        if b"RFC822.SIZE" in text:
            items.append(b"RFC822.SIZE %d" % len(octets))
        if b"INTERNALDATE" in text:
            items.append(b'INTERNALDATE "15-Jan-2024 10:11:12 +0000"')
        if b"MODSEQ" in text:
            items.append(b"MODSEQ (5)")
        if request.wants_mail:
            items.append(b"BODY[] {%d}\r\n%s" % (len(octets), octets))
        number = sorted(mails).index(uid) + 1
        return b"* %d FETCH (" % number + b" ".join(items) + b")\r\n"
