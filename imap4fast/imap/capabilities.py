"""Facts about capabilities: what they belong to and what a proxy must not let through (protocol.md 1.3 to 1.6)."""

from __future__ import annotations

HOP_BY_HOP = frozenset((b"STARTTLS", b"LOGINDISABLED", b"LITERAL+", b"LITERAL-", b"SASL-IR"))
"""Never copied: each leg has its own (RFC 7888, RFC 4959, RFC 3501 section 6.2.1). COMPRESS=* too."""

OWN = (b"SASL-IR", b"LITERAL+")
"""What the proxy offers on the client's leg by itself."""

REFERRALS = frozenset((b"LOGIN-REFERRALS", b"MAILBOX-REFERRALS"))

UNOFFERED = frozenset((b"UNAUTHENTICATE", b"X-UNAUTHENTICATE", b"PROXYAUTH"))
"""Their commands are not permitted by default: the session would change its user."""

SCANNED = frozenset(
    b"IMAP4REV1 ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT CHILDREN LIST-EXTENDED LIST-STATUS SPECIAL-USE "
    b"CREATE-SPECIAL-USE MOVE CONDSTORE QRESYNC ESEARCH SORT SORT=DISPLAY WITHIN QUOTA STATUS=SIZE APPENDLIMIT "
    b"OBJECTID SAVEDATE X-GM-EXT-1 XLIST UTF8=ACCEPT MULTIAPPEND REPLACE BINARY PREVIEW"
    b"".split()
)
"""Offered by default where mails are processed (protocol.md 1.6); AUTH=, THREAD=, APPENDLIMIT= and QUOTA=RES- too."""

SCANNED_FAMILIES = (b"AUTH=", b"THREAD=", b"APPENDLIMIT=", b"QUOTA=RES-")

LAYERED = (b"GSSAPI", b"GS2-", b"KERBEROS_V4", b"DIGEST-MD5", b"NTLM")
"""Beginnings of SASL mechanisms that can put a security layer over the session, or need the leg's own TLS."""

MECHANISMS = frozenset((b"PLAIN", b"LOGIN", b"XOAUTH2", b"OAUTHBEARER", b"CRAM-MD5", b"EXTERNAL", b"ANONYMOUS"))
"""SASL mechanisms that are offered unless a list says otherwise; SCRAM-* too. Vendors' own ones must be listed."""

COMMAND_OF = {
    b"IDLE": b"IDLE",
    b"ID": b"ID",
    b"ENABLE": b"ENABLE",
    b"NAMESPACE": b"NAMESPACE",
    b"UNSELECT": b"UNSELECT",
    b"MOVE": b"MOVE",
    b"SORT": b"SORT",
    b"SORT=DISPLAY": b"SORT",
    b"XLIST": b"XLIST",
    b"NOTIFY": b"NOTIFY",
    b"REPLACE": b"REPLACE",
    b"UNAUTHENTICATE": b"UNAUTHENTICATE",
    b"METADATA": b"GETMETADATA",
    b"METADATA-SERVER": b"GETMETADATA",
    b"QUOTA": b"GETQUOTA",
    b"ACL": b"GETACL",
    b"CONVERT": b"CONVERT",
    b"URLAUTH": b"GENURLAUTH",
    b"LANGUAGE": b"LANGUAGE",
    b"MULTISEARCH": b"ESEARCH",
    b"JMAPACCESS": b"GETJMAPACCESS",
    b"UIDBATCHES": b"UIDBATCHES",
}
"""A capability whose command is refused is not offered."""


def mechanism_known(name: bytes) -> bool:
    """Whether a SASL mechanism is offered unless a list says otherwise (protocol.md 1.5)."""
    return name in MECHANISMS or name.startswith(b"SCRAM-")


def mechanism_barred(name: bytes) -> bool:
    """Whether a SASL mechanism can never work through a proxy that ends the connection (protocol.md 1.5)."""
    return name.endswith(b"-PLUS") or name.startswith(LAYERED)
