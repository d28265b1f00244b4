"""Catalogue of component SPOL: the spool, where mails are kept while they are processed and after."""

from __future__ import annotations

from imap4fast.log.entry import Component

SPOL = Component("SPOL", "the spool of mails that are processed")

SWEPT = SPOL.entry(
    601,
    "K",
    "SPOOL MAILS=%u OCTETS=%u ORPHANS=%u MISSING=%u DAMAGED=%u TEMPORARY=%u AGED=%u",
    "At the start: what the spool holds, and what was removed from it. ORPHANS are files that no row tells of (a "
    "process was killed), MISSING rows without their file, DAMAGED objects whose octets had not all reached the disk "
    "when the machine went down, TEMPORARY names that were left over, AGED mails older than spool-keep or over "
    "spool-max.",
)
BEGUN_ANEW = SPOL.entry(
    710,
    "E",
    "DATABASE-BROKEN REASON=%s",
    "The spool's database was damaged, or of another version. It was renamed to broken.db and begun anew; mails are "
    "fetched and judged again. Verdicts from before are lost: a mail that was judged then may look different now.",
)
WITHOUT = SPOL.entry(
    711,
    "E",
    "NO-DATABASE REASON=%s",
    "A worker goes on without the spool's database: every mail is fetched and judged each time it is asked for. A "
    "worker in a chroot can open a new database only where spool-dir lies inside chroot-dir.",
)
FAILED = SPOL.entry(
    720,
    "W",
    "SPOOL-FAILED REASON=%s",
    "The spool's database or a processed mail's file could not be written or read; the mail was served but not kept. "
    "At most one line a minute for each worker, others under severity D.",
    others="D",
)
OTHER_OCTETS = SPOL.entry(
    730,
    "W",
    "OTHER-OCTETS REASON=%s",
    "The server gave other octets under the same mailbox, UIDVALIDITY and UID than before, which the protocol forbids "
    "(RFC 9051, section 2.3.1.1). The new mail was judged anew.",
)
