"""ENVELOPE, BODY, BODYSTRUCTURE and PREVIEW. That they are Dovecot's is tested by tests/e2e/test_mime_oracle.py."""

from __future__ import annotations

import pytest

from imap4fast._wire import MailIndex, decode_transfer
from tests.mime import corpus
from tests.mime.answers import parsed

NIL10 = b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"


def envelope(header: bytes) -> bytes:
    return MailIndex.scan(header + b"\r\n").envelope


def addresses(text: bytes) -> bytes:
    """The addresses of a To field, as printed."""
    found = envelope(b"To: " + text + b"\r\n")
    start = len(b"(NIL NIL NIL NIL NIL ")
    return found[start : -len(b" NIL NIL NIL NIL)")]


def test_no_fields() -> None:
    assert MailIndex.scan(b"").envelope == NIL10
    assert envelope(b"X: y\r\n") == NIL10


def test_fields() -> None:
    header = (
        b"Date: Thu, 2 Jan 2025 03:04:05 +0100\r\nSubject: x\r\nFrom: Joe <a@b>\r\nTo: c@d\r\nCc: e@f\r\nBcc: g@h\r\n"
        b"In-Reply-To: <1>\r\nMessage-ID: <2>\r\n"
    )
    joe = b'(("Joe" NIL "a" "b"))'
    assert envelope(header) == (
        b'("Thu, 2 Jan 2025 03:04:05 +0100" "x" '
        + joe + b" " + joe + b" " + joe
        + b' ((NIL NIL "c" "d")) ((NIL NIL "e" "f")) ((NIL NIL "g" "h")) "<1>" "<2>")'
    )  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (b"plain", b'"plain"'),
        (b'a "b"', b'{5}\r\na "b"'),
        (b"a\\b", b"{3}\r\na\\b"),
        (b"a  b\tc ", b"{5}\r\na b c"),
        (b"a\r\n b", b"{3}\r\na b"),
        (b"\xc3\xa9", b"{2}\r\n\xc3\xa9"),
        (b"a\0b", b"{5}\r\na\xef\xbf\xbdb"),
        (b"", b'""'),
        (b"  ", b'""'),
    ],
)
def test_subjects(subject: bytes, expected: bytes) -> None:
    assert envelope(b"Subject: " + subject + b"\r\n") == b"(NIL " + expected + b" NIL NIL NIL NIL NIL NIL NIL NIL)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a@b", b'((NIL NIL "a" "b"))'),
        (b"a@b, c@d", b'((NIL NIL "a" "b")(NIL NIL "c" "d"))'),
        (b"a@b (Joe)", b'(("Joe" NIL "a" "b"))'),
        (b"G: a@b;", b'((NIL NIL "G" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL))'),
        (b"G:;", b'((NIL NIL "G" NIL)(NIL NIL NIL NIL))'),
        (b"<@r,@s:a@b>", b'((NIL "@r,@s" "a" "b"))'),
        (b"joe", b'((NIL NIL "joe" "MISSING_DOMAIN"))'),
        (b"Joe Public", b'(("Joe Public" NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))'),
        (b"Joe <a@b", b'(("Joe" NIL "a" "SYNTAX_ERROR"))'),
        (b"", b"NIL"),
        (b",", b'((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))'),
        (b"(", b"NIL"),
    ],
)
def test_addresses(text: bytes, expected: bytes) -> None:
    assert addresses(text) == expected


def test_plain_text() -> None:
    index = MailIndex.scan(b"Subject: x\r\n\r\nbody\r\n")
    assert index.body == b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 6 1)'
    assert index.bodystructure == b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 6 1 NIL NIL NIL NIL)'


def test_nested_structure() -> None:
    mail = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nx\r\n"
        b'--b\r\nContent-Type: image/png; name="a b"\r\nContent-ID: <i>\r\nContent-Disposition: inline; x=y\r\n'
        b"Content-Language: en, de\r\nContent-Location: l\r\nContent-MD5: m\r\nContent-Description: d\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--b--\r\n"
    )
    index = MailIndex.scan(mail)
    inner = b'(NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL)'
    text = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0'
    image = b'("image" "png" ("name" "a b") "<i>" "d" "base64" 4'
    assert index.body == (
        b'(("message" "rfc822" NIL NIL NIL "7bit" 15 ' + inner + b" " + text + b") 2)" + image + b') "mixed")'
    )
    assert index.bodystructure == (
        b'(("message" "rfc822" NIL NIL NIL "7bit" 15 ' + inner + b" " + text + b" NIL NIL NIL NIL) 2 NIL NIL NIL NIL)"
        + image + b' "m" ("inline" ("x" "y")) ("en" "de") "l") "mixed" ("boundary" "b") NIL NIL NIL)'
    )  # fmt: skip


def test_a_multipart_without_parts() -> None:
    index = MailIndex.scan(b"Content-Type: multipart/mixed; boundary=b\r\n\r\nx")
    assert index.body == b'(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0) "mixed")'


def test_all_that_is_printed_can_be_read() -> None:
    for mail in corpus.mails().values():
        for caps in ({}, {"max_parts": 3}, {"max_depth": 2}, {"max_header": 80}):
            index = MailIndex.scan(mail, **caps)
            found = parsed(index.envelope)
            assert len(found) == 10
            assert isinstance(parsed(index.body), list)
            assert isinstance(parsed(index.bodystructure), list)
            index.preview.decode("utf-8")


def preview(body: bytes, header: bytes = b"Content-Type: text/plain; charset=utf-8\r\n") -> bytes:
    return MailIndex.scan(header + b"\r\n" + body).preview


HTML = b"Content-Type: text/html\r\n"


def test_previews() -> None:
    assert preview(b"") == b""
    assert preview(b"  one\r\n\r\n two\t three ") == b"one two three"
    assert preview(b"> quoted\r\nmine\r\n") == b"mine"
    assert preview(b"> quoted\r\n> again\r\n") == b">quoted again"
    assert preview(b"x" * 300) == b"x" * 200
    assert preview(b"x " * 2000).startswith(b"x x x")
    assert len(preview("\u00e9".encode() * 5000).decode()) == 200
    assert preview(b"\xff\xfe\xc3\xa9\0\xc3") == b"\xef\xbf\xbd\xc3\xa9"
    assert preview(b"\xe9", b"Content-Type: text/plain; charset=latin-1\r\n") == b"\xc3\xa9"
    assert preview(b"YWJj", b"Content-Transfer-Encoding: base64\r\n") == b"abc"
    assert preview(b"x", b"Content-Type: image/png\r\n") == b""
    assert preview(b"\r\n" * 1000 + b"late") == b"late"


@pytest.mark.parametrize("char", [b"x", b"=C3=A9", b"=E2=82=AC"])
def test_a_preview_is_the_same_wherever_it_is_that_the_first_look_ends(char: bytes) -> None:
    """Texts of ever more white space before them, so that each of their octets once is the last."""
    header = b"Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    shown = decode_transfer(char, b"quoted-printable") or b""
    for before in range(1, 400):
        lines = b"\n" * before + (char * 10 + b"=\r\n") * 500
        assert preview(lines, header % b"plain") == shown * 200
        assert preview(b"\n" * before + b"&eacute;" * 8000, header % b"html") == "\u00e9".encode() * 200


def test_previews_of_html() -> None:
    assert preview(b"<p>a</p><b>b</b>&amp;&eacute;&#65;&#x42;&nope;c", HTML) == b"a b &\xc3\xa9ABc"
    assert preview(b"<style>x</style><script>y</script><!-- z -->t", HTML) == b"t"
    assert preview(b'<a title=">">x</a>', HTML) == b"x"
    assert preview(b"<blockquote>q</blockquote>m", HTML) == b"m"
    for broken in (b"<", b"<!--", b"<script", b"&", b"&#", b"&#xffffffff;", b"&#99999999;", b"&#xd800;", b"<a '"):
        assert preview(b"t" + broken, HTML).startswith(b"t")


def test_the_first_text_that_has_one() -> None:
    mail = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png\r\n\r\nno\r\n--b\r\n\r\n \r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nno\r\n--b\r\n\r\nyes\r\n--b--\r\n"
    )
    assert MailIndex.scan(mail).preview == b"yes"
