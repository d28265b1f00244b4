"""Whole conversations through a session that processes mails, chosen by a stream of numbers: a seed's or a fuzzer's.

What the client says, what the server says of itself, how both are cut, when the scanner answers and when there is no
room: all is drawn. The invariants, asked at every step and at the end, hold whatever is drawn:

- nothing of a mail that was not processed reaches the client or, of an upload, the server;
- each command of the client's has one tagged answer, or the session is over;
- the server sees own tags alone;
- what the client hears of numbers and UIDs is what an honest server has;
- no exception escapes, and whatever was taken for a mail is given back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from imap4fast.imap.responses import DYNAMIC_ITEMS
from imap4fast.log import imap as entries
from imap4fast.session.download import WINDOW
from imap4fast.session.mailwork import Done, ProcessedMail, Receiver, Refused, Work
from imap4fast.session.processing import MOST_HELD
from imap4fast.session.upload import MOST_MAILS
from tests.play.mailserver import MailServer
from tests.play.post import Box, Kept, Post
from tests.play.stage import Stage, processing
from tests.wire import fetch_grammar

MARK = b"ZqRawMarkqZ"
"""In every mail of the server's, and in every one that the client uploads."""
CLEAN = b"ZqCleanedqZ"
Choose = Callable[[int], int]
"""A number below the one given."""

IN = """
    S: * OK ready
    C| z LOGIN jana zq8-Correct-Horse
    P> own-1 LOGIN jana zq8-Correct-Horse
    S| own-1 OK in
    P: z OK in
    """
FETCHED = re.compile(rb"\* ([0-9]+) FETCH ", re.IGNORECASE)
VANISHED = re.compile(rb"\* VANISHED ([0-9,:]+)\r\n\Z")
COUNTED = re.compile(rb"\* ([0-9]+) (EXISTS|EXPUNGE)\r\n\Z")
SAYS_UID = re.compile(rb"I am ([0-9]+) of ([A-Za-z]+)\.")
LITERAL = re.compile(rb"\{[0-9]*\+?\}\Z")
ITEMS = [
    b"(FLAGS)", b"BODY[]", b"(UID BODY.PEEK[])", b"(UID RFC822.SIZE FLAGS)", b"BODY.PEEK[TEXT]<3.40>", b"ENVELOPE",
    b"(BODY.PEEK[HEADER.FIELDS (Subject X-Mark)] UID)", b"BODYSTRUCTURE", b"(BINARY.PEEK[1] BINARY.SIZE[1])", b"FULL",
    b"(UID FLAGS) (CHANGEDSINCE 1)", b"RFC822", b"PREVIEW", b"(INTERNALDATE MODSEQ)", b"BODY[9]", b"SNIPPET",
    b"(RFC822.SIZE BODY.PEEK[HEADER])",
]  # fmt: skip
PLAIN = [
    b"NOOP", b"CHECK", b"EXPUNGE", b"STATUS Sent (MESSAGES)", b"SEARCH ALL", b"UID SEARCH 1:*", b"CLOSE", b"UNSELECT",
    b"SELECT INBOX", b"EXAMINE INBOX", b"SELECT Sent", b"SELECT nowhere", b"CAPABILITY", b"XYZZY", b"DELETE Sent",
    b"SEARCH RETURN (UPDATE) ALL", b"LOGOUT", b"ENABLE QRESYNC", b"APPEND Sent CATENATE (URL x)",
]  # fmt: skip
LIES = [
    b"* 1 FETCH (BODY[] {#}\r\n@)\r\n", b"* 2 FETCH (UID 2 BODY[] {#}\r\n@)\r\n",
    b"* 1 FETCH (UID 1 RFC822 {#}\r\n@)\r\n", b"* 2 FETCH (FLAGS () BODY[TEXT] {#}\r\n@)\r\n",
    b"* 1 FETCH (UID 9 BODY[] \"@\")\r\n", b"* 3 FETCH (UID 3)\r\n", b"* 1 FETCH (BODY[1] \"@\" UID 1)\r\n",
    b"* 1 FETCH (INTERNALDATE \"x\"BODY[] \"@\")\r\n", b"* 1 FETCH (ENVELOPE @)\r\n",
    b"* 1 FETCH (BODY[HEADER] {#}\r\n@ UID 1)\r\n", b"* 1 FETCH (X-GM-LABELS ({1}\r\na) BODY[] {#}\r\n@)\r\n",
    b"* 1 FETCH (FLAGS ()BODY[TEXT] {#}\r\n@)\r\n", b"* 2 FETCH (UID 2 BODY[] {#}\r\n@ BODY[] {#}\r\n@)\r\n",
    b"* 1 FETCH (UID 1 FLAGS (\\Seen) RFC822.SIZE 3)\r\n", b"* 1 FETCH (UID 1 BODY[] NIL)\r\n",
    b"* 1 FETCH (UID 1\r\n", b"* VANISHED 1:2\r\n", b"* VANISHED (EARLIER) 7\r\n", b"* OK [UIDVALIDITY 78] x\r\n",
    b"* OK [UIDNEXT 1] x\r\n", b"* 5 EXISTS\r\n", b"* 1 EXPUNGE\r\n", b"* 4 RECENT\r\n",
    b"* LIST () NIL {3}\r\nabc\r\n", b"* XQ {#}\r\n@\r\n", b"* BAD no\r\n",
    b"* 1 FETCH (BODY[]<0> {#}\r\n@ UID 1)\r\n", b"* 1 fetch (uid 1 body[] {#}\r\n@)\r\n",
    b"* 1 FETCH (UID 1 BODY[] ~{#}\r\n@)\r\n",
    b"* 1 FETCH (UID 2 BODY[] {#}\r\n@)\r\n* 2 FETCH (UID 1 BODY[] {#}\r\n@)\r\n",
]  # fmt: skip
FATAL = [b"* 0 EXPUNGE\r\n", b"+ more\r\n", b"own-5 OK done\r\n", b"own-9 NO [X] no\r\n", b"c3 OK done\r\n", b"\r\n"]
"""Lies that may end the session."""
HONEST_ENDS = ("logout", "shutdown", "client closed", "server closed", "a processed mail cannot be read")
SIZES = (1, 2, 3, 7, 20, 60, 200, 5000)
LIMITS: list[dict[str, Any]] = [
    {}, {"max_mail_in": 400}, {"max_mail_out": 300}, {"mail_view": "headers-first"}, {"prefetch": 2},
    {"mail_view": "headers-first", "prefetch": 9},
]  # fmt: skip
MOST_STEPS = 400
MOST_WAITING = 200


class Screening(Post):
    """Takes the mark out of each mail. `down`: no scanner answers; `torn`: what was processed cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.torn = False
        self.working = 0
        self.kept_back: list[Box] = []

    def header(self, octets: bytes, size: int) -> ProcessedMail | None:
        return None if self.down else super().header(octets.replace(MARK, CLEAN), size)

    def receive(self, size: int, ready: Callable[[], object]) -> Receiver | None:
        box = super().receive(size, ready)
        if isinstance(box, Box):
            self.kept_back.append(box)
        return box

    def process(self, receiver: Receiver | None, work: Work, then: Done) -> Callable[[], object]:
        self.working += 1
        state = {"open": True}

        def over() -> None:
            if state["open"]:
                state["open"] = False
                self.working -= 1

        def done(what: ProcessedMail | Refused, lines: tuple[object, ...]) -> None:
            over()
            then(what, ())

        if isinstance(receiver, Box):
            assert not receiver.dropped
            self.kept_back = [box for box in self.kept_back if box is not receiver]
        give_up = super().process(receiver, work, done)

        def given_up() -> None:
            over()
            give_up()

        return given_up

    def _processed(self, receiver: Box | None, work: Work) -> Kept | Refused:
        if self.down:
            return Refused(b"UNAVAILABLE", "scanner: it died")
        if receiver is not None:
            receiver.octets = receiver.octets.replace(MARK, CLEAN)
        found = super()._processed(receiver, work)
        return Torn(found.octets, self) if self.torn and isinstance(found, Kept) else found

    @property
    def open(self) -> int:
        """Files of mails that are still coming."""
        self.kept_back = [box for box in self.kept_back if not box.dropped]
        return len(self.kept_back)

    @property
    def waiting(self) -> int:
        return len(self._waiting)


class Torn(Kept):
    """Its octets are gone when somebody wants them."""

    def at_once(self, offset: int, size: int) -> bytes | None:
        return None

    def read(self, offset: int, size: int, then: Callable[[bytes | None], object]) -> None:
        self._post.later(lambda: then(None))


def mail(uid: int, folder: str, choose: Choose) -> bytes:
    """One that says who it is (0: it has no number yet), in one of several forms."""
    text = b"I am %d of %b. %b\r\n" % (uid, folder.encode(), MARK) if uid else MARK + b" is new.\r\n"
    head = b"Subject: %d\r\nX-Mark: %b\r\n" % (uid, MARK)
    kind = choose(8)
    if kind == 0:
        return head + b"\r\n" + text + b"VIRUS"
    if kind == 1:
        return head + b"\r\n" + text + b"REFUSE"
    if kind == 2:
        mime = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        return head + mime + b"--b\r\n\r\n" + text + b"--b\r\n\r\n)\r\n" + MARK + b"\r\n--b--\r\n"
    if kind == 3:
        return head + b"\r\n" + text * (1 + choose(40))
    if kind == 4:
        return head + b"\r\n" + text + b"* 1 FETCH (FLAGS ())\r\nown-4 OK done\r\nc2 OK done\r\n"
    return head + b"\r\n" + text


def harmless(text: bytes) -> bytes:
    """One line that announces nothing and waits for nothing."""
    text = text.translate(None, b"\r\n\0").replace(MARK, b"")
    while LITERAL.search(text):
        text = LITERAL.sub(b"", text)
    return b"NOOP" if not text or text.lstrip().upper().startswith((b"IDLE", b"LOGOUT", b"AUTH")) else text


def filled(lie: bytes, size: int, octets: bytes) -> bytes:
    return lie.replace(b"#", b"%d" % size).replace(b"@", octets)


def is_of_mails(said: bytes) -> bool:
    """Whether mails are in FETCH data alone. What a server may say to the client elsewhere, as names of mailboxes, is
    no mail, though it be one's octets.
    """
    found, rest = fetch_grammar.units(said)
    return all(MARK not in unit or FETCHED.match(unit) for unit in (*found, rest))


class Client:
    """Believes what it hears: commands with their answers, and the mails that it knows, by number."""

    def __init__(self) -> None:
        self.heard = b""
        self.rest = b""
        self.units: list[bytes] = []
        self.answers: dict[bytes, list[bytes]] = {}
        self.asked: dict[bytes, bytes] = {}
        self.mails: list[int | None] = []
        self.folder = b""
        self.fresh = True
        self.selections: list[list[int]] = []
        """Of the server, which is believed what no client hears: the UIDs of mails that it has told of by number."""
        self.selected = -1
        self.counted = 0
        self.lies = False
        """Whether the server may tell it anything."""

    def hear(self, said: bytes) -> None:
        self.heard += said
        found, self.rest = fetch_grammar.units(self.rest + said)
        for unit in found:
            self.units.append(unit)
            self._heed(unit)

    def _heed(self, unit: bytes) -> None:
        tag = unit.split(b" ")[0]
        if tag in self.asked:
            self.answers.setdefault(tag, []).append(unit)
            assert len(self.answers[tag]) == 1, self.answers[tag]
            self._answered(self.asked[tag], unit)
        elif unit.startswith(b"* OK [CLOSED]"):
            self._selects(b"")
        if fetched := FETCHED.match(unit):
            self._fetched(int(fetched[1]), unit)
        elif MARK in unit:
            raise AssertionError(unit)
        elif (counted := COUNTED.match(unit)) and not self.lies:
            number = int(counted[1])
            if counted[2] == b"EXISTS":
                self._exists(number)
            else:
                del self.mails[number - 1]
        elif (gone := VANISHED.match(unit)) and not self.lies:
            for uid in gone[1].split(b","):
                self.mails.remove(int(uid))

    def _exists(self, number: int) -> None:
        if self.fresh:
            self.fresh = False
            self.selected += 1
            self.counted = 0
        assert number >= len(self.mails), (number, self.mails)
        new = self.selections[self.selected][self.counted :][: number - len(self.mails)]
        assert len(self.mails) + len(new) == number, (number, self.mails, new)
        self.counted += len(new)
        self.mails += new

    def _answered(self, command: bytes, unit: bytes) -> None:
        name, _, rest = command.partition(b" ")
        if name in (b"SELECT", b"EXAMINE") and unit.split(b" ")[1] == b"OK":
            self.folder = rest
        elif name in (b"CLOSE", b"UNSELECT") and unit.split(b" ")[1] == b"OK":
            self._selects(b"")

    def _selects(self, folder: bytes) -> None:
        self.folder = folder
        self.mails = []
        self.fresh = True

    def _fetched(self, number: int, unit: bytes) -> None:
        items = fetch_grammar.said(unit)
        assert items, unit
        for name, value in items:
            assert name in DYNAMIC_ITEMS or MARK not in value, unit
        if self.lies:
            return
        values = dict(items)
        assert number <= len(self.mails), (number, self.mails, unit)
        known = self.mails[number - 1]
        if b"UID" in values:
            uid = int(values[b"UID"])
            assert known in (None, uid), (number, self.mails, unit)
            assert self.mails.count(uid) == (known is not None), (number, self.mails, unit)
            known = self.mails[number - 1] = uid
        for name, value in items:
            if name not in DYNAMIC_ITEMS and (said := SAYS_UID.search(value)):
                assert known in (None, int(said[1])), (unit, self.mails)
                assert said[2] == self.folder, (unit, self.folder)


class Conversation:
    """One session. `choose` draws; `honest`: the server says nothing but the truth; `noise` is text of the fuzzer's."""

    def __init__(self, choose: Choose, *, honest: bool, noise: Sequence[bytes] = ()) -> None:
        self.choose = choose
        self.honest = honest
        self.noise = noise
        self.post = Screening()
        limits = LIMITS[choose(len(LIMITS))]
        most = 2 + 30 * choose(2)
        self.stage = Stage(processing(**limits), level=6, post=self.post, max_pending=most, max_bad_commands=0)
        self.stage.play(IN)
        self.server = MailServer(choose)
        self.client = Client()
        self.client.selections = self.server.selections
        self.client.lies = not honest
        self.to_client_leg = b""
        """What the client has written, and the proxy has not read."""
        self.to_server_leg = b""
        self.said = b""
        """All that the proxy has read of the server."""
        self.after_go: tuple[bytes, bytes, int] | None = None
        """The tag of the client's command that waits for a `+`, what it says then, and how much it had heard before."""
        self.number = 0
        self.logged_out = False
        self.muddled = False
        """Whether a lie gave leave for a literal: then the server itself does not know what it hears."""
        for folder in self.server.folders:
            for _ in range(2 + choose(6)):
                self._arrives(folder)

    # ---- the steps --------------------------------------------------------------------------------------------------

    def run(self, steps: int) -> None:
        if self.choose(2):
            self._says(b"ENABLE QRESYNC")
        self._says(b"SELECT INBOX")
        self._settle()
        while steps and not self.over:
            steps -= 1
            self._step()
            self._look()
        self._finish()

    @property
    def over(self) -> bool:
        return self.stage.session.over

    def _step(self) -> None:
        kind = self.choose(24)
        if kind < 8:
            self._client_acts()
        elif kind < 13:
            self._server_answers(1 + self.choose(3))
        elif kind == 13:
            self._settle()
        elif kind == 14:
            self.post.turn()
        elif kind == 15:
            self.stage.wait((0.5, 2, 11)[self.choose(3)])
        elif kind < 18:
            self._mailbox_changes()
        elif kind == 18:
            self._legs_stop()
        elif kind < 21:
            self._post_changes()
        elif kind == 21:
            self.server.refusing += self.choose(2)
        elif not self.honest:
            self._lies()

    def _look(self) -> None:
        """What must hold now."""
        stage, post, relay = self.stage, self.post, self.stage.relay
        self.client.hear(stage.client.taken())
        self._server_hears()
        assert stage.logged(entries.INTERNAL_ERROR) == [], stage.logged(entries.INTERNAL_ERROR)
        assert MARK not in self.server.heard
        if not self.muddled:
            assert all(tag.startswith(b"own-") for tag in self.server.tags), self.server.tags
            assert len(set(self.server.tags)) == len(self.server.tags)
            assert not self.server.odd, self.server.odd
        assert relay.pending_count <= max(relay.max_pending, WINDOW) + 1
        assert post.open <= MOST_MAILS + 1
        assert post.working <= MOST_MAILS + WINDOW
        assert post.waiting <= MOST_WAITING
        box = stage.session.processing.box if stage.session.processing else None
        assert box is None or len(box.held) <= MOST_HELD
        assert not self.over or (post.open, post.working) == (0, 0)

    def _finish(self) -> None:
        """All that is under way comes to its end."""
        post, stage = self.post, self.stage
        if self.choose(4) == 0 and not self.over:
            (stage.client_ended if self.choose(2) else stage.server_ended)()
            self._look()
        post.slow = post.choking = False
        for _ in range(6):
            self._settle()
            if self.after_go is not None:
                self._goes_on()
            stage.wait(11)
            self._look()
        whole = fetch_grammar.units(self.said)[1] == b"" and not self.to_server_leg
        if not self.over and (self.honest or whole):
            unanswered = [tag for tag in self.client.asked if tag not in self.client.answers]
            assert not unanswered, (unanswered, self.client.units[-3:], self.server.heard[-200:])
        stage.session.shut_down()
        self._look()
        before = (self.client.heard, self.server.heard)
        post.settle()
        stage.relay.client_data(b"x NOOP\r\n")
        stage.relay.server_data(b"* 1 RECENT\r\n")
        self._look()
        assert (self.client.heard, self.server.heard) == before
        assert (post.open, post.working) == (0, 0)
        assert len(stage.logged(entries.SESSION_END)) == 1
        ends = (*HONEST_ENDS, *(("fault of the client",) if self.noise else ()))
        assert not self.honest or stage.session.reason in ends, stage.session.reason

    # ---- the client -------------------------------------------------------------------------------------------------

    def _client_acts(self) -> None:
        """One more command, unless the client waits for leave to go on."""
        if self.after_go is not None:
            self._goes_on()
            return
        kind = self.choose(12)
        if not self.client.folder and not self.choose(3):
            self._says(b"SELECT " + self._one([b"INBOX", b"INBOX", b"Sent"]))
        elif kind < 6:
            self._says(b"%bFETCH %b %b" % (self._uid(), self._set(), self._one(ITEMS)))
        elif kind == 6:
            self._says(
                b"%bSTORE %b +FLAGS (%b)" % (self._uid(), self._set(), self._one([b"\\Deleted", b"$x", b"\\Seen"]))
            )
        elif kind == 7:
            self._uploads()
        elif kind < 11 or not self.noise:
            self._says(self._one(PLAIN))
        else:
            self._says(harmless(self._one(self.noise)))

    def _goes_on(self) -> None:
        """The rest of a command that waits for leave, if it has come; none of it, if the command was refused."""
        assert self.after_go is not None
        tag, rest, before = self.after_go
        if tag in self.client.answers:
            self.after_go = None
        elif any(unit.startswith(b"+") for unit in self.client.units[before:]):
            self.after_go = None
            self._write(rest)
        else:
            self._settle()

    def _one(self, words: Sequence[bytes]) -> bytes:
        return words[self.choose(len(words))]

    def _uid(self) -> bytes:
        return self._one([b"", b"UID "])

    def _set(self) -> bytes:
        return self._one([b"1", b"1:*", b"2", b"*", b"1,3", b"2:4", b"9", b"4:2"])

    def _tag(self, command: bytes) -> bytes:
        self.number += 1
        tag = b"c%d" % self.number
        self.client.asked[tag] = command
        return tag

    def _says(self, command: bytes) -> None:
        if command == b"LOGOUT" and self.choose(4):
            command = b"IDLE"
        tag = self._tag(command)
        self.logged_out = self.logged_out or command == b"LOGOUT"
        if command == b"IDLE":
            self.after_go = (tag, b"DONE\r\n", len(self.client.units))
        self._write(tag + b" " + command + b"\r\n")

    def _uploads(self) -> None:
        """APPEND of one mail or more; the first may wait for leave."""
        tag = self._tag(b"APPEND")
        mails = [mail(0, "", self.choose) for _ in range(1 + self.choose(2))]
        head = tag + b" APPEND " + self._one([b"INBOX", b"Sent", b"nowhere", b"{4+}\r\nSent"])
        rest = b"".join(b" (\\Seen) {%d+}\r\n%b" % (len(one), one) for one in mails[1:]) + b"\r\n"
        if self.choose(2):
            self._write(head + b" {%d+}\r\n" % len(mails[0]) + mails[0] + rest)
        else:
            self.after_go = (tag, mails[0] + rest, len(self.client.units))
            self._write(head + b" {%d}\r\n" % len(mails[0]))

    def _write(self, said: bytes) -> None:
        self.to_client_leg += said
        self._deliver_client()

    def _deliver_client(self) -> None:
        size = SIZES[self.choose(len(SIZES))]
        while self.to_client_leg and self.stage.client.reading and not self.over:
            chunk, self.to_client_leg = self.to_client_leg[:size], self.to_client_leg[size:]
            self.stage.relay.client_data(chunk)

    # ---- the server -------------------------------------------------------------------------------------------------

    def _server_hears(self) -> None:
        self.server.hear(self.stage.server.taken())

    def _server_answers(self, count: int) -> bool:
        """So many units of what it has to say, and whether there were any."""
        self._server_hears()
        queue = self.server.queue
        now, self.server.queue = queue[:count], queue[count:]
        self.to_server_leg += b"".join(now)
        self._deliver_server()
        return bool(now)

    def _deliver_server(self) -> None:
        size = SIZES[self.choose(len(SIZES))]
        while self.to_server_leg and self.stage.server.reading and not self.over:
            chunk, self.to_server_leg = self.to_server_leg[:size], self.to_server_leg[size:]
            self.said += chunk
            self.stage.relay.server_data(chunk)

    def _settle(self) -> None:
        """Both legs, and what is under way between them, until nothing moves. A slow scanner stays slow."""
        relay = self.stage.relay
        if relay.c_full:
            relay.client_resumed()
        if relay.s_full:
            relay.server_resumed()
        for turn in range(MOST_STEPS):
            self.post.choking = self.post.choking and turn < MOST_STEPS // 4
            before = (self.to_client_leg, self.to_server_leg, relay.sin, relay.cin, relay.sout, relay.cout)
            self._catch_up()
            self._deliver_client()
            moved = self._server_answers(1000)
            self._deliver_server()
            if not self.post.slow:
                self.post.settle()
            self.client.hear(self.stage.client.taken())
            if self.logged_out and not self.server.queue and not self.to_server_leg and b"* BYE bye" in self.said:
                self.stage.server_ended()
            after = (self.to_client_leg, self.to_server_leg, relay.sin, relay.cin, relay.sout, relay.cout)
            if not moved and before == after:
                return
        raise AssertionError("no end of it")

    def _catch_up(self) -> None:
        """Receivers that take no more are written out."""
        self.post.ready = self.post.ready[-5:]
        for call in self.post.ready:
            call()

    def _lies(self) -> None:
        said = b"@ is here." if self.choose(2) else b"@"
        lie = self._one(LIES if self.choose(16) else FATAL)
        size = len(said) - 1 + len(MARK) + (1, -1)[self.choose(2)] * (not self.choose(12))
        octets_ = said.replace(b"@", MARK)
        if self.noise and not self.choose(3):
            lie = self._one(self.noise).replace(MARK, b"") + b"\r\n"
            if not is_of_mails(filled(lie, size, octets_)):
                lie = lie.replace(b"@", b"")
        self.muddled = self.muddled or b"+" in lie
        self.to_server_leg += filled(lie, size, octets_)
        self._deliver_server()

    def _mailbox_changes(self) -> None:
        names = list(self.server.folders)
        folder = self.server.folders[names[self.choose(len(names))]]
        there = sorted(folder.mails)
        if there and self.choose(3):
            folder.remove(there[self.choose(len(there))])
        else:
            self._arrives(names[self.choose(len(names))])

    def _arrives(self, name: bytes) -> None:
        folder = self.server.folders[name]
        folder.add(mail(folder.next, name.decode(), self.choose))

    # ---- the world around -------------------------------------------------------------------------------------------

    def _legs_stop(self) -> None:
        relay = self.stage.relay
        if self.choose(2):
            relay.client_resumed() if relay.c_full else relay.client_paused()
        else:
            relay.server_resumed() if relay.s_full else relay.server_paused()

    def _post_changes(self) -> None:
        """A scanner that is slow, a disk that is, none that answers, a spool that is full; mostly all is well again."""
        if not self.choose(2):
            self.post.store.clear()
        names = ("slow", "slow", "slow", "choking", "full", "filled", "down", "torn")
        chosen = self.choose(2 * len(names))
        for at, name in enumerate(names):
            setattr(self.post, name, at == chosen or (name == "slow" and chosen < 3))
