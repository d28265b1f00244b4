"""Catalogue of component IMAP: what a session did. Numbers and texts up to 799 and 888 follow the original."""

from __future__ import annotations

from imap4fast.log.entry import Component

IMAP = Component("IMAP", "the session between a client and a server")

SESSION_START = IMAP.entry(
    701,
    "I",
    "SESSION-START FROM=%s TO=%s TRANSP=%s",
    "A client connected. FROM is its socket, TO the socket that it connected to, TRANSP is YES for a transparent "
    "connection, else NO.",
)
SESSION_END = IMAP.entry(
    702,
    "I",
    "SESSION-END CLIENT=%s SERVER=%s TRANSP=%s USER=%s CMDs=%d IN=%u OUT=%u TIME=%s %s REASON=%s",
    "A session ended. CMDs counts the client's commands, IN and OUT are bytes at the client's leg (IN towards the "
    "client), TIME is in seconds. Then ACCEPTED (no error), REJECTED (by an ACL or a limit of connections) or FAILED "
    "(any other error), and why. A value that does not exist is <NULL>.",
    unnamed=("STATUS",),
)
MAIL = IMAP.entry(
    706,
    "I",
    "MAIL DIRECTION=%s SIZE=%u SHOWN=%u MSGID=%s RESULT=%s TIME=%s REASON=%s",
    "A mail was processed. DIRECTION is IN (towards the client) or OUT, SIZE its octets as it came, SHOWN as it went "
    "on (0: it did not), MSGID its Message-ID, TIME in seconds from its last octet on. RESULT is PASSED (as it came), "
    "CHANGED, REPLACED (by a mail that says why) or REFUSED. A mail that was kept from before is not processed again.",
)
SESSION_ACL = IMAP.entry(
    721,
    "I",
    "ACL PHASE=1 NAME=%s %s",
    "Result of the search among session-acls: ACCEPTED or REJECTED. NAME is <NULL> when none matched, which rejects.",
    unnamed=("STATUS",),
)
COMMAND_ACL = IMAP.entry(
    722,
    "I",
    "ACL PHASE=2 PARENT=%s NAME=%s %s",
    "Result of the search among command-acls: ACCEPTED or REJECTED. PARENT is the session-acl. Written once more after "
    "login when an ACL names user or group, and after a reload. NAME is <NULL> when none matched, which rejects.",
    unnamed=("STATUS",),
)
LOGIN = IMAP.entry(
    725,
    "N",
    "LOGIN USER=%s MECHANISM=%s RESULT=%s",
    "The server answered a login. MECHANISM is LOGIN for the command of that name, else the SASL mechanism. RESULT is "
    "OK, NO, BAD or CANCELLED. USER is <NULL> where the mechanism does not show it. A login that the server accepted "
    "is written at level debug only: SESSION-END names its user.",
    others="D",
)
COMMAND_REFUSED = IMAP.entry(
    730,
    "W",
    "COMMAND NAME=%s REASON=%s",
    "A command was refused by the proxy; nothing of it was sent to the server. After 20 refusals and faults of one "
    "session at level debug only.",
    others="D",
)
REMOVED = IMAP.entry(
    731,
    "D",
    "REMOVED KIND=%s NAME=%s",
    "Something was removed from what the server said before the client saw it. KIND is CAPABILITY, "
    "ENABLE (an argument), ENABLED, ID (a field), CODE (a response code), UNTAGGED (an untagged response) or FETCH (an "
    "item of a mail). Of one response at most 100 are named.",
)
COMMAND_PASSED = IMAP.entry(
    732,
    "D",
    "COMMAND-PASSED NAME=%s TAG=%s",
    "A command was looked at and sent to the server. Arguments are never logged.",
)
CAPABILITIES = IMAP.entry(
    733,
    "D",
    "CAPABILITIES WHERE=%s SERVER=%s CLIENT=%s",
    "A capability list was rewritten. WHERE is GREETING, CODE, UNTAGGED or ENABLED; SERVER is the list as the server "
    "sent it, CLIENT as the client sees it.",
)
UNKNOWN_UNTAGGED = IMAP.entry(
    734,
    "W",
    "UNTAGGED-UNKNOWN NAME=%s",
    "The server sent an untagged response that the proxy does not know; it was dropped. A warning for the first in a "
    "session, debug for further ones.",
    others="D",
)
LIMIT = IMAP.entry(
    740,
    "W",
    "LIMIT NAME=%s VALUE=%u",
    "A limit was reached (that a command is too large: after 20 faults and refusals of a session at level debug only). "
    "NAME is the configuration item, VALUE what it is set to.",
    others="D",
)
FAULT = IMAP.entry(
    745,
    "W",
    "FAULT SIDE=%s CODE=%s OFFSET=%u",
    "An end broke the protocol (after 20 faults and refusals of a session at level debug only). SIDE is CLIENT or "
    "SERVER, CODE names the fault, OFFSET is the byte in that side's stream where it was found.",
    others="D",
)
MAIL_ACL = IMAP.entry(
    760,
    "I",
    "ACL PHASE=3M MSGID=%s SPAM=%s VIR=%s PARENT=%s NAME=%s %s",
    "Result of the search among mail-acls: ACCEPTED or REJECTED. SPAM is the score times 1000 (a negative one is 0) or "
    "UNKNOWN, VIR the verdict of the virus scanners together, PARENT the command-acl. NAME is <NULL> when none "
    "matched, which rejects.",
    unnamed=("STATUS",),
)
DOC_ACL = IMAP.entry(
    761,
    "I",
    "ACL PHASE=3D MSGID=%s TYPE=%s FILENAME=%s SIZE=%u VIR=%s PARENT=%s NAME=%s %s",
    "Result of the search among doc-acls for one document: PASSED, FILTERED, REPLACED, REMOVED, RETYPED, or REJECTED, "
    "which rejects the mail. TYPE is the type that was found, SIZE that of the decoded document, PARENT the mail-acl. "
    "NAME is <NULL> when none matched, which rejects.",
    unnamed=("ACTION",),
)
MAIL_DENIED = IMAP.entry(
    762,
    "W",
    "MAIL-DENIED MSGID=%s REASON=%s DETAIL=%s",
    "A mail was denied before any ACL was asked. REASON is FORM, AMBIGUOUS, UNAVAILABLE (a scanner gave no result), "
    "SKIPPED (too large for a scanner), SIZE, POLICY or ERROR.",
)
PROXY_EVENT = IMAP.entry(
    888,
    "I",
    "PROXY-EVENT PROTOCOL=TCP CLIENT=%s CLIENT-IP=%s CLIENT-PORT=%u SERVER=%s SERVER-IP=%s SERVER-PORT=%u "
    "SERVER-PORT-NAME=%s USER=%s BYTES-CIN=%u BYTES-COUT=%u BYTES-SIN=%u BYTES-SOUT=%u DURATION=%s STATUS=%s RESULT=%s "
    "RULE=%s",
    "The record from which statistics are made, one a session. CLIENT and SERVER are names where known, else "
    "addresses. CIN is what the proxy sent to the client, COUT what the client sent, SIN what the server sent, SOUT "
    "what the proxy sent to the server, in bytes on the wire. A port that does not exist is 0. DURATION is in seconds, "
    "STATUS is ACCEPTED or REJECTED, RESULT is OK, FAILED or ABORTED, RULE the ACL that decided.",
)
INTERNAL_ERROR = IMAP.entry(
    900,
    "E",
    "INTERNAL-ERROR WHERE=%s CAUSE=%s",
    "A rule of the program was broken; this session ended, the worker goes on. CAUSE is the kind of the error and the "
    "places that led to it, innermost first. Please report it.",
)
