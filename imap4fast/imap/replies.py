"""What the proxy itself says to a client, in the language of the session.

Only the text after the response code: the caller puts tag, status and code before it, and `Reply.code` is the code
that fits (RFC 5530, RFC 9051 section 7.1 and others), empty where none does. Texts hold neither line ends nor control
characters and do not begin with `[`, so that no text can be taken for a code. English is pure ASCII. The three other
spellings of Czech are derived from the UTF-8 one.
"""

from __future__ import annotations

import unicodedata
from enum import Enum


class Reply(Enum):
    """One thing to say. Value: (number, response code); the number only keeps equal codes apart."""

    DENIED = (1, b"NOPERM")
    TOO_MANY_SESSIONS = (2, b"LIMIT")
    CONNECT_FAILED = (3, b"UNAVAILABLE")
    CONNECT_TIMEOUT = (4, b"UNAVAILABLE")
    SERVER_GREETING_TIMEOUT = (5, b"UNAVAILABLE")
    SERVER_CLOSED = (6, b"UNAVAILABLE")
    SERVER_REFUSED = (7, b"UNAVAILABLE")
    SERVER_FAULT = (8, b"UNAVAILABLE")
    SERVER_TIMEOUT = (9, b"UNAVAILABLE")
    IDLE_TIMEOUT = (10, b"")
    LOGIN_TIMEOUT = (11, b"")
    COMMAND_TIMEOUT = (12, b"")
    SESSION_TIME = (13, b"LIMIT")
    BYTES_LIMIT = (14, b"LIMIT")
    MAIL_LIMIT = (15, b"LIMIT")
    TOO_BIG = (16, b"TOOBIG")
    COMMAND_NOT_PERMITTED = (17, b"NOPERM")
    CAPABILITY_NOT_PERMITTED = (18, b"NOPERM")
    MECHANISM_NOT_PERMITTED = (19, b"CANNOT")
    READ_ONLY = (20, b"NOPERM")
    UNKNOWN_COMMAND = (21, b"")
    BAD_SYNTAX = (22, b"")
    BAD_TAG = (23, b"")
    BAD_STATE = (24, b"")
    EXPECTED_DONE = (25, b"")
    BAD_SASL = (26, b"")
    LINE_TOO_LONG = (27, b"TOOBIG")
    LITERAL_TOO_LONG = (28, b"TOOBIG")
    TOO_MANY_ARGUMENTS = (29, b"LIMIT")
    TOO_DEEP = (30, b"LIMIT")
    FRAMING = (31, b"")
    TOO_MANY_BAD = (32, b"")
    SHUTDOWN = (33, b"UNAVAILABLE")
    INTERNAL_ERROR = (34, b"SERVERBUG")
    STARTTLS_UNAVAILABLE = (35, b"NOPERM")
    COMPRESS_UNAVAILABLE = (36, b"NOPERM")
    TLS_REQUIRED = (37, b"PRIVACYREQUIRED")
    READY = (38, b"")
    BEGIN_TLS = (39, b"")
    DONE = (40, b"")
    GOODBYE = (41, b"")
    TLS_ACTIVE = (42, b"")
    SERVER_TLS = (43, b"UNAVAILABLE")
    EXPUNGE_ISSUED = (44, b"EXPUNGEISSUED")
    MAIL_REFUSED = (45, b"CANNOT")
    MAIL_UNAVAILABLE = (46, b"UNAVAILABLE")
    UNKNOWN_CTE = (47, b"UNKNOWN-CTE")
    SPOOL_FULL = (48, b"LIMIT")
    EMPTY_MAIL = (49, b"")
    WORKING = (50, b"")

    @property
    def code(self) -> bytes:
        """The response code to set before the text, without brackets; empty for none."""
        return self.value[1]


ENGLISH = {
    Reply.DENIED: "access denied by policy",
    Reply.TOO_MANY_SESSIONS: "too many sessions, try again later",
    Reply.CONNECT_FAILED: "mail server cannot be reached",
    Reply.CONNECT_TIMEOUT: "mail server did not take the connection in time",
    Reply.SERVER_GREETING_TIMEOUT: "mail server did not greet in time",
    Reply.SERVER_CLOSED: "mail server closed the connection",
    Reply.SERVER_REFUSED: "mail server refused the session",
    Reply.SERVER_FAULT: "mail server broke the protocol",
    Reply.SERVER_TIMEOUT: "mail server did not answer in time",
    Reply.IDLE_TIMEOUT: "session was idle for too long",
    Reply.LOGIN_TIMEOUT: "no login in time",
    Reply.COMMAND_TIMEOUT: "command was not completed in time",
    Reply.SESSION_TIME: "time limit of the session reached",
    Reply.BYTES_LIMIT: "data limit of the session reached",
    Reply.MAIL_LIMIT: "mail is larger than the session may transfer",
    Reply.TOO_BIG: "mail is too large",
    Reply.COMMAND_NOT_PERMITTED: "command is not permitted here",
    Reply.CAPABILITY_NOT_PERMITTED: "extension is not permitted here",
    Reply.MECHANISM_NOT_PERMITTED: "authentication mechanism is not permitted here",
    Reply.READ_ONLY: "mailbox may only be read here",
    Reply.UNKNOWN_COMMAND: "unknown command",
    Reply.BAD_SYNTAX: "syntax error in command",
    Reply.BAD_TAG: "tag is missing, malformed or in use",
    Reply.BAD_STATE: "command is not possible now",
    Reply.EXPECTED_DONE: "expected DONE",
    Reply.BAD_SASL: "malformed authentication data",
    Reply.LINE_TOO_LONG: "line is too long",
    Reply.LITERAL_TOO_LONG: "literal is too long",
    Reply.TOO_MANY_ARGUMENTS: "too many arguments",
    Reply.TOO_DEEP: "too many nested parentheses",
    Reply.FRAMING: "malformed data, end of command unknown",
    Reply.TOO_MANY_BAD: "too many bad commands",
    Reply.SHUTDOWN: "proxy is shutting down",
    Reply.INTERNAL_ERROR: "internal error",
    Reply.STARTTLS_UNAVAILABLE: "STARTTLS is not available",
    Reply.COMPRESS_UNAVAILABLE: "COMPRESS is not available",
    Reply.TLS_REQUIRED: "encrypted connection required",
    Reply.READY: "ready",
    Reply.BEGIN_TLS: "begin TLS",
    Reply.DONE: "done",
    Reply.GOODBYE: "goodbye",
    Reply.TLS_ACTIVE: "TLS is active already",
    Reply.SERVER_TLS: "no safe connection to the mail server",
    Reply.EXPUNGE_ISSUED: "mails were expunged meanwhile",
    Reply.MAIL_REFUSED: "mail is refused by policy",
    Reply.MAIL_UNAVAILABLE: "mail cannot be had now, try again later",
    Reply.UNKNOWN_CTE: "transfer encoding of the part is not known",
    Reply.SPOOL_FULL: "no room for mails now, try again later",
    Reply.EMPTY_MAIL: "mail is empty, nothing was stored",
    Reply.WORKING: "still working",
}

CZECH = {
    Reply.DENIED: "přístup byl odmítnut pravidly",
    Reply.TOO_MANY_SESSIONS: "příliš mnoho spojení, zkuste to později",
    Reply.CONNECT_FAILED: "poštovní server není dostupný",
    Reply.CONNECT_TIMEOUT: "poštovní server včas nepřijal spojení",
    Reply.SERVER_GREETING_TIMEOUT: "poštovní server se včas neohlásil",
    Reply.SERVER_CLOSED: "poštovní server ukončil spojení",
    Reply.SERVER_REFUSED: "poštovní server odmítl relaci",
    Reply.SERVER_FAULT: "poštovní server porušil protokol",
    Reply.SERVER_TIMEOUT: "poštovní server včas neodpověděl",
    Reply.IDLE_TIMEOUT: "relace byla příliš dlouho nečinná",
    Reply.LOGIN_TIMEOUT: "přihlášení neproběhlo včas",
    Reply.COMMAND_TIMEOUT: "příkaz nebyl včas dokončen",
    Reply.SESSION_TIME: "byl dosažen časový limit relace",
    Reply.BYTES_LIMIT: "byl dosažen datový limit relace",
    Reply.MAIL_LIMIT: "zpráva je větší, než smí relace přenést",
    Reply.TOO_BIG: "zpráva je příliš velká",
    Reply.COMMAND_NOT_PERMITTED: "příkaz zde není povolen",
    Reply.CAPABILITY_NOT_PERMITTED: "rozšíření zde není povoleno",
    Reply.MECHANISM_NOT_PERMITTED: "způsob přihlášení zde není povolen",
    Reply.READ_ONLY: "schránku zde lze pouze číst",
    Reply.UNKNOWN_COMMAND: "neznámý příkaz",
    Reply.BAD_SYNTAX: "chyba v zápisu příkazu",
    Reply.BAD_TAG: "značka příkazu chybí, je chybná nebo se právě používá",
    Reply.BAD_STATE: "příkaz teď nelze provést",
    Reply.EXPECTED_DONE: "očekává se DONE",
    Reply.BAD_SASL: "chybná přihlašovací data",
    Reply.LINE_TOO_LONG: "řádek je příliš dlouhý",
    Reply.LITERAL_TOO_LONG: "literál je příliš dlouhý",
    Reply.TOO_MANY_ARGUMENTS: "příliš mnoho argumentů",
    Reply.TOO_DEEP: "příliš mnoho vnořených závorek",
    Reply.FRAMING: "chybná data, konec příkazu nelze určit",
    Reply.TOO_MANY_BAD: "příliš mnoho chybných příkazů",
    Reply.SHUTDOWN: "proxy se ukončuje",
    Reply.INTERNAL_ERROR: "vnitřní chyba",
    Reply.STARTTLS_UNAVAILABLE: "STARTTLS není k dispozici",
    Reply.COMPRESS_UNAVAILABLE: "COMPRESS není k dispozici",
    Reply.TLS_REQUIRED: "je vyžadováno šifrované spojení",
    Reply.READY: "připraveno",
    Reply.BEGIN_TLS: "zahajte TLS",
    Reply.DONE: "hotovo",
    Reply.GOODBYE: "na shledanou",
    Reply.TLS_ACTIVE: "TLS je již v činnosti",
    Reply.SERVER_TLS: "k poštovnímu serveru nevede bezpečné spojení",
    Reply.EXPUNGE_ISSUED: "zprávy byly mezitím odstraněny",
    Reply.MAIL_REFUSED: "zprávu pravidla nepropouštějí",
    Reply.MAIL_UNAVAILABLE: "zpráva teď není k dispozici, zkuste to později",
    Reply.UNKNOWN_CTE: "přenosové kódování části není známé",
    Reply.SPOOL_FULL: "pro zprávy teď není místo, zkuste to později",
    Reply.EMPTY_MAIL: "zpráva je prázdná, nic nebylo uloženo",
    Reply.WORKING: "zpracovává se",
}


def without_accents(text: str) -> str:
    """The same in ASCII: letters without their marks."""
    letters = [char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char)]
    return "".join(letters)


def _encoded(texts: dict[Reply, str], encoding: str) -> dict[Reply, bytes]:
    return {reply: text.encode(encoding) for reply, text in texts.items()}


TEXTS = {
    "EN": _encoded(ENGLISH, "ascii"),
    "CZ": _encoded(CZECH, "utf-8"),
    "CZ-ASCII": _encoded({reply: without_accents(text) for reply, text in CZECH.items()}, "ascii"),
    "CZ-ISO-8859-2": _encoded(CZECH, "iso8859_2"),
    "CZ-WINDOWS-1250": _encoded(CZECH, "cp1250"),
}
"""By language, the words of item `language`."""


def text(language: str, key: Reply) -> bytes:
    """What to say, without line end. `language` is a key of TEXTS."""
    return TEXTS[language][key]
