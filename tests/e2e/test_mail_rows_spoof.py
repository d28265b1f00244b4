"""Rows T-H01 to T-H07: headers that deceive, and what the proxy itself writes into headers."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import email
import email.header
import email.policy
import re

import pytest

from tests.e2e.carriers import EICAR, HEAD, leaf, multipart, text
from tests.e2e.imapanswers import all_fetched
from tests.e2e.lab import Lab
from tests.e2e.mailproxy import Processing
from tests.e2e.mailrows import body, mails_of, opened

PREFIX = Processing(
    decide='mail-acl ALL { accept; subject-prefix "[TAG] "; modify-header replace "X-Scanned" "by us"; } '
    "doc-acl ALL { accept; }"
)
FROM = b"From: mallory@example.net\r\n"


def _subjects(mail: bytes) -> list[str]:
    """Decoded, of the header."""
    parsed = email.message_from_bytes(mail)
    return [str(email.header.make_header(email.header.decode_header(value))) for value in parsed.get_all("Subject", [])]


def test_T_H01_control_characters_in_encoded_words(lab: Lab) -> None:
    bad = (
        b"From: =?utf-8?b?cG90dXNAd2hpdGVob3VzZS5nb3Y=?==?utf-8?Q?=00?==?utf-8?b?cG90dXNAd2hpdGVob3VzZS5nb3Y=?="
        b"@mailsploit.com\r\n"
    )
    also = b"From: =?utf-8?q?a=0D=0AX-Injected:_b?= <x@example.net>\r\n"
    for line in (bad, also):
        mail = HEAD.replace(FROM, line) + text()
        got = body(opened(lab, [mail], Processing()).ok(b"FETCH 1 BODY.PEEK[]"))
        (value,) = re.findall(rb"(?m)^From:((?:.|\r\n[ \t])*)\r\n", got)
        decoded = "".join(
            part.decode(charset or "latin-1", "replace") if isinstance(part, bytes) else part
            for part, charset in email.header.decode_header(value.decode("latin-1"))
        )
        assert not re.search(r"[\x00-\x08\x0a-\x1f]", decoded.replace("\r\n ", "")), decoded


def test_T_H02_several_from(lab: Lab) -> None:
    """The envelope begins with the first; normalised there is no other."""
    mail = b"From: a@good.example\r\nFrom: b@evil.example\r\nSubject: x\r\n\r\nbody\r\n"
    for words in ("ambiguous-mime keep; invalid-header keep;", ""):
        processing = Processing(download=f"{Processing().download} mail-filter {{ {words} }}")
        (one,) = all_fetched(opened(lab, [mail], processing).ok(b"FETCH 1 (ENVELOPE BODY.PEEK[HEADER])"))
        envelope = one.items["ENVELOPE"]
        assert isinstance(envelope, list)
        assert isinstance(envelope[2], list)
        assert envelope[2][0] == [None, None, b"a", b"good.example"]
        if not words:
            assert len(envelope[2]) == 1
            assert b"evil" not in one.octets("BODY[HEADER]")


@pytest.mark.parametrize(
    "subject", [b"=?utf-8?q?x=0D=0ABcc:_y@z?=", b"=?utf-8?b?eA0KQmNjOiB5?=", b"x\x0bBcc: y", b"=?utf-8?q?=00?="]
)
def test_T_H03_injection_by_our_tag(lab: Lab, subject: bytes) -> None:
    mail = HEAD + b"Subject: " + subject + b"\r\n" + text()
    got = body(opened(lab, [mail], PREFIX).ok(b"FETCH 1 BODY.PEEK[]"))
    header = got.partition(b"\r\n\r\n")[0]
    assert not re.search(rb"(?im)^bcc:", header)
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", header)
    assert _subjects(got)[0].startswith("[TAG]")


SUBJECTS = {
    "plain": (b"Subject: hello\r\n", "[TAG] hello"),
    "folded": (b"Subject: one\r\n two\r\n\tthree\r\n", "[TAG] one two"),
    "encoded": (b"Subject: =?utf-8?b?xb5sdcWlb3XEjWvDvQ==?=\r\n", "[TAG] žluťoučký"),
    "missing": (b"", "[TAG]"),
    "empty": (b"Subject:\r\n", "[TAG]"),
    "twice": (b"Subject: one\r\nSubject: two\r\n", "[TAG] one"),
    "tagged": (b"Subject: [TAG] hello\r\n", "[TAG] hello"),
    "tagged-encoded": (b"Subject: =?utf-8?q?[TAG]_h=C3=A9llo?=\r\n", "[TAG] héllo"),
    "long": (b"Subject: " + b"word " * 60 + b"\r\n", "[TAG] word word"),
    "lower-case": (b"subject: hello\r\n", "[TAG] hello"),
    "8bit": (b"Subject: \xc5\x99\r\n", "[TAG] "),
}


@pytest.mark.parametrize("case", SUBJECTS)
def test_T_H04_subject_text(lab: Lab, case: str) -> None:
    """Once, in lines of RFC 2047; and the same again when the mail comes back by APPEND and FETCH."""
    line, wanted = SUBJECTS[case]
    processing = Processing(decide=PREFIX.decide, download=f"{PREFIX.download} mail-filter {{ accept-8bit-header; }}")
    wire = opened(lab, [HEAD + line + text()], processing)
    (one,) = mails_of(wire.ok(b"FETCH 1 (BODY.PEEK[] ENVELOPE RFC822.SIZE)"))
    mail = one.octets("BODY[]")
    assert one.integer("RFC822.SIZE") == len(mail)
    subjects = _subjects(mail)
    assert subjects[0].startswith(wanted.strip()), subjects
    assert sum(subject.count("[TAG]") for subject in subjects) == 1
    (written,) = re.findall(
        rb"(?im)^(subject:(?:.|\r\n[ \t])*\[TAG\](?:.|\r\n[ \t])*|subject:(?:.|\r\n[ \t])*=\?.*)\r\n", mail
    )[:1]
    assert all(len(row) <= 78 for row in written.split(b"\r\n")) or case == "long"
    user = lab.user()
    with lab.dovecot.login(user) as direct:
        direct.append(b"INBOX", mail)
    again = lab.login(user, **processing.config())
    again.ok(b"SELECT INBOX")
    assert body(again.ok(b"FETCH 1 BODY.PEEK[]")) == mail


def test_T_H05_display_name_that_is_an_address(lab: Lab) -> None:
    mail = HEAD.replace(FROM, b'From: "ceo@bank.example" <x@evil.example>\r\n') + b"Subject: x\r\n" + text()
    processing = Processing(
        decide="mail-acl EVIL { sender /evil/; deny; } mail-acl REST { accept; } doc-acl ALL { accept; }"
    )
    denied = body(opened(lab, [mail], processing).ok(b"FETCH 1 BODY.PEEK[]"))
    assert b"clean line" not in denied
    assert body(opened(lab, [mail], Processing()).ok(b"FETCH 1 BODY.PEEK[]")) == mail


def test_T_H06_templates(lab: Lab) -> None:
    """File names in a text of the proxy's own: in text, in HTML, in headers."""
    part = leaf(EICAR, b"x.com").replace(
        b'filename="x.com"', b"filename*=utf-8''a%0D%0A--outer%0D%0AX-Injected:%20y%3Cscript%3E%25%7Brule%7D.com"
    )
    for name, content in (
        ("t.txt", "%{filename} %{type} %{size} %{virus} %{rule}\n"),
        ("t.html", "<p>%{filename}</p>\n"),
    ):
        kind = "text/html" if name.endswith("html") else "text/plain"
        processing = Processing(
            decide="mail-acl ALL { accept; } doc-acl V { virus found; accept; "
            f'replace-file "@FOLDER@/{name}" {kind}; }} doc-acl REST {{ accept; }}',
            more={"files": ((name, content),)},
        )
        got = body(opened(lab, [HEAD + multipart(text(), part)], processing).ok(b"FETCH 1 BODY.PEEK[]"))
        parsed = email.message_from_bytes(got, policy=email.policy.default)
        parts = list(parsed.iter_parts())
        assert len(parts) == 2
        assert "X-Injected" not in parts[1]
        assert b"Nothing but a clean line of text." in got
        if kind == "text/html":
            assert "<script>" not in parts[1].get_content()


def test_T_H07_forged_marks(lab: Lab) -> None:
    """A header that the proxy sets is there once, with its own value."""
    mail = HEAD + b"X-Scanned: clean, trust me\r\nx-scanned: twice\r\nSubject: x\r\n" + text()
    got = body(opened(lab, [mail], PREFIX).ok(b"FETCH 1 BODY.PEEK[]"))
    assert re.findall(rb"(?im)^x-scanned:\s*(.*?)\r?$", got) == [b"by us"]
