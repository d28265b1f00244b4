"""Drawn bytes of both ends: commands and responses by the grammar, then damaged, and mere bytes of its alphabet."""

from __future__ import annotations

from hypothesis import strategies as st

from imap4fast._wire import COMMANDS
from tests.wire.server import Script

SPECIALS = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"  ",
    b'"',
    b"\\",
    b"(",
    b")",
    b"{",
    b"}",
    b"+",
    b"~",
    b"*",
    b"[",
    b"]",
    b"\t",
    b"\xff",
]
SPECIALS += [
    b"{3}",
    b"{3+}",
    b"{0+}",
    b"{5}\r\n",
    b"{5+}\r\n",
    b"a",
    b"7",
    b"DONE\r\n",
    b"z DELETE INBOX\r\n",
    b"{00000000000000000003+}",
]
DATE = b'"17-Jul-1996 02:44:25 -0700"'
WORDS = [
    b"INBOX",
    b"x",
    b"FLAGS",
    b"1",
    b"1:*",
    b"2,4",
    b"(\\Seen)",
    b'"a b"',
    DATE,
    b'"a\\"b"',
    b'""',
    b"()",
    b"(a (b c))",
    b"UID",
    b"ALL",
    b"$",
    b"0",
    b"~",
]
WORDS += [
    b"BODY[]",
    b"BODY.PEEK[1.2.HEADER]<0.10>",
    b"BODY[HEADER.FIELDS (From To)]",
    b"BINARY[1]",
    b"BODY[0]",
    b"RFC822.SIZE",
    b"%",
    b"UTF8",
    b"CATENATE",
]
TAGS = st.one_of(
    st.integers(0, 9999).map(lambda n: b"t%d" % n),
    st.sampled_from([b"a", b"b", b"A1", b"+", b"*", b"", b"]", b"a+", b"x" * 64, b"x" * 65]),
)
NAMES = st.sampled_from(
    [name.replace(b"UID-", b"UID ") for name in COMMANDS[1:]]
    + [b"NOOP", b"XFOO", b"UID XFOO", b"UID", b"fetch", b"Uid FETCH", b"DONE"] * 2
)
COMMON = st.sampled_from(
    [
        b"NOOP",
        b"CREATE",
        b"LIST",
        b"FETCH",
        b"UID FETCH",
        b"APPEND",
        b"SELECT",
        b"DELETE",
        b"IDLE",
        b"SEARCH",
        b"LOGIN",
        b"STORE",
        b"XFOO",
    ]
)


def literals(plus: str = "both") -> st.SearchStrategy[bytes]:
    """A literal with its octets, which love to look like commands."""
    octets = st.one_of(
        st.binary(max_size=12),
        st.sampled_from(
            [
                b"INBOX",
                b"From",
                b"",
                b"z DELETE INBOX",
                b"x\r\nz DELETE INBOX\r\n",
                b"\r\n",
                b"a\0b",
                b"{5+}\r\nhello",
                b"DONE\r\n",
            ]
        ),
    )
    forms = {"both": [b"{%d}\r\n", b"{%d+}\r\n", b"{00%d+}\r\n"], "plus": [b"{%d+}\r\n"]}[plus]
    eight = st.sampled_from([b"", b"", b"", b"~"])
    return st.builds(lambda o, f, e: e + f % len(o) + o, octets, st.sampled_from(forms), eight)


UPLOADS = [b" APPEND x ", b" APPEND x (\\Seen) ", b" REPLACE 4 x ", b" APPEND {1+}\r\nx "] * 2
UPLOADS += [b" APPEND x () " + DATE + b" ", b" REPLACE 4 x " + DATE + b" ", b' APPEND x "1996" ']
ARGUMENTS = st.lists(st.one_of(st.sampled_from(WORDS), st.sampled_from(WORDS), literals()), max_size=5)
SPACE = st.sampled_from([b" "] * 12 + [b"  ", b""])


@st.composite
def commands(draw: st.DrawFn) -> bytes:
    """A line and its literals; often well formed."""
    kind = draw(st.integers(0, 9))
    tag = draw(TAGS)
    if kind == 0:
        name = draw(st.sampled_from(UPLOADS))
        mails = draw(st.lists(literals(), min_size=1, max_size=3))
        end = draw(st.sampled_from([b"\r\n"] * 6 + [b" \r\n", b")\r\n", b" x\r\n", b"\n"]))
        return tag + name + b" ".join(mails) + end
    if kind == 2:
        fields = [
            b"{%d+}\r\n" % len(octets) + octets
            for octets in draw(st.lists(st.sampled_from([b"From", b"A\r\nB", b"a:b", b"", b"x y"]), max_size=3))
        ]
        item = draw(st.sampled_from([b"BODY[HEADER.FIELDS (", b"BODY.PEEK[1.HEADER.FIELDS.NOT (To "]))
        return (
            tag
            + b" FETCH 1 "
            + item
            + b" ".join(fields)
            + draw(st.sampled_from([b")]\r\n", b")]<0.5>\r\n", b"]\r\n", b" X)] UID\r\n"]))
        )
    if kind == 1:
        return (
            draw(
                st.sampled_from(
                    [
                        b"%s IDLE\r\nDONE\r\n",
                        b"%s AUTHENTICATE PLAIN\r\nAGEAYg==\r\n",
                        b"%s SELECT x\r\n",
                        b"%s CLOSE\r\n",
                    ]
                )
            )
            % tag
        )
    name = draw(st.one_of(COMMON, NAMES))
    line = tag + b" " + name
    for argument in draw(ARGUMENTS):
        line += draw(SPACE) + argument
    return line + draw(st.sampled_from([b"\r\n"] * 12 + [b" \r\n", b"\n", b"\r", b""]))


@st.composite
def damaged(draw: st.DrawFn, source: st.SearchStrategy[bytes]) -> bytes:
    data = draw(source)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.sampled_from(SPECIALS)) + data[at + draw(st.integers(0, 3)) :]
    return data


SOUP = st.lists(
    st.sampled_from([*SPECIALS, *WORDS, b"a NOOP\r\n", b"a ", b" FETCH ", b" APPEND ", b" CREATE "]), max_size=25
).map(b"".join)
CLIENT = st.one_of(
    st.lists(commands(), min_size=1, max_size=6).map(b"".join),
    damaged(st.lists(commands(), min_size=1, max_size=6).map(b"".join)),
    SOUP,
)
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=6)
STATES = st.sampled_from(["not", "auth", "selected", "selected"])


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    return Script(
        results=tuple(draw(st.lists(st.sampled_from([b"OK", b"OK", b"NO", b"BAD"]), min_size=1, max_size=4))),
        literals=tuple(draw(st.lists(st.sampled_from([True, True, False]), min_size=1, max_size=4))),
        idles=tuple(draw(st.lists(st.booleans(), min_size=1, max_size=2))),
        rounds=draw(st.integers(0, 2)),
        forms=draw(st.integers(0, 2)),
        data=draw(st.sampled_from([b"", b"* 1 FETCH (FLAGS (\\Seen))\r\n", b"* 3 EXISTS\r\n"])),
    )


LINES = [
    b"* 5 EXISTS",
    b"* 1 EXPUNGE",
    b"* 0 EXPUNGE",
    b"* OK hi",
    b"* OK [UIDNEXT 5] x",
    b"* OK [CAPABILITY X] y",
    b"* NO [XYZZY] {5}",
    b"* BYE x",
]
LINES += [
    b"* CAPABILITY IMAP4rev1",
    b"* ENABLED X",
    b"a OK done",
    b"b NO x",
    b"c BAD x",
    b"a YES",
    b"d OK x",
    b"+ go",
    b"* PREAUTH x",
    b"* FLAGS ()",
]
LINES += [
    b'* LIST () "/" x',
    b"* XYZZY y",
    b"* 1 FETCH (FLAGS (\\Seen))",
    b"* FETCH ()",
    b"* SEARCH 1 2",
    b"* VANISHED 3",
    b"* 99999999999 EXISTS",
]
LITERAL_LINES = [
    b"* 1 FETCH (BODY[] %s)",
    b"* 2 FETCH (UID 3 BODY[1] %s BODY[2] %s)",
    b'* LIST () "/" %s',
    b"* XYZZY (%s)",
    b"* 1 FETCH (ENVELOPE ((%s) %s))",
]


def server_literals() -> st.SearchStrategy[bytes]:
    octets = st.one_of(
        st.binary(max_size=12), st.sampled_from([b"", b"a{}", b"* BYE\r\n", b")", b"{5}", b"a OK x\r\n", b"}", b'"'])
    )
    return st.builds(
        lambda o, f, d: f % (len(o) + d) + o,
        octets,
        st.sampled_from([b"{%d}\r\n", b"~{%d}\r\n", b"{0%d}\r\n"]),
        st.sampled_from([0, 0, 0, 0, 1]),
    ).filter(lambda b: b"{-" not in b)


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    if draw(st.booleans()):
        return draw(st.sampled_from(LINES)) + draw(st.sampled_from([b"\r\n"] * 15 + [b"\n", b""]))
    line = draw(st.sampled_from(LITERAL_LINES))
    return line % tuple(draw(server_literals()) for _ in range(line.count(b"%s"))) + b"\r\n"


RESPONSES = st.lists(responses(), min_size=1, max_size=8).map(b"".join)
SERVER = st.one_of(
    RESPONSES,
    damaged(RESPONSES),
    st.lists(st.sampled_from([*SPECIALS, b"* ", b"* 1 FETCH ", b"* LIST "]), max_size=20).map(b"".join),
)
