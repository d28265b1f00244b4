"""What we write into a mail after it was judged makes no structure: the parts are those that were judged, less those
that were taken out, for us, for Python's email package, and for whoever looks at lines (T-H06, T-M10..T-M14).
"""

from __future__ import annotations

import base64
import functools
import quopri
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imap4fast._wire import MailIndex
from imap4fast.mail import ambiguity, work
from imap4fast.policy import rewrite
from imap4fast.policy.kit import Kit
from imap4fast.policy.mailjob import Trial
from tests.unit.mail.mails import has_reports
from tests.unit.policy.jobs import HEADER, kit_of, mixed, part, tried
from tests.unit.policy.structures import Tree, delimiters, naive, of_index, of_python, ours

HTML = "html-filter H { script-tag-language deny *; intrinsic-language deny *; }"
FORM = "accept-8bit-header; correct-8bit-body; correct-bad-char; partial-message keep; tnef keep;"
TEXTS = {
    "text/plain": b"%{filename}\n--bb\n%{filename}\n--in--\n",
    "text/html": b"<p>%{filename}\n--bb\n--%{filename}\n",
    "image/png": b"\x89PNG\r\n--bb\r\n\r\n--in--\r\n",
    "text/calendar": b"BEGIN:VCALENDAR\n--bb--\n%{filename}\n",
}
EDITS = {
    "filter": "doc-acl H { accept; html-filter H; }",
    "text": 'doc-acl E { filename /exe/; accept; replace-file "%(text/plain)s"; } doc-acl R { accept; html-filter H; }',
    "html": 'doc-acl E { filename /exe$/; accept; replace-file "%(text/html)s" text/html; } doc-acl R { accept; }',
    "image": 'doc-acl E { filename /exe$/; accept; replace-file "%(image/png)s" image/png; } doc-acl R { accept; }',
    "calendar": 'doc-acl E { mime-type text/html; accept; replace-file "%(text/calendar)s" text/calendar; }'
    "doc-acl R { accept; }",
    "html for all": 'doc-acl E { accept; replace-file "%(text/html)s" text/html; }',
    "remove": "doc-acl E { filename /exe$/; accept; remove; } doc-acl R { accept; }",
    "remove html": "doc-acl E { mime-type text/html; accept; remove; } doc-acl R { accept; html-filter H; }",
    "remove mails": "doc-acl E { mime-type message/rfc822; accept; remove; } doc-acl R { accept; }",
    "body": "doc-acl R { accept; html-filter H; }",
    "body and remove": "doc-acl E { filename /exe$/; accept; remove; } doc-acl R { accept; }",
    "type": "doc-acl R { doctype-ident-order { magic, extension, content-type }; accept; force-doctype-ident; }",
}


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as found:
        for kind, text in TEXTS.items():
            (Path(found) / kind.replace("/", "-")).write_bytes(text)
        yield found


@functools.cache
def kit(place: str, edit: str, ambiguous: str, signed: str) -> Kit:
    acls = EDITS[edit] % {kind: f"{place}/{kind.replace('/', '-')}" for kind in TEXTS}
    body = f'replace-body "{place}/text-plain";' if edit.startswith("body") else ""
    mails = f'mail-acl M {{ accept; subject-prefix "--bb "; modify-header add X-A "--bb"; {body} }}'
    form = f"mail-filter {{ {FORM} ambiguous-mime {ambiguous}; }}"
    return kit_of(f"{mails} {acls}", form, f"signed {signed};", head=HTML)


def trial_of(place: str, mail: bytes, edit: str, ambiguous: str = "normalise", signed: str = "rewrite") -> Trial:
    return tried(kit(place, edit, ambiguous, signed), mail)


def expected(found: Trial) -> Tree:
    """The parts that were judged, as the decision changes them."""
    acl = found.decision.mail_acl
    if found.kind == work.REPLACED or (acl is not None and acl.replace_body is not None):
        return Tree("text/plain")
    return changed(found, 0) or Tree("text/plain")


def changed(found: Trial, number: int) -> Tree | None:
    index, action = found.form.index, found.rewriting.actions.get(number)
    if action == rewrite.REMOVED:
        return None
    if action in (rewrite.REPLACED, rewrite.FILTERED, rewrite.RETYPED):
        return Tree("*")
    part = index.part(number)
    children = tuple(tree for child in part.children if (tree := changed(found, child)))
    if part.children and not children:
        children = (Tree("text/plain"),)
    return Tree(of_index(index, number).kind, children)


def after(found: Trial) -> bytes:
    return bytes(found.after)


def same_parts(found: Trial, *, keep: bool = False) -> None:
    octets, wanted = after(found), expected(found)
    assert wanted.is_like(ours(octets)), (wanted, ours(octets), octets)
    assert ours(octets).size == wanted.size
    if found.kind != work.REPLACED:
        assert delimiters(octets) <= delimiters(bytes(found.form.data)), octets
    if not keep and not has_reports(octets):
        assert ours(octets) == of_python(octets) == naive(octets), octets
    if not keep:
        assert ambiguity.find(octets, MailIndex.scan(octets)) == [], octets


OPENS = b"\r\nContent-Type: application/x-a\r\n\r\nevil"
BODIES = [
    b"<p onload=x>\r\n--b&#98;" + OPENS, b"<p onload=x>\r\n-<b></b>-bb" + OPENS, b"<p onload=x>\r\n-\0-bb" + OPENS,
    b"<p onload=x>\r\n&#45;-bb" + OPENS, b"<p onload=x>&#13;&#10;--bb&#13;&#10;&#13;&#10;evil",
    b"<pre onload=x>\n--bb\n", b"<p onload=x title='\r\n--in\r\n\r\nx'>", b"<p onload=x>\xe2\x80\xa8--bb\xe2\x80\xa8",
    b"<p onload=x>\r\n--bb--\r\n", b"x" * 900 + b"<p onload=x>" + b" " * 80 + b"\r\n--bb",
    b"<p onload=x>" + b"x" * 62 + b"--bb" * 40, b"<textarea onload=x>\r\n\r\n--bb</textarea>",
    b"<p onload=x>&#0;-&#0;-bb\r\n", b"\xff\xfe<\0p\0 \0o\0n\0l\0o\0a\0d\0=\0x\0>\0\r\0\n\0-\0-\0b\0b\0",
    b"<svg><style>\r\n--bb\r\n</style></svg><p onload=x>", b"<p onload=x>\r--bb\r\rx", b"<p onload=x>\n--bb\n\nx",
]  # fmt: skip


def forms_of(body: bytes, kind: bytes = b"text/html") -> list[bytes]:
    """The body in base64, quoted-printable and, where that is a part, as it is."""
    coded = quopri.encodestring(body, quotetabs=True).replace(b"\n", b"\r\n").replace(b"\r\n--", b"\r\n=2D-")
    return [
        b"Content-Type: %b\r\nContent-Transfer-Encoding: base64\r\n\r\n%b" % (kind, base64.encodebytes(body)),
        b"Content-Type: %b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n%b\r\n" % (kind, coded),
        b"Content-Type: %b\r\n\r\n%b\r\n" % (kind, body),
    ]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("edit", EDITS)
def test_bodies(place: str, body: bytes, edit: str) -> None:
    inner = b"Content-Type: message/rfc822\r\n\r\n" + mixed(*forms_of(body)[:2], boundary=b"in")
    for ambiguous in ("normalise", "keep"):
        for one in (*forms_of(body), inner):
            for mail in (mixed(one, part(b"x", b"application/x-a", b"a.exe")), mixed(part(b"y"), one), HEADER + one):
                same_parts(trial_of(place, mail, edit, ambiguous), keep=ambiguous == "keep")


NAMES = [
    b"--bb.exe", b"\r\n --bb\r\n .exe", b"a\0\r\n --bb.exe", b"=?utf-8?q?=0D=0A--bb=0D=0A?=.exe", b"x\x0b--bb.exe",
    b"--bb--\x85.exe", b"\xe2\x80\xa8--bb\xe2\x80\xa9.exe", b"a" * 70 + b" --bb " + b"b" * 70 + b".exe",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("edit", EDITS)
def test_names(place: str, name: bytes, edit: str) -> None:
    extended = b"".join(b"%%%02X" % each for each in name)
    for header in (b'filename="%b"' % name, b"filename*=utf-8''" + extended, b"filename*0*=''" + extended):
        one = b"Content-Type: text/html\r\nContent-ID: <--bb>\r\nContent-Description:\r\n --bb\r\n"
        one += b"Content-Disposition: attachment; " + header + b"\r\n\r\n<p onload=x>\r\n"
        for mail in (mixed(one), mixed(part(b"y"), one, one)):
            for ambiguous in ("normalise", "keep"):
                same_parts(trial_of(place, mail, edit, ambiguous), keep=ambiguous == "keep")


HEADS = [
    b"-\0-bb", b"X: y\r\n-\0-bb\r\nContent-Type: text/html", b"-\0-bb: y", b"Subject: a\r\n\0--bb\r\n",
    b"X-Imap4fast-A: 1", b"X-Imap4fast-A: 1\r\n \r\nContent-Type: text/html", b"X-Kernun-1: 2\r\n\t--bb",
    b"Subject: \x01--bb\x01\r\n --bb", b"Content-Type: text/html\r\nX-Imap4fast-B: 2", b" --bb", b"\t\r\n--b\0b",
    b"From: =?utf-8?q?=0D=0A--bb?= <a@b>", b"Content-Type: multipart/mixed; boundary=\"b\0b\"",
    b"Content-Description: a\0\r\n -\0-bb\r\n --bb", b"X: \r-\0-bb\r",
    b"Subject: " + b"x" * 2000 + b" --bb " + b"y" * 1200, b"X: " + b"-" * 3000,
    b"X:\r\n --bb\r\n " + b"z" * 1100 + b"\r\n --bb", b"Content-Type: text/html; name=\"" + b"q" * 990 + b" --bb\"",
    b"MIME-Version: 1.0 (\0\r\n --bb)",
]  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("edit", EDITS)
def test_headers(place: str, head: bytes, edit: str) -> None:
    """Of the mail, of a part, and of a mail in the mail."""
    body = b"\r\n\r\n<p onload=x>\r\n"
    inner = (
        b"Content-Type: message/rfc822\r\n\r\n"
        + head
        + b"\r\n"
        + mixed(part(b"x", b"a/b", b"a.exe"), boundary=b"in", header=b"")
    )
    for mail in (
        mixed(part(b"<p onload=x>", b"text/html"), part(b"x", b"a/b", b"a.exe"), header=head + b"\r\n" + HEADER),
        mixed(head + body, part(b"x", b"a/b", b"a.exe")),
        mixed(part(b"x", b"a/b", b"a.exe"), head),
        mixed(inner, b"Content-Type: message/rfc822\r\n\r\n" + head, inner),
    ):
        for ambiguous in ("normalise", "keep"):
            same_parts(trial_of(place, mail, edit, ambiguous), keep=ambiguous == "keep")


LEAVES = [
    part(b"Hello there"), part(b"x", b"application/x-a", b"a.exe"),
    part(b"x", b"application/x-a", b"a.exe", b"base64"), b"\r\n", b"", b"X: y\r\n", b"\r\nno header\r\n",
    b"Content-Type: message/rfc822\r\n", b"Content-Type: text/html\r\n", b"Content-Type: message/rfc822\r\n\r\n",
    b"Content-Type: message/rfc822\r\n\r\nSubject: alone\r\n",
    b"Content-Type: multipart/mixed; boundary=no\r\n\r\nno parts\r\n", *forms_of(BODIES[0]), *forms_of(BODIES[5]),
    b"Content-Type: application/x-a; name=a.exe\r\n\r\n", b"Content-Type: text/html\r\n\r\n%PDF-1.4\r\n",
]  # fmt: skip
PIECES = [
    b"\r\n--bb\r\n", b"\r\n--bb--\r\n", b"\r\n--in\r\n", b"\r\n--in--", b"\r\n-\0-bb\r\n", b"\r\n", b"\n", b"\r",
    b"\0", b"--", b"\r\n--bb \r\n", b"\r\nContent-Type: text/html\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n",
    b"\xff", b" ", b"\r\nContent-Type: multipart/mixed; boundary=in\r\n", b"\r\nX-Imap4fast-A: b", b"boundary=bb; ",
    b"\r\n\r\n", b"\r\n\t", b"\r\n--bbx\r\n", b"(c)",
    b'"', b"\r\nContent-Type: message/rfc822\r\n\r\n", b"\r\nMIME-Version: 1.0\r\n",
]  # fmt: skip
leaves = st.sampled_from(LEAVES)
SUBTYPES = st.sampled_from([b"mixed", b"alternative", b"signed", b"digest", b"related"])


def several(inside: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """A multipart as a part, with something before and behind its parts, and closed or not; or a mail in the mail."""
    multiparts = st.builds(
        lambda found, boundary, subtype, around: b"".join(
            [
                b"Content-Type: multipart/%b; boundary=%b\r\n\r\n%b" % (subtype, boundary, around[0]),
                *(b"--%b\r\n%b" % (boundary, each) for each in found),
                around[1].replace(b"%", boundary),
            ]
        ),
        st.lists(inside, max_size=3),
        st.sampled_from([b"bb", b"in", b"x"]),
        SUBTYPES,
        st.sampled_from([(b"", b"--%--\r\n"), (b"words\r\n", b"--%--\r\nwords\r\n"), (b"", b""), (b"", b"\r\n--%--")]),
    )
    return st.one_of(multiparts, inside.map(lambda one: b"Content-Type: message/rfc822\r\n\r\nFrom: a@b\r\n" + one))


@st.composite
def mails(draw: st.DrawFn) -> bytes:
    mail = HEADER[: -len(b"MIME-Version: 1.0\r\n") * draw(st.integers(0, 1)) or None]
    mail += draw(several(st.recursive(leaves, several, max_leaves=5)))
    for where, piece in draw(st.lists(st.tuples(st.floats(0, 1), st.sampled_from(PIECES)), max_size=3)):
        at = int(where * len(mail))
        mail = mail[:at] + piece + mail[at:]
    return mail


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    mails(),
    st.sampled_from(sorted(EDITS)),
    st.sampled_from(["normalise", "normalise", "keep"]),
    st.sampled_from(["rewrite", "pass-if-clean", "replace"]),
)
def test_whatever_comes(place: str, mail: bytes, edit: str, ambiguous: str, signed: str) -> None:
    found = trial_of(place, mail, edit, ambiguous, signed)
    same_parts(found, keep=ambiguous == "keep")
