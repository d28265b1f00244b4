"""The whole of phase 3 on one mail, as a helper does it: form, engines, ACLs, rewriting, and the object that is kept.

    examine  the form alone: what there is to scan where that is not the mail as it came
    leaves   the decoded leaves, for engines that look at each alone
    presume  as finish, while the worker asks the engines: it holds where they find nothing and the form stays
    finish   with the verdicts of engines that the worker has asked
    process  all at once, where the built-in engines are all there are

Each job starts from the mail as it came, and comes to the same form of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from imap4fast.config.mailsettings import DocAcl, MailAcl
from imap4fast.log import imap as entries
from imap4fast.log import smtd
from imap4fast.mail import replacement, texts, transfer, work
from imap4fast.mail.canonical import Octets
from imap4fast.mail.replacement import Why
from imap4fast.mail.work import LogLine, Order, Outcome, Quarantined, Scan, Verdicts
from imap4fast.policy import decide, examine, rewrite, verdicts
from imap4fast.policy.canvas import Canvas
from imap4fast.policy.content import Header
from imap4fast.policy.decide import Decision, Denial
from imap4fast.policy.documents import Document
from imap4fast.policy.examine import Form
from imap4fast.policy.kit import Kit, Rules
from imap4fast.policy.loglines import line
from imap4fast.policy.rewrite import Rewriting

MOST_DOCUMENTS = 64
"""Documents of one mail that are logged."""

MOST_HEADER = 1 << 18
"""Octets of a denied mail's header that are looked at."""

UNSEEN = b"From: imap4fast@imap4fast.invalid\r\n\r\n"
"""The header that stands for the one of a mail that was denied unseen, or whose own may not be shown."""

_CODES = {decide.UNAVAILABLE: "UNAVAILABLE", "size": "TOOBIG"}
"""Response codes by reason; CANNOT for all others: the next time it would be the same (RFC 5530)."""


class Trial(msgspec.Struct):
    """One mail before its rules: what was found, decided, and done. `after` is the mail that comes of it."""

    order: Order
    rules: Rules
    form: Form
    decision: Decision
    rewriting: Rewriting
    kind: str
    after: Octets
    reason: str = ""
    code: str = ""
    doubtful: bool = False


def run(kit: Kit, order: Order, source: int, target: int) -> Outcome:
    """Do the job of `order` with the mail in `source`; what is made goes to `target`, open for reading, too."""
    canvas = Canvas(source, target, order.size)
    if order.left is not None:
        canvas.end(0)
    if order.job == "examine":
        return _examined(kit, order, canvas)
    if order.job == "leaves":
        return _leaves(kit, order, canvas)
    found = trial(kit, order, canvas)
    if order.job == "presume" and not _holds(found, canvas):
        canvas.end(0)
        return Outcome(work.EXAMINED)
    return _outcome(found, canvas)


def _holds(found: Trial, canvas: Canvas) -> bool:
    """Whether what was presumed holds as far as it is known here."""
    virus = found.decision.verdicts.virus
    return found.form.data is canvas.original and virus is not None and virus.status == work.FREE


def trial(kit: Kit, order: Order, canvas: Canvas, rules: Rules | None = None) -> Trial:
    """All but the writing; `rules` None: those that the order names."""
    rules = rules or kit.rules(order.command_acl, order.direction)
    if order.refused:
        form = Form(canvas.original, rules.filter.scan(canvas.original))
        return _denied(order, rules, form, Decision(Verdicts(), denial=_refused(order, rules)), Rewriting(), canvas)
    form = examine.form(canvas.original, rules.filter, order.seed, canvas.put)
    if form.rejected is not None:
        denial = _bad_form(order, rules, form.rejected)
        return _denied(order, rules, form, Decision(Verdicts(), denial=denial), Rewriting(), canvas)
    leaves = {number: Document(form.data, form.index, number) for number in form.index.leaves}
    found = verdicts.judged(rules, canvas.original, form, tuple(leaves.values()), order.verdicts)
    decision = decide.decided(kit, rules, order, form, found, leaves)
    if decision.denial is not None:
        return _denied(order, rules, form, decision, Rewriting(), canvas)
    made = rewrite.rewriting(kit, rules, form, decision)
    if made.breaks:
        decision.denial = Denial(
            Why("policy", size=order.size, detail="signed"), rules.processing.on_deny, unasked=True
        )
        return _denied(order, rules, form, decision, made, canvas)
    after = canvas.put(made.pieces(form)) if made.splices else form.data
    left = order.left or _left(rules, decision, made, after)
    if left is not None:
        decision.denial = Denial(Why("virus", virus=left.name, size=order.size), rules.processing.on_deny)
        return _denied(order, rules, form, decision, made, canvas)
    kind = work.PASSED if after is canvas.original else work.CHANGED
    return Trial(order, rules, form, decision, made, kind, after, doubtful=_is_doubtful(decision, made))


def _left(rules: Rules, decision: Decision, made: Rewriting, after: Octets) -> Scan | None:
    """What is still there of a virus, though documents were taken out for it, by engines at hand; None: nothing."""
    return verdicts.left(rules, decision.verdicts, after) if made.takes_out else None


def _is_doubtful(decision: Decision, made: Rewriting) -> bool:
    """What an engine that the worker has asked found in no document may be anywhere, in the header, too."""
    known = decision.verdicts
    return made.takes_out and verdicts.is_asked_for(known) and not verdicts.is_in_leaves(known)


def _refused(order: Order, rules: Rules) -> Denial:
    reason, _, detail = order.refused.partition(": ")
    if reason not in texts.REASONS:
        reason, detail = "policy", order.refused
    return Denial(Why(reason, size=order.size, detail=detail), rules.processing.on_deny, unasked=True)


def _bad_form(order: Order, rules: Rules, rejected: tuple[str, str]) -> Denial:
    reason, detail = rejected
    return Denial(Why(reason, size=order.size, detail=detail), rules.processing.on_deny, unasked=True)


def _denied(order: Order, rules: Rules, form: Form, decision: Decision, made: Rewriting, canvas: Canvas) -> Trial:
    """A mail that is not shown: another one in its place, or nothing."""
    denial = decision.denial
    assert denial is not None
    why = denial.why
    if denial.how == decide.REFUSE:
        code = _CODES.get(why.reason, "CANNOT")
        said = ": ".join(filter(None, (why.reason, why.virus or why.detail)))
        return Trial(order, rules, form, decision, made, work.REFUSED, b"", said, code)
    header = _header(form) or UNSEEN
    octets = replacement.mail(header, why, order.seed, order.language, order.date)
    known = decision.verdicts
    hidden = verdicts.is_asked_for(known) and not verdicts.is_in_leaves(known)
    if hidden or verdicts.remains(rules, octets) is not None:
        octets = replacement.mail(UNSEEN, why, order.seed, order.language, order.date)
    said = ": ".join(filter(None, (why.reason, why.virus or why.detail)))
    return Trial(order, rules, form, decision, made, work.REPLACED, canvas.put([octets]), said)


def _outcome(found: Trial, canvas: Canvas) -> Outcome:
    """The object written, and what the worker is to know."""
    message_id = _message_id(found)
    common = Outcome(
        kind=found.kind,
        reason=found.reason,
        code=found.code,
        message_id=message_id,
        log=tuple(_log(found, message_id or None)),
        quarantine=tuple(_quarantine(found, message_id)),
        verdicts=found.decision.verdicts,
    )
    if found.kind == work.REFUSED:
        return common
    index = found.form.index if found.after is found.form.data else found.rules.filter.scan(found.after)
    packed = index.pack()
    known = found.order.sha256 if found.after is canvas.original else b""
    sha256 = known or hashlib.sha256(found.after).digest()
    canvas.finish(found.after, packed)
    return msgspec.structs.replace(
        common, mail_size=len(found.after), index_size=len(packed), sha256=sha256, doubtful=found.doubtful
    )


def _examined(kit: Kit, order: Order, canvas: Canvas) -> Outcome:
    """The form: nothing in the target where it is that of the mail as it came, or bad. A mail that is refused for its
    form is done with: the outcome is the last one.
    """
    rules = kit.rules(order.command_acl, order.direction)
    form = examine.form(canvas.original, rules.filter, order.seed, canvas.put)
    if form.rejected is not None:
        refused = rules.processing.on_deny == decide.REFUSE
        return _outcome(trial(kit, order, canvas), canvas) if refused else Outcome(work.EXAMINED)
    leaves = tuple(Document(form.data, form.index, number) for number in form.index.leaves)
    found = verdicts.judged(rules, canvas.original, form, leaves, None)
    if form.data is canvas.original:
        return Outcome(work.EXAMINED, verdicts=found, log=form.log)
    canvas.finish(form.data)
    return Outcome(work.EXAMINED, mail_size=len(form.data), verdicts=found, log=form.log)


def _leaves(kit: Kit, order: Order, canvas: Canvas) -> Outcome:
    """The decoded leaves, one behind the other."""
    rules = kit.rules(order.command_acl, order.direction)
    form = examine.form(canvas.original, rules.filter, order.seed, canvas.put)
    pieces: list[tuple[int, int]] = []
    at = 0
    for number in form.index.leaves:
        start = at
        at = _appended(canvas, Document(form.data, form.index, number), start)
        pieces.append((start, at - start))
    return Outcome(work.EXAMINED, mail_size=at, pieces=tuple(pieces))


def _appended(canvas: Canvas, leaf: Document, start: int) -> int:
    """A leaf's decoded octets at a place of the target, a large one piece by piece; where the next one goes."""
    if leaf.part.body_size > transfer.SLICE:
        at = start
        with leaf.body as body:
            try:
                for octets in transfer.pieces(body, leaf.encodings[0]) or ():
                    at = canvas.append(octets, at)
            except transfer.NotClean:
                at = start
        if at > start:
            return at
    return canvas.append(leaf.content(), start)


def _header(form: Form) -> bytes:
    """The mail's header, as much as anybody may want to see of a bad one."""
    return form.data[: min(form.index.part(0).header_size, MOST_HEADER)]


def _message_id(found: Trial) -> str:
    mail = found.decision.mail
    header = mail.header if mail is not None else Header(_header(found.form))
    values = header.values("message-id")
    return values[0].strip()[:200] if values else ""


def _log(found: Trial, message_id: str | None) -> Iterator[LogLine]:
    """What was decided, in the order in which it was."""
    decision, order = found.decision, found.order
    yield from found.form.log
    denial = decision.denial
    if denial is not None and denial.unasked and decision.mail is None:
        yield line(entries.MAIL_DENIED, message_id, denial.why.reason.upper(), denial.why.detail or None)
    if decision.mail is None:
        return
    accepted = decision.mail_acl is not None and decision.mail_acl.accept
    yield line(
        entries.MAIL_ACL,
        message_id,
        _spam(decision.verdicts),
        decision.mail.virus.upper(),
        order.command_acl,
        _name(decision.mail_acl),
        "ACCEPTED" if accepted else "REJECTED",
    )
    yield from _documents(found, message_id)
    yield from found.rewriting.log


def _documents(found: Trial, message_id: str | None) -> Iterator[LogLine]:
    decision = found.decision
    parent = _name(decision.mail_acl)
    judged = decision.documents
    shown = judged if len(judged) <= MOST_DOCUMENTS else (*judged[: MOST_DOCUMENTS - 1], judged[-1])
    for one in shown:
        document = one.document
        action = found.rewriting.actions.get(document.number, rewrite.PASSED) if one.accepted else "REJECTED"
        yield line(
            entries.DOC_ACL,
            message_id,
            one.case.types(one.acl.doctype_ident_order if one.acl is not None else None)[0],
            document.names[0] if document.names else None,
            document.size,
            one.scan.status.upper(),
            parent,
            _name(one.acl),
            action,
        )
    if len(shown) < len(judged):
        yield line(smtd.MORE_DOCUMENTS, len(shown), len(judged) - len(shown))


def _name(acl: MailAcl | DocAcl | None) -> str | None:
    """None where no ACL fits, which the log writes as <NULL>."""
    return None if acl is None else acl.name


def _spam(known: Verdicts) -> str:
    """As the original has it: times 1000, none below 0."""
    return "UNKNOWN" if known.spam is None else str(max(0, round(known.spam * 1000)))


def _quarantine(found: Trial, message_id: str) -> Iterator[Quarantined]:
    acl = found.decision.mail_acl
    if acl is None or acl.quarantine is None:
        return
    virus: Scan | None = found.decision.verdicts.virus
    lines = (
        ("Message-ID", message_id),
        ("Direction", found.order.direction),
        ("Size", str(found.order.size)),
        ("Virus", "" if virus is None else f"{virus.status} {virus.name}".strip()),
        ("Spam-Score", _spam(found.decision.verdicts)),
        ("Command-ACL", found.order.command_acl),
        ("Mail-ACL", acl.name),
        ("Outcome", f"{found.kind} {found.reason}".strip()),
    )
    text = "".join(f"{name}: {value}\n" for name, value in lines)
    yield Quarantined(acl.quarantine, text)
