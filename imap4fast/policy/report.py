"""A rehearsal written down: as text for people, and as plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from imap4fast.config.expression import TestExpr
from imap4fast.config.settings import Settings
from imap4fast.config.types import quoted
from imap4fast.policy.effect import InEffect, in_effect
from imap4fast.policy.facts import Facts
from imap4fast.policy.fit import CANNOT_TELL, DOES_NOT_FIT, FITS
from imap4fast.policy.rehearsal import Rehearsal, Requirement, Search
from imap4fast.policy.search import Decision
from imap4fast.policy.syntax import WEEKDAYS, address_text, sock_text, word_text
from imap4fast.policy.trace import AclTrace, ConditionTrace

FIT_WORDS = {FITS: "fits", DOES_NOT_FIT: "does not fit", CANNOT_TELL: "cannot tell"}


def outcome_text(rehearsal: Rehearsal) -> str:
    """`ACCEPTED`, or `REJECTED` and why."""
    if rehearsal.accepted:
        return "ACCEPTED"
    failed = _failed_requirement(rehearsal)
    moment = failed.moment if failed is not None else rehearsal.searches[-1].moment
    return f"REJECTED {moment}: {_why(rehearsal)}"


def rehearsal_text(rehearsal: Rehearsal, settings: Settings) -> str:
    """The whole report, lines joined by newlines."""
    return f"{searches_text(rehearsal, settings)}\n\noutcome: {outcome_text(rehearsal)}"


def searches_text(rehearsal: Rehearsal, settings: Settings) -> str:
    """The report without the outcome."""
    lines = [_asked_line(rehearsal.expr, rehearsal.facts)]
    if rehearsal.unpresented is not None:
        lines += ["", f"no certificate is presented: {rehearsal.unpresented}"]
    for number, search in enumerate(rehearsal.searches):
        lines += ["", *_search_lines(search)]
        if number == 0 and rehearsal.requirement is not None:
            lines += ["", *_requirement_lines(rehearsal.requirement)]
    if rehearsal.acls is not None:
        lines += ["", "in effect:", *_effect_lines(in_effect(settings.proxy, *rehearsal.acls))]
    return "\n".join(lines)


def rehearsal_values(rehearsal: Rehearsal, settings: Settings) -> dict[str, object]:
    """The whole report as JSON's own types; the keys are documented in `test-imap4 --help`."""
    effect = None if rehearsal.acls is None else in_effect(settings.proxy, *rehearsal.acls)
    return {
        "outcome": "ACCEPTED" if rehearsal.accepted else "REJECTED",
        "reason": None if rehearsal.accepted else _why(rehearsal),
        "asked": _asked_values(rehearsal.expr, rehearsal.facts),
        "unpresented": rehearsal.unpresented,
        "requirement": _requirement_values(rehearsal.requirement),
        "searches": [_search_values(search) for search in rehearsal.searches],
        "in_effect": None if effect is None else msgspec.to_builtins(effect),
    }


def _failed_requirement(rehearsal: Rehearsal) -> Requirement | None:
    requirement = rehearsal.requirement
    return None if requirement is None or requirement.trace.matched else requirement


def _why(rehearsal: Rehearsal) -> str:
    failed = _failed_requirement(rehearsal)
    if failed is not None:
        trace = failed.trace
        return (
            f"session-acl {failed.session_acl} requires {failed.item} {trace.name}: {trace.condition} saw {trace.seen}"
        )
    search = rehearsal.searches[-1]
    decision = search.decision
    if decision.acl is None:
        return f"no {search.kind} matched"
    return f"{search.kind} {decision.name} {decision.reason or 'denies'}"


def _requirement_lines(requirement: Requirement) -> Iterator[str]:
    yield f"{requirement.item} of session-acl {requirement.session_acl}, {requirement.moment}:"
    yield f"  {_acl_line(requirement.trace)}"
    yield from map(_condition_line, requirement.trace.conditions)


def _requirement_values(requirement: Requirement | None) -> dict[str, object] | None:
    if requirement is None:
        return None
    return {"item": requirement.item, "moment": requirement.moment, **acl_values(requirement.trace)}


def _search_lines(search: Search) -> Iterator[str]:
    server = "" if search.server is None else f", server {sock_text(*search.server)}"
    yield f"phase {search.decision.phase}, {search.kind}, {search.moment}{server}:"
    yield from acl_lines(search.traces)
    yield f"  {_decision_line(search.decision)}"


def acl_lines(traces: Iterable[AclTrace]) -> Iterator[str]:
    """Each ACL with its conditions."""
    for trace in traces:
        yield f"  {_acl_line(trace)}"
        yield from map(_condition_line, trace.conditions)


def _acl_line(trace: AclTrace) -> str:
    if trace.matched:
        return f"{trace.name}: match"
    return f"{trace.name}: no match: {trace.condition} saw {trace.seen}"


def _condition_line(condition: ConditionTrace) -> str:
    return f"    {FIT_WORDS[condition.fit]:12}  {condition.text}  saw {condition.seen}"


def _decision_line(decision: Decision) -> str:
    word = "ACCEPTED" if decision.accepted else "REJECTED"
    reason = f": {decision.reason}" if decision.reason else ""
    return f"{word} by {decision.name}{reason}"


def _asked_line(expr: TestExpr, facts: Facts) -> str:
    parts = [f"test from {address_text(facts.client)}"]
    if facts.transparent:
        parts.append("transparent")
    parts.append(f"to {sock_text(*facts.to)}")
    if expr.user is not None:
        parts.append(f"user {word_text(expr.user)}")
    if expr.group:
        parts.append(f"group {{ {', '.join(map(word_text, expr.group))} }}")
    if expr.cert is not None:
        parts.append(f"cert {quoted(expr.cert)}")
    if expr.time is not None and facts.when is not None:
        parts.append(f"time {WEEKDAYS[facts.when.isoweekday() % 7]} {facts.when:%Y-%m-%d %H:%M}")
    return " ".join(parts)


def _effect_lines(effect: InEffect) -> Iterator[str]:
    for field in effect.__struct_fields__:
        yield f"  {field.replace('_', '-'):18} {_effect_value(getattr(effect, field))}"


def _effect_value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value) if value else "none"


def _asked_values(expr: TestExpr, facts: Facts) -> dict[str, object]:
    return {
        "from": address_text(facts.client),
        "transparent": facts.transparent,
        "to": sock_text(*facts.to),
        "user": expr.user,
        "group": list(expr.group),
        "cert": expr.cert,
        "time": None if facts.when is None else facts.when.isoformat(timespec="minutes"),
    }


def _search_values(search: Search) -> dict[str, object]:
    decision = search.decision
    return {
        "phase": decision.phase,
        "section": search.kind,
        "moment": search.moment,
        "server": None if search.server is None else sock_text(*search.server),
        "acl": decision.name,
        "accepted": decision.accepted,
        "reason": decision.reason,
        "acls": [acl_values(trace) for trace in search.traces],
    }


def acl_values(trace: AclTrace) -> dict[str, object]:
    """One ACL with its conditions."""
    conditions = [
        {"item": each.item, "text": each.text, "seen": each.seen, "result": FIT_WORDS[each.fit]}
        for each in trace.conditions
    ]
    return {
        "name": trace.name,
        "matched": trace.matched,
        "condition": trace.condition,
        "seen": trace.seen,
        "conditions": conditions,
    }
