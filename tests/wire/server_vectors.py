"""Server vectors of protocol.md sections 3.1, 3.4, 4.2 and of the grammar of responses (T-R and T-S rows, R2, R6, R8)."""

from __future__ import annotations

from itertools import permutations

from tests.wire.vectors import ServerVector as V

ENVELOPE = (
    b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg \\"summary\\" (1)" (("Terry Gray" NIL "gray" "cac.example"))'
    b' NIL NIL ((NIL NIL "imap" "cac.example")) NIL NIL NIL "<B27397-0100000@cac.example>")'
)
STRUCTURE = (
    b'(("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 3028 92)("message" "rfc822" NIL NIL NIL "7bit" 400 '
    + ENVELOPE
    + b' ("text" "plain" NIL NIL NIL "7bit" 10 1) 12) "mixed" ("boundary" "a(b)c") NIL NIL)'
)
DEEP = b"* THREAD " + b"(" * 101 + b"1" + b")" * 101 + b"\r\n"
DEEPEST = b"* THREAD " + b"(" * 100 + b"1" + b")" * 100 + b"\r\n"


def closes(name: str, server: bytes, fault: str, *, shows: bytes = b"", **more: object) -> V:
    """A fault of the server: what came before is shown, then BYE."""
    return V(name, server, shows + b"* BYE closing\r\n", (fault,), True, **more)  # type: ignore[arg-type]


def closes_inside(name: str, server: bytes, fault: str, *, shows: bytes, **more: object) -> V:
    """A fault inside a unit: nothing of the proxy's own can be said there."""
    return V(name, server, shows, (fault,), True, **more)  # type: ignore[arg-type]


PASSING = [
    V(f"4 {line.decode('latin-1')[:48]!r}", line + b"\r\n")
    for line in (
        b"* 5 EXISTS",
        b"* 0 EXISTS",
        b"* 0 RECENT",
        b"* 3 RECENT",
        b"* FLAGS (\\Answered \\Seen $Junk)",
        b"* FLAGS ()",
        b'* LIST (\\HasNoChildren) "/" INBOX',
        b'* LIST () "/" "a (b"',
        b'* LIST () NIL ""',
        b'* LIST (\\Noselect) "/" "a\\\\b\\"c"',
        b'* LSUB () "." x',
        b"* SEARCH",
        b"* SEARCH 1 2 3",
        b"* SEARCH 1 2 (MODSEQ 917162500)",
        b"* SORT 5 3",
        b"* THREAD (2)(3 6 (4 23)(44 7 96))",
        b'* ESEARCH (TAG "A1") UID ALL 1:3,5',
        b"* STATUS INBOX (MESSAGES 231 UIDNEXT 44292)",
        b'* STATUS "a b" (MESSAGES 1)',
        b'* NAMESPACE (("" "/")) NIL (("Public/" "/"))',
        b"* VANISHED (EARLIER) 300:310,405,411",
        b"* VANISHED 405",
        b'* QUOTA "" (STORAGE 10 512)',
        b'* QUOTAROOT INBOX ""',
        b"* MYRIGHTS INBOX rwiptsldaex",
        b"* ACL INBOX u lr",
        b"* 1 FETCH (FLAGS (\\Seen) UID 5)",
        b"* 12 FETCH (FLAGS () UID 5 MODSEQ (12121231000))",
        b"* 1 FETCH (ENVELOPE " + ENVELOPE + b")",
        b"* 2 FETCH (BODYSTRUCTURE " + STRUCTURE + b" UID 9)",
        b"* 3 FETCH (BODY[] NIL)",
        b'* 3 FETCH (BODY[1]<0> "short")',
        b"* 1 EXPUNGE",
        b'* 3 FETCH (INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 4286)',
        b"* 4294967295 EXISTS",
        b"* 3 fetch (flags ())",
        b"* OK Still here",
        b"* OK [UIDVALIDITY 3857529045] UIDs valid",
        b"* OK [PERMANENTFLAGS (\\Deleted \\Seen \\*)] Limited",
        b"* NO [ALERT] full",
        b"* OK [UIDNEXT 4392]",
        b"* BAD unknown",
        b"* ok [uidnext 4392] x",
        b'* OK "open',
        b"* OK (open",
        b"* OK 8-bit \xc3\xa9 \xff",
        b"* NO",
        b"* OK ",
        b"* VANISHED 1:4294967295",
        b"* OK [COPYUID 1 1:4294967295 1:4294967295] x",
        b"* OK [COPYUID 1 2 3  ] x",
        b"* OK [CLOSED] x",
        b"* OK [HIGHESTMODSEQ 715194045007] x",
        b'* METADATA "" (/shared/comment "x")',
        b'* 1 FETCH (X-GM-LABELS (\\Inbox "a\\\\b"))',
        b'* LIST () "/" {abc}',
        b'* LIST () "/" a{b',
        b"* SEARCH 1 2 ",
        b"* 2 FETCH (MODSEQ (-1))",
        b"* 2 FETCH (X 1.5)",
        b'* 1 FETCH (ENVELOPE (("a" NIL)  NIL))',
        b"* FLAGS (\x1b[31m)",
        b"* FLAGS (\tx)",
        b'* LIST () "/" "\x01"',
    )
]

LITERALS = [
    V("R2 literal", b"* 1 FETCH (BODY[] {5}\r\nhello UID 3)\r\n"),
    V("R2 two literals", b"* 1 FETCH (BODY[HEADER] {5}\r\nA: b\r BODY[TEXT] {3}\r\n\r\n\0)\r\n"),
    V("R2 empty literal", b"* 1 FETCH (BODY[] {0}\r\n)\r\n"),
    V("R2 two empty literals", b"* 1 FETCH (BODY[1] {0}\r\n BODY[2] {0}\r\n)\r\n"),
    V("R2 literal8", b"* 1 FETCH (BINARY[1] ~{4}\r\n\0\r\n\xff UID 4)\r\n"),
    V("R2 literal holds responses", b"* 1 FETCH (BODY[] {32}\r\n* BYE gone\r\na OK done\r\n* 1 EXP\r\n)\r\n"),
    V("R2 literal holds markers and quotes", b'* 1 FETCH (BODY[] {9}\r\n"({5}\r\nxy)\r\n'),
    V("R2 mailbox by literal", b'* LIST () "/" {3}\r\na{}\r\n'),
    V("R2 mailbox by literal ends in }", b'* LIST () "/" {3}\r\n{5}\r\n'),
    V("R2 mailbox by literal ends in a marker", b'* LIST () "/" {6}\r\n x {5}\r\n* 3 EXISTS\r\n'),
    closes_inside(
        "T-R05 rest is }", b'* LIST () "/" {3}\r\nabc}\r\n', "BAD_RESPONSE", shows=b'* LIST () "/" {3}\r\nabc'
    ),
    V("R2 literal in an envelope", b'* 1 FETCH (ENVELOPE (NIL {4}\r\n"(\r\n NIL ((NIL NIL {1}\r\n" "x"))))\r\n'),
    V("R2 20 digits", b"* 1 FETCH (BODY[] {00000000000000000005}\r\nhello)\r\n"),
    V("R2 19 digits", b"* 1 FETCH (BODY[] {0000000000000000005}\r\nhello)\r\n"),
    V("R2 marker in quoted", b'* LIST () "/" "a {5}"\r\n'),
    V("R2 marker in the midst", b"* SEARCH {5} 1\r\n"),
    V("R2 marker in text", b"* OK text {5}\r\n", asks=("STATUS",)),
    V("R2 text of a code ends in a marker", b"* OK [UIDNEXT 4392] x{5}\r\n", asks=("STATUS",)),
    V("R2 marker in the midst of text", b"* OK text {5} x\r\n"),
    V("R2 marker in tagged text", b"a OK text {5}\r\n", asks=("STATUS",), client=b"a NOOP\r\n"),
    V("R2 marker behind +", b"+ x {5}\r\n", b"+ OK\r\n", client=b"a APPEND x {5}\r\n"),
    *(
        closes(f"R2 literal in {data.decode()}", b"* " + data + b" {9}\r\n* BYE x\r\n\r\n", "BAD_LITERAL")
        for data in (
            b"5 EXISTS",
            b"1 RECENT",
            b"1 EXPUNGE",
            b"VANISHED 1",
            b"SEARCH 1",
            b"SORT",
            b"THREAD",
            b"FLAGS ()",
        )
    ),
    closes("R2 {5+}", b"* 1 FETCH (BODY[] {5+}\r\nhello)\r\n", "BAD_LITERAL"),
    closes("R2 x{5+}", b"* 1 FETCH (BODY[] x{5+}\r\nhello)\r\n", "BAD_LITERAL"),
    V("R2 1+57}", b'* LIST () "/" 1+57}\r\n* LIST () "/" 57+}\r\n* LIST () "/" {1+57}\r\n* 1 EXISTS\r\n'),
    closes("R2 {}", b"* 1 FETCH (BODY[] {}\r\n)\r\n", "BAD_LITERAL"),
    closes("R2 without space", b"* 1 FETCH (BODY[]{5}\r\nhello)\r\n", "BAD_LITERAL"),
    closes("R2 21 digits", b"* 1 FETCH (BODY[] {" + b"0" * 20 + b"5}\r\nhello)\r\n", "BAD_LITERAL"),
    closes("R2 35 digits", b"* 1 FETCH (BODY[] {" + b"0" * 34 + b"5}\r\nhello)\r\n", "BAD_LITERAL"),
    closes("R2 35 digits outside a list", b'* LIST () "/" {' + b"0" * 34 + b"5}\r\nhello\r\n", "BAD_LITERAL"),
    closes("R2 overflow", b"* 1 FETCH (BODY[] {9223372036854775808}\r\n", "LITERAL_OVERFLOW"),
    closes("R2 overflow of 64 bits", b"* 1 FETCH (BODY[] {18446744073709551621}\r\nhello)\r\n", "LITERAL_OVERFLOW"),
    closes("R2 19 nines", b"* 1 FETCH (BODY[] {9999999999999999999}\r\n", "LITERAL_OVERFLOW"),
    closes_inside(
        "T-R05 short literal",
        b"* 1 FETCH (BODY[] {10}\r\n12345678)\r\n* 3 EXISTS\r\n",
        "BARE_LF",
        shows=b"* 1 FETCH (BODY[] {10}\r\n12345678)\r",
    ),
    closes_inside(
        "T-R05 short by two",
        b"* 1 FETCH (BODY[] {10}\r\n1234567\r\n)\r\na OK x\r\n",
        "BAD_RESPONSE",
        shows=b"* 1 FETCH (BODY[] {10}\r\n1234567\r\n)",
        client=b"a NOOP\r\n",
    ),
    closes_inside(
        "T-R05 long literal",
        b"* 1 FETCH (BODY[] {3}\r\n12)4)\r\n",
        "BAD_RESPONSE",
        shows=b"* 1 FETCH (BODY[] {3}\r\n12)",
    ),
    V(
        "T-R04 literal above the limit",
        b"* 1 FETCH (RFC822.SIZE 100 BODY[] {101}\r\n",
        b"",
        ("LIMIT MAX-MAIL-IN",),
        True,
        settings=(("max_mail_in", 100),),
    ),
    V(
        "T-R04 literal at the limit",
        b"* 1 FETCH (BODY[] {100}\r\n" + b"x" * 100 + b")\r\n",
        settings=(("max_mail_in", 100),),
    ),
    V("T-R04 a name is no mail", b'* LIST () "/" {101}\r\n' + b"x" * 101 + b"\r\n", settings=(("max_mail_in", 100),)),
]

FRAMING = [
    closes("R1 bare LF", b"* 1 EXISTS\n", "BARE_LF"),
    closes("R1 bare LF alone", b"\n", "BARE_LF"),
    closes("R1 bare CR", b'* LIST () "/" a\rb\r\n', "BARE_CR"),
    closes("R1 bare CR in quoted", b'* LIST () "/" "a\rb"\r\n', "OPEN_QUOTED"),
    closes("R1 NUL", b'* LIST () "/" a\0b\r\n', "NUL"),
    closes("R1 bare CR in text", b"* OK a\rb\r\n", "BARE_CR"),
    closes("R1 NUL in text", b"* OK a\0b\r\n", "NUL"),
    closes("R1 bare CR in BYE, asked", b"* BYE a\rb\r\n", "BARE_CR"),
    closes("R1 NUL in BYE, asked", b"* BYE a\0b\r\n", "NUL"),
    closes("R1 NUL in CAPABILITY, asked", b"* CAPABILITY A\0 B\r\n", "NUL"),
    closes("R1 bare CR in ENABLED, asked", b"* ENABLED A\r\r\n", "BARE_CR"),
    closes("R1 bare CR in the greeting, asked", b"* OK a\rb\r\n", "BARE_CR", greet=False, state="not"),
    closes("R1 NUL in a challenge, asked", b"+ a\0b\r\n", "NUL", client=b"a AUTHENTICATE X\r\n", state="not"),
    closes(
        "R1 bare CR in a watched answer, asked", b"a OK a\rb\r\n", "BARE_CR", client=b"a LOGIN u p\r\n", state="not"
    ),
    closes("T-R12 bare LF in text", b"* OK a\nb\r\n", "BARE_LF"),
    closes("T-R21 CRLF in quoted", b'* LIST (\\Noselect) "/" "\r\n..."\r\n', "OPEN_QUOTED"),
    closes("T-R21 escape at the end", b'* LIST () "/" "a\\"\r\n', "OPEN_QUOTED"),
    closes("T-R10 nesting", DEEP, "TOO_DEEP"),
    V("T-R10 deepest", DEEPEST),
    closes("T-R10 a million", b"* THREAD " + b"(" * 300_000 + b"\r\n", "TOO_DEEP"),
    closes("T-R11 long line", b"* SEARCH " + b"1 " * 600_000, "LINE_TOO_LONG", whole_units=False),
    V("T-R11 longest line", b"* SEARCH " + b"1" * 91 + b"\r\n", settings=(("max_server_line", 100),)),
    closes(
        "T-R11 a byte more", b"* SEARCH " + b"1" * 92 + b"\r\n", "LINE_TOO_LONG", settings=(("max_server_line", 100),)
    ),
    closes("R unbalanced", b"* 1 FETCH (FLAGS (\\Seen)\r\n", "BAD_RESPONSE"),
    closes("R unbalanced the other way", b"* 1 FETCH (FLAGS (\\Seen)))\r\n", "BAD_RESPONSE"),
    closes("R bare CR behind a backslash", b'* LIST () "/" "a\\\rb"\r\n', "OPEN_QUOTED"),
    closes("R NUL behind a backslash", b'* LIST () "/" "a\\\0b"\r\n', "OPEN_QUOTED"),
    closes("R backslash at the end", b'* LIST () "/" "a\\\r\n', "OPEN_QUOTED"),
    closes("R empty line", b"\r\n", "UNKNOWN_TAG"),
    closes("R star", b"*\r\n", "UNKNOWN_TAG"),
    closes("R star and space", b"* \r\n", "BAD_RESPONSE"),
    closes("R two spaces", b"*  OK x\r\n", "BAD_RESPONSE"),
    closes("R no name", b"* (x)\r\n", "BAD_RESPONSE"),
    closes("R name in quotes", b'* "OK" x\r\n', "BAD_RESPONSE"),
    closes("R name with more", b"* OK[X] y\r\n", "BAD_RESPONSE"),
    *(
        closes(f"R number before {name.decode()}", b"* 5 " + name + b" [REFERRAL x] y\r\n", "BAD_RESPONSE")
        for name in (b"OK", b"no", b"BAD", b"BYE", b"PREAUTH", b"CAPABILITY", b"ENABLED")
    ),
]

NUMBERS = [
    closes("T-R08 huge", b"* 99999999999999999999 EXISTS\r\n", "BAD_NUMBER"),
    closes("T-R08 2^32", b"* 4294967296 EXISTS\r\n", "BAD_NUMBER"),
    closes("T-R08 EXPUNGE 0", b"* 0 EXPUNGE\r\n", "BAD_NUMBER"),
    closes("T-R08 FETCH 0", b"* 0 FETCH (FLAGS ())\r\n", "BAD_NUMBER"),
    closes("T-R08 FETCH of nothing", b"* FETCH (FLAGS ())\r\n", "BAD_NUMBER"),
    closes("T-R08 EXISTS of nothing", b"* EXISTS\r\n", "BAD_NUMBER"),
    closes("T-R08 EXPUNGE of nothing", b"* EXPUNGE\r\n", "BAD_NUMBER"),
    closes("T-R08 7 of 3", b"* 3 EXISTS\r\n* 7 EXPUNGE\r\n", "BAD_NUMBER", shows=b"* 3 EXISTS\r\n"),
    closes(
        "T-R08 counted down",
        b"* 2 EXISTS\r\n* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n",
        "BAD_NUMBER",
        shows=b"* 2 EXISTS\r\n* 2 EXPUNGE\r\n",
    ),
    V("T-R08 last one", b"* 2 EXISTS\r\n* 2 EXPUNGE\r\n* 1 EXPUNGE\r\n"),
    V("T-R08 known no more", b"* 2 EXISTS\r\n* VANISHED 5\r\n* 2 EXPUNGE\r\n"),
    closes("T-R08 float", b"* 1.5 EXISTS\r\n", "BAD_NUMBER"),
    V("T-R08 sign", b"* -1 EXISTS\r\n", b"", ("UNLISTED",)),
]

TAGGED = [
    closes("T-S07 tag of nobody", b"a1 OK done\r\n", "UNKNOWN_TAG"),
    closes("R6 tag twice", b"a OK done\r\na OK done\r\n", "UNKNOWN_TAG", shows=b"a OK done\r\n", client=b"a NOOP\r\n"),
    closes("R6 case of the tag", b"A OK done\r\n", "UNKNOWN_TAG", client=b"a NOOP\r\n"),
    closes("R6 tag with a space before", b" a OK done\r\n", "UNKNOWN_TAG", client=b"a NOOP\r\n"),
    closes("R6 tag alone", b"a\r\n", "UNKNOWN_TAG", client=b"a NOOP\r\n"),
    closes("R6 long tag", b"a" * 5000 + b" OK\r\n", "UNKNOWN_TAG", client=b"a NOOP\r\n"),
    closes("R6 no status", b"a \r\n", "BAD_STATUS", client=b"a NOOP\r\n"),
    closes("R6 wrong status", b"a YES done\r\n", "BAD_STATUS", client=b"a NOOP\r\n"),
    closes("R6 BYE with a tag", b"a BYE done\r\n", "BAD_STATUS", client=b"a NOOP\r\n"),
    closes("R6 NUL in the text", b"a OK d\0ne\r\n", "NUL", client=b"a NOOP\r\n"),
    V("R6 OK", b"a OK done\r\n", client=b"a NOOP\r\n"),
    V("R6 OK without text", b"a OK\r\n", client=b"a NOOP\r\n"),
    V("R6 lower case", b"a ok done\r\n", client=b"a NOOP\r\n"),
    V("4.2 answers overtake", b"c OK x\r\na NO x\r\nb BAD x\r\n", client=b"a NOOP\r\nb NOOP\r\nc NOOP\r\n"),
    V("R8 APPENDUID", b"a OK [APPENDUID 38505 3955] done\r\n", client=b"a NOOP\r\n"),
    V("R8 code unknown", b"a OK [XYZZY] done\r\n", asks=("STATUS",), client=b"a NOOP\r\n"),
    V("R8 CAPABILITY in a tagged OK", b"a OK [CAPABILITY IMAP4rev1] done\r\n", asks=("STATUS",), client=b"a NOOP\r\n"),
    V(
        "R8 watched",
        b"a OK [CAPABILITY IMAP4rev1] done\r\n",
        asks=("COMPLETED LOGIN a",),
        client=b"a LOGIN u p\r\n",
        state="not",
    ),
    V("R8 watched, plain", b"a OK done\r\n", asks=("COMPLETED ENABLE a",), client=b"a ENABLE X\r\n", state="auth"),
    V("T-R12 control bytes", b"a OK \x1b]0;x\x07\r\n", asks=("STATUS",), client=b"a NOOP\r\n"),
    V("T-R12 DEL", b"* OK \x7f\r\n", asks=("STATUS",)),
    V("T-R12 TAB", b"* OK a\tb\r\n", asks=("STATUS",)),
]

TWO = b"a FETCH 1:2 (FLAGS)\r\nb STATUS x (MESSAGES)\r\n"
THREE = b"a NOOP\r\nb CHECK\r\nc SEARCH ALL\r\n"
OVERTAKING = [
    *(
        V(
            "4.2 in the order " + "".join(tags),
            b"".join(b"* %d EXISTS\r\n%b OK done\r\n" % (at, tag.encode()) for at, tag in enumerate(tags)),
            client=THREE,
        )
        for tags in permutations("abc")
    ),
    V("4.2 data between", b"* 1 FETCH (FLAGS ())\r\nb OK x\r\n* 2 FETCH (FLAGS ())\r\na OK x\r\n", client=TWO),
    V(
        "4.2 data of the other one",
        b"* STATUS x (MESSAGES 3)\r\n* 1 FETCH (FLAGS ())\r\na OK x\r\n* STATUS x (MESSAGES 4)\r\nb OK x\r\n",
        client=TWO,
    ),
    V(
        "4.2 a literal between that looks like an answer",
        b"b OK x\r\n* 1 FETCH (BODY[] {18}\r\na OK x\r\nb OK x\r\n\r\n)\r\na OK x\r\n",
        client=TWO,
    ),
    V("4.2 first refused, then done", b"b NO x\r\na BAD x\r\n", client=TWO),
    V("4.2 codes", b"b OK [XYZZY] x\r\n* OK [ALERT] x\r\na NO [TRYCREATE] x\r\n", asks=("STATUS",), client=TWO),
    V("4.2 tags alike", b"aa OK x\r\nA OK x\r\na OK x\r\n", client=b"a NOOP\r\naa NOOP\r\nA NOOP\r\n"),
    closes("4.2 the second twice", b"b OK x\r\nb OK x\r\n", "UNKNOWN_TAG", shows=b"b OK x\r\n", client=TWO),
    V(
        "4.2 LOGIN overtakes",
        b"b OK in\r\na OK x\r\n* 1 EXISTS\r\n",
        asks=("COMPLETED LOGIN b",),
        client=b"a NOOP\r\nb LOGIN u p\r\n",
        state="not",
    ),
    V(
        "4.2 LOGIN overtakes and fails",
        b"b NO x\r\n* 1 EXISTS\r\na OK x\r\n",
        b"b NO x\r\na OK x\r\n",
        ("COMPLETED LOGIN b", "UNLISTED", "STATUS"),
        client=b"a NOOP\r\nb LOGIN u p\r\n",
        state="not",
    ),
    V("4.2 SELECT overtakes", b"* 3 EXISTS\r\nb OK x\r\na OK x\r\n", client=b"a NOOP\r\nb SELECT x\r\n"),
    V("4.2 + of IDLE before an answer", b"+ idling\r\na OK x\r\nb OK x\r\n", client=b"a NOOP\r\nb IDLE\r\n"),
    V("4.2 IDLE refused first", b"b NO x\r\n* 1 EXISTS\r\na OK x\r\n", client=b"a NOOP\r\nb IDLE\r\n"),
    V("4.2 upload refused first", b"b NO x\r\n* 1 EXISTS\r\na OK x\r\n", client=b"a NOOP\r\nb APPEND x {5}\r\n"),
    V("4.2 + of an upload first", b"+ go\r\n* 1 EXISTS\r\na OK x\r\n", client=b"a NOOP\r\nb APPEND x {5}\r\n"),
    V("4.2 LOGOUT overtakes", b"* BYE x\r\nb OK x\r\na OK x\r\n", client=b"a NOOP\r\nb LOGOUT\r\n"),
]

CODES = [
    V("T-R14 CAPABILITY", b"* OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE URLAUTH] x\r\n", asks=("STATUS",)),
    V("T-R14 lower case", b"* ok [capability IMAP4rev1 COMPRESS=DEFLATE] x\r\n", asks=("STATUS",)),
    V("T-R14 two spaces", b"* OK  [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] x\r\n", asks=("STATUS",)),
    V("T-R14 untagged", b"* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE\r\n", asks=("CAPABILITY",)),
    V("T-R14 no end", b"* OK [CAPABILITY IMAP4rev1\r\n", asks=("STATUS",)),
    V("T-R14 listed without an end", b"* OK [UIDNEXT 5\r\n", asks=("STATUS",)),
    V("T-S08 REFERRAL", b"* NO [REFERRAL imap://u@attacker.example/] moved\r\n", asks=("STATUS",)),
    V("4.2 Exchange", b'* NO [Error="Item not found"] x\r\n', asks=("STATUS",)),
    V("4.2 code with a space first", b"* OK [ UIDNEXT 5] x\r\n", asks=("STATUS",)),
    V("4.2 empty code", b"* OK [] x\r\n", asks=("STATUS",)),
    V("T-R15 ENABLED", b"* ENABLED UTF8=ACCEPT\r\n", asks=("ENABLED",)),
    V("T-R16 BYE", b"* BYE bye\r\n", asks=("BYE",)),
    V("T-R16 BYE again", b"* BYE bye\r\n* BYE bye\r\n", asks=("BYE", "BYE")),
    closes("R PREAUTH later", b"* PREAUTH hi\r\n", "BAD_RESPONSE"),
]

UNLISTED = [
    V("1.6 URLFETCH", b'* URLFETCH "imap://x" {5}\r\nhello\r\n* 1 EXISTS\r\n', b"* 1 EXISTS\r\n", ("UNLISTED",)),
    V("1.6 UIDFETCH", b"* 5 UIDFETCH (BODY[] {8}\r\n)\r\n* 1 E)\r\n* 2 EXISTS\r\n", b"* 2 EXISTS\r\n", ("UNLISTED",)),
    V("1.6 CONVERTED", b'* CONVERTED (TAG "a") (BINARY[1] ~{2}\r\n\0\0)\r\n', b"", ("UNLISTED",)),
    V("1.6 unknown", b"* XYZZY plugh\r\n", b"", ("UNLISTED",)),
    V("1.6 unknown permitted", b"* XYZZY (plugh {3}\r\nabc)\r\n", unknown=True),
    closes("1.6 dropped with open quote", b'* XYZZY "plugh\r\n', "OPEN_QUOTED", unknown=True),
    V("1.6 long name", b"* " + b"X" * 50 + b" y\r\n", b"", ("UNLISTED",)),
    V("T-R01 FETCH in NOOP", b"* 5 FETCH (UID 9 BODY[] {4}\r\nmail)\r\na OK x\r\n", client=b"a NOOP\r\n"),
]

LIMITED = (("max_mail_out", 100),)
APPEND_LIMITS = [
    V("1.3 APPENDLIMIT", b"* STATUS x (APPENDLIMIT 5)\r\n", asks=("APPENDLIMIT",), settings=LIMITED),
    V("1.3 in any case", b"* status x (messages 1 AppendLimit NIL)\r\n", asks=("APPENDLIMIT",), settings=LIMITED),
    V("1.3 without a limit", b"* STATUS x (MESSAGES 1 APPENDLIMIT 5)\r\n"),
    V("1.3 another item", b"* STATUS x (MESSAGES 1)\r\n* STATUS APPENDLIMI (X 1)\r\n", settings=LIMITED),
    V("1.3 other data", b'* LIST () "/" APPENDLIMIT\r\n* OK APPENDLIMIT 5\r\n', settings=LIMITED),
    V(
        "1.3 name by literal",
        b"* STATUS {11}\r\nAPPENDLIMIT (MESSAGES 1 APPENDLIMIT 5)\r\n",
        asks=("APPENDLIMIT",),
        settings=LIMITED,
    ),
    V("1.3 literal as name alone", b"* STATUS {11}\r\nAPPENDLIMIT (MESSAGES 1)\r\n", settings=LIMITED),
    V(
        "1.3 LIST-STATUS",
        b'* LIST () "/" a\r\n* STATUS a (APPENDLIMIT 5)\r\n* LIST () "/" b\r\n* STATUS "b" (APPENDLIMIT NIL)\r\na OK x\r\n',
        asks=("APPENDLIMIT",) * 2,
        settings=LIMITED,
        client=b'a LIST "" * RETURN (STATUS (APPENDLIMIT))\r\n',
    ),
    V("1.3 before login", b"* STATUS x (APPENDLIMIT 5)\r\n", b"", ("UNLISTED",), settings=LIMITED, state="not"),
    closes("1.3 open list", b"* STATUS x (APPENDLIMIT 5\r\n", "BAD_RESPONSE", settings=LIMITED),
    closes("1.3 NUL", b"* STATUS x (APPENDLIMIT 5\0)\r\n", "NUL", settings=LIMITED),
]

BEFORE_LOGIN = [
    V(
        "T-S04 LIST",
        b'* LIST () "/" evil\r\n* 3 EXISTS\r\n* 1 FETCH (FLAGS ())\r\n',
        b"",
        ("UNLISTED",) * 3,
        state="not",
    ),
    V(
        "T-S04 FETCH with a literal",
        b"* 1 FETCH (BODY[] {12}\r\n* LIST x\r\n\r\n)\r\n",
        b"",
        ("UNLISTED",),
        state="not",
    ),
    V("R9 ID", b'* ID ("name" "x")\r\n', state="not"),
    V("R9 CAPABILITY", b"* CAPABILITY IMAP4rev1\r\n", asks=("CAPABILITY",), state="not"),
    V("R9 OK", b"* OK hi\r\n", asks=("STATUS",), state="not"),
    V("R9 NO with a tag", b"a NO no\r\n", asks=("STATUS",), state="not", client=b"a NOOP\r\n"),
    V("R9 BYE", b"* BYE bye\r\n", asks=("BYE",), state="not"),
    V("T-S09 ALERT", b"* OK [ALERT] Call +1-900...\r\n", asks=("STATUS",), state="not"),
    closes("T-S05 PREAUTH again", b"* PREAUTH hi\r\n", "BAD_RESPONSE", state="not"),
    V("3.1 greeting", b"* OK [CAPABILITY IMAP4rev1] hi\r\n", asks=("GREETING",), greet=False, state="not"),
    V(
        "3.1 greeting, then more",
        b"* OK hi\r\n* OK [ALERT] x\r\n",
        asks=("GREETING", "STATUS"),
        greet=False,
        state="not",
    ),
    V("T-S05 greeting PREAUTH is asked", b"* PREAUTH hi\r\n", asks=("GREETING",), greet=False, state="not"),
    V("3.1 greeting of another protocol is asked", b"220 smtp\r\n", asks=("GREETING",), greet=False, state="not"),
    closes("3.1 greeting with bare LF", b"* OK hi\n", "BARE_LF", greet=False, state="not"),
]

CONTINUATIONS = [
    closes("T-R13 nothing waits", b"+ go\r\n", "UNEXPECTED_CONTINUE"),
    closes("T-R13 NOOP is pending", b"+ go\r\n", "UNEXPECTED_CONTINUE", client=b"a NOOP\r\n"),
    closes("T-R13 client's literal", b"+ go\r\n", "UNEXPECTED_CONTINUE", client=b"a CREATE {5}\r\n"),
    closes("T-R13 twice", b"+ go\r\n+ go\r\n", "UNEXPECTED_CONTINUE", shows=b"+ go\r\n", client=b"a APPEND x {5}\r\n"),
    closes("T-R13 twice for IDLE", b"+ go\r\n+ go\r\n", "UNEXPECTED_CONTINUE", shows=b"+ go\r\n", client=b"a IDLE\r\n"),
    closes("T-R13 SELECT is pending", b"+ go\r\n", "UNEXPECTED_CONTINUE", client=b"a SELECT x\r\n"),
    closes("T-R13 LOGIN is pending", b"+ go\r\n", "UNEXPECTED_CONTINUE", client=b"a LOGIN u p\r\n", state="not"),
    V("6 IDLE", b"+ idling\r\n", client=b"a IDLE\r\n"),
    V("4.2 EXISTS before + of IDLE", b"* 5 EXISTS\r\n+ idling\r\n", client=b"a IDLE\r\n"),
    V("6 APPEND", b"+ OK\r\n", client=b"a APPEND x {5}\r\n"),
    V("6 APPEND, not waited for", b"+ OK\r\n", b"", client=b"a APPEND x {5+}\r\n"),
    V("6 gathered", b"+ OK\r\n", b"", client=b"a CREATE {5+}\r\nINBOX\r\n"),
    V("6 without a space", b"+\r\n", b"+ idling\r\n", client=b"a IDLE\r\n"),
    V("6 with a code", b"+ [CAPABILITY X] y\r\n", b"+ OK\r\n", client=b"a APPEND x {5}\r\n"),
    V("6 with control bytes", b"+ \x1b[0m\r\n", b"+ OK\r\n", client=b"a APPEND x {5}\r\n"),
    V(
        "6 challenge",
        b"+ PENCeUxFREJoU0NnbmhNWitOMjNGNndAZWx3b29kLmlubm9zb2Z0LmNvbT4=\r\n",
        asks=("CONTINUE",),
        client=b"a AUTHENTICATE X\r\n",
        state="not",
    ),
    V("6 tagged NO instead", b"a NO [OVERQUOTA] x\r\n", asks=("STATUS",), client=b"a APPEND x {5}\r\n"),
]

VECTORS = [*PASSING, *LITERALS, *FRAMING, *NUMBERS, *TAGGED, *CODES, *UNLISTED, *APPEND_LIMITS, *BEFORE_LOGIN]
VECTORS += [*OVERTAKING, *CONTINUATIONS]
