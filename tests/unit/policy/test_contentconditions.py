"""Conditions on mails and documents."""

from __future__ import annotations

import pytest

from imap4fast.config.basesettings import Conditions
from imap4fast.config.load import load_text
from imap4fast.config.mailsettings import DocAcl, MailAcl
from imap4fast.config.values import WordMember
from imap4fast.policy.content import DocCase, MailCase
from imap4fast.policy.contentconditions import of_document, of_mail
from imap4fast.policy.fit import DOES_NOT_FIT, FITS
from tests.unit.policy.cases import document, mail

HEAD = "version IMAP4FAST-1; imap4-proxy P { listen-on { non-transparent [::1] port 1; } mail-acl M { accept; } "


def mail_acl(body: str, result: str = "accept") -> MailAcl:
    return load_text(f"{HEAD} mail-acl X {{ {body} {result}; }} }}").settings.proxy.mail_acls[1]


def doc_acl(body: str, result: str = "accept") -> DocAcl:
    return load_text(f"{HEAD} doc-acl X {{ {body} {result}; }} }}").settings.proxy.doc_acls[0]


@pytest.mark.parametrize(
    ("item", "case", "fits", "seen"),
    [
        ("direction upload;", mail("upload"), True, "upload"),
        ("direction upload;", mail(), False, "download"),
        ("virus found;", mail(virus="found"), True, "found"),
        ("virus { ! error, * };", mail(virus="error"), False, "error"),
        ("virus { ! error, * };", mail(virus="skipped"), True, "skipped"),
        ("spam-score ge 5.0;", mail(spam=5.0), True, "5"),
        ("spam-score ge 5.0;", mail(spam=4.99), False, "4.99"),
        ("spam-score lt 5.0;", mail(), False, "UNKNOWN"),
        ("spam-score UNKNOWN;", mail(), True, "UNKNOWN"),
        ("spam-score UNKNOWN;", mail(spam=0.0), False, "0"),
        ("size gt 1K;", mail(size=1025), True, "1025"),
        ("size le 1K;", mail(size=1025), False, "1025"),
        ("size ne 7;", mail(size=7), False, "7"),
        ("header Subject /urgent/;", mail(subject="Very URGENT!"), True, '"Very URGENT!"'),
        ("header Subject { Hello };", mail(subject="hello"), True, "hello"),
        ("header Subject *;", mail(), False, "no Subject"),
        ("header X-A b;", mail(x_a=("a", "b")), True, "{ a, b }"),
        ("sender /@a$/;", mail(**{"from": "x@a"}), True, '"x@a"'),
        ('sender "X@A";', mail(**{"from": "x@a"}), True, '"x@a"'),
        ('sender "";', mail(), True, '""'),
        ("recipient /@a$/;", mail(to="x@b", cc=("y@a", "z@c")), True, '{ "x@b", "y@a", "z@c" }'),
        ("recipient { ! /@b$/, * };", mail(to="x@b", cc="y@a"), False, '{ "x@b", "y@a" }'),
        ('recipient "";', mail(), True, '""'),
    ],
)
def test_of_mails(item: str, case: MailCase, fits: bool, seen: str) -> None:
    (condition,) = of_mail(mail_acl(item))
    trace = condition.trace(case)
    assert (trace.fit, trace.seen) == (FITS if fits else DOES_NOT_FIT, seen)
    assert trace.item == item.split()[0]
    assert of_mail(mail_acl(trace.text))[0].text == trace.text


@pytest.mark.parametrize(
    ("item", "case", "fits"),
    [
        ("mime-type text/plain;", document(types=("text/plain",)), True),
        ("mime-type TEXT/plain;", document(types=("text/Plain",)), True),
        ("mime-type text/*;", document(types=("text/plain",)), True),
        ("mime-type text/*;", document(types=("texts/plain",)), False),
        ("mime-type text/*;", document(), False),
        ('mime-type "";', document(), True),
        ("mime-type *;", document(), True),
        ("mime-type { ! text/html, text/* };", document(types=("text/html",)), False),
        ("mime-type { ! text/html, text/* };", document(types=("text/css",)), True),
        ("mime-type { text/*, ! text/html };", document(types=("text/html",)), True),
        ("mime-type /^application\\/x-/;", document(types=("application/x-dosexec",)), True),
        ("filename /\\.exe$/;", document(names=("A.EXE",)), True),
        ('filename "";', document(), True),
        ("filename { ! /\\.exe$/, * };", document(), True),
        ("virus found;", document(mail(virus="found"), virus="free"), False),
        ("size lt 5;", document(mail(size=100), size=4), True),
        ("header Subject x;", document(mail(subject="x")), True),
        ("parent-acl M;", document(parent="M"), True),
        ("parent-acl { ! M, * };", document(parent="M"), False),
    ],
)
def test_of_documents(item: str, case: DocCase, fits: bool) -> None:
    (condition,) = of_document(doc_acl(item))
    assert condition.fits(case) is fits


@pytest.mark.parametrize(
    ("item", "case"),
    [
        ("mime-type application/*;", document(types=("text/plain", "application/x-dosexec"))),
        ("filename /\\.exe$/;", document(names=("a.txt", "a.exe"))),
    ],
)
def test_of_several_candidates_any_denies_and_all_accept(item: str, case: DocCase) -> None:
    """T-M23: a second name must open no door, and close one."""
    assert of_document(doc_acl(item, "deny"))[0].fits(case)
    assert not of_document(doc_acl(item, "accept"))[0].fits(case)


def test_of_several_senders_any_denies_and_all_accept() -> None:
    """T-H02."""
    case = mail(**{"from": ("good@a", "evil@b")})
    assert of_mail(mail_acl("sender /@a$/;", "deny"))[0].fits(case)
    assert not of_mail(mail_acl("sender /@a$/;"))[0].fits(case)


def test_the_order_of_methods_is_that_of_the_acl() -> None:
    asked = []

    def types(order: tuple[str, ...] | None) -> tuple[str, ...]:
        asked.append(order)
        return ("a/b",)

    case = DocCase(mail(), "M", 0, "free", (), types)
    for body, order in (("", None), ("doctype-ident-order { magic, extension };", ("magic", "extension"))):
        (condition,) = of_document(doc_acl(f"mime-type a/b; {body}"))
        assert condition.fits(case)
        assert asked.pop() == order


def test_conditions_on_the_session_are_not_among_them() -> None:
    body = "from [10.0.0.1]; user alice; "
    assert of_mail(mail_acl(body + "parent-acl *;")) == ()
    assert of_document(doc_acl(body)) == ()


def test_all_in_their_order() -> None:
    body = (
        "filename a; mime-type b; recipient c; sender d; header e f; size lt 1; spam-score UNKNOWN; virus free; "
        "direction upload; parent-acl M;"
    )
    assert [condition.item for condition in of_document(doc_acl(body))] == [
        *("parent-acl", "direction", "virus", "spam-score", "size", "header", "sender", "recipient", "mime-type"),
        "filename",
    ]
    assert Conditions(parent_acl=(WordMember("M"),)) == doc_acl(body).conditions
