"""Phase 3 decided: verdicts that ACLs do not see, mails, and documents, mails inside the mail among them."""

from __future__ import annotations

import pytest

from imap4fast.mail.work import ERROR, FOUND, FREE, SKIPPED, UNKNOWN, Scan, Verdicts
from imap4fast.policy.content import MOST_ADDRESSES
from imap4fast.policy.decide import Decision, stays
from tests.unit.policy.jobs import CLEAN, INFECTED, TEXT, VIRUS, kit_of, mixed, part, simple, tried
from tests.unit.policy.jobs import FREE as ACCEPT_ALL

NET = "use-antivirus enable NET;"
MESSAGE = b"Content-Type: message/rfc822\r\n\r\n"


def decision(acls: str, mail: bytes, download: str = "use-antivirus enable OWN;", **more: object) -> Decision:
    return tried(kit_of(acls, download), mail, **more).decision


def said(status: str, **more: object) -> Verdicts:
    return Verdicts(virus=Scan(status, "why"), **more)


@pytest.mark.parametrize(
    ("items", "found", "reason", "how"),
    [
        ("", said(ERROR), "unavailable", "error"),
        ("", said(UNKNOWN), "unavailable", "error"),
        ("on-unavailable replace;", said(ERROR), "unavailable", "replace"),
        ("", said(FREE, spam_failed=True), "unavailable", "error"),
        ("", said(SKIPPED), "skipped", "replace"),
        ("on-deny error;", said(SKIPPED), "skipped", "error"),
    ],
)
def test_acls_do_not_see_mails_without_a_verdict(items: str, found: Verdicts, reason: str, how: str) -> None:
    denied = decision(ACCEPT_ALL, simple(), f"{NET} {items}", verdicts=found)
    assert denied.mail is None
    assert denied.denial is not None
    assert (denied.denial.why.reason, denied.denial.how, denied.denial.unasked) == (reason, how, True)


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ("on-unavailable pass;", said(ERROR)),
        ("on-unavailable pass;", said(UNKNOWN)),
        ("on-unavailable pass;", said(FREE, spam_failed=True)),
        ("on-skipped pass;", said(SKIPPED)),
    ],
)
def test_unless_they_are_to(items: str, found: Verdicts) -> None:
    passed = decision(ACCEPT_ALL, simple(), f"{NET} {items}", verdicts=found)
    assert passed.denial is None
    assert passed.mail is not None
    assert found.virus is not None
    assert passed.mail.virus == found.virus.status
    strict = decision(
        "mail-acl M { virus free; accept; } doc-acl D { accept; }", simple(), f"{NET} {items}", verdicts=found
    )
    assert (strict.denial is None) is (found.virus.status == FREE)


@pytest.mark.parametrize("ambiguous", ["normalise", "keep"])
@pytest.mark.parametrize("field", [b"From", b"Sender", b"To", b"Cc", b"bcc"])
def test_more_addresses_than_are_told_apart(field: bytes, ambiguous: str) -> None:
    """None of those that nobody looks at gets a mail past an ACL that denies it."""
    who = "recipient" if field in (b"To", b"Cc", b"bcc") else "sender"
    acls = f"mail-acl EVIL {{ {who} /evil/; deny; }} {ACCEPT_ALL}"
    kit = kit_of(acls, f"use-antivirus enable OWN; mail-filter {{ ambiguous-mime {ambiguous}; }}")

    def reason(*more: bytes) -> str:
        addresses = b",\r\n ".join([b"a@b"] * (MOST_ADDRESSES - 1) + list(more))
        denial = tried(kit, field + b": " + addresses + b"\r\n\r\nHello\r\n").decision.denial
        return "" if denial is None else f"{denial.why.reason} {denial.why.rule}"

    assert reason(b"a@b") == ""
    assert reason(b"evil@b") == "policy EVIL"
    assert reason(b"a@b", b"evil@b") == "ambiguous "


def test_an_upload_is_never_replaced() -> None:
    denied = decision(ACCEPT_ALL, simple(), f"{NET} on-unavailable replace;", verdicts=said(ERROR), direction="upload")
    assert denied.denial is not None
    assert denied.denial.how == "error"


def test_without_engines_a_mail_is_skipped() -> None:
    found = decision("mail-acl M { virus skipped; accept; } doc-acl D { virus skipped; accept; }", simple(), "")
    assert found.denial is None
    assert [one.scan.status for one in found.documents] == [SKIPPED]


@pytest.mark.parametrize(
    ("acls", "mail", "reason", "rule", "detail"),
    [
        ("", simple(), "policy", "", ""),
        ("mail-acl M { size gt 1M; accept; }", simple(), "policy", "", ""),
        ('mail-acl M { deny "not today"; }', simple(), "policy", "M", "not today"),
        ("mail-acl M { virus found; deny; } mail-acl N { accept; }", INFECTED, "virus", "M", ""),
        ("mail-acl M { accept; }", simple(), "policy", "", ""),
        ("mail-acl M { accept; } doc-acl D { deny; }", simple(), "policy", "D", ""),
        (
            "mail-acl M { accept; } doc-acl D { virus found; deny; } doc-acl E { accept; }",
            INFECTED,
            "virus",
            "D",
            "game.com",
        ),
    ],
)
def test_denied(acls: str, mail: bytes, reason: str, rule: str, detail: str) -> None:
    denied = decision(acls, mail).denial
    assert denied is not None
    why = denied.why
    assert (why.reason, why.rule, why.detail, why.size) == (reason, rule, detail, len(mail))
    assert why.virus == ("Eicar-Test-Signature" if reason == "virus" else "")
    assert (denied.how, denied.unasked) == ("replace", False)


def test_denied_as_spam() -> None:
    acls = "mail-acl M { spam-score ge 5; deny; }"
    denied = decision(acls, simple(), verdicts=Verdicts(spam=7.0)).denial
    assert denied is not None
    assert denied.why.reason == "spam"


def test_every_document_is_judged_with_its_own_verdict() -> None:
    acls = "mail-acl M { accept; } doc-acl V { virus found; accept; remove; } doc-acl REST { parent-acl M; accept; }"
    found = decision(acls, mixed(TEXT, VIRUS, CLEAN)).documents
    assert [one.acl.name for one in found if one.acl] == ["REST", "V", "REST"]
    assert [one.document.number for one in found] == [1, 2, 3]


def test_the_first_document_that_is_denied_ends_it() -> None:
    acls = "mail-acl M { accept; } doc-acl D { filename data.bin; deny; } doc-acl REST { accept; }"
    found = decision(acls, mixed(CLEAN, TEXT)).documents
    assert [one.accepted for one in found] == [False]


@pytest.mark.parametrize(
    "named",
    [
        b"".join(b'Content-Disposition: x; filename="n%d.txt"\r\n' % number for number in range(200)),
        b"".join(b"Content-Type: text/x%d\r\n" % number for number in range(200)),
    ],
)
def test_nobody_is_asked_about_a_document_that_is_too_much(named: bytes) -> None:
    """The name of a program may be behind all those that are looked at."""
    acls = "mail-acl M { accept; } doc-acl D { filename a.exe; deny; } doc-acl E { accept; }"
    mail = mixed(TEXT, named + b"\r\nx\r\n")
    found = decision(acls, mail, "use-antivirus enable OWN; mail-filter { ambiguous-mime keep; }")
    assert found.denial is not None
    assert (found.denial.why.reason, found.denial.how) == ("ambiguous", "replace")
    assert [one.accepted for one in found.documents] == [True, False]


INSIDE = mixed(MESSAGE + mixed(TEXT, VIRUS, boundary=b"in"), TEXT)


def test_a_mail_inside_is_a_document_and_then_its_parts_are() -> None:
    acls = "mail-acl M { accept; } doc-acl MAIL { mime-type message/*; accept; } doc-acl REST { accept; }"
    found = decision(acls, INSIDE).documents
    assert [(one.acl.name if one.acl else "", one.scan.status) for one in found] == [
        *(("MAIL", FREE), ("REST", FREE), ("REST", FOUND), ("REST", FREE)),
    ]


@pytest.mark.parametrize("action", ["remove;", 'replace-file "/dev/null";'])
def test_what_is_in_a_mail_that_goes_is_not_asked(action: str) -> None:
    acls = (
        f"mail-acl M {{ accept; }} doc-acl MAIL {{ mime-type message/*; accept; {action} }} doc-acl REST {{ accept; }}"
    )
    assert len(decision(acls, INSIDE).documents) == 2


def test_a_denied_document_in_a_mail_inside_denies_the_mail() -> None:
    acls = "mail-acl M { accept; } doc-acl V { filename game.com; deny; } doc-acl REST { accept; }"
    assert decision(acls, INSIDE).denial is not None


def test_what_no_leaf_holds_all_hold() -> None:
    found = decision(ACCEPT_ALL, INSIDE, NET, verdicts=said(FOUND)).documents
    assert {one.scan.status for one in found} == {FOUND}


def test_types_by_the_order_of_the_proxy_and_of_the_acl() -> None:
    program = part(b"MZ" + b"\0" * 60, b"text/plain", b"a.txt", b"base64")
    acls = "mail-acl M { accept; } doc-acl D { %s mime-type application/x-dosexec; deny; } doc-acl E { accept; }"
    assert decision(acls % "", mixed(program)).denial is None
    assert decision(acls % "doctype-ident-order magic;", mixed(program)).denial is not None


def test_stays() -> None:
    acls = "mail-acl M { accept; } doc-acl A { accept; } doc-acl B { accept; remove; }"
    first, second = kit_of(acls).documents.search(("A",), None), kit_of(acls).documents.search(("B",), None)
    assert stays(first)
    assert not stays(second)
    assert not stays(None)
