"""What the engines say of a mail and of its documents, the built-in ones and those that a worker has asked.

Of several engines the first counts of FOUND > FREE > SKIPPED > UNKNOWN > ERROR, as the original has it. Of several
looks of one engine (at the mail as it came, as it is now, at each leaf) FOUND counts, and then whatever is not FREE:
an engine that could not look everywhere has not said that the mail is clean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from msgspec import structs

from imap4fast.mail import builtin, transfer
from imap4fast.mail.builtin import Engine
from imap4fast.mail.canonical import Octets
from imap4fast.mail.streams import Budget
from imap4fast.mail.work import ERROR, FOUND, FREE, SKIPPED, STATUSES, UNKNOWN, Scan, Verdicts
from imap4fast.policy.documents import Document
from imap4fast.policy.examine import Form
from imap4fast.policy.kit import Rules

_LOOKS = (FOUND, ERROR, UNKNOWN, SKIPPED, FREE)
_ODD = frozenset(("JUNK_LINE", "SPACED_NAME", "NO_BLANK_LINE", "HEADER_CUT", "ENCODING_TWICE", "BROKEN_ENCODING"))
_ANY_ENCODING = b"x-unknown"
_TOO_LARGE = Scan(SKIPPED, "max-checked-size", builtin.ENGINE)
_FREE = Scan(FREE)


def of_engines(scans: Iterable[Scan]) -> Scan:
    """Of several engines, at least one."""
    return min(scans, key=lambda scan: STATUSES.index(scan.status))


def of_looks(scans: Iterable[Scan]) -> Scan:
    """Of several looks of one engine, at least one."""
    return min(scans, key=lambda scan: _LOOKS.index(scan.status))


def judged(rules: Rules, original: Octets, form: Form, leaves: Sequence[Document], given: Verdicts | None) -> Verdicts:
    """What is known in the end: the worker's verdicts, if there are any, and those of the built-in engines."""
    verdicts = given or Verdicts()
    for engine in rules.engines:
        if engine.engine is None or not engine.takes(len(original)):
            verdicts = _with(verdicts, _TOO_LARGE, ())
        else:
            verdicts = _with(verdicts, *_looked_at(engine.engine, original, form, leaves))
    if rules.spam is not None and rules.spam.takes(len(original)):
        verdicts = structs.replace(verdicts, spam=_score(original, form, leaves))
    return verdicts


def _with(verdicts: Verdicts, whole: Scan, leaves: tuple[Scan, ...]) -> Verdicts:
    """With one engine more. The leaves' verdicts are those of the engines that looked at them."""
    before = verdicts.virus
    if before is None:
        return structs.replace(verdicts, virus=whole, leaves=leaves)
    both: tuple[Scan, ...] = ()
    if len(leaves) == len(verdicts.leaves):
        both = tuple(map(of_engines, zip(verdicts.leaves, leaves, strict=True)))
    elif not leaves or not verdicts.leaves:
        both = leaves or verdicts.leaves
    return structs.replace(verdicts, virus=of_engines((before, whole)), leaves=both)


def _looked_at(
    engine: Engine, original: Octets, form: Form, leaves: Sequence[Document]
) -> tuple[Scan, tuple[Scan, ...]]:
    """(of the mail; of each leaf where something was found) by one engine, under one budget. Where other programs see
    other parts in the mail, all that may be one is looked at (T-M13, T-M14).
    """
    budget = Budget()
    found = [of_looks(_leaf(engine, leaf, budget)) for leaf in leaves]
    looks = [engine.scan_mail(original, budget), *found]
    if form.data is not original:
        looks.append(engine.scan_mail(form.data, budget))
    if form.ambiguous is not None:
        looks.append(engine.scan(form.ambiguous, budget=budget))
    whole = of_looks(looks)
    return whole, tuple(found) if whole.status == FOUND else ()


def _leaf(engine: Engine, leaf: Document, budget: Budget) -> Iterator[Scan]:
    """Looks at one leaf: by each encoding that it names and, where its header is odd, at all of it, however encoded:
    other programs may begin the body elsewhere. Normal form leaves no such leaves; `ambiguous-mime keep` does.
    """
    for encoding in leaf.encodings:
        if leaf.part.body_size <= builtin.LARGE:
            yield engine.scan_readings(leaf.readings(encoding), leaf.names, budget)
        else:
            with leaf.body as body:
                yield engine.scan_leaf(body, encoding, leaf.names, budget)
    if leaf.part.faults & _ODD:
        with leaf.octets as octets:
            yield engine.scan_leaf(octets, _ANY_ENCODING, leaf.names, budget)


def left(rules: Rules, known: Verdicts, after: Octets) -> Scan | None:
    """What a built-in engine still finds in a mail from which what was found was to be taken out, whatever parts other
    programs see in it; None: nothing.
    """
    return remains(rules, after) if is_found(known) else None


def remains(rules: Rules, after: Octets) -> Scan | None:
    """What a built-in engine finds in octets that are about to be shown; None: nothing."""
    scans = (one.engine.scan(after) for one in rules.engines if one.engine and one.takes(len(after)))
    return next((scan for scan in scans if scan.status == FOUND), None)


def is_found(known: Verdicts) -> bool:
    """Whether there is a virus somewhere in the mail."""
    return known.virus is not None and known.virus.status == FOUND


def is_in_leaves(known: Verdicts) -> bool:
    """Whether some leaf is known to hold what was found."""
    return any(scan.status == FOUND for scan in known.leaves)


def is_asked_for(known: Verdicts) -> bool:
    """Whether an engine found the virus that the worker has asked, so that nobody here can look for it again."""
    return known.virus is not None and is_found(known) and known.virus.engine != builtin.ENGINE


def _score(original: Octets, form: Form, leaves: Sequence[Document]) -> float:
    score = builtin.spam_score(original, _texts(leaves))
    return score if form.data is original else max(score, builtin.spam_score(form.data))


def _texts(leaves: Sequence[Document]) -> Iterator[Iterable[bytes]]:
    """The readings of texts, by each encoding that their headers name: all count (T-M04 to T-M08)."""
    for leaf in leaves:
        if leaf.part.type == b"text":
            yield from map(partial(_read, leaf), leaf.encodings)


def _read(leaf: Document, encoding: bytes) -> Iterator[bytes]:
    if leaf.part.body_size <= builtin.LARGE:
        yield from leaf.readings(encoding)
    else:
        with leaf.body as body:
            yield from transfer.windows(body, encoding, len(builtin.GTUBE))


def of_leaves(verdicts: Verdicts, count: int) -> tuple[Scan, ...]:
    """The verdict of each of `count` leaves: its own where the mail is FOUND, else the mail's. Where the mail is FOUND
    and no leaf is, all are.
    """
    whole = verdicts.virus or Scan(SKIPPED)
    if whole.status != FOUND:
        return (whole,) * count
    if len(verdicts.leaves) != count or not is_in_leaves(verdicts):
        return (whole,) * count
    return verdicts.leaves


def of_message(verdicts: Verdicts, inside: Iterable[Scan]) -> Scan:
    """The verdict of a mail inside the mail, by those of the leaves in it. Of these each is judged later, so a virus in
    one of them says nothing about the mail around it; unless no leaf is known to hold what was found.
    """
    whole = verdicts.virus or Scan(SKIPPED)
    if whole.status != FOUND:
        return whole
    if not is_in_leaves(verdicts):
        return whole
    return of_looks([*(scan for scan in inside if scan.status != FOUND), _FREE])
