"""A mail's rehearsal written down: as text for people, and as plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterator

from imap4fast.config.types import quoted
from imap4fast.policy.documents import section
from imap4fast.policy.mailrehearsal import DocumentRehearsal, MailRehearsal
from imap4fast.policy.mailsearch import name_of
from imap4fast.policy.report import acl_lines, acl_values
from imap4fast.policy.rewrite import PASSED
from imap4fast.policy.syntax import word_text


def mail_text(rehearsal: MailRehearsal) -> str:
    """The whole report, lines joined by newlines."""
    return "\n".join(_lines(rehearsal))


def mail_outcome(rehearsal: MailRehearsal) -> str:
    """`ACCEPTED` and what becomes of the mail, or `REJECTED`, why, and what stands in its place."""
    trial = rehearsal.trial
    if rehearsal.accepted:
        return f"ACCEPTED, {trial.kind}"
    return f"REJECTED, {trial.kind}: {trial.reason}"


def mail_values(rehearsal: MailRehearsal) -> dict[str, object]:
    """The whole report as JSON's own types."""
    trial = rehearsal.trial
    decision = trial.decision
    virus = decision.verdicts.virus
    return {
        "outcome": "ACCEPTED" if rehearsal.accepted else "REJECTED",
        "result": trial.kind,
        "reason": trial.reason or None,
        "size": trial.order.size,
        "size_after": len(trial.after),
        "direction": trial.order.direction,
        "virus": None if virus is None else {"status": virus.status, "name": virus.name or None},
        "spam_score": decision.verdicts.spam,
        "not_asked": list(rehearsal.assumed),
        "form": [_form_values(entry.args) for entry in trial.form.log],
        "acl": None if decision.mail is None else name_of(decision.mail_acl),
        "acls": [acl_values(trace) for trace in rehearsal.traces],
        "documents": [_document_values(rehearsal, one) for one in rehearsal.documents],
    }


def _lines(rehearsal: MailRehearsal) -> Iterator[str]:
    trial = rehearsal.trial
    order, decision = trial.order, trial.decision
    yield f"mail {quoted(rehearsal.expr.mail or '')}, {order.size} octets, {order.direction}:"
    for entry in trial.form.log:
        yield f"  form: {' '.join(map(str, entry.args))}"
    yield f"  virus {_verdict(rehearsal)}, spam-score {_score(decision.verdicts.spam)}"
    if rehearsal.assumed:
        yield f"  not asked, and taken for free: {', '.join(rehearsal.assumed)}"
    if decision.mail is not None:
        yield ""
        yield f"phase 3, mail-acl, under command-acl {rehearsal.command_acl}:"
        yield from acl_lines(rehearsal.traces)
        accepted = decision.mail_acl is not None and decision.mail_acl.accept
        yield f"  {'ACCEPTED' if accepted else 'REJECTED'} by {name_of(decision.mail_acl)}"
    for one in rehearsal.documents:
        yield from _document_lines(rehearsal, one)
    yield ""
    yield f"mail: {mail_outcome(rehearsal)}, {len(trial.after)} octets"


def _document_lines(rehearsal: MailRehearsal, one: DocumentRehearsal) -> Iterator[str]:
    judged = one.judged
    document, case = judged.document, judged.case
    yield ""
    names = ", ".join(map(word_text, document.names)) or "no name"
    types = ", ".join(kind or "unknown" for kind in case.types(None))
    yield (
        f"phase 3, doc-acl, part {section(document.index, document.number)}: {types}, {names}, {document.size} octets, "
        f"virus {judged.scan.status}:"
    )
    yield from acl_lines(one.traces)
    word = "ACCEPTED" if judged.accepted else "REJECTED"
    yield f"  {word} by {name_of(judged.acl)}{_action(rehearsal, one)}"


def _action(rehearsal: MailRehearsal, one: DocumentRehearsal) -> str:
    action = rehearsal.trial.rewriting.actions.get(one.judged.document.number, PASSED)
    return "" if action == PASSED or not one.judged.accepted else f": {action}"


def _document_values(rehearsal: MailRehearsal, one: DocumentRehearsal) -> dict[str, object]:
    judged = one.judged
    document = judged.document
    return {
        "part": section(document.index, document.number),
        "types": list(judged.case.types(None)),
        "names": list(document.names),
        "size": document.size,
        "virus": judged.scan.status,
        "acl": name_of(judged.acl),
        "accepted": judged.accepted,
        "action": rehearsal.trial.rewriting.actions.get(document.number, PASSED) if judged.accepted else "REJECTED",
        "acls": [acl_values(trace) for trace in one.traces],
    }


def _form_values(args: tuple[str | int | None, ...]) -> dict[str, object]:
    return {"item": args[0], "part": args[1], "what": args[2]}


def _verdict(rehearsal: MailRehearsal) -> str:
    virus = rehearsal.trial.decision.verdicts.virus
    if virus is None:
        return "skipped (no engine is in use)"
    return f"{virus.status} ({virus.name})" if virus.name else virus.status


def _score(score: float | None) -> str:
    return "UNKNOWN" if score is None else f"{score:g}"
