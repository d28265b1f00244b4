"""A server with mails, for conversations that no script foresees: it reads what the proxy sends, and what it has to say
to that waits in `queue`. Of what it hears it believes nothing: `tags` and `odd` are for the test to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable

DATE = b'" 1-Jan-2026 00:00:00 +0000"'
ANNOUNCED = re.compile(rb"\{([0-9]+)\}\r\n\Z")
COMMAND = re.compile(rb"([^ ]+) (UID )?([A-Z]+)(?: (.*))?\r\n\Z", re.DOTALL)
NAMED = re.compile(rb'"?([^ "]*)"?(?: (.*))?\Z', re.DOTALL)
QUIET = (b"FETCH", b"STORE", b"SEARCH")
"""Commands with numbers, during which nobody is told of EXPUNGE."""


class Folder:
    """`mails` is what is there, `shown` what the session has been told, by UID in its order; `told` is the same with
    those that it has been told are gone.
    """

    def __init__(self, validity: int) -> None:
        self.validity = validity
        self.mails: dict[int, bytes] = {}
        self.flags: dict[int, set[bytes]] = {}
        self.shown: list[int] = []
        self.told: list[int] = []
        self.next = 1

    def add(self, octets: bytes) -> int:
        uid, self.next = self.next, self.next + 1
        self.mails[uid] = octets
        self.flags[uid] = set()
        return uid

    def remove(self, uid: int) -> None:
        self.mails.pop(uid, None)

    def select(self) -> None:
        self.shown = sorted(self.mails)
        self.told = list(self.shown)

    def news(self, *, expunge: bool, vanish: bool) -> list[bytes]:
        """What the session is told now."""
        said = []
        if expunge and vanish:
            gone = [uid for uid in self.shown if uid not in self.mails]
            self.shown = [uid for uid in self.shown if uid in self.mails]
            said += [b"* VANISHED " + b",".join(b"%d" % uid for uid in gone) + b"\r\n"] if gone else []
        elif expunge:
            for number in range(len(self.shown), 0, -1):
                if self.shown[number - 1] not in self.mails:
                    del self.shown[number - 1]
                    said.append(b"* %d EXPUNGE\r\n" % number)
        new = [uid for uid in self.mails if uid not in self.shown]
        if new:
            self.shown += sorted(new)
            self.told += sorted(new)
            said.append(b"* %d EXISTS\r\n" % len(self.shown))
        return said

    def chosen(self, numbers: bytes, *, uid: bool) -> list[int]:
        """The UIDs of a set."""
        last = (self.shown[-1] if self.shown else 0) if uid else len(self.shown)
        found = []
        for one in numbers.split(b","):
            ends = [last if end == b"*" else int(end) for end in one.split(b":")]
            wanted = range(min(ends), max(ends) + 1)
            found += [each for at, each in enumerate(self.shown, 1) if (each if uid else at) in wanted]
        return [each for each in dict.fromkeys(found) if each in self.mails]


class MailServer:
    """`refusing`: the next so many literals are refused before they come, or commands that have none. `choose` draws a
    number below the one given: what else it says in the midst of an answer. `selections`: what was `told` in each.
    """

    def __init__(self, choose: Callable[[int], int]) -> None:
        self.choose = choose
        self.vanishes = False
        self.selections: list[list[int]] = []
        self.folders = {b"INBOX": Folder(77), b"Sent": Folder(5)}
        self.selected: Folder | None = None
        self.queue: list[bytes] = []
        self.tags: list[bytes] = []
        self.odd: list[bytes] = []
        self.refusing = 0
        self.heard = b""
        self._unread = b""
        self._line = b""
        self._wanted = 0
        self._idling = b""

    def hear(self, octets: bytes) -> None:
        """What the proxy sends."""
        self.heard += octets
        self._unread += octets
        while self._unit():
            pass

    def _unit(self) -> bool:
        if self._wanted:
            taken, self._unread = self._unread[: self._wanted], self._unread[self._wanted :]
            self._line += taken
            self._wanted -= len(taken)
            return bool(taken)
        line, end, rest = self._unread.partition(b"\r\n")
        if not end:
            return False
        self._unread = rest
        self._line += line + end
        announced = ANNOUNCED.search(line + end)
        if announced is None:
            whole, self._line = self._line, b""
            self._command(whole)
        elif self.refusing:
            whole, self._line = self._line, b""
            self.refusing -= 1
            self._heed(whole)
            self.queue.append(whole.split(b" ")[0] + b" NO not now\r\n")
        else:
            self._wanted = int(announced[1])
            self.queue.append(b"+ go on\r\n")
        return True

    def _heed(self, unit: bytes) -> None:
        self.tags.append(unit.split(b" ")[0])

    def _command(self, unit: bytes) -> None:
        if self._idling:
            self._told(self._idling, unit == b"DONE\r\n")
            self._idling = b""
            return
        self._heed(unit)
        found = COMMAND.match(unit)
        if found is None:
            self.odd.append(unit)
            return
        tag, uid, name, rest = found[1], bool(found[2]), found[3], found[4] or b""
        if name in (b"SELECT", b"EXAMINE") and self.selected is not None:
            self.selected = None
            self.queue.append(b"* OK [CLOSED] x\r\n")
        if self.refusing:
            self.refusing -= 1
            self.queue.append(tag + b" NO not now\r\n")
        elif name == b"IDLE":
            self._idling = tag
            self.queue.append(b"+ idling\r\n")
        else:
            answer = _ANSWERS.get(name)
            self._told(tag, True if answer is None else answer(self, rest, uid), quiet=name in QUIET and not uid)

    def _told(self, tag: bytes, good: bool | bytes, *, quiet: bool = False) -> None:
        """The end of an answer: the news, and the tagged line."""
        if self.selected is not None:
            self.queue += self.selected.news(expunge=not quiet, vanish=self.vanishes)
        said = good if isinstance(good, bytes) else b"OK done" if good else b"BAD what"
        self.queue.append(tag + b" " + said + b"\r\n")

    # ---- commands

    def _select(self, rest: bytes, _uid: bool) -> bool | bytes:
        named = NAMED.match(rest)
        folder = self.folders.get(named[1]) if named else None
        self.selected = folder
        if folder is None:
            return b"NO no such mailbox"
        folder.select()
        self.selections.append(folder.told)
        self.queue += [b"* %d EXISTS\r\n" % len(folder.shown), b"* OK [UIDVALIDITY %d] x\r\n" % folder.validity]
        self.queue.append(b"* OK [UIDNEXT %d] x\r\n" % folder.next)
        return b"OK [READ-WRITE] selected"

    def _close(self, _rest: bytes, _uid: bool) -> bool:
        self.selected = None
        return True

    def _fetch(self, rest: bytes, uid: bool) -> bool:
        folder = self.selected
        numbers, _, items = rest.partition(b" ")
        if folder is None:
            return False
        wanted = items.partition(b")")[0].strip(b"()").split(b" ")
        for each in folder.chosen(numbers, uid=uid):
            said = [
                self._item(folder, each, item)
                for item in (wanted if b"UID" in wanted or not uid else [b"UID", *wanted])
            ]
            at = self.choose(len(said)) if not self.choose(4) else 0
            first = said[:1] if uid or b"UID" in wanted[:1] else []
            for some in filter(None, (said[:at], first + said[at:] if at else said)):
                self._digress(folder, uid=uid)
                if each in folder.shown:
                    self.queue.append(b"* %d FETCH (%b)\r\n" % (folder.shown.index(each) + 1, b" ".join(some)))
        return True

    def _digress(self, folder: Folder, *, uid: bool) -> None:
        """News in the midst of an answer, or flags that nobody has asked for."""
        kind = self.choose(8)
        if kind == 0:
            self.queue += folder.news(expunge=uid, vanish=self.vanishes)
        elif kind == 1 and folder.shown:
            number = self.choose(len(folder.shown))
            one = b"UID %d " % folder.shown[number] if self.vanishes else b""
            self.queue.append(b"* %d FETCH (%bFLAGS (\\Flagged))\r\n" % (number + 1, one))

    def _enable(self, rest: bytes, _uid: bool) -> bool:
        if b"QRESYNC" in rest:
            self.vanishes = True
            self.queue.append(b"* ENABLED QRESYNC\r\n")
        return True

    def _item(self, folder: Folder, uid: int, item: bytes) -> bytes:
        octets = folder.mails[uid]
        if item == b"UID":
            return b"UID %d" % uid
        if item == b"FLAGS":
            return b"FLAGS (%b)" % b" ".join(sorted(folder.flags[uid]))
        if item == b"INTERNALDATE":
            return b"INTERNALDATE " + DATE
        if item == b"RFC822.SIZE":
            return b"RFC822.SIZE %d" % len(octets)
        if item == b"BODY.PEEK[HEADER]":
            header = octets[: octets.find(b"\r\n\r\n") + 4]
            return b"BODY[HEADER] {%d}\r\n%b" % (len(header), header)
        if item == b"BODY.PEEK[]":
            return b"BODY[] {%d}\r\n%b" % (len(octets), octets)
        return item + b" NIL"

    def _store(self, rest: bytes, uid: bool) -> bool:
        folder = self.selected
        numbers, _, flags = rest.partition(b" ")
        if folder is None:
            return False
        for each in folder.chosen(numbers, uid=uid):
            folder.flags[each] |= set(flags.partition(b"(")[2].rstrip(b")").split(b" "))
            said = b"FLAGS (%b)" % b" ".join(sorted(folder.flags[each]))
            self.queue.append(b"* %d FETCH (UID %d %b)\r\n" % (folder.shown.index(each) + 1, each, said))
        return True

    def _search(self, _rest: bytes, uid: bool) -> bool:
        folder = self.selected
        if folder is None:
            return False
        found = folder.chosen(b"1:*", uid=False) if folder.shown else []
        numbers = found if uid else [folder.shown.index(each) + 1 for each in found]
        self.queue.append(b"* SEARCH" + b"".join(b" %d" % number for number in numbers) + b"\r\n")
        return True

    def _expunge(self, _rest: bytes, _uid: bool) -> bool:
        folder = self.selected
        if folder is None:
            return False
        for each in [each for each in folder.mails if b"\\Deleted" in folder.flags[each]]:
            folder.remove(each)
        return True

    def _append(self, rest: bytes, _uid: bool) -> bool | bytes:
        named = NAMED.match(rest)
        folder = self.folders.get(named[1]) if named else None
        if folder is None:
            return b"NO [TRYCREATE] no such mailbox"
        at = rest.find(b"}\r\n") + 3
        while at > 2:
            size = int(rest[rest.rfind(b"{", 0, at) + 1 : at - 3])
            uid = folder.add(rest[at : at + size])
            at = rest.find(b"}\r\n", at + size) + 3
        return b"OK [APPENDUID %d %d] done" % (folder.validity, uid)

    def _status(self, rest: bytes, _uid: bool) -> bool:
        self.queue.append(b"* STATUS %b (MESSAGES 3)\r\n" % rest.split(b" ")[0])
        return True

    def _logout(self, _rest: bytes, _uid: bool) -> bool:
        self.queue.append(b"* BYE bye\r\n")
        return True


_ANSWERS: dict[bytes, Callable[[MailServer, bytes, bool], bool | bytes]] = {
    b"SELECT": MailServer._select, b"EXAMINE": MailServer._select, b"CLOSE": MailServer._close,
    b"UNSELECT": MailServer._close, b"FETCH": MailServer._fetch, b"STORE": MailServer._store,
    b"SEARCH": MailServer._search, b"EXPUNGE": MailServer._expunge, b"APPEND": MailServer._append,
    b"STATUS": MailServer._status, b"LOGOUT": MailServer._logout, b"ENABLE": MailServer._enable,
}  # fmt: skip
