"""Decisions carried out: what becomes of mails, and that nothing is done twice."""

from __future__ import annotations

import email
from email.message import Message
from pathlib import Path

import pytest

from imap4fast._wire import MailIndex
from imap4fast.mail import ambiguity
from imap4fast.policy.kit import Kit
from imap4fast.policy.mailjob import Trial
from tests.unit.policy.jobs import (
    CLEAN,
    HEADER,
    INFECTED,
    TEXT,
    VIRUS,
    kit_of,
    mixed,
    part,
    simple,
    template,
    tried,
)

HTML = part(b"<p>Hello <script>alert(1)</script></p>", b"text/html; charset=utf-8")
SCRIPTS = "html-filter H { tag deny { script }; script-tag-language deny *; }"
ALL = "mail-acl M { accept; }"


def rewritten(kit: Kit, mail: bytes, **more: object) -> Trial:
    """Once; a second time changes nothing more."""
    once = tried(kit, mail, **more)
    again = tried(kit, bytes(once.after), **more)
    assert again.after == once.after
    return once


def parsed(found: Trial) -> Message:
    return email.message_from_bytes(bytes(found.after))


def test_what_is_only_accepted_is_the_very_mail() -> None:
    found = rewritten(kit_of(), INFECTED)
    assert found.after == INFECTED
    assert (found.kind, found.rewriting.splices) == ("passed", [])
    assert set(found.rewriting.actions.values()) == {"PASSED"}


def test_a_part_is_replaced_by_a_text(tmp_path: Path) -> None:
    acls = f'{ALL} doc-acl V {{ virus found; accept; replace-file "{template(tmp_path)}"; }} doc-acl R {{ accept; }}'
    found = rewritten(kit_of(acls), mixed(TEXT, VIRUS, CLEAN))
    text, new, clean = parsed(found).get_payload()
    assert new.get_content_type() == "text/plain"
    said = new.get_payload(decode=True).decode().strip()
    assert said == "game.com (application/octet-stream, 68): Eicar-Test-Signature by V"
    assert text.get_payload().strip() == "Hello there"
    assert clean.get_payload(decode=True) == b"clean" * 20
    assert (found.kind, found.rewriting.actions) == ("changed", {1: "PASSED", 2: "REPLACED", 3: "PASSED"})


def test_a_part_is_replaced_by_octets(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(b"\x89PNG\xff%{filename}")
    acls = f'{ALL} doc-acl V {{ virus found; accept; replace-file "{path}" image/png; }} doc-acl R {{ accept; }}'
    _, new = parsed(rewritten(kit_of(acls), INFECTED)).get_payload()
    assert (new.get_content_type(), new.get_payload(decode=True)) == ("image/png", b"\x89PNG\xff%{filename}")


def test_names_in_templates_are_harmless(tmp_path: Path) -> None:
    """T-H06."""
    nasty = part(b"x", b"text/plain", b"a=0D=0A--bb.exe", b"base64").replace(
        b'filename="a=0D=0A--bb.exe"', b"filename*=utf-8''a%0D%0A--bb.exe"
    )
    acls = (
        f'{ALL} doc-acl X {{ filename /exe$/; accept; replace-file "{template(tmp_path)}"; }} doc-acl R {{ accept; }}'
    )
    found = rewritten(kit_of(acls), mixed(nasty, TEXT))
    assert len(parsed(found).get_payload()) == 2


def test_a_part_is_removed() -> None:
    acls = f"{ALL} doc-acl V {{ virus found; accept; remove; }} doc-acl R {{ accept; }}"
    found = rewritten(kit_of(acls), mixed(TEXT, VIRUS, CLEAN))
    assert [one.get_filename() for one in parsed(found).get_payload()] == [None, "data.bin"]
    assert found.rewriting.actions[2] == "REMOVED"


def test_what_is_in_a_mail_inside_is_changed_there(tmp_path: Path) -> None:
    acls = f'{ALL} doc-acl V {{ virus found; accept; replace-file "{template(tmp_path)}"; }} doc-acl R {{ accept; }}'
    inside = b"Content-Type: message/rfc822\r\n\r\n" + mixed(TEXT, VIRUS, boundary=b"in")
    found = rewritten(kit_of(acls), mixed(inside, TEXT))
    outer = parsed(found).get_payload()
    assert outer[0].get_content_type() == "message/rfc822"
    inner = outer[0].get_payload()[0].get_payload()
    assert "Eicar" in inner[1].get_payload()
    assert outer[1].get_payload().strip() == "Hello there"


@pytest.mark.parametrize("mail", [mixed(HTML, TEXT), HEADER + HTML], ids=["part", "mail"])
def test_html_is_filtered(mail: bytes) -> None:
    acls = f"{ALL} doc-acl H {{ mime-type text/html; accept; html-filter H; }} doc-acl R {{ accept; }}"
    found = rewritten(kit_of(acls, head=SCRIPTS), mail)
    html = next(one for one in parsed(found).walk() if one.get_content_type() == "text/html")
    text = html.get_payload(decode=True).decode()
    assert "script" not in text
    assert "Hello" in text
    assert html.get_content_charset() == "utf-8"
    assert "FILTERED" in found.rewriting.actions.values()


def test_html_under_another_name_is_filtered(tmp_path: Path) -> None:
    hidden = part(b"<html><script>alert(1)</script></html>", b"application/octet-stream", b"a.html")
    acls = f"{ALL} doc-acl H {{ doctype-ident-order extension; accept; html-filter H; }}"
    found = rewritten(kit_of(acls, head=SCRIPTS), mixed(hidden))
    assert b"<script>" not in found.after
    assert parsed(found).get_payload()[0].get_filename() == "a.html"


def test_what_is_no_html_is_not_filtered() -> None:
    acls = f"{ALL} doc-acl H {{ accept; html-filter H; }}"
    mail = mixed(part(b"<script>alert(1)</script>"), CLEAN)
    assert rewritten(kit_of(acls, head=SCRIPTS), mail).after == mail


@pytest.mark.parametrize("mail", [mixed(TEXT, part(b"MZ" + b"\0" * 60, b"text/plain", b"a.txt", b"base64"))])
def test_the_type_that_was_found_is_sent(mail: bytes) -> None:
    acls = f"{ALL} doc-acl D {{ doctype-ident-order {{ magic, content-type }}; accept; force-doctype-ident; }}"
    found = rewritten(kit_of(acls), mail)
    first, second = parsed(found).get_payload()
    assert (first.get_content_type(), found.rewriting.actions[1]) == ("text/plain", "PASSED")
    assert (second.get_content_type(), found.rewriting.actions[2]) == ("application/x-dosexec", "RETYPED")
    assert second.get_filename() == "a.txt"
    assert second.get_payload(decode=True).startswith(b"MZ")


def test_the_type_of_a_mail_of_one_part() -> None:
    acls = f"{ALL} doc-acl D {{ doctype-ident-order extension; accept; force-doctype-ident; }}"
    mail = HEADER + part(b"%PDF-", b"text/plain", b"a.pdf")
    found = rewritten(kit_of(acls), mail)
    assert parsed(found).get_content_type() == "application/pdf"
    assert parsed(found)["Subject"] == "Hello"


RETYPED = f"{ALL} doc-acl D {{ doctype-ident-order {{ extension, content-type }}; accept; force-doctype-ident; }}"


@pytest.mark.parametrize(
    ("declared", "sent"),
    [
        (b"text/plain; charset=iso-8859-2; format=flowed; name=a.html", b"text/html; charset=iso-8859-2; name=a.html"),
        (b'text/plain; charset=x; name="a b.pdf"', b'application/pdf; name="a b.pdf"'),
        (b"text/plain; name*=utf-8''%C5%BE.pdf", b"application/pdf; name*=utf-8''%C5%BE.pdf"),
        (b'text/plain; name="=?utf-8?Q?a.pdf?="', b"application/pdf"),
    ],
)
def test_name_and_charset_stay_where_the_type_changes(declared: bytes, sent: bytes) -> None:
    for mail in (
        HEADER + b"Content-Type: " + declared + b"\r\n\r\nx\r\n",
        mixed(b"Content-Type: " + declared + b"\r\n\r\nx\r\n"),
    ):
        found = rewritten(kit_of(RETYPED), mail)
        assert "RETYPED" in found.rewriting.actions.values()
        assert b"\r\nContent-Type: " + sent + b"\r\n" in found.after
        assert ambiguity.find(found.after, MailIndex.scan(found.after)) == []


@pytest.mark.parametrize("kind", [b"", b"Content-Type: text/plain\r\n"])
def test_T_M01_a_type_is_not_said_without_mime(kind: bytes) -> None:  # noqa: N802
    acls = f"{ALL} doc-acl D {{ doctype-ident-order {{ magic, content-type }}; accept; force-doctype-ident; }}"
    old = HEADER.replace(b"MIME-Version: 1.0\r\n", b"") + kind + b"\r\n%PDF-1.4\r\n"
    for mail in (old, HEADER + b"Content-Type: message/rfc822\r\n\r\n" + old):
        found = rewritten(kit_of(acls), mail)
        assert b"Content-Type: application/pdf\r\n" in found.after
        assert ambiguity.find(found.after, MailIndex.scan(found.after)) == []


def test_subject_and_header() -> None:
    items = (
        'subject-prefix "[X] "; modify-header add X-A "b c"; modify-header replace Subject2 d; modify-header delete to;'
    )
    found = rewritten(kit_of(f"mail-acl M {{ accept; {items} }} doc-acl D {{ accept; }}"), simple())
    mail = parsed(found)
    assert (mail["Subject"], mail["X-A"], mail["Subject2"], mail["To"]) == ("[X] Hello", "b c", "d", None)
    assert mail.get_payload() == "Hello there\r\n"


def test_the_body_is_replaced_by_a_text(tmp_path: Path) -> None:
    path = template(tmp_path, "%{virus} stopped %{rule}\n")
    acls = f'mail-acl M {{ accept; replace-body "{path}"; }} doc-acl D {{ accept; }}'
    mail = parsed(rewritten(kit_of(acls), INFECTED))
    assert mail.get_payload().strip() == "Eicar-Test-Signature stopped M"
    assert mail["Subject"] == "Hello"


def test_what_the_sender_forged_goes() -> None:
    """T-H01, T-H07."""
    mail = simple().replace(b"Subject: Hello", b"X-Imap4fast-Scan: clean\r\nSubject: =?utf-8?q?a=00=0D=0ABcc:_x?=")
    found = parsed(rewritten(kit_of(), mail))
    assert found["X-Imap4fast-Scan"] is None
    assert found["Bcc"] is None
    assert found["Subject"] is not None


def test_of_several_senders_one_is_left_in_normal_form() -> None:
    """T-H02."""
    mail = b"From: a@good.example\r\nFrom: b@evil.example\r\n\r\nx\r\n"
    assert parsed(rewritten(kit_of(), mail)).get_all("From") == ["a@good.example"]
    kept = kit_of(download="use-antivirus enable OWN; mail-filter { ambiguous-mime keep; }")
    assert rewritten(kept, mail).after == mail


SEALED = mixed(
    mixed(TEXT, HTML, VIRUS, boundary=b"in", header=b""),
    part(b"sig", b"application/pgp-signature"),
    subtype=b"signed",
)
FILTER = "doc-acl H { mime-type text/html; accept; html-filter H; }"
REMOVE = "doc-acl V { virus found; accept; remove; }"


def seal(signed: str, *acls: str) -> Trial:
    text = f"{ALL} {' '.join(acls)} doc-acl R {{ accept; }}"
    return tried(kit_of(text, command=f"signed {signed};", head=SCRIPTS), SEALED)


def test_a_signed_mail_is_left_alone_if_nothing_must_go() -> None:
    found = seal("pass-if-clean", FILTER)
    assert found.after == SEALED
    assert [(line.entry, line.args[1]) for line in found.rewriting.log] == [("SMTD-744", "LEFT")]
    assert set(found.rewriting.actions.values()) == {"PASSED"}


def test_what_must_go_goes_from_a_signed_mail() -> None:
    found = seal("pass-if-clean", FILTER, REMOVE)
    assert (b"WDVP" in found.after, b"<script>" in found.after) == (False, False)
    assert [line.args[1] for line in found.rewriting.log] == ["REWRITTEN"]


def test_a_signed_mail_is_rewritten_as_others_are() -> None:
    found = seal("rewrite", FILTER)
    assert b"<script>" not in found.after
    assert [line.args[1] for line in found.rewriting.log] == ["REWRITTEN"]


def test_a_signed_mail_is_replaced_where_it_would_be_changed() -> None:
    found = seal("replace", FILTER)
    assert (found.kind, found.reason) == ("replaced", "policy: signed")
    assert seal("replace").after == SEALED


def test_the_header_of_a_signed_mail_is_not_sealed() -> None:
    text = 'mail-acl M { accept; subject-prefix "[X] "; } doc-acl R { accept; }'
    found = rewritten(kit_of(text), SEALED)
    assert parsed(found)["Subject"] == "[X] Hello"
    assert found.rewriting.log == ()
