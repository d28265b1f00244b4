"""Catalogue of component SSLE: TLS."""

from __future__ import annotations

from imap4fast.log.entry import Component

SSLE = Component("SSLE", "TLS")

ESTABLISHED = SSLE.entry(
    101,
    "I",
    "TLS SIDE=%s VERSION=%s CIPHER=%s RESUMED=%s SNI=%s ALPN=%s",
    "A handshake is done. SIDE is CLIENT or SERVER. RESUMED is YES where it went on with an earlier session, which "
    "verifies no certificate anew, else NO. SNI is the name that was asked for, ALPN the protocol that both agreed on.",
)
CERTIFICATE = SSLE.entry(
    102,
    "I",
    "CERTIFICATE SIDE=%s SUBJECT=%s ISSUER=%s FINGERPRINT=%s VERIFIED=%s ERROR=%s",
    "What the other end of a leg presented; of servers at level debug only. VERIFIED is YES, or NO with what is wrong "
    "as ERROR, or NO without one where `verify none` looks at nothing. One that is not verified counts as none in "
    "every condition.",
    others="D",
)
HANDSHAKE_FAILED = SSLE.entry(
    103,
    "W",
    "HANDSHAKE-FAILED SIDE=%s REASON=%s SUBJECT=%s ERROR=%s",
    "A handshake came to no end; the connection was closed. REASON is OpenSSL's, or who closed the connection. SUBJECT "
    "is that of the certificate that was presented, ERROR what is wrong with it. A client that says nothing at all, as "
    "checks of a port do, is told of at level debug only.",
    others="D",
)
MISMATCH = SSLE.entry(
    104,
    "W",
    "CERTIFICATE-MISMATCH SIDE=%s MATCH=%s CONDITION=%s SEEN=%s",
    "A certificate does not fit what `client-cert-match` of a session-acl or `server-cert-match` requires; the session "
    "ended. MATCH is the section ssl-cert-match, CONDITION the first of its items that failed, SEEN what it saw.",
)
TRUNCATED = SSLE.entry(
    105,
    "D",
    "TRUNCATED SIDE=%s",
    "A connection ended without the close_notify of TLS: what was sent last may be missing. Many programs never send "
    "it.",
)
STARTTLS_FAILED = SSLE.entry(
    106,
    "W",
    "STARTTLS-FAILED SIDE=%s REASON=%s",
    "The talk with a server around STARTTLS went wrong, and the session ended. REASON is what it did instead of "
    "going over to TLS, or of telling its capabilities inside of it.",
)
BROKEN = SSLE.entry(
    108,
    "W",
    "TLS-BROKEN SIDE=%s REASON=%s",
    "A record that cannot be, or an alert, after the handshake; the session ended. REASON is OpenSSL's.",
)
INJECTED = SSLE.entry(
    107,
    "W",
    "INJECTED SIDE=%s SIZE=%u",
    "Octets came behind STARTTLS or behind its answer before TLS had begun. Somebody on the way may have put them "
    "there to be taken for said under TLS; they were dropped and the session ended.",
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
