"""Words for commands and capabilities that a configuration may name (configuration.md section 4).

Names of capabilities are those of the IANA registry and of servers in the field. A family is a prefix whose rest is
chosen by the server; its word is `PREFIX*`, `PREFIX` alone, or one member.
"""

from __future__ import annotations

from imap4fast._wire import COMMANDS

UNKNOWN = "UNKNOWN"
"""Every command, or capability, that the proxy does not know."""

COMMAND_WORDS: frozenset[str] = frozenset(name.decode("ascii") for name in COMMANDS)

_REGISTERED = """
    IMAP4rev1 IMAP4rev2 IMAP4 ACL ANNOTATE-EXPERIMENT-1 APPENDLIMIT BINARY CATENATE CHILDREN COMPRESS=DEFLATE
    CONDSTORE CONTEXT=SEARCH CONTEXT=SORT CONVERT CREATE-SPECIAL-USE ENABLE ESEARCH ESORT FILTERS I18NLEVEL=1
    I18NLEVEL=2 ID IDLE INPROGRESS JMAPACCESS LANGUAGE LIST-EXTENDED LIST-METADATA LIST-MYRIGHTS LIST-STATUS LITERAL+
    LITERAL- LOGIN-REFERRALS LOGINDISABLED MAILBOX-REFERRALS METADATA METADATA-SERVER MOVE MULTIAPPEND MULTISEARCH
    NAMESPACE NOTIFY OBJECTID PARTIAL PREVIEW QRESYNC QUOTA QUOTASET REPLACE SASL-IR SAVEDATE SEARCH=FUZZY SEARCHRES
    SORT SORT=DISPLAY SPECIAL-USE STARTTLS STATUS=SIZE UIDBATCHES UIDONLY UIDPLUS UNAUTHENTICATE UNSELECT URL-PARTIAL
    URLAUTH URLAUTH=BINARY UTF8=ACCEPT UTF8=ALL UTF8=APPEND UTF8=ONLY UTF8=USER WITHIN
"""

_IN_THE_FIELD = """
    ACL2=UNION ANNOTATEMORE BACKENDAUTHENTICATE CLIENTACCESSRULES CLIENTNETWORKPRESENCELOCATION DIGEST=SHA1
    LIST-SUBSCRIBED LISTEXT NO_ATOMIC_RENAME PREVIEW=FUZZY SCAN SNIPPET=FUZZY SORT=MODSEQ X-APPLE-REMOTE-LINKS
    X-GM-EXT-1 X-MSG-EXT X-NETSCAPE X-UNAUTHENTICATE XAPPLELITERAL XAPPLEPUSHSERVICE XLIST XMSEARCH XSENDER XSTOP XUM1
    XYMHIGHESTMODSEQ
"""

FAMILIES = (
    "APPENDLIMIT=",
    "AUTH=",
    "COMPRESS=",
    "CONTEXT=",
    "I18NLEVEL=",
    "IMAPSIEVE=",
    "MESSAGELIMIT=",
    "QUOTA=RES-",
    "RIGHTS=",
    "SAVELIMIT=",
    "THREAD=",
    "UTF8=",
    "X-SUN-",
)

CAPABILITIES: frozenset[str] = frozenset((_REGISTERED + _IN_THE_FIELD).split())
"""Every capability that is known by its whole name."""

CAPABILITY_WORDS: frozenset[str] = CAPABILITIES | {f"{prefix}*" for prefix in FAMILIES} | {UNKNOWN}
"""What is suggested for a misspelt word."""

_FOLDED = {name.upper() for name in CAPABILITIES}


def is_command_word(word: str) -> bool:
    """Whether `commands` may name it."""
    return word in COMMAND_WORDS


def is_capability_word(word: str) -> bool:
    """Whether `capabilities` may name it; case is ignored, as in IMAP."""
    folded = word.upper()
    return folded == UNKNOWN or is_known_capability(folded)


def is_known_capability(name: str) -> bool:
    """Whether a server's capability is one that the proxy knows: all others fall under `UNKNOWN`."""
    folded = name.upper()
    return folded in _FOLDED or any(folded.startswith(prefix) for prefix in FAMILIES)


def word_covers(word: str, name: str) -> bool:
    """Whether the word of a configuration stands for the capability that a server named.

    `AUTH=*` and `AUTH=` stand for the whole family, `APPENDLIMIT` also for `APPENDLIMIT=n`, `UNKNOWN` for what is
    not known, every other word for itself.
    """
    folded, wanted = name.upper(), word.upper()
    if wanted == UNKNOWN:
        return not is_known_capability(folded)
    if wanted == folded:
        return True
    prefix = wanted.removesuffix("*")
    if prefix == "APPENDLIMIT":
        prefix = "APPENDLIMIT="
    return prefix in FAMILIES and folded.startswith(prefix)


_NEVER_COMMANDS = """
    COMPRESS UNAUTHENTICATE PROXYAUTH GENURLAUTH RESETKEY URLFETCH CONVERT UID-CONVERT NOTIFY CANCELUPDATE
    GETJMAPACCESS UNKNOWN
"""
NEVER_SCANNED = frozenset(_NEVER_COMMANDS.split())
"""Commands that never pass where mails are processed: they carry content, or make the session another one."""

_NEVER_CAPABILITIES = """
    CATENATE CONVERT DIGEST=SHA1 IMAP4 IMAP4REV2 JMAPACCESS LOGIN-REFERRALS MAILBOX-REFERRALS NOTIFY PREVIEW=FUZZY
    PROXYAUTH SNIPPET=FUZZY UIDONLY UNAUTHENTICATE UNKNOWN URL-PARTIAL X-UNAUTHENTICATE XAPPLEPUSHSERVICE
"""
_NEVER_WITH_SCANNING = frozenset(_NEVER_CAPABILITIES.split())
_NEVER_FAMILIES = ("ANNOTATE", "COMPRESS=", "CONTEXT=", "URLAUTH")


def never_with_scanning(name: str) -> bool:
    """Whether a capability is never offered where mails are processed: it stands for content, or means, that the
    processed mail does not have (protocol.md 1.6).
    """
    folded = name.upper()
    return folded in _NEVER_WITH_SCANNING or folded.startswith(_NEVER_FAMILIES)
