"""What passes between a worker and a helper about one mail: the order, and what became of it.

Plain data, encoded by msgspec, so that a helper that a hostile mail has taken over can say nothing but this.
"""

from __future__ import annotations

import msgspec

FOUND = "found"
FREE = "free"
SKIPPED = "skipped"
UNKNOWN = "unknown"
ERROR = "error"
STATUSES = (FOUND, FREE, SKIPPED, UNKNOWN, ERROR)
"""What a virus scanner can say, the strongest first: of several engines the first in this order counts."""


class Scan(msgspec.Struct, frozen=True, array_like=True):
    """What an engine, or several merged, said of some octets. `name` is of the virus, or why there is no result."""

    status: str
    name: str = ""
    engine: str = ""


class Verdicts(msgspec.Struct, frozen=True, array_like=True):
    """What the engines said of one mail.

    `virus` None: no engine is in use. `leaves` has one for each of `MailIndex.leaves` where they were scanned alone,
    else it is empty. `spam` is the score, None where none is known; `spam_failed` says that one was asked for in vain.
    """

    virus: Scan | None = None
    leaves: tuple[Scan, ...] = ()
    spam: float | None = None
    spam_failed: bool = False


class Order(msgspec.Struct, frozen=True, array_like=True):
    """What a helper is to do with the mail in the first descriptor; what it makes goes to the second.

    `job`: `process` (all at once, built-in engines alone), `examine` (form, and normalised octets where they differ),
    `leaves` (decoded leaves one behind the other), `finish` (decide and write, with the engines' `verdicts`), `presume`
    (the same before the engines have said anything, with `verdicts` that they find nothing; `examined` is what becomes
    of a mail that is not in good form, or in which a built-in engine finds something).
    `direction`: `download` or `upload`. `command_acl` names the ACL whose settings hold; `mail_acls` and `doc_acls`
    those that remain once the conditions on the session are decided, in file order. `seed` is what boundaries and
    identifiers of made parts come from. `date` is the server's INTERNALDATE, as it gave it. `refused`, where it is not
    empty, denies the mail whatever is in it: a word of `mail/texts.REASONS`, and behind `: ` more for the log.
    `sha256` is that of the octets in the first descriptor, b"" where nobody knows it. `left` is what an engine found in
    the mail that this job made before, which is in the second descriptor still (see `Outcome.doubtful`).
    """

    job: str
    direction: str
    command_acl: str
    mail_acls: tuple[str, ...]
    doc_acls: tuple[str, ...]
    size: int
    seed: bytes = b""
    date: str = ""
    language: str = "EN"
    verdicts: Verdicts | None = None
    refused: str = ""
    sha256: bytes = b""
    left: Scan | None = None


class LogLine(msgspec.Struct, frozen=True, array_like=True):
    """A line that the worker is to log: the entry's name in the catalogue, as `IMAP-760`, and what goes into it."""

    entry: str
    args: tuple[str | int | None, ...]
    severity: str | None = None


class Quarantined(msgspec.Struct, frozen=True, array_like=True):
    """A copy of the mail as it came goes to `directory`, with a text file that says why."""

    directory: str
    text: str


PASSED = "passed"
CHANGED = "changed"
REPLACED = "replaced"
REFUSED = "refused"
EXAMINED = "examined"


class Outcome(msgspec.Struct, frozen=True, array_like=True):
    """What became of the mail.

    `kind`: `passed` (the mail as it came, in canonical form), `changed`, `replaced` (by another mail that says why),
    `refused` (nothing is to be shown; `reason` says why, `code` is the response code of the NO), `examined`.
    `mail_size` octets of the mail and then `index_size` octets of its packed index are in the target; `sha256` is the
    mail's. After `examine`: `mail_size` is 0 where the mail is in normal form already. After `leaves`: `pieces` are
    (offset, size) in the target. `doubtful`: documents were taken out for a virus that an engine found in the whole
    mail and in no document; the worker is to have what is left scanned before that is shown.
    """

    kind: str
    mail_size: int = 0
    index_size: int = 0
    sha256: bytes = b""
    reason: str = ""
    code: str = ""
    message_id: str = ""
    log: tuple[LogLine, ...] = ()
    quarantine: tuple[Quarantined, ...] = ()
    pieces: tuple[tuple[int, int], ...] = ()
    verdicts: Verdicts | None = None
    doubtful: bool = False
