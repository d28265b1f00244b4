"""Targets about mails that are written anew: one reading is left, for us and for Python's email package."""

from __future__ import annotations

from imap4fast._wire import MailIndex
from imap4fast.mail import ambiguity, canonical, corrections, edit, normalise
from imap4fast.mail.corrections import FilterRules
from imap4fast.mail.edit import Edits, HeaderOp, Replacement
from tests.unit.mail.mails import AMBIGUOUS, CLEAN, REFUSED, has_reports, leaves, leaves_of_python

RULES = FilterRules(
    accept_8bit_header=True,
    correct_8bit_body=True,
    correct_bad_char=True,
    correct_quoting=True,
    partial_message="keep",
    tnef="keep",
)
SEEDS = [data for several in AMBIGUOUS.values() for data in several] + list(CLEAN) + list(REFUSED.values())
NEW = Replacement(b"Content-Type: text/plain\r\n", b"instead\r\n")


def rewriting(data: bytes) -> None:
    """Corrected and written anew, once and for all; then edited, which leaves one reading, too."""
    corrected = corrections.apply(data, RULES.scan(data), RULES)
    if corrected.data is None:
        assert corrected.rejected
        return
    assert canonical.is_canonical(corrected.data)
    assert corrections.apply(corrected.data, corrected.index, RULES).data is corrected.data
    done = normalise.rewrite(corrected.data, corrected.index, b"seed", RULES.scan)
    if done.data is None:
        assert done.refused
        return
    one_reading(bytes(done.data))
    once = bytes(done.data)
    number = data[-1] % len(done.index) if data else 0
    edits = Edits(
        subject_prefix="[S] ",
        headers=(HeaderOp("add", "X-New", "v"),),
        parts={number: NEW} if len(data) % 2 else {},
        removed=frozenset() if len(data) % 2 else frozenset((number,)),
        cleaned=True,
    )
    one_reading(bytes(edit.apply(once, done.index, edits)))


def one_reading(data: bytes) -> None:
    index = MailIndex.scan(data)
    assert ambiguity.find(data, index) == []
    assert normalise.rewrite(data, index).data is data
    assert has_reports(data) or leaves(data) == leaves_of_python(data)
