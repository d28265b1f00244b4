"""Rows T-M01 to T-M40: MIME that is read in more than one way. In no reading does a virus reach the client."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import base64
import email
import email.policy
import re
import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.carriers import EICAR, GTUBE, HEAD, b64, leaf, multipart, tarred, text, uuencoded, zipped
from tests.e2e.imapanswers import all_fetched
from tests.e2e.lab import Lab
from tests.e2e.mailproxy import ENGINES, SCAN, Processing
from tests.e2e.mailrows import SECRET, body, mails_of, opened, seen
from tests.e2e.wire import Wire

E = EICAR
B = base64.b64encode(EICAR)
LINES = b64(EICAR)


def _filter(words: str, decide: str = "") -> Processing:
    """A policy that lets clean mail pass, with this mail-filter."""
    decide = decide or "mail-acl CLEAN { virus free; accept; } doc-acl ALL { accept; }"
    return Processing(download=f"{SCAN} mail-filter {{ {words} }}", decide=decide)


MEND = "accept-8bit-header; correct-8bit-body; correct-bad-char; correct-quoting;"
NORMALISE = _filter(f"{MEND} ambiguous-mime normalise;")
DENY = _filter(f"{MEND} ambiguous-mime deny;")
KEEP = _filter(f"{MEND} ambiguous-mime keep; invalid-header keep;")
BY_DOCUMENT = _filter(
    f"{MEND} ambiguous-mime normalise;",
    "mail-acl ALL { accept; } doc-acl VIRUS { virus found; accept; remove; } doc-acl REST { accept; }",
)
POLICIES = {"normalise": NORMALISE, "deny": DENY, "keep": KEEP, "document": BY_DOCUMENT}


def _mixed(extra: bytes = b"boundary=b", part: bytes = b"", name: bytes = b"b") -> bytes:
    """A multipart whose only part has the virus in base64."""
    part = part or b"Content-Transfer-Encoding: base64\r\n\r\n" + LINES
    return (
        b"Content-Type: multipart/mixed; "
        + extra
        + b"\r\n\r\n--"
        + name
        + b"\r\n"
        + part
        + b"\r\n--"
        + name
        + b"--\r\n"
    )


def _cte(value: bytes, data: bytes = LINES) -> bytes:
    return b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: " + value + b"\r\n\r\n" + data


def _two(first: bytes, second: bytes) -> bytes:
    return b"Content-Transfer-Encoding: " + first + b"\r\n" + _cte(second)


PART = b"Content-Transfer-Encoding: base64\r\n\r\n" + LINES

VIRUS: dict[str, dict[str, bytes]] = {
    "M01": {"no-version": _mixed()},
    "M02": {
        "plain-first": b"Content-Type: text/plain\r\n" + _mixed(),
        "plain-last": _mixed().replace(b"boundary=b\r\n", b"boundary=b\r\nContent-Type: text/plain\r\n", 1),
    },
    "M03": {
        "first-real": _mixed(b"boundary=b; boundary=a"),
        "last-real": _mixed(b"boundary=a; boundary=b"),
    },
    "M04": {
        "base64-first": _two(b"base64", b"quoted-printable"),
        "base64-last": _two(b"quoted-printable", b"base64"),
        "seven-first": _two(b"7bit", b"base64"),
    },
    "M05": {
        name.decode("latin-1"): _cte(name)
        for name in (
            b"base64 ",
            b'"base64"',
            b"x-base64",
            b"base64; foo",
            b"(c)base64",
            b"BASE64",
            b"base 64",
            b"base64,",
            b"\tbase64",
        )
    },
    "M06": {
        "junk": _cte(b"base64", B[:4] + b"!" + B[4:12] + b"\r\n####" + B[12:] + b"\r\n"),
        "leading-pad": _cte(b"base64", b"=" + LINES),
        "text-after-pad": _cte(b"base64", LINES + b"and more text\r\n"),
        "pads-before": _cte(b"base64", b"====\r\n" + LINES),
        "8bit-junk": _cte(b"base64", B[:7] + b"\xff\xfe" + B[7:] + b"\r\n"),
        "one-octet-lines": _cte(b"base64", b"".join(B[at : at + 1] + b"\r\n" for at in range(len(B)))),
    },
    "M07": {
        "pad-in-the-middle": _cte(b"base64", base64.b64encode(E[:4]) + base64.b64encode(E[4:]) + b"\r\n"),
        "chunks": _cte(b"base64", b"".join(base64.b64encode(E[at : at + 10]) + b"\r\n" for at in range(0, 68, 10))),
    },
    "M08": {
        "all-hex": _cte(b"quoted-printable", b"".join(b"=%02X" % octet for octet in E)),
        "lower-hex": _cte(b"quoted-printable", b"".join(b"=%02x" % octet for octet in E)),
        "soft-breaks": _cte(b"quoted-printable", b"".join(bytes([octet]) + b"=\r\n" for octet in E)),
        "blanks-after-soft": _cte(b"quoted-printable", E[:20] + b"=  \t\r\n" + E[20:]),
        "bad-hex-before": _cte(b"quoted-printable", b"=zz\r\n=5\r\n" + E),
    },
    "M09": {"empty": _mixed(b'boundary=""', name=b"")},
    "M10": {
        "inner-is-prefix": b"Content-Type: multipart/mixed; boundary=abcd\r\n\r\n--abcd\r\n"
        + _mixed(b"boundary=abc", name=b"abc")
        + b"\r\n--abcd--\r\n",
        "outer-is-prefix": b"Content-Type: multipart/mixed; boundary=abc\r\n\r\n--abc\r\n"
        + _mixed(b"boundary=abcd", name=b"abcd")
        + b"\r\n--abc--\r\n",
        "longer-line": _mixed(b"boundary=abc", name=b"abcd"),
    },
    "M11": {
        "blanks": _mixed().replace(b"--b\r\n", b"--b \t\r\n"),
        "junk": _mixed().replace(b"--b\r\n", b"--b junk\r\n"),
        "junk-in-close": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--junk\r\n" + PART,
    },
    "M12": {
        "no-line-before": b"Content-Type: multipart/mixed; boundary=b\r\n\r\ntext--b\r\n" + PART + b"\r\n--b--\r\n",
        "bare-lf": _mixed().replace(b"\r\n--b", b"\n--b"),
        "bare-cr": _mixed().replace(b"\r\n--b", b"\r--b"),
        "all-lf": _mixed().replace(b"\r\n", b"\n"),
    },
    "M13": {
        "no-close": _mixed().replace(b"\r\n--b--\r\n", b"\r\n"),
        "after-close": multipart(text(), after=b"\r\n--outer\r\n" + leaf(E) + b"\r\n--outer--\r\n"),
    },
    "M14": {
        "preamble": multipart(text(), before=leaf(E) + b"\r\n"),
        "preamble-plain": multipart(text(), before=E + b"\r\n"),
    },
    "M15": {
        "continued": _mixed(b"boundary*0=a; boundary*1=b", name=b"ab"),
        "charset": _mixed(b"boundary*=us-ascii''ab", name=b"ab"),
        "encoded": _mixed(b"boundary*0*=%61; boundary*1=b", name=b"ab"),
        "literal-name": _mixed(b"boundary*0=a; boundary=b"),
    },
    "M16": {
        "encoded-word": _mixed(b'boundary="=?us-ascii?Q?b?="'),
        "encoded-word-literal": _mixed(b'boundary="=?us-ascii?Q?b?="', name=b"=?us-ascii?Q?b?="),
    },
    "M17": {
        "long": _mixed(b'boundary="' + b"x" * 120 + b'"', name=b"x" * 120),
        "8bit": _mixed(b'boundary="b\xe9"', name=b"b\xe9"),
        "open-quote": _mixed(b'boundary="b'),
        "single-quotes": _mixed(b"boundary='b'", name=b"'b'"),
    },
    "M18": {
        "in-type": _mixed().replace(b"multipart/mixed; ", b"multipart/(x)mixed; (boundary=x) "),
        "before": _mixed().replace(b"multipart/mixed", b"(c) multipart (d) / (e) mixed"),
    },
    "M19": {
        "blank-line-with-space": b"X: y\r\n \r\n" + _mixed(),
        "blank-line-with-tab": b"X: y\r\n\t\r\n" + _mixed(),
    },
    "M20": {
        "space": _mixed().replace(b"Content-Type:", b"Content-Type :"),
        "tab": _mixed().replace(b"Type:", b"Type\t:"),
    },
    "M21": {"quoted-from": b">From x\r\n" + _mixed(), "from": b"From joe Mon Jan 15 2024\r\n" + _mixed()},
    "M22": {
        "name": _mixed().replace(b"Content-Type", b"Content-\r\n Type"),
        "value": _cte(b"base\r\n 64"),
        "value-after-colon": _cte(b"\r\n base64"),
    },
    "M24": {
        "base64-mail": b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + b64(HEAD + leaf(E)),
        "text-type": leaf(E, kind=b"text/plain"),
        "unknown-type": leaf(E, kind=b"x/y"),
    },
    "M28": {
        "base64-multipart": b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + b64(b"--b\r\n" + PART + b"\r\n--b--\r\n")
    },
    "M29": {"uuencode": text(uuencoded(E)), "uuencode-in-part": multipart(text(), text(uuencoded(E)))},
    "M39": {
        "two-types-two-boundaries": b"Content-Type: multipart/mixed; boundary=a\r\n" + _mixed(),
        "part-without-blank-line": _mixed(part=b"Content-Transfer-Encoding: base64\r\n" + LINES),
        "nested-same-boundary": _mixed(part=_mixed()),
    },
    "M40": {
        "prefixed-zip": multipart(text(), leaf(b"junk before" * 50 + zipped(E), b"x.zip")),
        "zip-named-text": multipart(text(), leaf(zipped(E), b"x.txt", kind=b"text/plain")),
        "tar-after-zip": multipart(text(), leaf(zipped(b"clean") + tarred(E), b"x.bin")),
    },
}
"""Row and case to what follows the first lines of the header."""

CASES = [(row, case) for row, cases in VIRUS.items() for case in cases]


def mail_of(row: str, case: str) -> bytes:
    return HEAD.replace(b"MIME-Version: 1.0\r\n", b"") + b"Subject: %s\r\n" % row.encode() + VIRUS[row][case]


def opened_raw(lab: Lab, mail: bytes, processing: Processing) -> Wire:
    return opened(lab, [mail], processing)


@pytest.mark.parametrize("policy", POLICIES)
def test_T_M_no_reading_shows_a_virus(lab: Lab, policy: str) -> None:
    """All cases of all rows, the whole mail and the pieces that a client would ask for."""
    wire = opened(lab, [mail_of(*case) for case in CASES], POLICIES[policy])
    shown = [
        CASES[one.number - 1]
        for one in mails_of(wire.command(b"FETCH 1:* BODY.PEEK[]", 60))
        if shows(one.octets("BODY[]"))
    ]
    assert not shown, str(shown)
    for form in (b"(BODY.PEEK[1] BODY.PEEK[2] BODY.PEEK[1.1] BODY.PEEK[TEXT])", b"BINARY.PEEK[1]", b"BODYSTRUCTURE"):
        assert EICAR[:34] not in seen(wire.command(b"FETCH 1:* " + form, 60)), form


def readings(mail: bytes) -> Iterator[bytes]:
    """What readers make of a mail: Python's email package, and one for whom the last of several fields counts.

    Parts as they are; where an encoding is named, in whatever words, also decoded by a decoder that forgives all.
    """
    for form in (mail, _reversed_fields(mail)):
        for part in email.message_from_bytes(form).walk():
            payload = part.get_payload()
            if not isinstance(payload, str):
                continue
            raw = payload.encode("utf-8", "surrogateescape")
            named = str(part.get("Content-Transfer-Encoding", "")).lower().replace(" ", "")
            yield raw
            if "base64" in named:
                yield from _forgiving_base64(raw)
            if "quoted" in named:
                yield re.sub(rb"=[ \t]*\r?\n|=([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]) if m[1] else b"", raw)


def _reversed_fields(mail: bytes) -> bytes:
    header, blank, rest = mail.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", header)
    return b"\r\n".join(reversed(fields)) + blank + rest


def _forgiving_base64(raw: bytes) -> Iterator[bytes]:
    """Padding and junk left out, and up to the first padding."""
    for text_of in (raw, raw.lstrip(b"=\r\n ").partition(b"=")[0]):
        flat = re.sub(rb"[^A-Za-z0-9+/]", b"", text_of)
        yield base64.b64decode(flat[: len(flat) // 4 * 4])
    pieces = re.findall(rb"[A-Za-z0-9+/]+={0,2}", re.sub(rb"[\r\n]", b"", raw))
    yield b"".join(base64.b64decode(piece) for piece in pieces if len(piece) % 4 == 0)


def shows(mail: bytes) -> bool:
    """Whether any reader finds the virus in a whole mail."""
    return any(EICAR[:34] in reading for reading in readings(mail))


def test_the_readers_find_it(lab: Lab) -> None:
    """In most of the cases as they came, so that the tests below look with good eyes."""
    found = [case for case in CASES if shows(mail_of(*case))]
    assert len(found) > 50, sorted(set(CASES) - set(found))


@pytest.mark.parametrize(("row", "case"), CASES)
def test_T_M_replaced_where_found(lab: Lab, row: str, case: str) -> None:
    """Denied as a whole, by a replacement or by NO; the session goes on."""
    wire = opened(lab, [mail_of(row, case)], NORMALISE)
    reply = wire.command(b"FETCH 1 (BODY.PEEK[] RFC822.SIZE)")
    for one in mails_of(reply):
        assert not shows(one.octets("BODY[]"))
        assert one.integer("RFC822.SIZE") == len(one.octets("BODY[]"))
    wire.ok(b"NOOP")


AMBIGUOUS = [
    *(("M02", case) for case in VIRUS["M02"]),
    *(("M03", case) for case in VIRUS["M03"]),
    *(("M04", case) for case in VIRUS["M04"]),
    ("M09", "empty"),
    ("M15", "literal-name"),
    ("M20", "space"),
    ("M39", "two-types-two-boundaries"),
]


def _harmless(row: str, case: str) -> bytes:
    """The same trick with SECRET in place of the virus."""
    mail = mail_of(row, case)
    return mail.replace(LINES, b64(SECRET))


@pytest.mark.parametrize(("row", "case"), AMBIGUOUS)
def test_T_M02_ambiguous_mail_by_policy(lab: Lab, row: str, case: str) -> None:
    """Without a virus: `deny` denies, `normalise` leaves one reading, `keep` leaves the octets."""
    mail = _harmless(row, case)
    denied = body(opened(lab, [mail], DENY).ok(b"FETCH 1 BODY.PEEK[]"))
    assert SECRET not in denied
    assert b64(SECRET).strip() not in denied
    normal = body(opened(lab, [mail], NORMALISE).ok(b"FETCH 1 BODY.PEEK[]"))
    header = normal.partition(b"\r\n\r\n")[0].lower()
    for name in (b"content-type", b"content-transfer-encoding"):
        assert len(re.findall(rb"(?m)^" + name + rb"\s*:", header)) <= 1
    assert header.count(b"boundary") <= 1
    assert body(opened(lab, [mail], KEEP).ok(b"FETCH 1 BODY.PEEK[]")) == mail


def test_T_M10_prefix_is_no_ambiguity_for_legal_mail(lab: Lab) -> None:
    """RFC 2046 permits it; without a virus the mail stays."""
    mail = HEAD + multipart(multipart(text(), boundary=b"abcd"), text(), boundary=b"abc")
    got = body(opened(lab, [mail], NORMALISE).ok(b"FETCH 1 BODY.PEEK[]"))
    assert got.count(b"Nothing but a clean line of text.") == 2


def test_T_M18_comments_without_end(lab: Lab) -> None:
    mail = HEAD + _mixed().replace(b"multipart/mixed", b"multipart/mixed" + b"(" * 100_000)
    started = time.monotonic()
    reply = opened(lab, [mail], NORMALISE).command(b"FETCH 1 (BODY.PEEK[] BODYSTRUCTURE)", 20)
    assert time.monotonic() - started < 10
    assert not [one for one in mails_of(reply) if shows(one.octets("BODY[]"))]


FILENAMES = {
    "plain": b'attachment; filename="a.exe"',
    "continued": b'attachment; filename="a.txt"; filename*0="a."; filename*1="exe"',
    "encoded": b"attachment; filename*=utf-8''a%2Eexe",
    "two": b'attachment; filename="a.txt"; filename="a.exe"',
    "trailing-dot": b'attachment; filename="a.exe."',
    "trailing-blank": b'attachment; filename="a.exe "',
    "encoded-word": b'attachment; filename="=?utf-8?b?YS5leGU=?="',
    "encoded-words": b'attachment; filename="=?utf-8?q?a=2E?= =?utf-8?q?exe?="',
    "multi-line": b'attachment;\r\n filename*0="a";\r\n filename*1=".e";\r\n filename*2="xe"',
    "override": b"attachment; filename*=utf-8''txt.%E2%80%AEexe",
    "upper": b'attachment; filename="A.EXE"',
    "folded": b'attachment; filename="a.\r\n exe"',
    "path": b'attachment; filename="..\\\\dir/a.exe"',
    "comment": b"attachment; (x) filename=(y)a.exe(z)",
}
NAMES = Processing(
    decide="mail-acl ALL { accept; } doc-acl EXE { filename /\\.exe$/; deny; } doc-acl REST { accept; }",
    download=f"{SCAN} mail-filter {{ {MEND} ambiguous-mime keep; invalid-header keep; }}",
)


@pytest.mark.parametrize("case", FILENAMES)
def test_T_M23_any_name_counts_for_a_denial(lab: Lab, case: str) -> None:
    part = b"Content-Type: application/octet-stream\r\nContent-Disposition: " + FILENAMES[case] + b"\r\n\r\n" + SECRET
    wire = opened(lab, [HEAD + multipart(text(), part)], NAMES)
    mail = body(wire.ok(b"FETCH 1 BODY.PEEK[]"))
    assert SECRET not in mail


def test_T_M23_name_of_the_type(lab: Lab) -> None:
    part = b'Content-Type: x/y; name="a.exe"\r\nContent-Disposition: attachment; filename="a.txt"\r\n\r\n'
    mail = body(opened(lab, [HEAD + multipart(text(), part + SECRET)], NAMES).ok(b"FETCH 1 BODY.PEEK[]"))
    assert SECRET not in mail


def test_T_M24_type_by_content(lab: Lab) -> None:
    """A program that calls itself text is one, where magic is asked."""
    program = (
        b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0\xb8" + b"\0" * 40 + b"\x80\0\0\0" + b"\0" * 64 + b"PE\0\0L\1" + SECRET
    )
    processing = Processing(
        decide="mail-acl ALL { accept; } doc-acl EXE { mime-type { application/x-dosexec, application/x-msdownload, "
        "application/vnd.microsoft.portable-executable }; deny; } doc-acl REST { accept; }",
        proxy="doctype-identification { order { magic, content-type }; }",
    )
    wire = opened(lab, [HEAD + multipart(text(), leaf(program, b"x.txt", kind=b"text/plain"))], processing)
    mail = body(wire.ok(b"FETCH 1 BODY.PEEK[]"))
    assert b64(program).split(b"\r\n")[0] not in mail


@pytest.mark.parametrize("depth", [40, 1000])
def test_T_M25_nested_mails(lab: Lab, depth: int) -> None:
    mail = HEAD + b"Content-Type: message/rfc822\r\n\r\n" * depth + leaf(E)
    wire = opened(lab, [mail], NORMALISE)
    reply = wire.command(b"FETCH 1 (BODY.PEEK[] RFC822.SIZE)")
    assert not [one for one in mails_of(reply) if shows(one.octets("BODY[]"))]
    clean_mail = HEAD + b"Content-Type: message/rfc822\r\n\r\n" * depth + text(SECRET)
    reply = opened(lab, [clean_mail], NORMALISE).command(b"FETCH 1 (BODY.PEEK[] BODYSTRUCTURE)")
    assert SECRET not in seen(reply), "deeper than max-depth"


def test_T_M26_message_partial(lab: Lab) -> None:
    kind = b'Content-Type: message/partial; id="x"; number=1; total=2\r\n\r\n'
    mail = HEAD + kind + SECRET
    assert SECRET not in body(opened(lab, [mail], Processing()).ok(b"FETCH 1 BODY.PEEK[]"))
    inner = HEAD + multipart(text(), kind + SECRET)
    assert SECRET not in seen(opened(lab, [inner], Processing()).command(b"FETCH 1 BODY.PEEK[]"))
    kept = _filter("partial-message keep;")
    assert SECRET in body(opened(lab, [mail], kept).ok(b"FETCH 1 BODY.PEEK[]"))


def test_T_M27_external_body(lab: Lab) -> None:
    part = b'Content-Type: message/external-body; access-type=URL; url="http://evil.example/x"\r\n\r\nX: y\r\n\r\n'
    decide = "mail-acl ALL { accept; } doc-acl EXT { mime-type message/external-body; deny; } doc-acl REST { accept; }"
    mail = body(opened(lab, [HEAD + multipart(text(), part)], Processing(decide=decide)).ok(b"FETCH 1 BODY.PEEK[]"))
    assert b"evil.example" not in mail


def test_T_M30_tnef(lab: Lab) -> None:
    tnef = b"\x78\x9f\x3e\x22\1\0" + SECRET
    mail = HEAD + multipart(text(), leaf(tnef, b"winmail.dat", kind=b"application/ms-tnef"))
    shown = b64(tnef).split(b"\r\n")[0]
    assert shown not in body(opened(lab, [mail], Processing()).ok(b"FETCH 1 BODY.PEEK[]"))
    assert shown in body(opened(lab, [mail], _filter("tnef keep;")).ok(b"FETCH 1 BODY.PEEK[]"))


SIGNED = multipart(
    text(b"<script>SIGNED</script>\r\n", b"html"),
    b"Content-Type: application/pgp-signature; name=signature.asc\r\n\r\n-----BEGIN PGP SIGNATURE-----\r\n\r\nx\r\n",
    kind=b'signed; micalg=pgp-sha256; protocol="application/pgp-signature"',
)
HTML = (
    "html-filter HF { script-tag-language deny *; url-scheme accept { http, https, mailto, cid }; "
    "attribute accept { href, src, alt, title }; }\n"
)
HTML_ACLS = (
    "mail-acl ALL { accept; } doc-acl HTML { mime-type text/html; accept; html-filter HF; } doc-acl REST { accept; }"
)


def _html(**more: str) -> Processing:
    words = f"{SCAN} mail-filter {{ {MEND} ambiguous-mime keep; invalid-header keep; }}"
    return Processing(sections=ENGINES + HTML, decide=HTML_ACLS, download=words, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("signed", ["pass-if-clean", "rewrite", "replace"])
def test_T_M31_signed_mail(lab: Lab, signed: str) -> None:
    mail = HEAD + b"Subject: signed\r\n" + SIGNED
    got = body(opened(lab, [mail], _html(command=f"signed {signed};")).ok(b"FETCH 1 BODY.PEEK[]"))
    if signed == "pass-if-clean":
        assert got == mail
    else:
        assert b"<script>" not in got


def _shown(lab: Lab, html: bytes, header: bytes = b"Content-Type: text/html; charset=utf-8\r\n") -> bytes:
    """What is left of an HTML mail, transfer encoding undone."""
    got = body(opened(lab, [HEAD + header + b"\r\n" + html + b"\r\n"], _html()).ok(b"FETCH 1 BODY.PEEK[]"))
    parsed = email.message_from_bytes(got, policy=email.policy.default)
    octets = parsed.get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets


CHARSETS: dict[str, tuple[bytes, bytes]] = {
    "utf-7": (b"utf-7", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-"),
    "utf-16": (b"utf-16le", "<script>alert(1)</script>".encode("utf-16le")),
    "iso-2022-jp": (b"iso-2022-jp", b"<scr\x1b(Jipt>alert(1)</scr\x1b(Bipt>"),
    "unknown": (b"x-unknown", b"<script>alert(1)</script>"),
    "none": (b"", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-<script>alert(1)</script>"),
}


@pytest.mark.parametrize("case", CHARSETS)
def test_T_M32_charsets(lab: Lab, case: str) -> None:
    charset, html = CHARSETS[case]
    header = b"Content-Type: text/html" + (b"; charset=" + charset if charset else b"") + b"\r\n"
    header += b"Content-Transfer-Encoding: base64\r\n"
    octets = _shown(lab, b64(html), header)
    assert b"<script" not in octets.lower()
    assert b"<\0s\0c" not in octets


def test_T_M33_meta_charset_differs(lab: Lab) -> None:
    html = b'<html><head><meta charset="utf-7"></head><body>+ADw-script+AD4-x()+ADw-/script+AD4- text</body></html>'
    octets = _shown(lab, html)
    assert b"utf-7" not in octets.lower()
    assert b"text" in octets


MANY: dict[str, Callable[[], bytes]] = {
    "parts": lambda: b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 300_000 + b"--b--\r\n",
    "recipients": lambda: b"To: a@b.c\r\n" * 100_000 + text(),
    "one-field": lambda: b"To: " + b"a@b.c,\r\n " * 100_000 + b"d@e\r\n" + text(),
    "parameters": lambda: (
        b"Content-Type: text/plain" + b"".join(b";\r\n a*%d=x" % at for at in range(100_000)) + b"\r\n\r\nx\r\n"
    ),
    "large-header": lambda: b"X-Large: " + b"x" * 8_000_000 + b"\r\n" + text(),
    "groups": lambda: b"To: " + b"g:" * 100_000 + b"\r\n" + text(),
    "encoded-words": lambda: b"Subject: " + b"=?utf-8?q?a?=\r\n " * 50_000 + b"x\r\n" + text(),
}


@pytest.mark.parametrize("case", MANY)
def test_T_M34_very_many(lab: Lab, case: str) -> None:
    """Linear time, bounded; what is above a limit is denied, and the session goes on."""
    wire = opened(lab, [HEAD + MANY[case]()], NORMALISE)
    started = time.monotonic()
    reply = wire.command(b"FETCH 1 (RFC822.SIZE BODY.PEEK[])", 30)
    assert time.monotonic() - started < 15
    assert reply.status in ("OK", "NO"), reply.tagged
    for one in mails_of(reply):
        assert one.integer("RFC822.SIZE") == len(one.octets("BODY[]"))
    wire.ok(b"FETCH 1 (ENVELOPE BODYSTRUCTURE)", 30)


@pytest.mark.parametrize(
    "mail", [b"\r\n", b"Subject: x\r\n", b"Subject: x\r\n\r\n", b"x", b"\r\n\r\n\r\n", b"X:\r\n\r\n"]
)
def test_T_M35_nearly_nothing(lab: Lab, mail: bytes) -> None:
    reply = opened(lab, [mail], NORMALISE).ok(b"FETCH 1 (BODY.PEEK[] ENVELOPE BODYSTRUCTURE RFC822.SIZE BODY.PEEK[1])")
    (one,) = mails_of(reply)
    assert one.integer("RFC822.SIZE") == len(one.octets("BODY[]"))
    again = opened(lab, [mail], NORMALISE).ok(b"FETCH 1 (BODY.PEEK[] ENVELOPE BODYSTRUCTURE RFC822.SIZE BODY.PEEK[1])")
    assert all_fetched(again) == all_fetched(reply)


def test_T_M36_8bit_in_header(lab: Lab) -> None:
    """The reader of answers refuses 8-bit in quoted strings."""
    mail = HEAD + b"Subject: \xff\x01x\xc5\x99\r\n" + text()
    for words in ("", "accept-8bit-header;", "header-8bit-chars encode;", "header-8bit-chars keep;"):
        reply = opened(lab, [mail], _filter(words)).ok(b"FETCH 1 (ENVELOPE BODY.PEEK[HEADER])")
        (one,) = mails_of(reply, "ENVELOPE")
        assert isinstance(one.items["ENVELOPE"], list)


def test_T_M37_data_links(lab: Lab) -> None:
    octets = _shown(lab, b'<a href="data:application/octet-stream;base64,' + b64(SECRET).strip() + b'">x</a> text')
    assert b"data:" not in octets
    assert b"text" in octets


SANITIZER = (
    b"<svg><style><img src=x onerror=alert(1)></style></svg>text",
    b"<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></table></mtext></math>text",
    b"<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)></style>text",
    b"<base href=javascript:alert(1)//><a href=x>text</a>",
    b"<img src=x onerror=alert(1)>text",
    b"<IMG SRC=JaVaScRiPt:alert(1)>text",
    b'<a href="jav&#x09;ascript:alert(1)">text</a>',
    b"<style>@import url(http://evil.example/x.css);</style>text",
    b"<scr<script>ipt>alert(1)</scr</script>ipt>text",
    b'<noscript><p title="</noscript><img src=x onerror=alert(1)>">text',
    b"<!--><script>alert(1)</script>-->text",
    b"<iframe srcdoc='<script>alert(1)</script>'></iframe>text",
    b"<body onload=alert(1)>text",
    b"<object data='data:text/html,<script>alert(1)</script>'></object>text",
)


@pytest.mark.parametrize("html", SANITIZER, ids=lambda html: html[:20].decode())
def test_T_M38_sanitizer_bypass(lab: Lab, html: bytes) -> None:
    octets = _shown(lab, html).lower()
    unquoted = re.sub(rb"&lt;.*?&gt;", b"", octets)
    assert not re.search(rb"<[^>]*\son\w+\s*=", unquoted), octets
    assert b"<script" not in unquoted
    assert not re.search(rb"<[^>]*(javascript|data):", unquoted), octets
    # What a parser of HTML takes for the inside of a style sheet goes with it.
    assert b"text" in octets or b"<style>" in html


def test_T_M40_unknown_archive_is_said_so(lab: Lab) -> None:
    """A zip that cannot be read whole is not clean for an engine that looks into it; a clean one is."""
    good = zipped(GTUBE[:10])
    wire = opened(lab, [HEAD + multipart(text(), leaf(good, b"x.zip"))], NORMALISE)
    assert b64(good).split(b"\r\n")[0] in body(wire.ok(b"FETCH 1 BODY.PEEK[]"))
