"""Mails that carry the EICAR test string in every position, and one with GTUBE. Both strings are joined at run time."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import quopri
import re
import tarfile
import zipfile
from collections.abc import Callable

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

HEAD = (
    b"From: mallory@example.net\r\nTo: ann@example.net\r\n"
    b"Date: Mon, 15 Jan 2024 10:11:12 +0000\r\nMIME-Version: 1.0\r\n"
)
CLEAN = b"Nothing but a clean line of text.\r\n"


def traces(data: bytes) -> list[bytes]:
    """The runs of octets by which the string shows, plain or encoded, in what a client got."""
    found = [mark for mark in _MARKS if mark in data]
    flat = data.replace(b"\r\n", b"")
    return found + [mark for mark in _MARKS if mark in flat and mark not in found]


def _marks() -> tuple[bytes, ...]:
    shifted = [base64.b64encode(b"\0" * shift + EICAR)[4:-4] for shift in range(3)]
    packed = [
        base64.b64encode(octets)[20:60]
        for octets in (zipped(EICAR), zipped(zipped(EICAR), "in.zip"), gzip.compress(EICAR, mtime=0))
    ]
    rows = [wrap(EICAR).split(b"\r\n") for wrap in (uuencoded, yencoded)]
    lines = (rows[0][1], rows[1][1], binhexed(EICAR)[80:120])
    return (
        EICAR[:34],
        EICAR[34:],
        *lines,
        *packed,
        *(part[:40] for part in shifted),
        *(part[-40:] for part in shifted),
    )


def b64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def leaf(
    data: bytes, name: bytes = b"x.com", how: bytes = b"base64", kind: bytes = b"application/octet-stream"
) -> bytes:
    """Header and body of an attachment."""
    coded = {b"base64": b64, b"quoted-printable": _qp}.get(how, bytes)(data)
    head = b"Content-Type: " + kind + b'; name="' + name + b'"\r\nContent-Transfer-Encoding: ' + how + b"\r\n"
    return head + b'Content-Disposition: attachment; filename="' + name + b'"\r\n\r\n' + coded


def _qp(data: bytes) -> bytes:
    return quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")


def multipart(
    *parts: bytes, kind: bytes = b"mixed", boundary: bytes = b"outer", before: bytes = b"", after: bytes = b""
) -> bytes:
    """Header and body of a multipart."""
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    head = b"Content-Type: multipart/" + kind + b"; boundary=" + boundary + b"\r\n\r\n"
    return head + before + body + b"--" + boundary + b"--\r\n" + after


def text(body: bytes = CLEAN, kind: bytes = b"plain") -> bytes:
    return b"Content-Type: text/" + kind + b"; charset=us-ascii\r\n\r\n" + body


def eight_bit(body: bytes) -> bytes:
    """As `text`, declared to be what it is."""
    return b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body


def zipped(data: bytes, name: str = "x.com") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def tarred(data: bytes) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        info = tarfile.TarInfo("x.com")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


def uuencoded(data: bytes) -> bytes:
    rows = [binascii.b2a_uu(data[at : at + 45]).rstrip(b"\n") for at in range(0, len(data), 45)]
    return b"begin 644 x.com\r\n" + b"".join(row + b"\r\n" for row in rows) + b"`\r\nend\r\n"


def yencoded(data: bytes, name: bytes = b"x.com", is_part: bool = False) -> bytes:
    """yEnc, in lines of 60; as the only part of one file it has a line more."""
    rows = []
    for at in range(0, len(data), 60):
        moved = bytes((octet + 42) & 255 for octet in data[at : at + 60])
        rows.append(re.sub(rb"[\0\n\r=]", lambda found: b"=%c" % ((found[0][0] + 64) & 255), moved) + b"\r\n")
    size = b"size=%d" % len(data)
    more, ypart = (b" part=1 total=1", b"=ypart begin=1 end=%d\r\n" % len(data)) if is_part else (b"", b"")
    head = b"=ybegin" + more + b" line=60 " + size + b" name=" + name + b"\r\n" + ypart
    return head + b"".join(rows) + b"=yend " + size + b"\r\n"


def binhexed(data: bytes, name: bytes = b"x.com") -> bytes:
    """BinHex 4.0 (RFC 1741) with its sums, the data fork alone."""
    head = bytes([len(name)]) + name + b"\0BINAttxt\0\0" + len(data).to_bytes(4, "big") + bytes(4)
    forks = b"".join(fork + binascii.crc_hqx(fork + b"\0\0", 0).to_bytes(2, "big") for fork in (head, data, b""))
    letters = base64.b64encode(forks.replace(b"\x90", b"\x90\0")).rstrip(b"=")
    coded = b":" + letters.translate(bytes.maketrans(_BASE64, _BINHEX)) + b":"
    rows = b"".join(coded[at : at + 64] + b"\r\n" for at in range(0, len(coded), 64))
    return b"(This file must be converted with BinHex 4.0)\r\n\r\n" + rows


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BINHEX = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"


def inner_mail(body: bytes) -> bytes:
    return b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nFrom: in@example.net\r\nMIME-Version: 1.0\r\n" + body


POSITIONS: dict[str, Callable[[], bytes]] = {
    "only-plain": lambda: text(EICAR + b"\r\n"),
    "only-no-type": lambda: b"\r\n" + EICAR,
    "only-base64": lambda: leaf(EICAR),
    "only-quoted-printable": lambda: leaf(EICAR, how=b"quoted-printable"),
    "only-8bit": lambda: leaf(EICAR, how=b"8bit"),
    "first-of-two": lambda: multipart(leaf(EICAR), text()),
    "second-of-two": lambda: multipart(text(), leaf(EICAR)),
    "last-of-five": lambda: multipart(text(), text(), leaf(b"clean", b"a.txt"), text(), leaf(EICAR)),
    "text-part": lambda: multipart(text(EICAR), text()),
    "html-part": lambda: multipart(text(), text(b"<p>" + EICAR + b"</p>", b"html"), kind=b"alternative"),
    "nested-multipart": lambda: multipart(text(), multipart(text(), leaf(EICAR), boundary=b"inner")),
    "in-mail": lambda: multipart(text(), inner_mail(leaf(EICAR))),
    "in-mail-in-mail": lambda: inner_mail(inner_mail(multipart(text(), leaf(EICAR), boundary=b"deep"))),
    "in-digest": lambda: multipart(b"\r\nSubject: one\r\n\r\n" + EICAR, kind=b"digest"),
    "zip": lambda: multipart(text(), leaf(zipped(EICAR), b"x.zip", kind=b"application/zip")),
    "zip-in-zip": lambda: multipart(text(), leaf(zipped(zipped(EICAR), "in.zip"), b"x.zip")),
    "gzip": lambda: multipart(text(), leaf(gzip.compress(EICAR, mtime=0), b"x.gz")),
    "tar": lambda: multipart(text(), leaf(tarred(EICAR), b"x.tar")),
    "uuencode": lambda: text(CLEAN + uuencoded(EICAR)),
    "yenc": lambda: eight_bit(CLEAN + yencoded(EICAR)),
    "binhex": lambda: text(CLEAN + binhexed(EICAR)),
    "preamble": lambda: multipart(text(), before=EICAR + b"\r\n"),
    "preamble-base64": lambda: multipart(text(), before=leaf(EICAR)),
    "epilogue": lambda: multipart(text(), after=EICAR + b"\r\n"),
    "no-mime-version": lambda: multipart(text(), leaf(EICAR)).replace(b"MIME-Version: 1.0\r\n", b""),
    "base64-text": lambda: leaf(EICAR, kind=b"text/plain"),
    "image": lambda: multipart(text(), leaf(EICAR, b"x.png", kind=b"image/png")),
    "header-value": lambda: b"X-Data: " + EICAR + b"\r\n" + text(),
    "after-100k": lambda: multipart(text(CLEAN * 3000), leaf(EICAR)),
}
"""Position to what follows the header's first lines."""


_MARKS = _marks()


def carrier(position: str) -> bytes:
    """A whole mail; its subject names the position."""
    return (
        HEAD
        + b"Subject: carrier %s\r\nMessage-ID: <%s@carrier>\r\n" % ((position.encode(),) * 2)
        + POSITIONS[position]()
    )


def spam() -> bytes:
    return HEAD + b"Subject: buy this\r\nMessage-ID: <gtube@carrier>\r\n" + text(CLEAN + GTUBE + b"\r\n")


def clean(number: int = 1, size: int = 0) -> bytes:
    """A mail with an attachment, padded to about `size`."""
    data = b"clean attachment %d " % number * max(1, size * 3 // 4 // 20)
    head = HEAD + b"Subject: clean %d\r\nMessage-ID: <clean-%d@carrier>\r\n" % (number, number)
    return head + multipart(text(), leaf(data, b"clean.bin"))
