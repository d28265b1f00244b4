"""Client vectors of protocol.md section 3: framing, literals, limits, states (T-F, T-L, T-S rows, requirements R1-R7)."""

from __future__ import annotations

from tests.wire.server import Script
from tests.wire.vectors import ClientVector as V

PLUS = Script(forms=2)
MINUS = Script(forms=1)
REFUSES = Script(literals=(False,))
NO = Script(results=(b"NO",))
PART = b"UID 1 "


def closes(name: str, client: bytes, fault: str, *, sends: bytes = b"", **more: object) -> V:
    """A framing fault: nothing more is sent and the session ends."""
    return V(name, client, sends, (fault,), True, **more)  # type: ignore[arg-type]


def refuses(name: str, client: bytes, fault: str, *, sends: bytes = b"", **more: object) -> V:
    """A fault that leaves the session alive, nothing sent."""
    return V(name, client, sends, (fault,), **more)  # type: ignore[arg-type]


FRAMING = [
    closes("T-F01 bare LF", b"a NOOP\nb DELETE INBOX\r\n", "BARE_LF"),
    closes("T-F01 bare LF alone", b"\n", "BARE_LF"),
    closes("T-F01 bare LF after a good line", b"a NOOP\r\nb NOOP\n", "BARE_LF", sends=b"a NOOP\r\n"),
    closes("T-F01 bare LF after a long tag", b"A" * 60 + b" NOOP\r\n\n", "BARE_LF", sends=b"A" * 60 + b" NOOP\r\n"),
    closes("T-F01 bare LF in quoted", b'a LIST "" "a\nb"\r\n', "BARE_LF"),
    closes("T-F02 bare CR", b"a NOOP\rb DELETE x\r\n", "BARE_CR"),
    closes("T-F02 bare CR before the tag", b"\ra NOOP\r\n", "BARE_CR"),
    closes("T-F02 CR CR LF", b"a NOOP\r\r\n", "BARE_CR"),
    closes("T-F02 bare CR in quoted", b'a CREATE "x\rb"\r\n', "BARE_CR"),
    closes("T-F03 NUL in quoted", b'a SELECT "IN\0BOX"\r\n', "NUL"),
    closes("T-F03 NUL in atom", b"a SELECT IN\0BOX\r\n", "NUL"),
    closes("T-F03 NUL in tag", b"\0a NOOP\r\n", "NUL"),
    refuses("T-F04 NUL in a literal", b"a CREATE {3+}\r\na\0b\r\n", "BAD_LITERAL_TEXT a"),
    refuses("T-F04 NUL in a literal, then more", b"a RENAME {3+}\r\na\0b {2+}\r\nxy\r\n", "BAD_LITERAL_TEXT a"),
    refuses("T-F04 bare LF in a literal", b"a CREATE {3+}\r\na\nb\r\n", "BAD_LITERAL_TEXT a"),
    refuses("T-F04 bare CR in a literal", b"a CREATE {3+}\r\na\rb\r\n", "BAD_LITERAL_TEXT a"),
    refuses("T-F04 CR at a literal's end", b"a CREATE {2+}\r\na\r\r\n", "BAD_LITERAL_TEXT a"),
    refuses("T-F04 LF at a literal's start", b"a CREATE {2+}\r\n\na\r\n", "BAD_LITERAL_TEXT a"),
    refuses("T-F05 unknown with literal", b"a XFOO {13+}\r\nb DELETE Sent\r\n", "UNKNOWN_COMMAND a"),
    refuses("T-F05 unknown, literal holds a line", b"a XFOO {9+}\r\nb NOOP\r\nX\r\n", "UNKNOWN_COMMAND a"),
    refuses(
        "T-F05 unknown, literals in a row", b"a XFOO {1+}\r\nx {8+}\r\nb NOOP\r\n {0+}\r\n\r\n", "UNKNOWN_COMMAND a"
    ),
    refuses(
        "T-F05 permitted unknown with literal", b"a XFOO {8+}\r\nb NOOP\r\n\r\n", "UNKNOWN_COMMAND a", unknown=True
    ),
    V("T-F05 permitted unknown", b"a XFOO bar\r\n", unknown=True),
    refuses("T-F05 unknown", b"a XFOO bar\r\n", "UNKNOWN_COMMAND a"),
    V("T-F06 refused with literal", b"a DELETE {8+}\r\nb NOOP\r\n\r\n", b"", ("REFUSED DELETE a",)),
    V("T-F06 refused, synchronising", b"a DELETE {5}\r\nb NOOP\r\n", b"b NOOP\r\n", ("REFUSED DELETE a",)),
    V(
        "T-F07 client ignores the missing +",
        b"a XFOO {13}\r\nb DELETE Sent\r\n",
        b"",
        ("UNKNOWN_COMMAND a", "REFUSED DELETE b"),
    ),
    V(
        "T-F08 server refuses before +",
        b"a CREATE {15+}\r\nx\r\nb DELETE y\r\n\r\n",
        b"a CREATE {15}\r\n",
        script=REFUSES,
    ),
    V("T-F09 no LITERAL+ there", b"a CREATE {5+}\r\nINBOX\r\n", b"a CREATE {5}\r\nINBOX\r\n"),
    V("T-F09 LITERAL+ there", b"a CREATE {5}\r\nINBOX\r\n", b"a CREATE {5+}\r\nINBOX\r\n", script=PLUS),
    V("T-F09 LITERAL- there", b"a CREATE {5+}\r\nINBOX\r\n", script=MINUS),
    V(
        "T-F09 above LITERAL-",
        b"a CREATE {4097+}\r\n" + b"x" * 4097 + b"\r\n",
        b"a CREATE {4097}\r\n" + b"x" * 4097 + b"\r\n",
        script=MINUS,
    ),
    V("T-F09 at LITERAL-", b"a CREATE {4096+}\r\n" + b"x" * 4096 + b"\r\n", script=MINUS),
    V("T-F09 two literals", b"a RENAME {1+}\r\nx {2}\r\nyz\r\n", b"a RENAME {1}\r\nx {2}\r\nyz\r\n"),
    V(
        "T-F09 two literals, both refused",
        b"a RENAME {1+}\r\nx {2+}\r\nyz\r\nb NOOP\r\n",
        b"a RENAME {1}\r\nb NOOP\r\n",
        script=REFUSES,
    ),
    V(
        "T-F09 second literal refused",
        b"a RENAME {1+}\r\nx {2+}\r\nyz\r\nb NOOP\r\n",
        b"a RENAME {1}\r\nx {2}\r\nb NOOP\r\n",
        script=Script(literals=(True, False)),
    ),
    V("T-F09 empty literal", b"a CREATE {0+}\r\n\r\n", b"a CREATE {0}\r\n\r\n"),
    V("T-F09 literal holds a command", b"a CREATE {12+}\r\nb DELETE x\r\n\r\n", b"a CREATE {12}\r\nb DELETE x\r\n\r\n"),
    closes("T-F11 marker then LF", b"a CREATE {3+}\nabc\r\n", "BARE_LF"),
    closes(
        "T-F11 marker then LF in a tail",
        b"a APPEND x {1+}\r\nA {1+}\nA\r\n",
        "BARE_LF",
        sends=b"a APPEND x {1+}\r\nA",
        script=PLUS,
    ),
    V("T-F12 marker in quoted", b'a CREATE "x {3+}"\r\n'),
    V("T-F12 marker in the midst of quoted", b'a CREATE "x {3+}\\" {5}"\r\n'),
    closes("T-F12 CRLF in quoted", b'a CREATE "x {3+}\r\nabc"\r\n', "OPEN_QUOTED"),
    V("T-F13 escapes", b'a CREATE "a\\"b\\\\c"\r\n'),
    refuses("T-F13 wrong escape", b'a CREATE "a\\b"\r\n', "BAD_QUOTED a"),
    closes("T-F13 unterminated", b'a CREATE "abc\r\n', "OPEN_QUOTED"),
    closes("T-F13 unterminated by an escape", b'a CREATE "abc\\"\r\n', "OPEN_QUOTED"),
    closes("T-F13 backslash at the end", b'a CREATE "abc\\\r\n', "OPEN_QUOTED"),
    refuses("T-F13 token behind quoted", b'a CREATE "a"b\r\n', "BAD_SYNTAX a"),
    refuses("T-F13 quote inside an atom", b'a CREATE a"b"\r\n', "BAD_SYNTAX a"),
]

# What a server with LITERAL+ rejects before the literal, and then runs its octets (measured, protocol.md 3.2).
REJECTED = [
    V(
        f"3.2 {line.decode()}",
        b"a " + line + b" {21+}\r\nzz SUBSCRIBE SMUGGLED\r\n",
        b"a " + line + b" {21}\r\n",
        script=PLUS,
    )
    for line in (
        b"REPLACE 1 x",
        b"UID REPLACE 1 x",
        b"CONVERT 1",
        b"UIDBATCHES",
        b"LANGUAGE",
        b"ESEARCH",
        b"UID CONVERT 1 x",
    )
] + [
    V(
        f"3.2 {line.decode()}",
        b"a " + line + b" {21+}\r\nzz SUBSCRIBE SMUGGLED\r\n",
        b"a " + line + b" {21}\r\nzz SUBSCRIBE SMUGGLED\r\n",
        script=PLUS,
    )
    for line in (
        b"COPY 1 x",
        b"UID MOVE 1 x",
        b"CREATE x",
        b"STATUS x y",
        b'APPEND x "00-Jan-2026 24:60:60 +9999"',
        b'APPEND x (\\Seen) "32-Jan-2026 00:00:00 +0000"',
    )
]

MARKERS = [
    closes(f"T-F10 {marker.decode()}", b"a CREATE " + marker + b"\r\n", "BAD_LITERAL")
    for marker in (
        b"{}",
        b"{+}",
        b"{-1}",
        b"{+5}",
        b"{5 }",
        b"{ 5}",
        b"{5+ }",
        b"{5}x",
        b"{0x5}",
        b"{5++}",
        b"{5-}",
        b"~ {5}",
        b"~{5+}",
        b"{",
        b"{5",
        b"{5+",
        b"foo{5}",
        b"foo{5+}",
        b"{5}}",
        b"{{5}",
        b"{5}{5}",
        b"{5} {5}",
        b"{1.5}",
        b"~~{5}",
    )
] + [
    closes("T-F10 21 digits", b"a CREATE {" + b"0" * 20 + b"5}\r\n", "BAD_LITERAL"),
    V("T-F10 20 digits", b"a CREATE {00000000000000000005}\r\nINBOX\r\n", b"a CREATE {5}\r\nINBOX\r\n"),
    V(
        "T-F10 20 digits, not waited for",
        b"a CREATE {00000000000000000005+}\r\nINBOX\r\n",
        b"a CREATE {5}\r\nINBOX\r\n",
    ),
    V(
        "T-F10 20 digits, LITERAL+",
        b"a CREATE {00000000000000000005+}\r\nINBOX\r\n",
        b"a CREATE {5+}\r\nINBOX\r\n",
        script=PLUS,
    ),
    V("T-F10 zeros", b"a CREATE {000}\r\n\r\n", b"a CREATE {0}\r\n\r\n"),
    V("T-F10 two zeros", b"a CREATE {00}\r\n\r\n", b"a CREATE {0}\r\n\r\n"),
    V("T-F10 zeros of an upload", b"a APPEND x {00}\r\n\r\n", b"a APPEND x {0}\r\n\r\n"),
    V(
        "T-F10 zeros of an upload, not waited for",
        b"a APPEND x {007+}\r\n1234567\r\n",
        b"a APPEND x {7}\r\n1234567\r\n",
    ),
    closes("T-F10 marker without space", b"a CREATE{5+}\r\nINBOX\r\n", "BAD_LITERAL"),
    closes("T-F10 literal8 in SELECT", b"a SELECT ~{5+}\r\nINBOX\r\n", "BAD_LITERAL"),
    closes("T-F10 unknown with literal8", b"a XFOO ~{5+}\r\nINBOX\r\n", "BAD_LITERAL"),
    refuses("R3 eaten after an earlier fault", b"a FETCH bogus {8+}\r\nb NOOP\r\n\r\n", "BAD_SET a"),
    refuses(
        "R3 twenty digits eaten after an earlier fault",
        b"a FETCH bogus {00000000000000000008+}\r\nb NOOP\r\n\r\n",
        "BAD_SET a",
    ),
    refuses(
        "R3 nineteen digits eaten after an earlier fault",
        b"a FETCH bogus {0000000000000000008+}\r\nb NOOP\r\n\r\n",
        "BAD_SET a",
    ),
    refuses("R3 eaten after a bad tag", b"+ NOOP {8+}\r\nb NOOP\r\n\r\n", "BAD_TAG"),
    refuses("R3 eaten after a control byte", b"a CREATE \x7f {8+}\r\nb NOOP\r\n\r\n", "CONTROL_CHARACTER a"),
    refuses("R3 eaten after 8-bit", b"a CREATE \xff {8+}\r\nb NOOP\r\n\r\n", "EIGHT_BIT a"),
    V(
        "R3 huge after an earlier fault",
        b"a FETCH bogus {9999999999999999999+}\r\nb NOOP\r\n",
        b"",
        ("BAD_SET a", "UNEATABLE_LITERAL"),
        True,
    ),
    V(
        "R3 large after an earlier fault",
        b"a FETCH bogus {1048577+}\r\nb NOOP\r\n",
        b"",
        ("BAD_SET a", "UNEATABLE_LITERAL"),
        True,
    ),
    V(
        "R3 not waited for, too large to eat",
        b"a CREATE {1048577+}\r\nb NOOP\r\n",
        b"",
        ("LITERAL_TOO_LONG a", "UNEATABLE_LITERAL"),
        True,
    ),
    V(
        "R1 bare CR behind an eaten literal",
        b"a XFOO {3+}\r\nabc\rb DELETE x\r\n",
        b"",
        ("UNKNOWN_COMMAND a", "BARE_CR"),
        True,
    ),
    V("R1 NUL behind an eaten literal", b"a XFOO {3+}\r\nabc\0\r\n", b"", ("UNKNOWN_COMMAND a", "NUL"), True),
    V("R1 bare LF behind an eaten literal", b"a XFOO {3+}\r\nabc\n", b"", ("UNKNOWN_COMMAND a", "BARE_LF"), True),
    closes("R1 bare CR behind a bad literal", b"a CREATE {1+}\r\n\0 x\rb DELETE y\r\n", "BARE_CR"),
    closes("R1 bare CR behind a literal", b"a CREATE {1+}\r\na\rb DELETE y\r\n", "BARE_CR"),
    closes("R1 bare LF behind a literal", b"a CREATE {1+}\r\na\nb DELETE y\r\n", "BARE_LF"),
    refuses("T-F26 atom behind a literal", b"a CREATE {1+}\r\nab\r\n", "BAD_SYNTAX a"),
]


TAGS = [
    refuses("T-F14 empty tag", b" NOOP\r\n", "BAD_TAG"),
    refuses("T-F14 +", b"+ NOOP\r\n", "BAD_TAG"),
    refuses("T-F14 *", b"* NOOP\r\n", "BAD_TAG"),
    refuses("T-F14 a+", b"a+ NOOP\r\n", "BAD_TAG"),
    refuses("T-F14 quoted", b'"x" NOOP\r\n', "BAD_TAG"),
    refuses("T-F14 8-bit", b"\xff NOOP\r\n", "BAD_TAG"),
    refuses("T-F14 none", b"NOOP\r\n", "BAD_TAG"),
    refuses("T-F14 per cent", b"%n%s NOOP\r\n", "BAD_TAG"),
    refuses("T-F14 brace", b"{5} NOOP\r\n", "BAD_TAG"),
    refuses("T-F14 paren", b"(a NOOP\r\n", "BAD_TAG"),
    refuses("T-F14 backslash", b"a\\b NOOP\r\n", "BAD_TAG"),
    refuses("T-F14 empty line", b"\r\n", "BAD_TAG"),
    refuses("T-F14 space", b" \r\n", "BAD_TAG"),
    refuses("T-F14 tag only", b"a\r\n", "BAD_TAG"),
    refuses("T-F14 no name", b"a \r\n", "BAD_NAME a"),
    V("T-F14 ]", b"] NOOP\r\n"),
    V("T-F14 64 octets", b"A" * 64 + b" NOOP\r\n"),
    closes("T-F14 65 octets", b"A" * 65 + b" NOOP\r\n", "TAG_TOO_LONG"),
    closes("T-F14 10 000 octets", b"A" * 10_000 + b" NOOP\r\n", "TAG_TOO_LONG"),
    refuses("6 tag already pending", b"a NOOP\r\na CHECK\r\n", "BAD_TAG", sends=b"a NOOP\r\n"),
    V("6 tag used again after its answer", b"a SELECT x\r\na NOOP\r\n"),
    V("6 tags differ by case", b"a NOOP\r\nA NOOP\r\n"),
    refuses(
        "6 tag pending, with literal", b"a NOOP\r\na CREATE {8+}\r\nb NOOP\r\n\r\n", "BAD_TAG", sends=b"a NOOP\r\n"
    ),
]

LIMITS = [
    closes("T-F15 long line", b"a SEARCH " + PART * 20_000, "LINE_TOO_LONG", whole_units=False),
    closes("T-F15 long line with an end", b"a SEARCH " + PART * 20_000 + b"\r\n", "LINE_TOO_LONG"),
    V("T-F15 longest line", b"a LIST x " + b"y" * 91 + b"\r\n", settings=(("max_line", 100),)),
    closes("T-F15 a byte more", b"a LIST x " + b"y" * 92 + b"\r\n", "LINE_TOO_LONG", settings=(("max_line", 100),)),
    V("T-F16 long set", b"a UID FETCH " + b",".join(b"%d" % n for n in range(1, 3000, 2)) + b" FLAGS\r\n"),
    refuses("T-F18 nested lists", b"a SEARCH " + b"(" * 33 + b"ALL" + b")" * 33 + b"\r\n", "TOO_DEEP a"),
    V("T-F18 deepest list", b"a SEARCH " + b"(" * 32 + b"ALL" + b")" * 32 + b"\r\n"),
    refuses("T-F18 40 000 parens", b"a SEARCH " + b"(" * 40_000 + b"\r\n", "TOO_DEEP a"),
    refuses("T-F19 parens in NOOP", b"a NOOP (((((\r\n", "BAD_SYNTAX a", state="not"),
    refuses("T-F19 argument of NOOP", b"a NOOP x\r\n", "BAD_SYNTAX a"),
    refuses("T-L03 many literals", b"a SEARCH" + b" {1+}\r\nx" * 33 + b"\r\n", "TOO_MANY_LITERALS a"),
    V("T-L03 most literals", b"a SEARCH" + b" {1+}\r\nx" * 32 + b"\r\n", script=PLUS),
    refuses(
        "T-L03 sum of literals",
        b"a SEARCH"
        + b" {60000+}\r\n"
        + b"x" * 60_000
        + b" {60000+}\r\n"
        + b"x" * 60_000
        + b" {60000+}\r\n"
        + b"x" * 60_000
        + b" {60000+}\r\n"
        + b"x" * 60_000
        + b"\r\n",
        "LITERAL_TOO_LONG a",
    ),
    refuses("T-L03 literal", b"a SEARCH SUBJECT {65537}\r\n", "LITERAL_TOO_LONG a"),
    refuses("T-L03 literal eaten", b"a SEARCH SUBJECT {65537+}\r\n" + b"x" * 65_537 + b"\r\n", "LITERAL_TOO_LONG a"),
    refuses(
        "T-L02 LOGIN, not waited for",
        b"a LOGIN {65537+}\r\n" + b"x" * 65_537 + b"\r\n",
        "LITERAL_TOO_LONG a",
        state="not",
    ),
    refuses("T-L02 before login", b"a LOGIN {8193}\r\n", "LITERAL_TOO_LONG a", state="not"),
    V("T-L02 LOGIN huge", b"a LOGIN {4294967296}\r\n", b"", ("LITERAL_TOO_LONG a",), state="not"),
    V("T-L01 4294967296", b"a APPEND INBOX {4294967296}\r\n", b"", ("TOO_BIG a 4294967296",)),
    V(
        "T-L01 4294967295",
        b"a APPEND INBOX {4294967295}\r\n",
        b"",
        ("TOO_BIG a 4294967295",),
        settings=(("max_mail_out", 1 << 20),),
    ),
    V(
        "T-L01 2147483648",
        b"a APPEND INBOX {2147483648}\r\n",
        b"",
        ("TOO_BIG a 2147483648",),
        settings=(("max_mail_out", 1 << 20),),
    ),
    V("T-L01 int64", b"a APPEND INBOX {9223372036854775807}\r\n", b"", ("TOO_BIG a 9223372036854775807",)),
    closes("T-L01 int64 + 1", b"a APPEND INBOX {9223372036854775808}\r\n", "LITERAL_OVERFLOW"),
    closes("T-L01 uint64 + 1", b"a APPEND INBOX {18446744073709551616}\r\n", "LITERAL_OVERFLOW"),
    closes("T-L01 uint64 + 6", b"a APPEND INBOX {18446744073709551621}\r\n", "LITERAL_OVERFLOW"),
    V(
        "T-L01 too big and sent",
        b"a APPEND x {11+}\r\nb DELETE x\n\r\n",
        b"",
        ("TOO_BIG a 11",),
        settings=(("max_mail_out", 10),),
    ),
    V("T-L01 just fits", b"a APPEND x {10+}\r\n0123456789\r\n", script=PLUS, settings=(("max_mail_out", 10),)),
    V(
        "T-L01 too large to eat",
        b"a APPEND x {1048577+}\r\n",
        b"",
        ("TOO_BIG a 1048577", "UNEATABLE_LITERAL"),
        True,
        settings=(("max_mail_out", 10),),
    ),
    V("T-L09 empty upload", b"a APPEND x {0}\r\n\r\n"),
    V("T-L09 empty upload refused", b"a APPEND x {0}\r\n", script=REFUSES),
    V(
        "T-L10 above LITERAL-",
        b"a APPEND x {4097+}\r\n" + b"x" * 4097 + b"\r\n",
        b"a APPEND x {4097}\r\n" + b"x" * 4097 + b"\r\n",
        script=MINUS,
    ),
    V("T-L11 pipelined fetches", b"".join(b"t%d UID FETCH 1 BODY[]\r\n" % n for n in range(500))),
    V("T-L11 pipelined uploads", b"".join(b"t%d APPEND x {1+}\r\nA\r\n" % n for n in range(300)), script=PLUS),
    refuses("T-L15 many keys", b"a SEARCH " + b'BODY "a" ' * 500 + b"ALL\r\n", "TOO_MANY_ARGUMENTS a"),
    refuses("T-L15 wildcards in quoted", b'a LIST "" "' + b"*%" * 20 + b'"\r\n', "TOO_MANY_WILDCARDS a"),
    refuses("T-L15 wildcards in an atom", b'a LIST "" ' + b"*%" * 20 + b"\r\n", "TOO_MANY_WILDCARDS a"),
    refuses("T-L15 wildcards in a literal", b'a LIST "" {40+}\r\n' + b"*%" * 20 + b"\r\n", "TOO_MANY_WILDCARDS a"),
    V("T-L15 a few wildcards", b'a LIST "" "*%*%*%"\r\n'),
    refuses("T-L17 long ID", b"a ID (" + b'"k" "v" ' * 1000 + b'"k" "v")\r\n', "TOO_MANY_ARGUMENTS a", state="not"),
    refuses("R4 name of 33", b"a " + b"X" * 33 + b"\r\n", "BAD_NAME a"),
]

SETS = [
    refuses(f"T-F17 {word.decode()}", b"a FETCH " + word + b" FLAGS\r\n", "BAD_SET a")
    for word in (
        b"0",
        b"1:0",
        b"4294967296",
        b"-1",
        b"1,,2",
        b"$",
        b",1",
        b"1,",
        b"1:",
        b":1",
        b"1:2:3",
        b"*:*:*",
        b"**",
        b"1.5",
        b"+1",
        b"0:1",
        b"99999999999999999999",
        b"1,$",
        b"01",
        b'"1"',
        b"(1)",
        b"a",
        b"1;2",
        b"01:2",
    )
] + [
    V("T-F17 *:*", b"a FETCH *:* FLAGS\r\n"),
    V("T-F17 1:*", b"a FETCH 1:* FLAGS\r\n"),
    V("T-F17 *:1", b"a FETCH *:1 FLAGS\r\n"),
    V("T-F17 a thousand ranges", b"a FETCH " + b",".join([b"1:*"] * 1000) + b" FLAGS\r\n"),
    V("T-F17 greatest", b"a FETCH 4294967295 FLAGS\r\n"),
    V("T-F17 $ with SEARCHRES", b"a FETCH $ FLAGS\r\n", settings=(("searchres", 1),)),
    refuses("T-F17 STORE", b"a STORE 0 FLAGS ()\r\n", "BAD_SET a"),
    refuses("T-F17 COPY", b"a COPY 1,,2 x\r\n", "BAD_SET a"),
    refuses("T-F17 UID MOVE", b"a UID MOVE x y\r\n", "BAD_SET a"),
    refuses("T-F17 by literal", b"a FETCH {1+}\r\n1 FLAGS\r\n", "BAD_SET a"),
]

SPACES = [
    refuses("T-F20 two behind the tag", b"a  NOOP\r\n", "BAD_SPACE a"),
    refuses("T-F20 TAB", b"a\tNOOP\r\n", "BAD_TAG"),
    refuses("T-F20 TAB between arguments", b"a LIST x\ty\r\n", "CONTROL_CHARACTER a"),
    refuses("T-F20 first", b" a NOOP\r\n", "BAD_TAG"),
    V("T-F20 last", b"a NOOP \r\n", b"a NOOP\r\n"),
    V("T-F20 last ones", b"a NOOP   \r\n", b"a NOOP\r\n"),
    V("T-F20 two between arguments", b"a FETCH 1  FLAGS\r\n", b"a FETCH 1 FLAGS\r\n"),
    V("T-F20 many", b'a LIST    ""   "x  y"  \r\n', b'a LIST "" "x  y"\r\n'),
    V("T-F20 escaped quote and spaces", b'a LIST  "\\"  "  "b"\r\n', b'a LIST "\\"  " "b"\r\n'),
    V("T-F20 before a literal", b"a RENAME  x  {01+}\r\ny  \r\n", b"a RENAME x {1}\r\ny\r\n"),
    V("T-F20 behind a literal", b"a RENAME {1+}\r\nx   y\r\n", b"a RENAME {1}\r\nx y\r\n"),
    V("T-F20 before an upload", b"a APPEND  x  {1+}\r\nA\r\n", b"a APPEND x {1+}\r\nA\r\n", script=PLUS),
    V("T-F20 behind an upload", b"a APPEND x {1+}\r\nA  \r\n", b"a APPEND x {1+}\r\nA\r\n", script=PLUS),
    V(
        "T-F20 between uploads",
        b"a APPEND x {1+}\r\nA  {1+}\r\nB\r\n",
        b"a APPEND x {1+}\r\nA {1+}\r\nB\r\n",
        script=PLUS,
    ),
    refuses("T-F20 behind (", b"a SEARCH ( ALL)\r\n", "BAD_SYNTAX a"),
    refuses("T-F20 before )", b"a SEARCH (ALL )\r\n", "BAD_SYNTAX a"),
    refuses("T-F20 UID", b"a UID  FETCH 1 FLAGS\r\n", "BAD_NAME a"),
    V("T-F21 case", b"a uId fEtCh 1 (body.PEEK[])\r\n"),
    V("T-F21 case of a denied one", b"a dElEtE x\r\n", b"", ("REFUSED DELETE a",)),
]

ITEMS = [
    refuses(f"T-F22 {item.decode()}", b"a FETCH 1 " + item + b"\r\n", "BAD_FETCH a")
    for item in (
        b"BODY[]<0>",
        b"BODY[]<0.0>",
        b"BODY[]<4294967296.1>",
        b"BODY[]<0.4294967296>",
        b"BODY[1.]",
        b"BODY[0]",
        b"BODY[MIME]",
        b"BODY[TEXT.1]",
        b"BINARY[HEADER]",
        b"BODY[99999999999.1]",
        b"BODY[4294967296]",
        b"BODY[1..2]",
        b"BODY[.1]",
        b"BODY[]x",
        b"BODY[]<0.1>x",
        b"BODY[]<-1.5>",
        b"BODY[]<0.5",
        b"BODY[",
        b"BODY[1",
        b"BODY[FOO]",
        b"X[1]",
        b"BODY[1MIME]",
        b"[]",
        b"BODY [ ]",
        b"BODY[HEADER.FIELDS]",
        b"BODY[HEADER.FIELDS From]",
        b"BODY[HEADER.FIELDS  (A)]",
        b"BODY[HEADER.FIELDS (A) (B)]",
        b"BODY[HEADER.FIELDS (A) B]",
        b"BODY[HEADER.FIELDS ((A))]",
        b"BODY[HEADER.FIELDS (A)]x",
        b"RFC822.SIZE[1]",
    )
] + [
    V("T-F22 largest partial", b"a FETCH 1 BODY[]<4294967295.4294967295>\r\n"),
    V(
        "T-F22 parts",
        b"a FETCH 1 (BODY[1.2.3.MIME] BODY.PEEK[2.HEADER]<0.10> BINARY.PEEK[1] BINARY.SIZE[1.1] BODY[TEXT])\r\n",
    ),
    refuses("T-F22 no field", b"a FETCH 1 BODY[HEADER.FIELDS ()]\r\n", "BAD_SYNTAX a"),
    refuses("T-F22 open section", b"a FETCH 1 BODY[HEADER.FIELDS (A)\r\n", "BAD_SYNTAX a"),
    refuses("T-F22 open list", b"a FETCH 1 (BODY[HEADER.FIELDS (A)]\r\n", "BAD_SYNTAX a"),
    closes("T-F22 CRLF in a field", b'a FETCH 1 BODY[HEADER.FIELDS ("a\r\nb")]\r\n', "OPEN_QUOTED"),
    V("T-F22 fields", b'a FETCH 1 BODY[HEADER.FIELDS (From "To" Cc)]\r\n'),
    V("T-F22 fields not", b"a FETCH 1 (BODY.PEEK[1.HEADER.FIELDS.NOT (From To)]<0.5> FLAGS)\r\n"),
    V("T-F22 macro", b"a FETCH 1 ALL\r\n"),
    refuses("T-F22 no item", b"a FETCH 1\r\n", "BAD_SYNTAX a"),
    V("T-F22 modifier", b"a FETCH 1 (FLAGS) (CHANGEDSINCE 12 VANISHED)\r\n"),
    V(
        "T-F23 field by literal",
        b"a FETCH 1 BODY[HEADER.FIELDS ({4+}\r\nFROM)]\r\n",
        b"a FETCH 1 BODY[HEADER.FIELDS ({4}\r\nFROM)]\r\n",
    ),
    V(
        "T-F23 fields by literal",
        b"a FETCH 1 (BODY[HEADER.FIELDS (To {4+}\r\nFROM Cc)] UID)\r\n",
        b"a FETCH 1 (BODY[HEADER.FIELDS (To {4}\r\nFROM Cc)] UID)\r\n",
    ),
    refuses("T-F23 CRLF in a field", b"a FETCH 1 BODY[HEADER.FIELDS ({4+}\r\nA\r\nB)]\r\n", "BAD_LITERAL_TEXT a"),
    refuses("T-F23 colon in a field", b"a FETCH 1 BODY[HEADER.FIELDS ({4+}\r\nA: B)]\r\n", "BAD_LITERAL_TEXT a"),
    V(
        "T-F23 a literal elsewhere may hold CRLF",
        b"a SEARCH SUBJECT {4+}\r\nA\r\nB\r\n",
        b"a SEARCH SUBJECT {4}\r\nA\r\nB\r\n",
    ),
]

IDLE = [
    V("T-F24 IDLE and DONE", b"a IDLE\r\nDONE\r\n"),
    V("T-F24 done", b"a IDLE\r\ndone\r\n"),
    V("T-F24 command in IDLE", b"a IDLE\r\nb DELETE x\r\nDONE\r\n", b"a IDLE\r\nDONE\r\n", ("EXPECTED_DONE",)),
    V("T-F24 DONE with more", b"a IDLE\r\nDONE x\r\nDONE\r\n", b"a IDLE\r\nDONE\r\n", ("EXPECTED_DONE",)),
    closes("T-F24 bare CR in IDLE", b"a IDLE\r\nDO\rNE\r\n", "BARE_CR", sends=b"a IDLE\r\n"),
    closes("T-F24 NUL in IDLE", b"a IDLE\r\nDONE\0\r\n", "NUL", sends=b"a IDLE\r\n"),
    closes("T-F24 bare LF in IDLE", b"a IDLE\r\nDONE\n", "BARE_LF", sends=b"a IDLE\r\n"),
    closes(
        "T-F24 long line in IDLE",
        b"a IDLE\r\n" + b"x" * 70_000,
        "LINE_TOO_LONG",
        sends=b"a IDLE\r\n",
        whole_units=False,
    ),
    V(
        "T-F24 IDLE refused",
        b"a IDLE\r\nb DELETE x\r\n",
        b"a IDLE\r\n",
        ("REFUSED DELETE b",),
        script=Script(idles=(False,)),
    ),
    refuses("T-F25 DONE outside IDLE", b"DONE\r\n", "BAD_TAG"),
    refuses(
        "T-F25 DONE when IDLE is refused",
        b"a IDLE\r\nDONE\r\n",
        "BAD_TAG",
        sends=b"a IDLE\r\n",
        script=Script(idles=(False,)),
    ),
    V("T-F25 IDLE again", b"a IDLE\r\nDONE\r\nb IDLE\r\nDONE\r\nc NOOP\r\n"),
    refuses("T-F24 argument of IDLE", b"a IDLE x\r\n", "BAD_SYNTAX a"),
]

UPLOADS = [
    refuses(
        "5 date before flags", b'a APPEND x " 1-Jan-2026 00:00:00 +0000" () {8+}\r\nb NOOP\r\n\r\n', "BAD_SYNTAX a"
    ),
    *(
        refuses(
            f"5 date-time {date.decode('latin-1')!r}", b"a APPEND x %b {8+}\r\nb NOOP\r\n\r\n" % date, "BAD_SYNTAX a"
        )
        for date in (
            b'""',
            b'"bad date"',
            b'"01-Jan-2026"',
            b'"01-Jan-2026 00:00:00"',
            b'"01-Jan-2026 00:00:00 +000"',
            b'"01-Jan-2026 00:00:00 +00000"',
            b'"01-Jan-2026 00:00:00 0000"',
            b'"01-Jan-2026 00:00:00 0000 "',
            b'"01-Jan-2026 00:00:00 GMT"',
            b'"01-Jan-2026  0:00:00 +0000"',
            b'"01-Jan-2026T00:00:00 +0000"',
            b'"01-Jan-26 00:00:00 +0000"',
            b'"01-Foo-2026 00:00:00 +0000"',
            b'"01-Janu-2026 00:00:00 +000"',
            b'"01 Jan 2026 00:00:00 +0000"',
            b'" -Jan-2026 00:00:00 +0000"',
            b'"-Jan-2026 00:00:00 +0000"',
            b'"001-Jan-2026 00:00:00 +0000"',
            b'"1 -Jan-2026 00:00:00 +0000"',
            b'"x1-Jan-2026 00:00:00 +0000"',
            b'"01-Jan-2026 00:00:00 +00\\""',
            b'"01-Jan-2026 00:00:00 +0000" "01-Jan-2026 00:00:00 +0000"',
        )
    ),
    *(
        V(f"5 date-time {date.decode()}", b'a APPEND x "%b" {8}\r\nb NOOP\r\n\r\n' % date)
        for date in (
            b"01-Jan-2026 00:00:00 +0000",
            b" 1-feb-1994 21:52:25 -0800",
            b"1-MAR-0000 21:52:25 -0800",
            b"31-Dec-9999 23:59:60 +1400",
        )
    ),
    refuses("5 mailbox that is no date", b'a APPEND "01-Jan-2026" "x" {8+}\r\nb NOOP\r\n\r\n', "BAD_SYNTAX a"),
    V("5 date of a mailbox by literal", b'a APPEND {1}\r\nx (\\Seen) "01-Jan-2026 00:00:00 +0000" {3}\r\nabc\r\n'),
    V(
        "5 date-time of a second mail",
        b'a APPEND x {3+}\r\nabc "bad" {8+}\r\nb NOOP\r\n\r\n',
        b"a APPEND x {3}\r\nabc",
        ("BAD_TAIL",),
        True,
    ),
    *(
        refuses(f"5 no mail at the end: {end.decode()}", b"a APPEND x " + end + b"\r\n", "BAD_SYNTAX a")
        for end in (b"CATENATE", b"UTF8", b'CATENATE (URL "u") (\\Seen)', b'CATENATE (URL "u") CATENATE')
    ),
    V("5 strings in CATENATE are no dates", b'a APPEND x CATENATE (URL "/x;uid=1")\r\n'),
    refuses("5 literal among flags", b"a APPEND x (\\Seen {8+}\r\nb NOOP\r\n\r\n", "BAD_SYNTAX a"),
    refuses("5 literal8 for a mailbox", b"a APPEND ~{8+}\r\nb NOOP\r\n {3}\r\n", "BAD_SYNTAX a"),
    refuses("5 list for a mailbox", b"a APPEND (x {8+}\r\nb NOOP\r\n\r\n", "BAD_SYNTAX a"),
    refuses("5 no mail", b"a APPEND x\r\n", "BAD_SYNTAX a"),
    refuses("5 ] behind the flags", b"a APPEND x (From To)] {3}\r\n", "BAD_SYNTAX a"),
    refuses("5 ] behind the flags, not waited for", b"a APPEND x ()] {8+}\r\nb NOOP\r\n\r\n", "BAD_SYNTAX a"),
    V(
        "5 ] behind a mail",
        b"a APPEND x UTF8 (~{3+}\r\nabc)] {8+}\r\nb NOOP\r\n\r\n",
        b"a APPEND x UTF8 (~{3}\r\nabc",
        ("BAD_TAIL",),
        True,
    ),
    V(
        "T-F26 tail",
        b"a APPEND INBOX {5+}\r\nhello b DELETE x\r\n",
        b"a APPEND INBOX {5+}\r\nhello",
        ("BAD_TAIL",),
        True,
        script=PLUS,
    ),
    V(
        "T-F26 tail without a space",
        b"a APPEND INBOX {5+}\r\nhellob DELETE x\r\n",
        b"a APPEND INBOX {5+}\r\nhello",
        ("BAD_TAIL",),
        True,
        script=PLUS,
    ),
    V(
        "T-F26 tail in parens",
        b"a APPEND INBOX {5+}\r\nhello (\\Seen)\r\n",
        b"a APPEND INBOX {5+}\r\nhello",
        ("BAD_TAIL",),
        True,
        script=PLUS,
    ),
    V(
        "T-F26 tail of quoted",
        b'a APPEND INBOX {5+}\r\nhello "x"\r\n',
        b"a APPEND INBOX {5+}\r\nhello",
        ("BAD_TAIL",),
        True,
        script=PLUS,
    ),
    V("T-F26 good tail", b"a APPEND INBOX {5+}\r\nhello\r\nb NOOP\r\n", script=PLUS),
    V("T-F27 no tail", b"a APPEND INBOX {5}\r\nhello", script=PLUS, whole_units=False),
    V(
        "T-F28 UTF8 without )",
        b"a APPEND x UTF8 (~{3+}\r\nabc\r\n",
        b"a APPEND x UTF8 (~{3+}\r\nabc",
        ("BAD_TAIL",),
        True,
        script=PLUS,
    ),
    V("T-F28 UTF8", b"a APPEND x UTF8 (~{3+}\r\nabc)\r\n", script=PLUS),
    V("T-F28 UTF8, two mails", b"a APPEND x UTF8 (~{3+}\r\nabc) UTF8 (~{1+}\r\nx)\r\n", script=PLUS),
    V(
        "T-F28 too many )",
        b"a APPEND x UTF8 (~{3+}\r\nabc))\r\n",
        b"a APPEND x UTF8 (~{3+}\r\nabc",
        ("BAD_TAIL",),
        True,
        script=PLUS,
    ),
    V("R5 literal8", b"a APPEND x ~{4}\r\n\0\r\n\n\r\n"),
    V("T-F33 opaque", b"a APPEND x {9}\r\nA: b\n\n\0\rc\r\n"),
    V("T-F33 opaque, not waited for", b"a APPEND x {9+}\r\nA: b\n\n\0\rc\r\n", b"a APPEND x {9}\r\nA: b\n\n\0\rc\r\n"),
    V("5 flags and date", b'a APPEND x (\\Seen $Junk) " 1-Jan-2026 00:00:00 +0000" {3}\r\nabc\r\n'),
    V(
        "5 MULTIAPPEND",
        b'a APPEND x (\\Seen) {3+}\r\nabc (\\Draft) " 1-Jan-2026 00:00:00 +0000" {2+}\r\nxy\r\nb NOOP\r\n',
        script=PLUS,
    ),
    V("5 MULTIAPPEND, waited for", b"a APPEND x {3}\r\nabc {2}\r\nxy\r\nb NOOP\r\n"),
    V("5 MULTIAPPEND, form changed", b"a APPEND x {3+}\r\nabc {2+}\r\nxy\r\n", b"a APPEND x {3}\r\nabc {2}\r\nxy\r\n"),
    V(
        "5 MULTIAPPEND, second too big",
        b"a APPEND x {3}\r\nabc {20}\r\n",
        b"a APPEND x {3}\r\nabc",
        ("TOO_BIG a 20",),
        True,
        settings=(("max_mail_out", 10),),
    ),
    V(
        "5 mailbox by literal",
        b"a APPEND {5+}\r\nINBOX {3+}\r\nabc\r\nb NOOP\r\n",
        b"a APPEND {5}\r\nINBOX {3}\r\nabc\r\nb NOOP\r\n",
    ),
    V("5 mailbox by literal, LITERAL+", b"a APPEND {5+}\r\nINBOX {3+}\r\nabc\r\nb NOOP\r\n", script=PLUS),
    V(
        "5 mailbox by literal, waited for",
        b"a APPEND {5}\r\nINBOX {3}\r\nabc\r\n",
        b"a APPEND {5+}\r\nINBOX {3}\r\nabc\r\n",
        script=PLUS,
    ),
    V(
        "5 mailbox by literal, refused",
        b"a APPEND {5+}\r\nINBOX {8+}\r\nb NOOP\r\n\r\n",
        b"a APPEND {5}\r\n",
        script=REFUSES,
    ),
    V(
        "5 mailbox by literal, mail refused",
        b"a APPEND {5+}\r\nINBOX {8+}\r\nb NOOP\r\n\r\n",
        b"a APPEND {5}\r\nINBOX {8}\r\n",
        script=Script(literals=(True, False)),
    ),
    V(
        "5 mailbox by literal, too big",
        b"a APPEND {5+}\r\nINBOX {8+}\r\nb NOOP\r\n\r\n",
        b"",
        ("TOO_BIG a 8",),
        settings=(("max_mail_out", 5),),
    ),
    V(
        "6 upload refused, not waited for",
        b"a APPEND x {8+}\r\nb NOOP\r\n\r\nc NOOP\r\n",
        b"a APPEND x {8}\r\nc NOOP\r\n",
        script=REFUSES,
    ),
    V("6 upload refused, waited for", b"a APPEND x {8}\r\nb NOOP\r\n", script=REFUSES),
    V("6 uploads in a row", b"a APPEND x {1}\r\nA\r\nb APPEND x {1}\r\nB\r\nc NOOP\r\n"),
    V(
        "6 uploads in a row, LITERAL-",
        b"a APPEND x {1+}\r\nA\r\nb APPEND x {5000+}\r\n" + b"B" * 5000 + b"\r\nc NOOP\r\n",
        b"a APPEND x {1+}\r\nA\r\nb APPEND x {5000}\r\n" + b"B" * 5000 + b"\r\nc NOOP\r\n",
        script=MINUS,
    ),
    V("5 REPLACE", b"a REPLACE 4 INBOX {3}\r\nabc\r\n", script=Script(knows=(b"REPLACE",))),
    V(
        "5 UID REPLACE by literals",
        b"a UID REPLACE 4 {5+}\r\nINBOX {3+}\r\nabc\r\n",
        script=Script(forms=2, knows=(b"UID-REPLACE",)),
    ),
    V(
        "3.2 APPEND x CATENATE (FOO",
        b"a APPEND x CATENATE (FOO {21+}\r\nzz SUBSCRIBE SMUGGLED)\r\n",
        b"a APPEND x CATENATE (FOO {21}\r\nzz SUBSCRIBE SMUGGLED)\r\n",
        script=PLUS,
    ),
    V("2.4 CATENATE", b'a APPEND x CATENATE (TEXT {3}\r\nabc URL "x")\r\n'),
    V(
        "2.4 CATENATE, two spaces",
        b'a APPEND x CATENATE (TEXT {3}\r\nabc URL  "x")\r\n',
        b'a APPEND x CATENATE (TEXT {3}\r\nabc URL "x")\r\n',
    ),
    V("T-C read only state", b"a APPEND x {3+}\r\nabc\r\n", b"", ("REFUSED APPEND a state",), state="not"),
]

UTF8 = [
    V("T-F29 modified UTF-7", b'a CREATE "&Jjo-"\r\n'),
    V("T-F29 lone &", b'a CREATE "&"\r\n'),
    refuses("T-F29 8-bit before ENABLE", b'a CREATE "\xc3\xa9"\r\n', "EIGHT_BIT a"),
    refuses("T-F29 8-bit in an atom", b"a CREATE \xc3\xa9\r\n", "EIGHT_BIT a"),
    refuses("T-F29 8-bit in an atom after ENABLE", b"a CREATE \xc3\xa9\r\n", "EIGHT_BIT a", settings=(("utf8", 1),)),
    V("T-F29 UTF-8 after ENABLE", b'a CREATE "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"\r\n', settings=(("utf8", 1),)),
] + [
    refuses(f"T-F29 invalid {word!r}", b'a CREATE "' + word + b'"\r\n', "BAD_UTF8 a", settings=(("utf8", 1),))
    for word in (
        b"\xc3\x28",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xff",
        b"\x80",
        b"\xe2\x82",
        b"\xe0\x80\xaf",
        b"\xf5\x80\x80\x80",
    )
]

STATES = [
    V(
        "T-F30 pipelined over states",
        b"a LOGIN u p\r\nb SELECT INBOX\r\nc FETCH 1 BODY[]\r\n",
        None,
        ("COMMAND LOGIN a", "COMPLETED LOGIN a"),
        state="not",
    ),
    V(
        "T-F30 login fails",
        b"a LOGIN u p\r\nb SELECT INBOX\r\nc FETCH 1 BODY[]\r\n",
        b"a LOGIN u p\r\n",
        ("COMMAND LOGIN a", "COMPLETED LOGIN a", "REFUSED SELECT b state", "REFUSED FETCH c state"),
        state="not",
        script=NO,
    ),
    V(
        "T-C01 SELECT fails",
        b"a SELECT nope\r\nb FETCH 1 BODY[]\r\n",
        b"a SELECT nope\r\n",
        ("REFUSED FETCH b state",),
        script=NO,
    ),
    V(
        "T-C01 SELECT by literal fails",
        b"a SELECT {4+}\r\nnope\r\nb FETCH 1 BODY[]\r\n",
        b"a SELECT {4}\r\nnope\r\n",
        ("REFUSED FETCH b state",),
        script=NO,
    ),
    V("R CLOSE", b"a CLOSE\r\nb FETCH 1 BODY[]\r\n", b"a CLOSE\r\n", ("REFUSED FETCH b state",)),
    V("R UNSELECT", b"a UNSELECT\r\nb FETCH 1 BODY[]\r\n", b"a UNSELECT\r\n", ("REFUSED FETCH b state",)),
    V("R CLOSE fails", b"a CLOSE\r\nb FETCH 1 BODY[]\r\n", script=NO),
    V("R SELECT from authenticated", b"a SELECT x\r\nb FETCH 1 BODY[]\r\n", state="auth"),
    V("R EXAMINE", b"a EXAMINE x\r\nb SEARCH ALL\r\n", state="auth"),
    V("R FETCH when authenticated", b"a FETCH 1 FLAGS\r\n", b"", ("REFUSED FETCH a state",), state="auth"),
    V("R LOGIN when authenticated", b"a LOGIN u p\r\n", b"", ("REFUSED LOGIN a state",), state="auth"),
    V("R LIST before login", b'a LIST "" *\r\n', b"", ("REFUSED LIST a state",), state="not"),
    V(
        "R refused in its state, with literal",
        b"a CREATE {8+}\r\nb NOOP\r\n\r\n",
        b"",
        ("REFUSED CREATE a state",),
        state="not",
    ),
    V("T-F31 COMPRESS", b"a COMPRESS DEFLATE\r\nb NOOP\r\n", b"b NOOP\r\n", ("REFUSED COMPRESS a",)),
    V("T-S11 STARTTLS inside", b"a STARTTLS\r\n", b"", ("REFUSED STARTTLS a state",)),
    V(
        "R LOGIN by literals",
        b"a LOGIN {1+}\r\nu {1+}\r\np\r\n",
        b"a LOGIN {1}\r\nu {1}\r\np\r\n",
        ("COMMAND LOGIN a", "COMPLETED LOGIN a"),
        state="not",
    ),
    V(
        "R LOGIN by literals, LITERAL+",
        b"a LOGIN {1}\r\nu {1}\r\np\r\n",
        b"a LOGIN {1+}\r\nu {1+}\r\np\r\n",
        ("COMMAND LOGIN a", "COMPLETED LOGIN a"),
        state="not",
        script=PLUS,
    ),
    V(
        "R LOGIN refused at the literal",
        b"a LOGIN {1+}\r\nu {1+}\r\np\r\nb NOOP\r\n",
        b"a LOGIN {1}\r\nb NOOP\r\n",
        ("COMMAND LOGIN a", "COMPLETED LOGIN a"),
        state="not",
        script=REFUSES,
    ),
    V("R LOGOUT", b"a LOGOUT\r\n", None, ("COMMAND LOGOUT a",)),
    V("R ENABLE", b"a ENABLE CONDSTORE\r\nb NOOP\r\n", None, ("COMMAND ENABLE a", "COMPLETED ENABLE a"), state="auth"),
    V("R ID", b'a ID ("name" "x")\r\n', None, ("COMMAND ID a",)),
    V("R ID NIL", b"a ID NIL\r\n", None, ("COMMAND ID a",)),
]

SASL = [
    refuses(
        "R AUTHENTICATE with a literal",
        b"a AUTHENTICATE PLAIN {8+}\r\nb NOOP\r\n\r\n",
        "LITERAL_NOT_ALLOWED a",
        state="not",
    ),
    refuses(
        "R AUTHENTICATE with a literal, waited for",
        b"a AUTHENTICATE PLAIN {8}\r\n",
        "LITERAL_NOT_ALLOWED a",
        state="not",
    ),
    V(
        "T-S12 answer",
        b"a AUTHENTICATE PLAIN\r\nAGEAYg==\r\nb NOOP\r\n",
        None,
        ("COMMAND AUTHENTICATE a", "CONTINUE", "SASL", "COMPLETED AUTHENTICATE a"),
        state="not",
    ),
    V(
        "T-S12 a line that looks like a command",
        b"a AUTHENTICATE PLAIN\r\nb NOOP\r\nc NOOP\r\n",
        None,
        ("COMMAND AUTHENTICATE a", "CONTINUE", "SASL", "COMPLETED AUTHENTICATE a"),
        state="not",
    ),
    V(
        "6 AUTHENTICATE refused",
        b"a AUTHENTICATE X\r\nb DELETE INBOX\r\n",
        b"a AUTHENTICATE X\r\n",
        ("COMMAND AUTHENTICATE a", "COMPLETED AUTHENTICATE a", "REFUSED DELETE b state"),
        state="not",
        script=Script(rounds=0, results=(b"NO",)),
    ),
    V(
        "5 initial response",
        b"a AUTHENTICATE PLAIN AGEAYg==\r\nb NOOP\r\n",
        None,
        ("COMMAND AUTHENTICATE a", "COMPLETED AUTHENTICATE a"),
        state="not",
        script=Script(rounds=0),
    ),
    V(
        "5 two rounds",
        b"a AUTHENTICATE LOGIN\r\nYQ==\r\nYg==\r\nb SELECT x\r\n",
        None,
        ("COMMAND AUTHENTICATE a", "CONTINUE", "SASL", "CONTINUE", "SASL", "COMPLETED AUTHENTICATE a"),
        state="not",
        script=Script(rounds=2),
    ),
    V(
        "5 empty answer",
        b"a AUTHENTICATE EXTERNAL\r\n\r\n",
        None,
        ("COMMAND AUTHENTICATE a", "CONTINUE", "SASL", "COMPLETED AUTHENTICATE a"),
        state="not",
    ),
    V(
        "5 cancelled",
        b"a AUTHENTICATE PLAIN\r\n*\r\nb NOOP\r\n",
        None,
        ("COMMAND AUTHENTICATE a", "CONTINUE", "SASL", "COMPLETED AUTHENTICATE a"),
        state="not",
    ),
    V(
        "R1 bare CR in SASL",
        b"a AUTHENTICATE PLAIN\r\nAG\rEA\r\n",
        b"a AUTHENTICATE PLAIN\r\n",
        ("COMMAND AUTHENTICATE a", "CONTINUE", "BARE_CR"),
        True,
        state="not",
    ),
    V(
        "R1 NUL in SASL",
        b"a AUTHENTICATE PLAIN\r\nAG\0EA\r\n",
        b"a AUTHENTICATE PLAIN\r\n",
        ("COMMAND AUTHENTICATE a", "CONTINUE", "NUL"),
        True,
        state="not",
    ),
    V(
        "R1 bare LF in SASL",
        b"a AUTHENTICATE PLAIN\r\nAGEA\n",
        b"a AUTHENTICATE PLAIN\r\n",
        ("COMMAND AUTHENTICATE a", "CONTINUE", "BARE_LF"),
        True,
        state="not",
    ),
]

VECTORS = [
    *FRAMING,
    *REJECTED,
    *MARKERS,
    *TAGS,
    *LIMITS,
    *SETS,
    *SPACES,
    *ITEMS,
    *IDLE,
    *UPLOADS,
    *UTF8,
    *STATES,
    *SASL,
]
