"""Names that a server may send: response codes and untagged responses that pass (RFC 9051 section 7).

The lists are allow-lists; policy makes each session's tables of them.
"""

from __future__ import annotations

CODES = frozenset(
    b"ALERT BADCHARSET PARSE PERMANENTFLAGS READ-ONLY READ-WRITE TRYCREATE UIDNEXT UIDVALIDITY UNSEEN APPENDUID "
    b"COPYUID UIDNOTSTICKY CLOSED HIGHESTMODSEQ NOMODSEQ MODIFIED UNAVAILABLE AUTHENTICATIONFAILED "
    b"AUTHORIZATIONFAILED EXPIRED PRIVACYREQUIRED CONTACTADMIN NOPERM INUSE EXPUNGEISSUED CORRUPTION SERVERBUG "
    b"CLIENTBUG CANNOT LIMIT OVERQUOTA ALREADYEXISTS NONEXISTENT HASCHILDREN NOTSAVED TOOBIG MAILBOXID UNKNOWN-CTE "
    b"THROTTLED INPROGRESS MESSAGELIMIT"
    b"".split()
)
"""Codes that pass unchanged after login. CAPABILITY is rewritten, never passed."""

AFTER_LOGIN = frozenset((b"ALERT",))
"""Codes that are not believed before login (T-S09)."""

NEVER = frozenset((b"REFERRAL", b"URLMECH", b"BADURL", b"COMPRESSIONACTIVE", b"NOTIFICATIONOVERFLOW"))
"""Codes that no setting lets through: they lead clients past the proxy or speak of what was refused."""

UNTAGGED = frozenset(
    b"LIST LSUB XLIST NAMESPACE STATUS SEARCH ESEARCH SORT THREAD FLAGS EXISTS RECENT EXPUNGE VANISHED FETCH QUOTA "
    b"QUOTAROOT MYRIGHTS ID".split()
)
"""Untagged data that pass; OK, NO, BAD, BYE, CAPABILITY and ENABLED are looked at."""

DYNAMIC_ITEMS = frozenset(
    b"FLAGS UID INTERNALDATE MODSEQ EMAILID THREADID SAVEDATE X-GM-MSGID X-GM-THRID X-GM-LABELS X-GUID X-MAILBOX "
    b"X-REAL-UID X-SAVEDATE"
    b"".split()
)
"""Items of FETCH that tell nothing of a mail's octets: they come from the server (protocol.md section 2.1)."""

UNTAGGED_OF = {
    b"ACL": b"GETACL",
    b"LISTRIGHTS": b"LISTRIGHTS",
    b"METADATA": b"GETMETADATA",
    b"LANGUAGE": b"LANGUAGE",
    b"COMPARATOR": b"COMPARATOR",
}
"""Untagged data that pass where the command that asks for them is permitted."""
