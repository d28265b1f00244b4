"""Rows T-M29, T-M31, T-M38, T-M40, T-A03: what stands inside a part, and is another thing to each program.

Files in text, opaque S/MIME, zips whose directory and members disagree, a file that unpacks to itself, documents that
hold one another.
"""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import datetime
import email
import email.policy
import itertools
import re
import struct
import time
from collections.abc import Callable
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from tests.e2e.carriers import (
    CLEAN,
    EICAR,
    HEAD,
    b64,
    binhexed,
    eight_bit,
    leaf,
    multipart,
    tarred,
    text,
    traces,
    yencoded,
    zipped,
)
from tests.e2e.lab import Lab
from tests.e2e.mailproxy import BLOCKING, ENGINES, REPLACE_VIRUS, SCAN, Processing
from tests.e2e.mailrows import SECRET, is_replacement, opened, plain, reason, unavailable, whole
from tests.e2e.mailrows import clean as no_trace
from tests.e2e.quine import gzip_quine

BY_DOCUMENT = Processing(decide=REPLACE_VIRUS)
FOUND = r"IMAP-760-I ACL PHASE=3M MSGID=%s .*VIR=FOUND PARENT=ALL NAME=<NULL> REJECTED"
SKIPPED = r"IMAP-762-W MAIL-DENIED MSGID=%s REASON=SKIPPED DETAIL=Heuristics.Limits.Exceeded"
_numbers = itertools.count(1)


def _mail(content: bytes) -> bytes:
    """A mail that the log knows by a name of its own."""
    return HEAD + b"Message-ID: <%d@inside>\r\n" % next(_numbers) + content


def _logged(lab: Lab, mail: bytes, pattern: str, processing: Processing, count: int = 1) -> list[str]:
    """What the log says of this mail; %s in the pattern stands for its name."""
    (name,) = re.findall(rb"(?m)^Message-ID: (<\d+@inside>)\r$", mail)
    return lab.log(pattern % name.decode(), count, **processing.config())


def _passes(lab: Lab, mail: bytes, processing: Processing = BLOCKING) -> None:
    """The mail as it came, and the log says so."""
    assert whole(opened(lab, [mail], processing)) == mail
    _logged(lab, mail, r"IMAP-706-I .*MSGID=%s RESULT=PASSED", processing)


def _denied(lab: Lab, mail: bytes, why: str = "virus", log: str = FOUND) -> None:
    """A mail of the proxy's own, in every piece."""
    got = whole(opened(lab, [mail]))
    assert is_replacement(got, mail)
    assert reason(got) == why
    assert not traces(got)
    _logged(lab, mail, log, BLOCKING)


# T-M29: files in text

WRAPS: dict[str, Callable[[bytes], bytes]] = {
    "yenc": lambda data: eight_bit(yencoded(data)),
    "yenc-part": lambda data: eight_bit(CLEAN + yencoded(data, is_part=True)),
    "yenc-no-end": lambda data: eight_bit(yencoded(data).partition(b"=yend")[0]),
    "yenc-coded": lambda data: leaf(yencoded(data), b"x.txt", kind=b"text/plain"),
    "yenc-file": lambda data: multipart(text(), leaf(yencoded(data), b"x.ync")),
    "yenc-in-mail": lambda data: leaf(eight_bit(CLEAN + yencoded(data)), b"x.eml"),
    "binhex": lambda data: text(CLEAN + binhexed(data) + CLEAN),
    "binhex-part": lambda data: multipart(text(), leaf(binhexed(data), b"x.hqx", b"7bit", b"application/mac-binhex40")),
    "binhex-coded": lambda data: multipart(text(), leaf(binhexed(data), b"x.hqx")),
    "binhex-quoted": lambda data: leaf(binhexed(data), b"x.txt", b"quoted-printable", b"text/plain"),
    "binhex-in-yenc": lambda data: eight_bit(yencoded(binhexed(data), b"x.hqx")),
    "yenc-of-zip": lambda data: eight_bit(yencoded(zipped(data), b"x.zip")),
    "binhex-of-zip": lambda data: text(binhexed(zipped(data), b"x.zip")),
}


@pytest.mark.parametrize("case", WRAPS)
def test_T_M29_yenc_and_binhex(lab: Lab, case: str) -> None:
    """Found in what the text decodes to; the same with another file in it is nobody's business."""
    _denied(lab, _mail(WRAPS[case](EICAR)))
    _passes(lab, _mail(WRAPS[case](SECRET)))


@pytest.mark.parametrize("case", ["yenc-file", "binhex-part", "binhex-coded"])
def test_T_M29_the_document_is_removed(lab: Lab, case: str) -> None:
    """Where documents are decided: that part alone."""
    mail = _mail(WRAPS[case](EICAR))
    got = whole(opened(lab, [mail], BY_DOCUMENT))
    assert not traces(got)
    assert CLEAN.strip() in got
    _logged(lab, mail, r"IMAP-761-I .*MSGID=%s .*VIR=FOUND PARENT=ALL NAME=VIRUS REMOVED", BY_DOCUMENT)


# T-M31: S/MIME


@cache
def _signer() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mallory")])
    day = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(day).not_valid_after(day + datetime.timedelta(9))
    return made.sign(key, hashes.SHA256()), key


def _signed(mail: bytes) -> bytes:
    cert, key = _signer()
    signer = pkcs7.PKCS7SignatureBuilder().set_data(mail).add_signer(cert, key, hashes.SHA256())
    return signer.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def _enveloped(mail: bytes) -> bytes:
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(mail).add_recipient(_signer()[0])
    return builder.encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


SIGNED, ENVELOPED = b"signed-data", b"enveloped-data"
SMIME = b"application/pkcs7-mime"


def _smime(octets: bytes, said: bytes = SIGNED, kind: bytes = SMIME) -> bytes:
    return leaf(octets, b"smime.p7m", kind=kind + b"; smime-type=" + said)


OPAQUE: dict[str, Callable[[bytes], bytes]] = {
    "only": lambda data: _smime(_signed(leaf(data))),
    "text": lambda data: _smime(_signed(text(data))),
    "second-part": lambda data: _smime(_signed(multipart(text(), leaf(data)))),
    "part-of-mail": lambda data: multipart(text(), _smime(_signed(leaf(data)))),
    "called-encrypted": lambda data: _smime(_signed(leaf(data)), ENVELOPED),
    "called-octets": lambda data: multipart(text(), leaf(_signed(leaf(data)), b"x.bin")),
    "old-name": lambda data: _smime(_signed(leaf(data)), kind=b"application/x-pkcs7-mime"),
    "twice": lambda data: _smime(_signed(_smime(_signed(leaf(data))))),
    "octets-twice": lambda data: _smime(_signed(_signed(leaf(data)))),
    "zip": lambda data: _smime(_signed(leaf(zipped(data), b"x.zip"))),
    "mail-in-base64": lambda data: _smime(
        _signed(b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b64(leaf(data)))
    ),
    "preamble": lambda data: _smime(_signed(multipart(text(), before=leaf(data)))),
    "two-boundaries": lambda data: _smime(
        _signed(multipart(leaf(data)).replace(b"boundary=outer", b"boundary=a; boundary=outer"))
    ),
    "nul": lambda data: _smime(_signed(leaf(data).replace(b"Encoding:", b"Encoding\0:"))),
}


@pytest.mark.parametrize("case", OPAQUE)
def test_T_M31_opaque_signature(lab: Lab, case: str) -> None:
    """Nobody needs a key to read it. What is clean keeps its signature, octet by octet."""
    _denied(lab, _mail(OPAQUE[case](EICAR)))
    _passes(lab, _mail(OPAQUE[case](SECRET)))


def test_T_M31_opaque_part_is_removed(lab: Lab) -> None:
    mail = _mail(OPAQUE["part-of-mail"](EICAR))
    got = whole(opened(lab, [mail], BY_DOCUMENT))
    assert b"smime.p7m" not in got
    assert CLEAN.strip() in got
    log = r"IMAP-761-I .*MSGID=%s TYPE=application/pkcs7-mime .*VIR=FOUND PARENT=ALL NAME=VIRUS REMOVED"
    _logged(lab, mail, log, BY_DOCUMENT)


ENCRYPTED = {
    "smime": lambda: _smime(_enveloped(leaf(EICAR)), ENVELOPED),
    "smime-called-signed": lambda: _smime(_enveloped(leaf(EICAR)), SIGNED),
    "pgp": lambda: multipart(
        b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n",
        b"Content-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\n" + b64(SECRET),
        kind=b'encrypted; protocol="application/pgp-encrypted"',
    ),
}
NOT_ENCRYPTED = Processing(
    decide="mail-acl ALL { accept; } "
    "doc-acl ENC { mime-type { application/pkcs7-mime, application/pgp-encrypted }; deny; } doc-acl REST { accept; }"
)


@pytest.mark.parametrize("case", ENCRYPTED)
def test_T_M31_encrypted_is_for_the_policy(lab: Lab, case: str) -> None:
    """No engine can look into it: it goes whole where the policy has nothing against it, else not at all."""
    mail = _mail(ENCRYPTED[case]())
    _passes(lab, mail)
    got = whole(opened(lab, [mail], NOT_ENCRYPTED))
    assert is_replacement(got, mail)
    assert not re.search(rb"pkcs7|PGP MESSAGE|U0VDUkVU", got)
    _logged(lab, mail, r"IMAP-761-I .*MSGID=%s .*PARENT=ALL NAME=ENC REJECTED", NOT_ENCRYPTED)


# T-M40: zips


def _tampered(data: bytes, at_directory: dict[int, bytes], at_end: dict[int, bytes] | None = None) -> bytes:
    """A zip with octets of its directory's first entry, and of its end record, replaced."""
    octets = bytearray(zipped(data))
    directory, end = octets.rindex(b"PK\1\2"), octets.rindex(b"PK\5\6")
    for start, changes in ((directory, at_directory), (end, at_end or {})):
        for at, new in changes.items():
            octets[start + at : start + at + len(new)] = new
    return bytes(octets)


def _two_members(data: bytes) -> bytes:
    """The directory is that of another zip, whose member is clean; its offsets count from that one's begin."""
    return zipped(data) + zipped(CLEAN, "clean.txt")


def _hidden_member(data: bytes) -> bytes:
    """A member that no directory names, between another and the directory; the offset in the end record follows."""
    named, hidden = zipped(CLEAN, "clean.txt"), zipped(data)
    directory, end = named.index(b"PK\1\2"), named.rindex(b"PK\5\6")
    local = hidden[: hidden.index(b"PK\1\2")]
    tail = bytearray(named[end:])
    tail[16:20] = struct.pack("<I", directory + len(local))
    return named[:directory] + local + named[directory:end] + bytes(tail)


def _in_comment(data: bytes) -> bytes:
    """A zip in the comment of another's end record."""
    outer, inner = bytearray(zipped(CLEAN, "clean.txt")), zipped(data)
    outer[-2:] = struct.pack("<H", len(inner))
    return bytes(outer) + inner


DISAGREEING: dict[str, Callable[[bytes], bytes]] = {
    "method": lambda data: _tampered(data, {10: b"\0\0"}),
    "packed-size": lambda data: _tampered(data, {20: b"\2\0\0\0"}),
    "size": lambda data: _tampered(data, {24: b"\2\0\0\0"}),
    "encrypted-there": lambda data: _tampered(data, {8: b"\1\0"}),
    "offset": lambda data: _tampered(data, {42: b"\7\0\0\0"}),
    "offset-far": lambda data: _tampered(data, {42: b"\xff\xff\xff\x7f"}),
    "no-entries": lambda data: _tampered(data, {}, {8: b"\0\0\0\0"}),
    "no-size": lambda data: _tampered(data, {}, {12: bytes(4)}),
    "no-signature": lambda data: _tampered(data, {0: b"PK\1\0"}),
    "no-end": lambda data: zipped(data).partition(b"PK\5\6")[0],
    "hidden-member": _hidden_member,
    "behind-another": _two_members,
    "in-comment": _in_comment,
    "tar-first": lambda data: tarred(CLEAN) + zipped(data),
}
READ = {"packed-size", "size", "tar-first"}
"""Here the engine has seen all that any program can: sizes of packed members are not believed by anybody's inflate."""


@pytest.mark.parametrize("case", DISAGREEING)
def test_T_M40_directory_and_members_disagree(lab: Lab, case: str) -> None:
    """The virus is found, whichever of both is believed. Without one nobody can say that it is clean."""
    make = DISAGREEING[case]
    _denied(lab, _mail(multipart(text(), leaf(make(EICAR), b"x.zip"))))
    mail = _mail(multipart(text(), leaf(make(SECRET), b"x.zip")))
    if case in READ:
        _passes(lab, mail)
        return
    wire = opened(lab, [mail, plain(b"another")])
    for item in (b"BODY.PEEK[]", b"BODY.PEEK[2]<0.20>", b"BINARY.PEEK[2]", b"BODYSTRUCTURE"):
        unavailable(no_trace(wire.command(b"FETCH 1 " + item)))
    _logged(lab, mail, r"IMAP-762-W MAIL-DENIED MSGID=%s REASON=UNAVAILABLE .*Heuristics.Broken.Archive", BLOCKING)
    assert whole(wire, 2) == plain(b"another")


# T-A03: without end

QUINES = {
    "gzip": gzip_quine,
    "gzip-in-zip": lambda: zipped(gzip_quine(), "r.gz"),
    "gzip-in-opaque": lambda: _signed(leaf(gzip_quine(), b"r.gz")),
    "gzip-in-yenc": lambda: yencoded(gzip_quine(), b"r.gz"),
}


@pytest.mark.parametrize("case", QUINES)
def test_T_A03_quine(lab: Lab, case: str) -> None:
    """It unpacks to itself: the engine stops at its depth, and what it did not see the end of is not clean."""
    started = time.monotonic()
    _denied(lab, _mail(multipart(text(), leaf(QUINES[case](), b"r.gz"), text(SECRET))), "skipped", SKIPPED)
    assert time.monotonic() - started < 15
    _denied(lab, _mail(multipart(leaf(QUINES[case](), b"r.gz"), leaf(EICAR))))


# T-M38: documents that hold one another

LOOPING = Processing(
    sections=ENGINES + "html-filter HF { script-tag-language deny *; iframe-tag-src accept *; "
    "url-scheme accept { http, https, mailto, cid }; }\n",
    decide="mail-acl ALL { accept; } doc-acl HTML { mime-type text/html; accept; html-filter HF; } "
    "doc-acl REST { accept; }",
    download=SCAN,
)


def _page(cid: bytes, inside: bytes) -> bytes:
    head = b"Content-Type: text/html; charset=utf-8\r\nContent-ID: <" + cid + b"@x>\r\n\r\n"
    return head + b"<html><body><p>page " + cid + b"</p>" + inside + b"<script>alert(1)</script></body></html>\r\n"


def _frame(cid: bytes) -> bytes:
    return b'<iframe src="cid:' + cid + b'@x"></iframe><img src="cid:' + cid + b'@x"><object data="cid:' + cid + b'@x">'


LOOPS = {
    "self": [_page(b"a", _frame(b"a"))],
    "two": [_page(b"a", _frame(b"b")), _page(b"b", _frame(b"a"))],
    "ring": [_page(b"%d" % at, _frame(b"%d" % ((at + 1) % 50))) for at in range(50)],
    "same-id": [_page(b"a", _frame(b"a"))] * 3,
    "fan": [_page(b"%d" % at, b"".join(_frame(b"%d" % to) for to in range(20))) for at in range(20)],
    "style": [_page(b"a", b'<style>@import "cid:a@x"; p { background: url(cid:a@x) }</style>')],
}


@pytest.mark.parametrize("case", LOOPS)
def test_T_M38_cid_loops(lab: Lab, case: str) -> None:
    """Nothing is put in where something points: each page is filtered once, by itself, and all stay."""
    mail = _mail(multipart(*LOOPS[case], kind=b"related"))
    wire = opened(lab, [mail], LOOPING)
    started = time.monotonic()
    got = whole(wire)
    assert time.monotonic() - started < 10
    parts = list(email.message_from_bytes(got, policy=email.policy.default).iter_parts())
    assert len(parts) == len(LOOPS[case])
    for part, page in zip(parts, LOOPS[case], strict=True):
        octets = part.get_payload(decode=True)
        assert isinstance(octets, bytes)
        assert octets.count(b"<p>page ") == 1
        assert not re.search(rb"<script|<object|@import|data:", octets)
        assert len(octets) < 2 * len(page) + 500
    log = _logged(lab, mail, r"IMAP-761-I .*MSGID=%s .*NAME=HTML (\w+)", LOOPING, len(parts))
    assert log == ["FILTERED"] * len(parts)
    assert whole(opened(lab, [got], LOOPING)) == got, "what comes out is not changed again"
