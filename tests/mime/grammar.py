"""Mails drawn from a small grammar of MIME, well-formed for the most part, with a seed."""

from __future__ import annotations

import base64
import random

_WORDS = ("alpha", "beta", "gamma", "=?utf-8?q?d=C3=A9?=", "x" * 40, '"q s"', "(c)", "a.b", "\\", "\u00e9", "=3D", "  ")
_ADDRESSES = (
    "a@b.example",
    "Joe Public <joe@c.example>",
    '"Public, Joe" <joe@c.example>',
    "ann@d.example (Ann)",
    "Group: a@b, c@d;",
    "joe",
    "<@r:e@f>",
    "undisclosed-recipients:;",
    "=?utf-8?b?w6k=?= <x@y>",
    "broken <a@b",
    "a b c",
    "\u00fc@\u00f6",
)
_TYPES = (
    "text/plain",
    "text/html; charset=utf-8",
    'text/plain; charset="iso-8859-1"; format=flowed',
    "application/octet-stream; name=a.bin",
    "application/pdf; name*0*=utf-8''a%20; name*1=b.pdf",
    "image/png",
    "message/delivery-status",
    "text",
    "broken type",
    "TEXT/CALENDAR; method=REQUEST",
)
_BOUNDARIES = ("b", "bb", "b1", "----=_Part_1", "a b", "'()+_,-./:=?", "x" * 70, "b--", "=_", "0")
_SUBTYPES = ("mixed", "alternative", "related", "digest", "signed", "x-new")


class Drawn:
    """One mail: its lines are joined with CRLF."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def mail(self) -> bytes:
        text = self._entity(0, self._envelope())
        if self._odds(12):
            text = text[: self.random.randrange(len(text) + 1)]
        return text.encode().replace(b"\n", b"\r\n")

    def _odds(self, most: int) -> bool:
        return self.random.randrange(most) == 0

    def _text(self, most: int) -> str:
        words = [self.random.choice(_WORDS) for _ in range(self.random.randrange(most))]
        return " ".join(words)

    def _addresses(self) -> str:
        join = self.random.choice((", ", ",", ",\n ", " , "))
        return join.join(self.random.choice(_ADDRESSES) for _ in range(self.random.randrange(4)))

    def _envelope(self) -> str:
        lines = [
            f"{name}: {self._addresses()}\n"
            for name in ("From", "To", "Cc", "Bcc", "Sender", "Reply-To", "to")
            if not self._odds(3)
        ]
        lines += [f"Subject: {self._text(8)}\n", f"Message-ID: <{self.random.random()}@x>\n"]
        if self._odds(3):
            lines.append(f"In-Reply-To: {self._text(3)}\n")
        if self._odds(4):
            lines.append(f"Subject: {self._text(4)}\n {self._text(4)}\n")
        if not self._odds(4):
            lines.append("Date: Thu, 2 Jan 2025 03:04:05 +0100\n")
        if not self._odds(3):
            lines.append("MIME-Version: 1.0\n")
        if self._odds(10):
            lines.append("junk line\n")
        self.random.shuffle(lines)
        return "".join(lines)

    def _fields(self) -> str:
        fields = (
            f"Content-ID: <{self.random.random()}>\n",
            f"Content-Description: {self._text(5)}\n",
            f'Content-Disposition: attachment; filename="{self.random.choice(("a", "b c", "d;e"))}"\n',
            "Content-Disposition: inline\n",
            "Content-Language: en, de\n",
            "Content-Location: http://x.example/\n",
            "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\n",
            f"X-Other: {self._text(5)}\n",
        )
        return "".join(field for field in fields if self._odds(4))

    def _entity(self, depth: int, before: str = "") -> str:
        head = before + self._fields()
        kind = self.random.randrange(10)
        if depth < 5 and kind < 4:
            return self._multipart(depth, head)
        if depth < 5 and kind == 4:
            inner = self._entity(depth + 1, self._envelope())
            return f"{head}Content-Type: message/rfc822\n\n{inner}"
        if not self._odds(3):
            head += f"Content-Type: {self.random.choice(_TYPES)}\n"
        return head + self._leaf()

    def _leaf(self) -> str:
        kind = self.random.randrange(6)
        if kind == 0:
            data = self.random.randbytes(self.random.randrange(200))
            return "Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(data).decode()
        if kind == 1:
            return "Content-Transfer-Encoding: quoted-printable\n\na =3D b=\n c =20 \n"
        if self._odds(15):
            return ""
        blank = "\n"
        lines = [
            self.random.choice(("", "--", "-- ", "--b", "--bb", self._text(6))) for _ in range(self.random.randrange(6))
        ]
        return blank + "\n".join(lines) + self.random.choice(("", "\n"))

    def _multipart(self, depth: int, head: str) -> str:
        boundary = self.random.choice(_BOUNDARIES)
        head += f'Content-Type: multipart/{self.random.choice(_SUBTYPES)}; boundary="{boundary}"\n'
        if self._odds(20):
            head += "Content-Type: text/plain\n"
        text = head + "\n" + self.random.choice(("", "", "preamble\n"))
        for _ in range(self.random.randrange(4)):
            text += f"--{boundary}{self.random.choice(('', '', '', ' '))}\n{self._entity(depth + 1)}"
            if not self._odds(6):
                text += "\n"
        if not self._odds(6):
            text += f"--{boundary}--\n"
        return text + self.random.choice(("", "", "epilogue\n"))


def mails(count: int, seed: int = 1) -> dict[str, bytes]:
    return {f"drawn: {seed + number}": Drawn(seed + number).mail() for number in range(count)}
