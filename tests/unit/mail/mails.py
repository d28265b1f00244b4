"""Mails that the tests of this folder share, and what a test asks of one."""

from __future__ import annotations

import base64
import email
import email.policy

from imap4fast._wire import MailIndex
from imap4fast.mail import coding

VERSION = b"MIME-Version: 1.0\r\n"
PARTS = b"--b\r\n\r\nx\r\n--b\r\nContent-Type: text/html\r\n\r\n<b>\r\n--b--\r\n"


def multipart(parameters: bytes, body: bytes = PARTS, before: bytes = b"") -> bytes:
    return VERSION + before + b"Content-Type: multipart/mixed; " + parameters + b"\r\n\r\n" + body


def coded(encoding: bytes, body: bytes) -> bytes:
    return VERSION + b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + body


def leaf(fields: bytes, body: bytes = b"hello\r\n") -> bytes:
    return VERSION + fields + b"\r\n" + body


TWO = (
    b"From: Ann <ann@example.com>\r\nSubject: two parts\r\n"
    + VERSION
    + b'Content-Type: multipart/mixed; boundary="b1"\r\n\r\npreamble\r\n--b1\r\n'
    b"Content-Type: text/plain; charset=us-ascii\r\n\r\nfirst\r\n--b1\r\n"
    b'Content-Type: application/octet-stream; name="a.bin"\r\nContent-Transfer-Encoding: base64\r\n'
    b'Content-Disposition: attachment; filename="a.bin"\r\n\r\nAAECAwQ=\r\n--b1--\r\nepilogue\r\n'
)
"""A clean mail with a text and a file."""

FORWARDED = (
    b"From: a@example.com\r\n"
    + VERSION
    + b"Content-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\nContent-Type: message/rfc822\r\n\r\n"
    b"From: b@example.com\r\nSubject: inside\r\n\r\ninner\r\n--out\r\n"
    b"Content-Type: multipart/alternative; boundary=alt\r\n\r\n--alt\r\n\r\nplain\r\n--alt\r\n"
    b"Content-Type: text/html\r\n\r\n<p>html</p>\r\n--alt--\r\n--out--\r\n"
)
"""A clean mail with a mail and alternatives in it."""

CLEAN = (
    TWO,
    multipart(b"boundary=b", b"--b\r\nContent-Type: text/html\r\n\r\n--b\r\n\r\n--b--\r\n"),
    FORWARDED,
    b"Subject: text\r\n\r\nbody\r\n",
    b"Subject: header alone\r\n",
    b"\r\n",
    b"",
    leaf(b"Content-Type: text/plain; charset=utf-8;\r\n"),
    leaf(b'Content-Type: text/plain; charset="utf-8"\r\nContent-Disposition: inline\r\n'),
    coded(b"base64", base64.encodebytes(bytes(range(256))).replace(b"\n", b"\r\n")),
    coded(b"Quoted-Printable", b"=c3=A9 a=\r\nb\r\n"),
    leaf(
        b'Content-Type: application/pdf; name="=?utf-8?q?=C3=A9.pdf?="\r\n'
        b"Content-Disposition: attachment; filename*0*=utf-8''%C3%A9;\r\n filename*1=.pdf\r\n"
    ),
)
"""Mails with one reading."""


def scan(data: bytes) -> MailIndex:
    return MailIndex.scan(data)


def leaves(data: bytes) -> list[bytes]:
    """What the leaves decode to, by the index."""
    index = scan(data)
    parts = [index.part(number) for number in index.leaves]
    return [coding.decoded(data[part.body : part.body + part.body_size], part.encoding.lower()) for part in parts]


def has_reports(data: bytes) -> bool:
    """Whether there are message/* in it but for whole mails: Python takes them all for mails."""
    index = scan(data)
    parts = [index.part(number) for number in range(len(index))]
    return any(part.type == b"message" and part.subtype != b"rfc822" for part in parts)


def leaves_of_python(data: bytes) -> list[bytes]:
    """What the leaves decode to, by Python's email package."""
    mail = email.message_from_bytes(data, policy=email.policy.compat32)
    return [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]


AMBIGUOUS = {
    "T-M01": [
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + PARTS,
        b"Content-Transfer-Encoding: base64\r\n\r\nQUJD\r\n",
    ],
    "T-M02": [
        leaf(b"Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n", PARTS),
        leaf(b"Content-Type: multipart/mixed; boundary=b\r\nContent-Type: text/plain\r\n", PARTS),
        leaf(b"Content-Type: text/plain\r\nContent-Type: text/html\r\n"),
        leaf(b"Content-Type: text/plain; charset=utf-8; charset=utf-7\r\n"),
    ],
    "T-M03": [
        multipart(b"boundary=a; boundary=b"),
        multipart(b"boundary=b; boundary=a"),
        multipart(b"xboundary=a; boundary=b"),
        multipart(b"boundary=b; bounBoundary=a"),
        multipart(b'x="; boundary=a"; boundary=b'),
        multipart(b'boundary=b; x="BOUNDARY =a"'),
        multipart(b"boundary-x*0=a; boundary=b"),
    ],
    "T-M04": [
        leaf(
            b"Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: quoted-printable\r\n", b"WDVP\r\nIQ==\r\n"
        ),
        leaf(b"Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n", b"WDVPIQ==\r\n"),
        leaf(b"Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: base64\r\n", b"WD!VPIQ==\r\n"),
    ],
    "T-M05": [
        coded(encoding, b"WDVPIQ==\r\n")
        for encoding in (
            b"base64 ",
            b'"base64"',
            b"x-base64",
            b"base64; foo",
            b"(c)base64",
            b"BASE64\0",
            b"base 64",
            b"x-unknown",
            b"",
        )
    ],
    "T-M06": [
        coded(b"base64", body)
        for body in (b"WDVP!IVAl\r\n####QEFQ", b"WDVP\r\n#", b"WDVPI", b"WDVPIQ==\r\nsome text, of a list\r\n")
    ],
    "T-M07": [
        coded(b"base64", body) for body in (b"=WDVP", b"WDVP====", b"WDVPIQ==UCVAQVBb\r\n", b"WDVPIQ=\r\n=UCVA\r\n")
    ],
    "T-M08": [coded(b"quoted-printable", body) for body in (b"a=5", b"a=zz b\r\n", b"a= \t\r\nb\r\n", b"a=")],
    "T-M09": [
        multipart(b'boundary=""', b"--\r\n\r\nx\r\n----\r\n"),
        multipart(b"boundary=", b"--\r\n\r\nx\r\n----\r\n"),
        multipart(b"charset=utf-8"),
    ],
    "T-M10": [
        multipart(
            b"boundary=%s" % outer,
            b"--%s\r\nContent-Type: multipart/mixed; boundary=%s\r\n\r\n"
            b"--%s\r\n\r\nin\r\n--%s--\r\n--%s\r\n\r\nout\r\n--%s--\r\n" % (outer, inner, inner, inner, outer, outer),
        )
        for outer, inner in ((b"abc", b"abcd"), (b"abcd", b"abc"), (b"abc", b"abc"))
    ],
    "T-M11": [
        multipart(b"boundary=b", PARTS.replace(b"--b\r\nContent", b"--b" + behind + b"\r\nContent"))
        for behind in (b" \t", b" junk", b"--junk", b"x")
    ],
    "T-M13": [
        multipart(b"boundary=b", PARTS.replace(b"--b--\r\n", b"")),
        multipart(b"boundary=b", PARTS + b"\r\n--b\r\nContent-Type: application/x\r\n\r\nevil\r\n"),
        multipart(b"boundary=b", PARTS + b"Content-Type: application/x\r\n\r\nevil\r\n"),
        multipart(b"boundary=b", b"no part at all\r\n"),
    ],
    "T-M14": [
        multipart(b"boundary=b", b"Content-Type: application/x\r\n\r\nevil\r\n" + PARTS),
        multipart(b"boundary=b", b"begin 644 x.com\r\n#...\r\nend\r\n" + PARTS),
        multipart(b"boundary=b", b"WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5E\r\n" + PARTS),
    ],
    "T-M15": [
        multipart(parameters, PARTS.replace(b"--b", b"--ab"))
        for parameters in (
            b"boundary*0=a; boundary*1=b",
            b"boundary*=us-ascii''ab",
            b"boundary*0*=%61; boundary*1=b",
            b"boundary=x; boundary*=us-ascii''ab",
        )
    ],
    "T-M16": [
        multipart(b'boundary="=?us-ascii?Q?b?="'),
        multipart(b'boundary="=?us-ascii?Q?b?="', PARTS.replace(b"--b", b"--=?us-ascii?Q?b?=")),
    ],
    "T-M17": [
        multipart(b'boundary="b'),
        multipart(b'boundary="b"x'),
        multipart(b"boundary=" + b"b" * 80, PARTS.replace(b"--b", b"--" + b"b" * 80)),
        multipart(b'boundary="b\xff"', PARTS.replace(b"--b", b"--b\xff")),
        multipart(b'boundary="b\\"b"', PARTS.replace(b"--b", b'--b"b')),
        multipart(b"boundary=b;; x"),
        leaf(b"Content-Type: text\r\n"),
        leaf(b"Content-Type:\r\n"),
    ],
    "T-M18": [
        multipart(b"(boundary=x) boundary=b"),
        multipart(b"boundary=b " + b"(" * 1000),
        leaf(b"Content-Type: multipart/(x)mixed; boundary=b\r\n", PARTS),
        leaf(b"Content-Type: multipart/mixed(; boundary=b\r\n", PARTS),
    ],
    "T-M19": [
        b"X: y\r\n \r\n" + multipart(b"boundary=b"),
        b"X: y\r\n\t \r\n \r\n" + multipart(b"boundary=b"),
        b"Subject: x\r\n \r\n\r\nbody\r\n",
        multipart(b"boundary=b", b"--b\r\nContent-Type: text/html\r\n--b\r\n\r\nx\r\n--b--\r\n"),
    ],
    "T-M20": [
        leaf(b"Content-Type : multipart/mixed; boundary=b\r\n", PARTS),
        leaf(b"Content-Type\t: multipart/mixed; boundary=b\r\n", PARTS),
        leaf(b"Content-Type\0: multipart/mixed; boundary=b\r\n", PARTS),
    ],
    "T-M21": [
        b">From x\r\n" + multipart(b"boundary=b"),
        b"From x Mon Jan  1 00:00:00 2001\r\n" + multipart(b"boundary=b"),
        multipart(b"boundary=b", before=b"junk line\r\n"),
        multipart(b"boundary=b", before=b"junk line: x\r\n"),
        b" begins with a blank\r\n" + multipart(b"boundary=b"),
        multipart(b"boundary=b", before=b": no name\r\n"),
    ],
    "T-M22": [leaf(b"Content-\r\n Type: multipart/mixed; boundary=b\r\n", PARTS)],
    "T-M23": [
        leaf(b"Content-Disposition: attachment; " + name + b"\r\n")
        for name in (
            b'filename="a.txt"; filename*0="a."; filename*1="exe"',
            b'filename="a.exe."',
            b'filename="../a.txt"',
            b'filename="=?utf-8?b?YS7igK50eHQuZXhl?="',
            b"filename*=utf-8''a%00.exe",
        )
    ]
    + [
        leaf(b'Content-Type: text/plain; name="a.txt"\r\nContent-Disposition: attachment; filename="a.exe"\r\n'),
        leaf(b'Content-Disposition: inline; filename="a.txt"\r\nContent-Disposition: attachment; filename="a.exe"\r\n'),
    ],
    "T-M24": [
        leaf(
            b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n",
            base64.encodebytes(b"Subject: x\r\n\r\nbody").replace(b"\n", b"\r\n"),
        ),
        leaf(
            b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n",
            b"Subject: x\r\n\r\na=3D\r\n",
        ),
        leaf(b"Content-Type: message/global\r\n", b"Subject: x\r\n\r\nbody\r\n"),
    ],
    "T-M27": [
        leaf(
            b'Content-Type: message/external-body; access-type=URL; url="http://example.com"\r\n',
            b"Content-Type: text/plain\r\n\r\n",
        )
    ],
    "T-M28": [
        multipart(
            b"boundary=b",
            base64.encodebytes(PARTS).replace(b"\n", b"\r\n"),
            b"Content-Transfer-Encoding: base64\r\n",
        ),
        multipart(b"boundary=b", PARTS, b"Content-Transfer-Encoding: quoted-printable\r\n"),
    ],
    "T-M36": [b"Subject: \1x\0\r\n\r\nbody\r\n", leaf(b"Content-Type: text/plain; x=\x0by\r\n")],
}
"""Mails that are read differently, by the row of the attack table. Canonical, NULs in headers aside."""

REFUSED = {
    "T-M03": multipart(b"boundary=a; boundary=b", PARTS + PARTS.replace(b"--b", b"--a")),
    "T-M02": leaf(
        b"Content-Type: multipart/mixed; boundary=a\r\nContent-Type: multipart/mixed; boundary=b\r\n",
        PARTS + PARTS.replace(b"--b", b"--a"),
    ),
    "T-M04": leaf(
        b"Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: quoted-printable\r\n", b"WDVPIVAl\r\n"
    ),
}
"""Mails that no choice can give one reading."""
