"""Catalogue of component SSLE: TLS."""

from __future__ import annotations

from imap4fast.log.entry import Component

SSLE = Component("SSLE", "TLS")

ESTABLISHED = SSLE.entry(
    110,
    "I",
    "TLS LEG=%s VERSION=%s CIPHER=%s RESUMED=%s SNI=%s",
    "A handshake is done. LEG is CLIENT or SERVER. RESUMED is YES where an earlier session with this end goes on, "
    "else NO. SNI is the name that was asked for, <NULL> for none.",
)
CERTIFICATE = SSLE.entry(
    111,
    "I",
    "CERTIFICATE LEG=%s SUBJECT=%s ISSUER=%s FAULT=%s",
    "The certificate that the other end has shown. FAULT is what is wrong with it by OpenSSL's words, <NULL> for "
    "nothing; it is looked for only where ssl-params says to verify.",
)
FAILED = SSLE.entry(
    112,
    "W",
    "TLS-FAILED LEG=%s REASON=%s",
    "There is no TLS on a leg that must have it, or it broke. REASON is in OpenSSL's words where OpenSSL found it. The "
    "session ends; towards a client whose handshake failed without a word of IMAP.",
)
MISMATCH = SSLE.entry(
    113,
    "W",
    "CERTIFICATE-MISMATCH LEG=%s MATCH=%s WANTED=%s SAW=%s",
    "The other end's certificate is not what client-cert-match or server-cert-match asks for: MATCH is the "
    "ssl-cert-match, WANTED the first condition that failed, SAW what was there. The session ends.",
)
TRUNCATED = SSLE.entry(
    114,
    "N",
    "TLS-CUT-OFF LEG=%s",
    "The connection ended without TLS saying so first (close_notify). Some programs always do that; somebody on the "
    "way may have cut it.",
)
INJECTED = SSLE.entry(
    115,
    "W",
    "OCTETS-BEHIND-STARTTLS LEG=%s SIZE=%u",
    "Octets stood behind STARTTLS, or behind its answer, that would have been taken for protected ones. The session "
    "ends; they were not looked at.",
)

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
