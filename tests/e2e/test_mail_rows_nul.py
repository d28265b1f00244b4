"""Rows T-M05, T-M20, T-M23 and T-M36 with NUL. Dovecot takes none in, so the scripted server has the mails."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import email
import re

import pytest

from tests.e2e.carriers import EICAR, HEAD, b64, leaf, multipart, text, traces
from tests.e2e.imapanswers import all_fetched
from tests.e2e.lab import Lab
from tests.e2e.mailproxy import BLOCKING, SCAN, Processing
from tests.e2e.mailrows import SECRET, body, faced, is_replacement, plain, reason, seen, whole
from tests.e2e.mailserver import MailServer, one_of

MEND = f"{SCAN} mail-filter {{ accept-8bit-header; correct-bad-char; correct-quoting; }}"
MENDING = Processing(download=MEND, upload=MEND, decide=BLOCKING.decide)
ORDER = BLOCKING
"""What is not in order is denied: `correct-bad-char` is not said."""


def _log(lab: Lab, processing: Processing, pattern: str) -> str:
    """The line of this test's log that fits; it must come."""
    return lab.log(pattern, plug=(lab.fake.address,), **processing.config())[0]


def _shown(lab: Lab, mail: bytes, processing: Processing) -> bytes:
    """The processed mail; nothing of the virus is in any piece of it."""
    wire = faced(lab, MailServer([mail]), processing)
    got = whole(wire)
    wire.vanish()
    assert not traces(got)
    assert b"\0" not in got
    return got


def _denied(lab: Lab, mail: bytes, processing: Processing, why: str) -> None:
    got = _shown(lab, mail, processing)
    assert is_replacement(got, mail)
    assert reason(got) == why


def _part(how: bytes, data: bytes) -> bytes:
    return (
        HEAD + b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: " + how + b"\r\n\r\n" + b64(data)
    )


ENCODINGS = {
    "behind": b"BASE64\0",
    "before": b"\0base64",
    "within": b"ba\0se64",
    "cut": b"base64\0junk",
    "cut-other": b"base64\0; quoted-printable",
    "other-first": b"7bit\0base64",
    "two": b"quoted-printable\0\0base64",
}


@pytest.mark.parametrize("case", ENCODINGS)
def test_T_M05_nul_in_encoding(lab: Lab, case: str) -> None:
    """As it came it is of a faulty form; corrected it is decoded and found; without virus one reading is left."""
    virus, harmless = (_part(ENCODINGS[case], data) for data in (EICAR, SECRET))
    _denied(lab, virus, ORDER, "form")
    _log(lab, ORDER, r'SMTD-742-E FORM ITEM=CORRECT-BAD-CHAR PART=0 WHAT="NUL or CR in header"')
    _denied(lab, virus, MENDING, "virus")
    _log(lab, MENDING, r"IMAP-760-I .*VIR=FOUND .*NAME=<NULL> REJECTED")
    got = _shown(lab, harmless, MENDING)
    (how,) = re.findall(rb"(?im)^content-transfer-encoding:\s*(\S+)\r?$", got.partition(b"\r\n\r\n")[0])
    assert how.lower() in (b"base64", b"7bit", b"quoted-printable"), how
    _log(lab, MENDING, r"IMAP-706-I .*RESULT=CHANGED")


FIELDS = {
    "behind-name": (b"Content-Type:", b"Content-Type\0:"),
    "within-name": (b"Content-Type:", b"Content-\0Type:"),
    "before-name": (b"Content-Type:", b"\0Content-Type:"),
    "behind-colon": (b"Content-Type:", b"Content-Type:\0"),
    "before-boundary": (b"boundary=b", b"\0boundary=b"),
    "behind-boundary": (b"boundary=b", b"boundary=b\0"),
    "boundary-cut": (b"boundary=b", b"boundary=b\0c"),
    "line-before": (b"Content-Type:", b"X: y\0\r\nContent-Type:"),
    "line-of-nul": (b"Content-Type:", b"\0\r\nContent-Type:"),
    "blank-line-of-nul": (b"=b\r\n\r\n", b"=b\r\n\0\r\n"),
    "delimiter": (b"\r\n--b\r\n", b"\r\n--b\0\r\n"),
    "before-delimiter": (b"\r\n--b\r\n", b"\r\n\0--b\r\n"),
    "encoding-of-part": (b"Encoding:", b"Encoding\0:"),
}


def _mixed(case: str, data: bytes) -> bytes:
    part = b"Content-Transfer-Encoding: base64\r\n\r\n" + b64(data)
    mail = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n\r\n--b\r\n" + part + b"\r\n--b--\r\n"
    assert FIELDS[case][0] in mail
    return mail.replace(*FIELDS[case])


@pytest.mark.parametrize("case", FIELDS)
def test_T_M20_nul_in_field_and_boundary(lab: Lab, case: str) -> None:
    """A field stays that field; the part is seen whatever its delimiter looks like."""
    virus, harmless = (_mixed(case, data) for data in (EICAR, SECRET))
    _denied(lab, virus, ORDER, "form")
    _denied(lab, virus, MENDING, "virus")
    _log(lab, MENDING, r"IMAP-760-I .*VIR=FOUND .*NAME=<NULL> REJECTED")
    got = _shown(lab, harmless, MENDING)
    assert not is_replacement(got, harmless)
    assert b64(SECRET).strip() in got


NAMES: dict[str, tuple[bytes, str]] = {
    "cut": (b'filename="a.exe\0.txt"', "a.exe.txt"),
    "cut-bare": (b"filename=a.exe\0.txt", "a.exe.txt"),
    "inside": (b'filename="a.e\0xe"', ""),
    "at-end": (b'filename="a.exe\0"', ""),
    "behind": (b'filename="a.txt\0.exe"', ""),
    "percent": (b"filename*=utf-8''a.exe%00.txt", "a.exe .txt"),
    "encoded-word": (b'filename="=?utf-8?q?a.exe=00.txt?="', "a.exe .txt"),
    "continued": (b'filename*0="a.ex\0"; filename*1=e', ""),
    "of-the-parameter": (b'file\0name="a.exe"', ""),
    "of-the-field": (b'x=y\r\nContent-Disposition\0: attachment; filename="a.exe"', ""),
}
"""And the name that is left of it; none where the document is denied."""
EXE = "mail-acl ALL { accept; } doc-acl EXE { filename /\\.exe$/; deny; } doc-acl REST { accept; }"
FILE = b"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; "


@pytest.mark.parametrize("case", NAMES)
def test_T_M23_nul_in_a_name(lab: Lab, case: str) -> None:
    """Denied, or shown by a name that holds no NUL any more, so that nobody can cut it there."""
    said, left = NAMES[case]
    processing = Processing(download=MEND, decide=EXE)
    got = _shown(lab, HEAD + multipart(text(), FILE + said + b"\r\n\r\n" + SECRET), processing)
    if left:
        (part,) = [part for part in email.message_from_bytes(got).walk() if SECRET.decode() in str(part.get_payload())]
        assert str(part.get_filename()) == left
        assert not re.search(rb"%00|=00|\.exe[\";]", got)
        _log(lab, processing, r"IMAP-761-I .*PARENT=ALL NAME=REST (PASSED|CHANGED)")
    else:
        assert SECRET not in got
        _log(lab, processing, r"IMAP-761-I .*PARENT=ALL NAME=EXE REJECTED")


@pytest.mark.parametrize("case", ["percent", "encoded-word"])
def test_T_M23_nul_in_a_name_that_is_kept(lab: Lab, case: str) -> None:
    """Where the field stays as it came the name before the NUL counts for the denial."""
    words = f"{SCAN} mail-filter {{ ambiguous-mime keep; invalid-header keep; }}"
    processing = Processing(download=words, decide=EXE)
    got = _shown(lab, HEAD + multipart(text(), FILE + NAMES[case][0] + b"\r\n\r\n" + SECRET), processing)
    assert SECRET not in got
    _log(lab, processing, r"IMAP-761-I .*PARENT=ALL NAME=EXE REJECTED")


SUBJECT = b"Subject: \xff\0x"
ITEMS = {
    "order": ("", "form"),
    "no-nul": ("correct-bad-char;", "form"),
    "no-8bit": ("accept-8bit-header;", "form"),
    "reject": ("correct-bad-char; accept-8bit-header; header-8bit-chars reject;", "form"),
    "encode": ("correct-bad-char; accept-8bit-header;", b"Subject: =?utf-8?"),
    "keep": ("correct-bad-char; accept-8bit-header; header-8bit-chars keep;", b"Subject: \xffx\r\n"),
}


@pytest.mark.parametrize("case", ITEMS)
def test_T_M36_nul_and_8bit_in_header(lab: Lab, case: str) -> None:
    """Each needs its own permission. In every form of the answer: no NUL, and an ENVELOPE that can be read."""
    words, wanted = ITEMS[case]
    processing = Processing(download=f"{SCAN} mail-filter {{ {words} }}", decide=BLOCKING.decide)
    mail = HEAD + SUBJECT + b"\r\nX-\0Name: y\0\r\n" + text(SECRET)
    if wanted == "form":
        _denied(lab, mail, processing, "form")
        return
    assert isinstance(wanted, bytes)
    wire = faced(lab, MailServer([mail]), processing)
    got = whole(wire)
    assert b"\r\n" + wanted in got
    assert b"\r\nX-Name: y\r\n" in got
    assert got.endswith(SECRET)
    reply = wire.ok(b"FETCH 1 (ENVELOPE BODY.PEEK[HEADER.FIELDS (Subject X-Name)])")
    assert b"\0" not in seen(reply)
    (one,) = all_fetched(reply)
    envelope = one.items["ENVELOPE"]
    assert isinstance(envelope, list)
    assert isinstance(envelope[1], bytes)
    assert envelope[1] in got


@pytest.mark.parametrize("mark", [b"{%d+}", b"~{%d+}"], ids=["literal", "literal8"])
@pytest.mark.parametrize("case", ["behind", "two"])
def test_T_M05_nul_in_an_upload(lab: Lab, case: str, mark: bytes) -> None:
    """What reaches the server is what was scanned, and holds no NUL; a virus does not reach it."""
    server = MailServer()
    wire = faced(lab, server, MENDING)
    for data, status in ((EICAR, "NO"), (SECRET, "OK")):
        mail = _part(ENCODINGS[case], data)
        wire.send(b"a APPEND INBOX " + mark % len(mail) + b"\r\n" + mail + b"\r\n")
        assert wire.answer(b"a").status == status
    wire.vanish()
    (arrived,) = server.appended
    assert b"\0" not in arrived
    assert not traces(arrived)
    again = faced(lab, MailServer([arrived]), BLOCKING)
    assert body(again.ok(b"FETCH 1 BODY.PEEK[]")) == arrived, "in order, so nothing is left to correct"


def test_T_M36_nul_in_literal8_of_the_server(lab: Lab) -> None:
    """A server may send octets in this form only where BINARY was asked; its NULs are found all the same."""
    mail = HEAD + SUBJECT + b"\r\n" + text(SECRET)
    answer = b"* 1 FETCH (UID 1 BODY[] ~{%d}\r\n%s)\r\nTAG OK done\r\n" % (len(mail), mail)
    wire = faced(lab, MailServer([plain(b"x")], one_of(b"FETCH", answer, mail=True)), ORDER)
    reply = wire.command(b"FETCH 1 BODY.PEEK[]")
    assert SECRET not in seen(reply)
    assert b"\0" not in seen(reply)


def test_T_M30_is_not_hidden_by_nul(lab: Lab) -> None:
    """The name of the part has a NUL, and TNEF is not taken."""
    tnef = HEAD + multipart(text(), leaf(b"\x78\x9f\x3e\x22\1\0" + SECRET, b"winmail\0.dat"))
    _denied(lab, tnef, MENDING, "form")
