"""Catalogue of component SSLE: TLS."""

from __future__ import annotations

from imap4fast.log.entry import Component

SSLE = Component("SSLE", "TLS")

READ_AGAIN = SSLE.entry(
    120,
    "K",
    "FILES-READ-AGAIN PARAMS=%u",
    "SIGRTMIN: certificates, keys and lists of so many ssl-params were read again, and new handshakes use them. "
    "Sessions that live go on as they are.",
)
NOT_READ_AGAIN = SSLE.entry(
    121,
    "E",
    "FILES-NOT-READ-AGAIN REASON=%s",
    "SIGRTMIN: a file of ssl-params cannot be read or used. All of them stay in force as they were read before, also "
    "in workers that are restarted.",
)
TICKET_KEYS_CHANGED = SSLE.entry(
    122,
    "D",
    "TICKET-KEYS-CHANGED",
    "There is a new key for session tickets, as every 12 hours. Tickets of the key before it still resume, older ones "
    "do not.",
)
