"""Catalogue of component SMTD: the form of mails and their documents."""

from __future__ import annotations

from imap4fast.log.entry import Component

SMTD = Component("SMTD", "mails and their documents")

FORM = SMTD.entry(
    742,
    "W",
    "FORM ITEM=%s PART=%u WHAT=%s",
    "Something was found in the form of a mail. ITEM is the item of mail-filter that decides. As a warning it was "
    "corrected or is kept; as an error the mail is rejected for it. PART numbers the parts as they stand, 0: the mail.",
    others="E",
)
AMBIGUOUS = SMTD.entry(
    743,
    "W",
    "AMBIGUOUS ROW=%s PART=%u WHAT=%s ACTION=%s",
    "A place in a mail that different programs read differently. ACTION is NORMALISE (the mail is written anew with "
    "one reading left) or DENY. ROW is the number of the kind in the list of attacks.",
    others="E",
)
SIGNED = SMTD.entry(
    744,
    "W",
    "SIGNED PART=%u ACTION=%s",
    "A signed or encrypted part was to be changed. ACTION is LEFT (it stays as it is), REWRITTEN (the signature does "
    "not hold any more) or REPLACED (the whole mail is, by a text).",
)
MORE_DOCUMENTS = SMTD.entry(
    745,
    "W",
    "DOCUMENTS LOGGED=%u MORE=%u",
    "A mail has more documents than are logged; all of them were judged.",
)
