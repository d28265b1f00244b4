"""The mails of the scanning bench, the same on each run: no two are equal, since a content is scanned once."""

from __future__ import annotations

import base64
import os
import pwd
import random
from collections.abc import Iterator
from pathlib import Path

WORDS = [b"alpha", b"beta", b"gamma", b"delta", b"=C5=99=C3=AD", b"epsilon,", b"(zeta)", b"<b>eta</b>", b"theta."]
LINES = 512
"""Different lines of text; a mail's text is made of these."""


def head(number: int, kind: bytes) -> bytes:
    """Some twenty lines, as a mail has that went over three hosts."""
    hops = b"".join(
        b"Received: from host%d.example.net (host%d.example.net [192.0.2.%d])\r\n"
        b"\tby mx.example.org (Postfix) with ESMTPS id %08X\r\n\tfor <ann@example.org>; "
        b"Mon, 15 Jan 2024 10:11:12 +0100 (CET)\r\n" % (hop, hop, hop, number)
        for hop in range(1, 4)
    )
    return hops + (
        b"Message-ID: <%d.bench@example.net>\r\nDate: Mon, 15 Jan 2024 10:11:12 +0100\r\n"
        b"From: =?utf-8?q?Ji=C5=99=C3=AD?= Nov <jiri@example.net>\r\nTo: Ann Doe <ann@example.org>, bob@example.org\r\n"
        b"Subject: =?utf-8?q?P=C5=99=C3=ADklad_%d?=\r\nMIME-Version: 1.0\r\nX-Mailer: bench\r\n%s\r\n"
    ) % (number, number, kind)


def row_of(words: list[bytes]) -> bytes:
    """As many of them as a line of quoted-printable holds."""
    return b" ".join(words)[:74].rpartition(b" ")[0] + b"\r\n"


class Maker:
    """Mails by number and size. Text and attachments are cut from a stock, a mark in each makes it its own."""

    def __init__(self, seed: int = 7) -> None:
        pick = random.Random(seed)
        self._rows = [row_of(pick.choices(WORDS, k=10)) for _ in range(LINES)]
        self._binary = base64.encodebytes(pick.randbytes(57 * 7000)).replace(b"\n", b"\r\n")

    def text(self, number: int, size: int) -> bytes:
        rows = [b"mail %d\r\n" % number]
        length = at = 0
        while length < size:
            row = self._rows[(number * 31 + at) % LINES]
            rows.append(row)
            length += len(row)
            at += 1
        return b"".join(rows)

    def attachment(self, number: int, size: int) -> bytes:
        mark = base64.b64encode(b"%057d" % number) + b"\r\n"
        whole = mark + self._binary * (size // len(self._binary) + 1)
        return whole[: size // 78 * 78]

    def plain(self, number: int, size: int) -> bytes:
        kind = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
        return head(number, kind) + self.text(number, size - 900)

    def alternative(self, number: int, size: int) -> bytes:
        kind = b'Content-Type: multipart/alternative; boundary="b1"\r\n'
        coded = b"; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        parts = [
            b"--b1\r\nContent-Type: text/" + sort + coded + self.text(number, size // 2 - 600)
            for sort in (b"plain", b"html")
        ]
        return head(number, kind) + b"\r\n".join(parts) + b"\r\n--b1--\r\n"

    def mixed(self, number: int, size: int) -> bytes:
        """A short text and an attachment."""
        kind = b'Content-Type: multipart/mixed; boundary="b2"\r\n'
        first = b"--b2\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n" + self.text(number, 1500)
        second = (
            b'\r\n--b2\r\nContent-Type: application/octet-stream; name="a.bin"\r\nContent-Transfer-Encoding: base64\r\n'
            b'Content-Disposition: attachment; filename="a.bin"\r\n\r\n'
        )
        return head(number, kind) + first + second + self.attachment(number, size - 2800) + b"--b2--\r\n"

    def mail(self, number: int, size: int) -> bytes:
        """One of the three kinds by turns."""
        return (self.plain, self.alternative, self.mixed)[number % 3](number, size)


def deliver(folder: Path, user: str, mails: Iterator[bytes]) -> int:
    """Writes a Maildir that Dovecot will find, as its user; how many octets it holds."""
    inbox = folder / "mail" / user
    owner = pwd.getpwnam("mail") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    total = 0
    for name in ("", "cur", "new", "tmp"):
        (inbox / name).mkdir(exist_ok=True)
        os.chown(inbox / name, owner.pw_uid, owner.pw_gid)
    for number, mail in enumerate(mails, 1):
        path = inbox / "cur" / f"{1700000000 + number}.M{number}P1.bench,S={len(mail)},W={len(mail)}:2,"
        path.write_bytes(mail)
        os.chown(path, owner.pw_uid, owner.pw_gid)
        total += len(mail)
    return total
