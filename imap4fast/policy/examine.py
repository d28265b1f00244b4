"""The form of a mail: what `mail-filter` corrects, and a mail that can be read in two ways made to have one reading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from imap4fast._wire import MailIndex
from imap4fast.log import smtd
from imap4fast.mail import ambiguity, corrections, normalise, splice
from imap4fast.mail.canonical import Octets
from imap4fast.mail.corrections import FilterRules, Keep
from imap4fast.mail.work import LogLine
from imap4fast.policy.loglines import line

FORM = "form"
AMBIGUOUS = "ambiguous"
MOST_NORMALISED = 32 << 20
"""Octets of the largest mail that is written anew, which happens in memory."""

MOST_LINES = 20
"""Findings of one mail that are logged."""


class Form(msgspec.Struct):
    """The mail in the form in which it is judged. `rejected` is (a word of `texts.REASONS`, what was found), else None.

    `data` is the very object that came in where nothing was to be done. `ambiguous` are the octets that have several
    readings, as they were before one was chosen; None: there is one.
    """

    data: Octets
    index: MailIndex
    rejected: tuple[str, str] | None = None
    log: tuple[LogLine, ...] = ()
    ambiguous: Octets | None = None


def form(data: Octets, rules: FilterRules, seed: bytes, keep: Keep = splice.in_memory) -> Form:
    """Correct and normalise a mail; `keep` holds what is made."""
    corrected = corrections.apply(data, rules.scan(data), rules, keep)
    index = corrected.index
    log = tuple(_corrections(corrected.findings))
    if corrected.data is None:
        return Form(data, index, (FORM, corrected.rejected), log)
    data = corrected.data
    found = tuple(ambiguity.find(data, index))
    if not found or rules.ambiguous_mime == "keep":
        return Form(data, index, None, log, data if found else None)
    log += tuple(_ambiguities(found, rules.ambiguous_mime))
    if rules.ambiguous_mime == "deny":
        return Form(data, index, (AMBIGUOUS, f"{found[0].row}: {found[0].what}"), log)
    if len(data) > MOST_NORMALISED:
        what = f"{found[0].row}: {found[0].what}, in a mail too large to be written anew"
        return Form(data, index, (AMBIGUOUS, what), log)
    normalised = normalise.rewrite(data, index, seed, rules.scan)
    if normalised.data is None:
        return Form(data, index, (AMBIGUOUS, normalised.refused), log)
    return Form(normalised.data, normalised.index, None, log, data)


def _corrections(findings: Iterable[corrections.Finding]) -> Iterator[LogLine]:
    for one in list(findings)[:MOST_LINES]:
        severity = "W" if one.corrected else "E"
        yield line(smtd.FORM, one.item.upper(), one.part, one.what, severity=severity)


def _ambiguities(findings: Iterable[ambiguity.Finding], action: str) -> Iterator[LogLine]:
    for one in list(findings)[:MOST_LINES]:
        severity = "E" if action == "deny" else "W"
        yield line(smtd.AMBIGUOUS, one.row, one.part, one.what, action.upper(), severity=severity)
