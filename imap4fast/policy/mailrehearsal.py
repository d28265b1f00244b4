"""Phase 3 rehearsed on a file: what `test-imap4 -t 'test ... mail "FILE"'` asks, answered by the helpers' own code.

Built-in engines look at the mail as they do in the proxy; others are not asked: what they would say is `virus` and
`spam-score` of the expression, else that the mail is free, and no score.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
from msgspec import structs

from imap4fast.config.expression import TestExpr
from imap4fast.config.mailsettings import BUILTIN, DocAcl, MailAcl
from imap4fast.config.settings import CommandAcl, SessionAcl, Settings
from imap4fast.config.values import Address
from imap4fast.mail import builtin
from imap4fast.mail.work import FREE, Order, Scan, Verdicts
from imap4fast.policy import contentconditions
from imap4fast.policy.canvas import Canvas
from imap4fast.policy.conditions import compile_conditions
from imap4fast.policy.content import DocCase, MailCase
from imap4fast.policy.decide import Judged
from imap4fast.policy.facts import Facts
from imap4fast.policy.hosts import plain_name
from imap4fast.policy.kit import Kit, Rules
from imap4fast.policy.mailjob import Trial, trial
from imap4fast.policy.material import Material
from imap4fast.policy.residual import Residuals
from imap4fast.policy.trace import AclTrace, ConditionTrace, acl_trace


class DocumentRehearsal(msgspec.Struct):
    """A document that was judged, and each doc-acl up to the one that decided."""

    judged: Judged
    traces: tuple[AclTrace, ...]


class MailRehearsal(msgspec.Struct):
    """One mail before its rules. `assumed` are the engines that were not asked."""

    expr: TestExpr
    trial: Trial
    command_acl: str
    assumed: tuple[str, ...]
    traces: tuple[AclTrace, ...]
    documents: tuple[DocumentRehearsal, ...]

    @property
    def accepted(self) -> bool:
        """Whether the mail itself goes on, changed or not."""
        return self.trial.kind in ("passed", "changed")


class Stage(msgspec.Struct):
    """The policy under which mails are rehearsed, and the ACLs of the session that they are of."""

    settings: Settings
    material: Material
    names: Mapping[str, frozenset[Address]]
    facts: Facts
    session_acl: SessionAcl
    command_acl: CommandAcl


def rehearse_mail(stage: Stage, expr: TestExpr, source: int, size: int, target: int) -> MailRehearsal:
    """The mail of `size` octets in the descriptor `source`; the mail that comes of it is `trial.after`."""
    direction = expr.direction or "download"
    kit = Kit(stage.settings, stage.material)
    rules = kit.rules(stage.command_acl.name, direction)
    language = stage.command_acl.language or stage.session_acl.language
    residuals = Residuals(stage.settings, stage.material, stage.names)
    left = residuals.of(stage.facts, stage.command_acl, direction, language)
    assumed = () if expr.virus is not None else _others(rules)
    canvas = Canvas(source, target, size)
    order = Order(
        job="finish",
        direction=direction,
        command_acl=stage.command_acl.name,
        mail_acls=left.mail_acls,
        doc_acls=left.doc_acls,
        size=size,
        seed=hashlib.sha256(canvas.original).digest(),
        language=language,
        verdicts=_given(expr, bool(assumed)),
    )
    found = trial(kit, order, canvas, _asked(rules, expr))
    facts = structs.replace(stage.facts, parent=stage.command_acl.name)
    tracer = _Tracer(stage.settings, stage.names, facts)
    return MailRehearsal(
        expr,
        found,
        stage.command_acl.name,
        assumed,
        () if found.decision.mail is None else tracer.mail(found.decision.mail),
        tuple(
            DocumentRehearsal(one, () if one.document.is_unclear else tracer.document(one.case))
            for one in found.decision.documents
        ),
    )


def _others(rules: Rules) -> tuple[str, ...]:
    """The virus scanners that are a service."""
    uses = rules.processing.use_antivirus
    return tuple(use.engine.name for use in uses if use.enable and use.engine.connection.kind != BUILTIN)


def _given(expr: TestExpr, assumed: bool) -> Verdicts:
    """What the expression says of the engines: of the whole mail, and so of each document. A virus is in none of them
    then that could be left behind when they go, as with an engine that looks everywhere itself.
    """
    virus = Scan(expr.virus, engine=builtin.ENGINE) if expr.virus is not None else Scan(FREE) if assumed else None
    return Verdicts(virus=virus, spam=expr.spam_score)


def _asked(rules: Rules, expr: TestExpr) -> Rules:
    """Without the engines whose verdict is given."""
    if expr.virus is not None:
        rules = structs.replace(rules, engines=())
    return structs.replace(rules, spam=None) if expr.spam_score is not None else rules


class _Tracer:
    """Each ACL with all its conditions: those on the session, which were decided before, and those on content."""

    def __init__(self, settings: Settings, names: Mapping[str, frozenset[Address]], facts: Facts) -> None:
        self._proxy = settings.proxy
        self._names = {plain_name(name): addresses for name, addresses in names.items()}
        self._facts = facts

    def mail(self, case: MailCase) -> tuple[AclTrace, ...]:
        traces: list[AclTrace] = []
        for acl in self._proxy.mail_acls:
            content = tuple(condition.trace(case) for condition in contentconditions.of_mail(acl))
            traces.append(acl_trace(acl.name, self._of_session(acl) + content))
            if traces[-1].matched:
                break
        return tuple(traces)

    def document(self, case: DocCase) -> tuple[AclTrace, ...]:
        traces: list[AclTrace] = []
        for acl in self._proxy.doc_acls:
            content = tuple(condition.trace(case) for condition in contentconditions.of_document(acl))
            traces.append(acl_trace(acl.name, self._of_session(acl) + content))
            if traces[-1].matched:
                break
        return tuple(traces)

    def _of_session(self, acl: MailAcl | DocAcl) -> tuple[ConditionTrace, ...]:
        conditions = acl.conditions if isinstance(acl, MailAcl) else structs.replace(acl.conditions, parent_acl=None)
        compiled = compile_conditions(conditions, self._names)
        return tuple(trace for condition in compiled for trace in condition.traces(self._facts))
