"""The selected mailbox of a session that processes mails: its name, UIDVALIDITY, and what the client has not heard yet.

EXPUNGE may not be told in the midst of FETCH, STORE and SEARCH (RFC 9051 section 7.5.1), yet the server may say it
during the proxy's own UID FETCH. What is held back makes the client's numbers differ from the server's.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING

from imap4fast.imap.sets import to_client, translated

if TYPE_CHECKING:
    from imap4fast.session.mailwork import ProcessedMail

MOST_KEPT = 4
"""Processed mails that a session keeps at hand: clients read one mail in many pieces."""

_EXPUNGE = re.compile(rb"\* ([0-9]+) EXPUNGE\r\n\Z", re.IGNORECASE)
_EXISTS = re.compile(rb"\* ([0-9]+) EXISTS\r\n\Z", re.IGNORECASE)


def is_earlier(line: bytes) -> bool:
    """Whether this is VANISHED (EARLIER): what was expunged before, which changes no number (RFC 7162)."""
    return b"EARLIER" in line[:24].upper()


class Mailbox:
    """`name` is the mailbox as the client named it, decoded. `uidvalidity` 0: unknown, nothing may be kept."""

    __slots__ = (
        "_kept",
        "_numbers",
        "arrived",
        "expunged",
        "held",
        "held_octets",
        "name",
        "next_uid",
        "read_only",
        "uidvalidity",
        "vanished",
    )

    def __init__(self, name: bytes, *, read_only: bool) -> None:
        self.name = name
        self.read_only = read_only
        self.uidvalidity = 0
        self.next_uid = 0
        """No mail from this UID on has been fetched ahead yet; 0: the server has not said UIDNEXT."""
        self.arrived = 0
        """How many mails may be fetched ahead since the server said that there are new ones."""
        self.held: list[bytes] = []
        """Untagged responses that the client has not got yet, in the server's order."""
        self.held_octets = 0
        self.expunged: list[int] = []
        """The server's numbers in those of them that are EXPUNGE."""
        self.vanished = False
        """Whether VANISHED is among them: then nobody knows the numbers of the two sides."""
        self._kept: OrderedDict[int, ProcessedMail] = OrderedDict()
        self._numbers: dict[int, int] = {}

    # ---- what is held back ----------------------------------------------------------------------------------------

    def hold(self, line: bytes) -> None:
        """EXISTS, EXPUNGE or VANISHED that must wait, or FETCH data behind it with the server's number."""
        self.held.append(line)
        self.held_octets += len(line)
        found = _EXPUNGE.match(line)
        if found is not None:
            self.expunged.append(int(found[1]))
        elif b"VANISHED" in line[:12].upper() and not is_earlier(line):
            self.vanished = True

    def counted(self, line: bytes) -> bytes | None:
        """EXISTS while EXPUNGE is held back: the count with the mails that the client still has, since answers about
        the new ones may come before the old ones go. None: it is something else, or nobody knows their number.
        """
        found = _EXISTS.match(line) if self.expunged and not self.vanished else None
        return None if found is None else b"* %d EXISTS\r\n" % (int(found[1]) + len(self.expunged))

    def heard(self, line: bytes) -> None:
        """The same passes to the client: what was known of numbers may be wrong now."""
        if b"EXISTS" not in line.upper():
            self.renumbered()

    def renumbered(self) -> None:
        """The client's numbers of mails are others now."""
        self._numbers.clear()

    def release(self) -> list[bytes]:
        """All of it, for the client."""
        lines, self.held = self.held, []
        if self.expunged or self.vanished:
            self.renumbered()
        self.held_octets = 0
        self.expunged = []
        self.vanished = False
        return lines

    def shown(self, number: int) -> int:
        """The client's number of a mail for the server's."""
        return to_client(number, self.expunged) if self.expunged else number

    def asked(self, numbers: bytes) -> bytes | None:
        """The server's set for the client's; None: no mail is left in it, or nobody can say."""
        return None if self.vanished else translated(numbers, self.expunged)

    # ---- processed mails at hand ------------------------------------------------------------------------------------

    def keep(self, uid: int, number: int, mail: ProcessedMail) -> None:
        """The server has reported this mail under this number, and here is its processed form."""
        self._kept[uid] = mail
        self._kept.move_to_end(uid)
        self._numbers[uid] = number
        if len(self._kept) > MOST_KEPT:
            gone, _ = self._kept.popitem(last=False)
            self._numbers.pop(gone, None)

    def forget(self) -> None:
        """No mail is at hand any more: a session that is idle holds none in memory."""
        self._kept.clear()
        self._numbers.clear()

    def at_hand(self, uid: int) -> ProcessedMail | None:
        """The processed form of a mail that the server reported in this selection."""
        return self._kept.get(uid)

    def number_of(self, uid: int) -> int | None:
        """The number under which the server reported a mail that is at hand; None: it may have changed."""
        return self._numbers.get(uid) if uid in self._kept and not self.held else None

    def validity(self, value: int) -> None:
        """UIDVALIDITY as the server says it. Another one than before: these are other mails (T-R18)."""
        if self.uidvalidity not in (0, value):
            self._kept.clear()
            self._numbers.clear()
        self.uidvalidity = value
