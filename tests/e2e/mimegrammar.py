"""Mails from a grammar of MIME: each number gives the same mail on every run and every machine.

Knows nothing of servers or proxies. All mails have CRLF alone, no NUL; what is odd here is legal, what is not stands in
`_FAULTS` and is put in by `malformed`.
"""

from __future__ import annotations

import base64
import quopri
import random
from collections.abc import Callable

CRLF = b"\r\n"
SEED = 20240117

_WORDS = (
    b'alpha beta gamma delta {5} epsilon zeta) eta( theta\\ iota" kappa lambda * mu % nu 1 2 3 -- --b =41 <x@y>'.split()
)
_UTF8 = ["příliš", "žluťoučký", "kůň", "Grüße", "naïve", "日本語", "Ελληνικά", "тест", "🐎"]
_LATIN2 = ["příliš", "žluťoučký", "kůň", "Grüße"]

SUBJECTS = (
    b"plain words",
    b"=?utf-8?q?p=C5=99=C3=ADklad?=",
    b"=?UTF-8?B?xb5sdcWlb3XEjWvDvQ==?= =?utf-8?q?_k=C5=AF=C5=88?=",
    b"=?iso-8859-2?q?=BElu=BBou=E8k=FD?=\r\n =?iso-8859-2?q?_k=F9=F2?=",
    b"=?us-ascii*en?q?with_language?= tail",
    b"=?utf-8?q?broken",
    b"=?x-unknown?q?abc?=",
    b'quotes "in" it \\ and {3}',
    b"folded\r\n over\r\n\tthree lines",
    b"",
    b"   ",
    b"very " * 60 + b"long",
    b"[SPAM] looks like a tag",
    b"NIL",
    b"ends in blanks   ",
    b"\ttab first",
    b"Re: Fwd: Re: (comment) text",
    b"raw \xc5\x99 octets",
    b"raw latin \xf8\xe9 octets",
)

ADDRESSES = (
    b"joe@example.net",
    b"<joe@example.net>",
    b"Joe Doe <joe@example.net>",
    b'"Doe, Joe" <joe@example.net>',
    b'"Qu\\"oted \\\\ back" <joe@example.net>',
    b"joe@example.net (Joe Doe)",
    b"Joe (the (nested) one) Doe <joe@example.net>",
    b"=?utf-8?q?Ji=C5=99=C3=AD?= <jiri@example.net>",
    b"=?utf-8?B?SmnFmcOt?=\r\n =?utf-8?B?IE5vdsOhaw==?= <jiri@example.net>",
    b"A group: one@example.net, Two <two@example.net>;",
    b"undisclosed-recipients:;",
    b"Empty group: ;, after@example.net",
    b"one@example.net, two@example.net,\r\n three@example.net",
    b"one@example.net,,two@example.net",
    b'"quoted local"@example.net',
    b"joe@[192.0.2.1]",
    b"joe . doe @ example . net",
    b"<@a.example,@b.example:joe@example.net>",
    b"<>",
    b"",
    b"joe",
    b"Joe Doe",
    b"joe@",
    b"@example.net",
    b"Joe. Q. Doe <joe@example.net>",
    b'a@b, "c" <d@e>, G: f@g;, (only a comment), h@i',
    b"Ji\xc5\x99\xc3\xad <jiri@example.net>",
    b'"J\xf6rg" <joerg@example.net>',
)

DATES = (
    b"Mon, 15 Jan 2024 10:11:12 +0100",
    b"15 Jan 2024 10:11 GMT",
    b"Mon, 15 Jan 24 10:11:12 EST (a comment)",
    b"Mon,  5 Jan 2024\r\n 10:11:12 -0000",
    b"not a date",
    b"",
)

TYPES = (
    b"text/plain",
    b"text/plain; charset=us-ascii",
    b"text/plain; charset=utf-8; format=flowed",
    b'TEXT/Plain; CharSet="ISO-8859-2"',
    b'text/html; charset="utf-8"',
    b"text/calendar; method=REQUEST; charset=utf-8",
    b"application/octet-stream",
    b'application/octet-stream; name="a file.bin"',
    b"application/pdf; name=x.pdf",
    b'application/x-zip-compressed;\r\n\tname="folded.zip"',
    b'image/png; name="=?utf-8?q?p=C5=99.png?="',
    b"image/jpeg; name*=utf-8''p%C5%99%C3%ADloha.jpg",
    b'application/msword; name*0="very "; name*1="long "; name*2=name.doc',
    b"application/x; name*0*=utf-8'cs'%C5%99; name*1*=%C3%AD; name*2=plain",
    b"audio/x-wav; (a comment) name=(another) x.wav",
    b"text/plain; charset=utf-8;",
    b'text/plain; a=1; b=2; c="3;4"; d="q\\"e\\\\f"',
    b'application/x-nothing; empty=""',
)

DISPOSITIONS = (
    b"inline",
    b"attachment",
    b'attachment; filename="report.pdf"',
    b"attachment; filename*=utf-8''p%C5%99%C3%ADloha.pdf",
    b'attachment;\r\n filename*0="one";\r\n filename*1="two.txt"',
    b'ATTACHMENT; FileName=x; creation-date="Mon, 15 Jan 2024 10:11:12 +0100"; size=12',
    b"x-odd; a=b",
)

EXTRA_PART_FIELDS = (
    (b"Content-ID", b"<part1@example.net>"),
    (b"Content-ID", b"no brackets"),
    (b"Content-Description", b'a description with "quotes"'),
    (b"Content-Description", b"=?utf-8?q?p=C5=99?="),
    (b"Content-Language", b"en, cs"),
    (b"Content-Language", b"en"),
    (b"Content-Location", b"http://example.net/a%20b"),
    (b"Content-MD5", b"Q2hlY2sgSW50ZWdyaXR5IQ=="),
    (b"X-Own", b"something of its own"),
)

MULTIPARTS = (b"mixed", b"alternative", b"related", b"report; report-type=delivery-status", b"Mixed", b"x-own")


class Grammar:
    """One mail by its own random numbers."""

    def __init__(self, number: int) -> None:
        self.pick = random.Random(SEED * 1000 + number)
        self._boundaries = 0

    # text

    def words(self, count: int) -> bytes:
        return b" ".join(self.pick.choice(_WORDS) for _ in range(count))

    def lines(self) -> bytes:
        """Some lines of plain text, the last perhaps without an end."""
        rows = [self.words(self.pick.randrange(0, 12)) for _ in range(self.pick.choice((0, 1, 2, 3, 8, 30)))]
        return CRLF.join(rows) + self.pick.choice((b"", CRLF, CRLF + CRLF))

    def binary(self) -> bytes:
        size = self.pick.choice((0, 1, 2, 3, 56, 57, 58, 300, 3000))
        return self.pick.randbytes(size)

    def national(self, charset: str) -> bytes:
        words = _LATIN2 if charset == "iso-8859-2" else _UTF8
        text = " ".join(self.pick.choice(words) for _ in range(self.pick.randrange(1, 40)))
        return text.encode(charset) + CRLF

    # fields

    def spelled(self, name: bytes) -> bytes:
        return self.pick.choice((name, name, name, name.lower(), name.upper()))

    def field(self, name: bytes, value: bytes) -> bytes:
        return self.spelled(name) + self.pick.choice((b": ", b": ", b": ", b":", b":  ", b":\r\n ")) + value + CRLF

    def head(self) -> list[bytes]:
        """Fields of a mail, MIME's apart."""
        pick = self.pick
        fields = [
            self.field(b"Received", b"from a (b [192.0.2.1])\r\n\tby c; Mon, 15 Jan 2024 10:11:12 +0100")
            for _ in range(pick.choice((0, 0, 1, 3)))
        ]
        for name, chance in (
            (b"From", 0.95),
            (b"To", 0.9),
            (b"Cc", 0.4),
            (b"Bcc", 0.2),
            (b"Sender", 0.2),
            (b"Reply-To", 0.2),
        ):
            if pick.random() < chance:
                fields.append(self.field(name, pick.choice(ADDRESSES)))
        if pick.random() < 0.9:
            fields.append(self.field(b"Subject", pick.choice(SUBJECTS)))
        if pick.random() < 0.9:
            fields.append(self.field(b"Date", pick.choice(DATES)))
        if pick.random() < 0.8:
            fields.append(
                self.field(b"Message-ID", pick.choice((b"<%d@example.net>", b"<%d@[x]> (c)")) % pick.randrange(10**9))
            )
        if pick.random() < 0.3:
            fields.append(self.field(b"In-Reply-To", b"<1@example.net>\r\n <2@example.net>"))
            fields.append(self.field(b"References", b"<1@example.net> <2@example.net>"))
        if pick.random() < 0.2:
            fields.append(self.field(b"X-Long", b"x" * pick.choice((70, 998, 2000))))
        if pick.random() < 0.3:
            pick.shuffle(fields)
        return fields

    def boundary(self) -> tuple[bytes, bytes]:
        """A boundary and how a Content-Type names it."""
        self._boundaries += 1
        name = self.pick.choice(
            (b"b%d", b"=_Part_%d", b"--b%d", b"b %d x", b"'()+_,-./:=?%d", b"b{3}%d", b"B" * 60 + b"%d")
        )
        name %= self._boundaries * 1000 + self.pick.randrange(1000)
        plain = name.replace(b"b", b"").isalnum() or name.isalnum()
        return name, name if plain and self.pick.random() < 0.7 else b'"' + name + b'"'

    # parts

    def leaf(self) -> bytes:
        """A part with header and body, without the line end that belongs to the boundary."""
        maker = self.pick.choice((self.text, self.text, self.encoded, self.encoded, self.bare, self.status))
        fields, body = maker()
        if self.pick.random() < 0.4:
            fields.append(self.field(b"Content-Disposition", self.pick.choice(DISPOSITIONS)))
        for name, value in self.pick.sample(EXTRA_PART_FIELDS, self.pick.choice((0, 0, 0, 1, 2))):
            fields.append(self.field(name, value))
        self.pick.shuffle(fields)
        return b"".join(fields) + CRLF + body

    def text(self) -> tuple[list[bytes], bytes]:
        charset = self.pick.choice(("us-ascii", "utf-8", "iso-8859-2"))
        if charset == "us-ascii":
            return [self.field(b"Content-Type", self.pick.choice(TYPES[:6]))], self.lines()
        data = self.national(charset)
        kind = self.field(b"Content-Type", b"text/plain; charset=" + charset.encode())
        how = self.pick.choice((b"8bit", b"quoted-printable", b"base64"))
        return [kind, self.field(b"Content-Transfer-Encoding", how)], encoded(data, how)

    def encoded(self) -> tuple[list[bytes], bytes]:
        how = self.pick.choice((b"base64", b"base64", b"BASE64", b"quoted-printable", b"Quoted-Printable"))
        data = self.binary() if how.lower() == b"base64" else self.lines() + b"=\xc5\x99 \t"
        kind = self.field(b"Content-Type", self.pick.choice(TYPES))
        return [kind, self.field(b"Content-Transfer-Encoding", how)], encoded(data, how.lower())

    def bare(self) -> tuple[list[bytes], bytes]:
        """No Content-Type, perhaps no field at all."""
        return [self.field(b"X-Only", b"1")] if self.pick.random() < 0.5 else [], self.lines()

    def status(self) -> tuple[list[bytes], bytes]:
        body = b"Reporting-MTA: dns; a.example\r\n\r\nFinal-Recipient: rfc822; joe@example.net\r\nAction: failed\r\n"
        return [self.field(b"Content-Type", b"message/delivery-status")], body

    def nested(self, depth: int) -> bytes:
        """A message/rfc822 part."""
        kind = self.pick.choice((b"message/rfc822", b"message/rfc822; name=x.eml", b"Message/RFC822"))
        fields = [self.field(b"Content-Type", kind)]
        if self.pick.random() < 0.3:
            fields.append(self.field(b"Content-Disposition", self.pick.choice(DISPOSITIONS)))
        return b"".join(fields) + CRLF + self.mail(depth - 1)

    def part(self, depth: int) -> bytes:
        roll = self.pick.random()
        if depth > 0 and roll < 0.2:
            return self.multipart(depth - 1, [])
        if depth > 0 and roll < 0.35:
            return self.nested(depth)
        return self.leaf()

    def multipart(self, depth: int, fields: list[bytes]) -> bytes:
        """With what fields there are of the mail itself."""
        pick = self.pick
        name, written = self.boundary()
        digest = pick.random() < 0.1
        kind = b"digest" if digest else pick.choice(MULTIPARTS)
        glue = pick.choice((b"; boundary=", b";\r\n\tboundary=", b"; x=y; Boundary="))
        fields = [*fields, self.field(b"Content-Type", b"multipart/" + kind + glue + written)]
        if pick.random() < 0.1:
            fields.append(self.field(b"Content-Transfer-Encoding", pick.choice((b"7bit", b"8bit", b"binary"))))
        parts = [self.part(depth) for _ in range(pick.choice((1, 1, 2, 2, 3, 5)))]
        if digest:
            # The parts of a digest are mails where they do not say otherwise.
            parts = [CRLF + self.mail(0), *parts]
        line_end = pick.choice((b"", b"", b"", b"  ", b"\t"))
        body = b"".join(b"--" + name + line_end + CRLF + part + CRLF for part in parts) + b"--" + name + b"--"
        before = pick.choice((b"", b"", b"This is a preamble.\r\n", CRLF))
        after = pick.choice((CRLF, CRLF, b"", b"\r\nepilogue\r\n", b"\r\n\r\n"))
        return b"".join(fields) + CRLF + before + body + after

    def mail(self, depth: int = 3) -> bytes:
        fields = self.head()
        if self.pick.random() < 0.8:
            fields.append(self.field(b"MIME-Version", self.pick.choice((b"1.0", b"1.0", b"(c) 1.0"))))
        if depth > 0 and self.pick.random() < 0.75:
            return self.multipart(depth - 1, fields)
        if depth > 0 and self.pick.random() < 0.15:
            return b"".join(fields) + self.nested(depth)
        return b"".join(fields) + self.leaf()


def encoded(data: bytes, how: bytes) -> bytes:
    if how == b"base64":
        return base64.encodebytes(data).replace(b"\n", CRLF)
    if how == b"quoted-printable":
        return quopri.encodestring(data.replace(CRLF, b"\n")).replace(b"\n", CRLF)
    return data


# What is not legal, each a change of a legal mail.


def _cut(mail: bytes, pick: random.Random) -> bytes:
    return mail[: pick.randrange(len(mail))].rstrip(b"\r")


def _no_close(mail: bytes, pick: random.Random) -> bytes:
    return mail.replace(b"--\r\n", CRLF)


def _no_blank_line(mail: bytes, pick: random.Random) -> bytes:
    return mail.replace(b"\r\n\r\n", CRLF, 1)


def _junk_in_header(mail: bytes, pick: random.Random) -> bytes:
    return b"Subject: one\r\nno colon in this line\r\n" + mail


def _odd_colon(mail: bytes, pick: random.Random) -> bytes:
    return mail.replace(b"Content-Type:", b"Content-Type :", 1).replace(b"From:", b"From :", 1)


def _twice(mail: bytes, pick: random.Random) -> bytes:
    return (
        b"Subject: first\r\nFrom: first@example.net\r\nTo: first@example.net\r\nDate: first\r\nMessage-ID: <1@x>\r\n"
        + mail
    )


def _two_types(mail: bytes, pick: random.Random) -> bytes:
    return b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n" + mail


def _open_quote(mail: bytes, pick: random.Random) -> bytes:
    return mail.replace(b'boundary="', b"boundary=", 1).replace(b'name="', b"name=", 1).replace(b'"Doe', b"Doe")


def _bare_word(mail: bytes, pick: random.Random) -> bytes:
    """An encoded word as a parameter's value, which is no token."""
    return b"Content-Type: text/plain; name==?utf-8?q?p=C5=99.txt?=\r\nSubject: word\r\n\r\nbody\r\n"


def _open_comment(mail: bytes, pick: random.Random) -> bytes:
    return mail.replace(b"text/plain", b"text/plain (((").replace(b"joe@", b"(joe@")


def _same_boundary(mail: bytes, pick: random.Random) -> bytes:
    inner = b"--same\r\n\r\nin\r\n--same--\r\n"
    kind = b"Content-Type: multipart/mixed; boundary=same\r\n"
    return kind + b"\r\n--same\r\n" + kind + CRLF + inner + b"--same\r\n\r\n" + mail[:300] + b"\r\n--same--\r\n"


def _prefix_boundary(mail: bytes, pick: random.Random) -> bytes:
    inner = b"Content-Type: multipart/mixed; boundary=abcd\r\n\r\n--abcd\r\n\r\nin\r\n--abcd--\r\n"
    return b"Content-Type: multipart/mixed; boundary=abc\r\n\r\n--abc\r\n" + inner + b"--abc\r\n\r\nlast\r\n--abc--\r\n"


def _empty_boundary(mail: bytes, pick: random.Random) -> bytes:
    return b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\none\r\n--\r\n\r\ntwo\r\n----\r\n'


def _no_boundary(mail: bytes, pick: random.Random) -> bytes:
    return b"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\none\r\n--b--\r\n"


def _bad_type(mail: bytes, pick: random.Random) -> bytes:
    kinds = (
        b"text",
        b"/",
        b"text/",
        b"/plain",
        b"text plain",
        b"multipart",
        b";",
        b"a/b/c; d",
        b"text/plain; =x; y=; z",
    )
    return b"Content-Type: " + pick.choice(kinds) + b"\r\nSubject: type\r\n\r\nbody\r\n"


def _bad_encoding(mail: bytes, pick: random.Random) -> bytes:
    names = (b"x-unknown", b"base64 junk", b"", b"(c) base64", b"quoted printable")
    return b"Content-Transfer-Encoding: " + pick.choice(names) + b"\r\n\r\nAAECAwQ=\r\n"


def _bad_base64(mail: bytes, pick: random.Random) -> bytes:
    bodies = (
        b"AAEC!AwQ=\r\n",
        b"AAEC\r\n====\r\nAwQ=\r\n",
        b"AAE",
        b"A",
        b"AAECAwQ=AAEC\r\n",
        b"\xff\xfe",
        b"AA==AA==\r\n",
    )
    return b"Content-Transfer-Encoding: base64\r\n\r\n" + pick.choice(bodies)


def _bad_quoted(mail: bytes, pick: random.Random) -> bytes:
    bodies = (b"=zz =4 =\r\n=", b"a =\t \r\nb", b"=c5=99", b"x=\r\n\r\ny=3", b"tail  \r\n\t\r\n")
    return b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + pick.choice(bodies)


def _deep(mail: bytes, pick: random.Random) -> bytes:
    return b"Content-Type: message/rfc822\r\n\r\n" * pick.choice((5, 20, 28)) + b"Subject: deep\r\n\r\nbody\r\n"


def _early_body(mail: bytes, pick: random.Random) -> bytes:
    return b"Subject: one\r\n \r\nX: y\r\n\t\r\n" + mail


def _folded_name(mail: bytes, pick: random.Random) -> bytes:
    return b" begins with a fold\r\nContent-\r\n Type: text/html\r\n" + mail


def _from_line(mail: bytes, pick: random.Random) -> bytes:
    return pick.choice((b">From x\r\n", b"From joe Mon Jan 15 10:11:12 2024\r\n")) + mail


_FAULTS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut,
    _no_close,
    _no_blank_line,
    _junk_in_header,
    _odd_colon,
    _twice,
    _two_types,
    _open_quote,
    _open_comment,
    _same_boundary,
    _prefix_boundary,
    _empty_boundary,
    _no_boundary,
    _bad_type,
    _bad_encoding,
    _bad_base64,
    _bad_quoted,
    _deep,
    _early_body,
    _folded_name,
    _from_line,
    _bare_word,
)


def legal(number: int) -> bytes:
    return Grammar(number).mail()


def malformed(number: int) -> tuple[str, bytes]:
    """The fault and a mail that has it."""
    fault = _FAULTS[number % len(_FAULTS)]
    source = Grammar(100_000 + number)
    return fault.__name__.strip("_"), fault(source.mail(), source.pick)
