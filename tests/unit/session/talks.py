"""What servers say around STARTTLS (protocol.md section 3.1), and how a talk with them is run in pieces."""

from __future__ import annotations

from dataclasses import dataclass

from imap4fast.session.starttls import StartTls

TAG = b"4f2a9c01"
STARTTLS = TAG + b"T STARTTLS\r\n"
CAPABILITY = TAG + b"C CAPABILITY\r\n"
BEGIN = TAG + b"T OK begin TLS\r\n"
DONE = TAG + b"C OK done\r\n"
HELLO = b"* OK ready\r\n"
LIST = b"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n"
OWN = b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n"


@dataclass(frozen=True)
class Vector:
    """What a server says before TLS, and inside of it where it came to that."""

    name: str
    before: bytes
    inside: bytes = b""
    greeting: bytes | None = None
    fault: str = ""
    required: bool = True
    tls: bool = False


@dataclass
class Result:
    """What came of a talk."""

    greeting: bytes | None
    fault: str
    tls: bool
    sent: bytes
    counts: tuple[int, int]


def fed(talk: StartTls, said: bytes, cuts: tuple[int, ...]) -> bytes:
    """Feed in pieces of these sizes in turn, until the talk wants TLS, is over, or is broken; what it says."""
    sent, at, turn = b"", 0, 0
    while at < len(said) and not (talk.fault or talk.over or talk.wants_tls):
        size = cuts[turn % len(cuts)]
        sent += talk.feed(said[at : at + size])
        at, turn = at + size, turn + 1
    return sent


def talked(vector: Vector, cuts: tuple[int, ...] = (1 << 30,)) -> Result:
    talk = StartTls(TAG, required=vector.required)
    sent = fed(talk, vector.before, cuts)
    tls = talk.wants_tls
    if tls:
        sent += talk.secured()
        sent += fed(talk, vector.inside, cuts)
    assert not (talk.fault and (talk.over or talk.wants_tls))
    return Result(talk.greeting if talk.over else None, talk.fault, tls, sent, (talk.received, talk.sent))


INJECTED = "octets behind the answer to STARTTLS"
NOTHING_ASKED = "an answer to nothing that was asked"
MALFORMED = "malformed line"
TOO_MUCH = "the server says too much"

VECTORS = [
    Vector("TLS", HELLO + BEGIN, LIST + DONE, OWN, tls=True),
    Vector("any case", b"* ok hi\r\n" + TAG + b"T ok go\r\n", LIST.lower() + TAG + b"C oK x\r\n", OWN.replace(
        b"IMAP4rev1 SASL-IR AUTH=PLAIN", b"imap4rev1 sasl-ir auth=plain"), tls=True),
    Vector("without texts", b"* OK\r\n" + TAG + b"T OK\r\n", LIST + TAG + b"C OK\r\n", OWN, tls=True),
    Vector("6.2.1 what was offered before TLS is forgotten",
           b"* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=LOGIN] hi\r\n* CAPABILITY IMAP4rev1 AUTH=ANONYMOUS\r\n"
           + TAG + b"T OK [CAPABILITY XEVIL] go\r\n", LIST + DONE, OWN, tls=True),
    Vector("only the last list counts", HELLO + BEGIN, b"* CAPABILITY XOLD\r\n" + LIST + DONE, OWN, tls=True),
    Vector("untagged lines inside of TLS", HELLO + BEGIN, b"* OK [ALERT] x\r\n" + LIST + b"* ID NIL\r\n" + DONE, OWN,
           tls=True),
    Vector("a code in the answer is no list", HELLO + BEGIN, TAG + b"C OK [CAPABILITY IMAP4rev1 XEVIL] done\r\n",
           fault="no list of capabilities", tls=True),
    Vector("no list at all", HELLO + BEGIN, DONE, fault="no list of capabilities", tls=True),
    Vector("the list is refused", HELLO + BEGIN, LIST + TAG + b"C NO not now\r\n", fault="no list of capabilities",
           tls=True),
    Vector("the answer to STARTTLS again", HELLO + BEGIN, LIST + BEGIN, fault=NOTHING_ASKED, tls=True),
    Vector("BYE inside of TLS", HELLO + BEGIN, b"* BYE overloaded\r\n", fault="the server said BYE", tls=True),
    Vector("a continuation inside of TLS", HELLO + BEGIN, b"+ go\r\n", fault=NOTHING_ASKED, tls=True),
    Vector("no answer yet", HELLO),
    Vector("no list yet", HELLO + BEGIN, LIST, tls=True),
    # T-S03
    Vector("T-S03 a list behind the OK", HELLO + BEGIN + b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", fault=INJECTED),
    Vector("T-S03 the answer to what is to be asked", HELLO + BEGIN + LIST + DONE, fault=INJECTED),
    Vector("T-S03 half a line", HELLO + BEGIN + b"* CAP", fault=INJECTED),
    Vector("T-S03 one octet", HELLO + BEGIN + b"\x16", fault=INJECTED),
    Vector("T-S03 what is no line", HELLO + BEGIN + b"\0\r\n", fault=INJECTED),
    # T-S04
    Vector("T-S04 a mailbox before TLS",
           HELLO + b'* LIST () "/" evil\r\n* 3 EXISTS\r\n* 1 FETCH (FLAGS ())\r\n* OK [ALERT] call\r\n' + BEGIN,
           LIST + DONE, OWN, tls=True),
    Vector("T-S04 where TLS is not required", HELLO + b"* 3 EXISTS\r\n* CAPABILITY XEVIL\r\n" + BEGIN, LIST + DONE, OWN,
           required=False, tls=True),
    # T-S05
    Vector("T-S05", b"* PREAUTH welcome\r\n", fault="PREAUTH instead of STARTTLS"),
    Vector("T-S05 in lower case", b"* preauth\r\n", fault="PREAUTH instead of STARTTLS"),
    Vector("T-S05 where TLS is not required", b"* PREAUTH welcome\r\n", fault="PREAUTH instead of STARTTLS",
           required=False),
    Vector("T-S05 the answer behind it", b"* PREAUTH welcome\r\n" + BEGIN, fault="PREAUTH instead of STARTTLS"),
    # T-S06
    Vector("T-S06 NO", HELLO + TAG + b"T NO [UNAVAILABLE] no key\r\n", fault="the server refused STARTTLS"),
    Vector("T-S06 BAD", HELLO + TAG + b"T BAD what\r\n", fault="the server refused STARTTLS"),
    Vector("T-S06 not offered", b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n" + TAG + b"T BAD what\r\n",
           fault="the server refused STARTTLS"),
    Vector("T-S06 no status", HELLO + TAG + b"T MAYBE\r\n", fault="malformed answer"),
    Vector("T-S06 no status where TLS is not required", HELLO + TAG + b"T MAYBE\r\n", fault="malformed answer",
           required=False),
    Vector("T-S06 two spaces where TLS is not required", HELLO + TAG + b"T  NO\r\n", fault="malformed answer",
           required=False),
    Vector("T-S06 not required", HELLO + TAG + b"T NO\r\n", greeting=HELLO, required=False),
    Vector("T-S06 not required, BAD", b"* OK [CAPABILITY IMAP4rev1] hi\r\n" + TAG + b"T BAD x\r\n",
           greeting=b"* OK [CAPABILITY IMAP4rev1] hi\r\n", required=False),
    # T-S07
    Vector("T-S07 instead of a greeting", TAG + b"T OK done\r\n", fault="bad greeting"),
    Vector("T-S07 another tag", HELLO + b"a1 OK done\r\n", fault=NOTHING_ASKED),
    Vector("T-S07 the tag of another command", HELLO + DONE, fault=NOTHING_ASKED),
    Vector("T-S07 no tag", HELLO + b" OK done\r\n", fault=NOTHING_ASKED),
    Vector("T-S07 an empty line", HELLO + b"\r\n", fault=NOTHING_ASKED),
    Vector("T-S07 a tag alone", HELLO + TAG + b"T\r\n", fault=NOTHING_ASKED),
    Vector("T-S07 another tag inside of TLS", HELLO + BEGIN, LIST + b"a1 OK done\r\n", fault=NOTHING_ASKED, tls=True),
    # ends and nonsense
    Vector("BYE as a greeting", b"* BYE full\r\n", fault="the server refused the session"),
    Vector("BYE before the answer", HELLO + b"* BYE full\r\n", fault="the server said BYE"),
    Vector("NO as a greeting", b"* NO hi\r\n", fault="bad greeting"),
    Vector("no IMAP", b"220 mail.example ESMTP\r\n", fault="bad greeting"),
    Vector("two spaces", b"*  OK hi\r\n", fault="bad greeting"),
    Vector("a continuation", HELLO + b"+ go\r\n", fault=NOTHING_ASKED),
    Vector("a bare LF", b"* OK hi\n", fault=MALFORMED),
    Vector("a bare LF in the answer", HELLO + TAG + b"T OK go\n", fault=MALFORMED),
    Vector("a bare CR", b"* OK h\ri\r\n", fault=MALFORMED),
    Vector("CR CR LF", b"* OK hi\r\r\n", fault=MALFORMED),
    Vector("NUL", b"* OK h\0i\r\n", fault=MALFORMED),
    Vector("NUL in the answer", HELLO + TAG + b"T OK\0 go\r\n", fault=MALFORMED),
    Vector("NUL inside of TLS", HELLO + BEGIN, b"* CAPABILITY IMAP4rev1\0X\r\n" + DONE, fault=MALFORMED, tls=True),
    Vector("a bare LF inside of TLS", HELLO + BEGIN, b"* CAPABILITY IMAP4rev1\n" + DONE, fault=MALFORMED, tls=True),
    Vector("a greeting without end", b"* OK " + b"x" * 9000, fault=TOO_MUCH),
    Vector("a long line", HELLO + b"* OK " + b"x" * 9000 + b"\r\n" + BEGIN, LIST + DONE, fault=TOO_MUCH),
    Vector("a long greeting", b"* OK " + b"x" * 9000 + b"\r\n" + BEGIN, fault=TOO_MUCH),
    Vector("a long list", HELLO + BEGIN, b"* CAPABILITY IMAP4rev1 " + b"X" * 9000 + b"\r\n" + DONE, fault=TOO_MUCH,
           tls=True),
    Vector("lines without end", HELLO + b"* OK still here\r\n" * 5000 + BEGIN, LIST + DONE, fault=TOO_MUCH),
    Vector("lines without end inside of TLS", HELLO + BEGIN, b"* OK still here\r\n" * 5000 + LIST + DONE,
           fault=TOO_MUCH, tls=True),
]  # fmt: skip
