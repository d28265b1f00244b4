"""Phase 3 rehearsed on a file: the same decision as in a helper, with the trace of every ACL."""

from __future__ import annotations

import datetime

from imap4fast.config.expression import TestExpr, parse_expression
from imap4fast.config.settings import Settings
from imap4fast.policy.mailrehearsal import MailRehearsal, Stage, rehearse_mail
from imap4fast.policy.material import read
from imap4fast.policy.rehearsal import rehearse
from tests.unit.policy.jobs import FREE, INFECTED, TEXT, VIRUS, files, mixed, settings_of, simple

ACLS = """
  mail-acl OTHERS { from [10.0.0.2]; accept; }
  mail-acl SPAM { spam-score ge 5; user alice; accept; subject-prefix "[X] "; }
  mail-acl REST { parent-acl C; accept; }
  doc-acl UP { direction upload; accept; }
  doc-acl VIRUS { parent-acl REST; virus found; accept; remove; }
  doc-acl ALL { user /^a/; accept; }
"""


def rehearsed(
    mail: bytes, more: str = "", acls: str = ACLS, download: str = "use-antivirus enable OWN;"
) -> MailRehearsal:
    settings = settings_of(acls, download)
    (expr,) = parse_expression(f'test from [10.0.0.1] to [10.0.0.9] : 143 user alice mail "x" {more};')
    assert isinstance(expr, TestExpr)
    with files(mail) as (source, target):
        return rehearse_mail(stage(settings, expr), expr, source, len(mail), target)


def stage(settings: Settings, expr: TestExpr) -> Stage:
    session = rehearse(settings, expr, datetime.datetime(2026, 1, 1), {})
    assert session.acls is not None
    return Stage(settings, read(settings), {}, session.facts, *session.acls)


def test_every_acl_up_to_the_one_that_decides() -> None:
    found = rehearsed(INFECTED)
    assert [(trace.name, trace.matched, trace.condition) for trace in found.traces] == [
        ("OTHERS", False, "from [10.0.0.2];"),
        ("SPAM", False, "spam-score ge 5.0;"),
        ("REST", True, None),
    ]
    assert [[trace.name for trace in one.traces] for one in found.documents] == [
        ["UP", "VIRUS", "ALL"],
        ["UP", "VIRUS"],
    ]
    assert found.accepted
    assert found.trial.kind == "changed"


def test_the_trace_agrees_with_the_decision() -> None:
    for mail in (simple(), INFECTED, mixed(TEXT, VIRUS, TEXT)):
        for more in ("", "spam-score 7", "virus found", "virus free", "direction upload"):
            found = rehearsed(mail, more)
            decision = found.trial.decision
            assert decision.mail_acl is not None
            assert found.traces[-1].name == decision.mail_acl.name
            for one in found.documents:
                assert one.traces[-1].matched is (one.judged.acl is not None)
                assert one.judged.acl is None or one.traces[-1].name == one.judged.acl.name


def test_what_the_engines_say_can_be_given() -> None:
    found = rehearsed(INFECTED, "virus free spam-score 7")
    assert found.trial.decision.mail_acl is not None
    assert found.trial.decision.mail_acl.name == "SPAM"
    assert found.trial.after == INFECTED.replace(b"Subject: Hello", b"Subject: [X] Hello")
    everywhere = rehearsed(INFECTED, "virus found")
    assert {one.judged.scan.status for one in everywhere.documents} == {"found"}


def test_a_virus_that_is_said_to_be_found_goes_as_the_acls_say() -> None:
    for mail in (simple(), INFECTED):
        found = rehearsed(mail, "virus found")
        assert [one.judged.acl.name for one in found.documents if one.judged.acl] == ["VIRUS"] * len(found.documents)
        assert (found.accepted, found.trial.kind) == (True, "changed")


def test_services_are_not_asked() -> None:
    found = rehearsed(INFECTED, download="use-antivirus enable NET; use-antispam enable GTUBE;")
    assert found.assumed == ("NET",)
    assert found.trial.decision.mail is not None
    assert found.trial.decision.mail.virus == "free"
    assert rehearsed(INFECTED, "virus error", download="use-antivirus enable NET;").assumed == ()


def test_a_scanner_that_fails() -> None:
    found = rehearsed(simple(), "virus error", download="use-antivirus enable NET; on-unavailable replace;")
    assert (found.accepted, found.trial.kind, found.traces, found.documents) == (False, "replaced", (), ())


def test_a_mail_that_is_denied() -> None:
    found = rehearsed(INFECTED, acls="mail-acl M { deny; } " + FREE)
    assert (found.accepted, found.trial.kind, found.trial.reason) == (False, "replaced", "virus: Eicar-Test-Signature")
