"""A decision carried out: what the ACLs want of an accepted mail becomes edits of it.

Pure and idempotent: no clock, no chance, and what was done before is not done again. What is signed or encrypted is
changed as `signed` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from imap4fast._wire import parameters
from imap4fast.config.mailsettings import DocAcl, MailAcl
from imap4fast.log import smtd
from imap4fast.mail import (
    ambiguity,
    coding,
    edit,
    fields,
    html,
    mimefields,
    normalise,
    replacement,
    signed,
    splice,
    structured,
    words,
)
from imap4fast.mail.edit import Edits, HeaderOp, Replacement
from imap4fast.mail.splice import Piece, Splice
from imap4fast.mail.template import Values
from imap4fast.mail.work import FOUND, LogLine
from imap4fast.policy import verdicts
from imap4fast.policy.decide import Decision, Judged
from imap4fast.policy.documents import Document
from imap4fast.policy.examine import Form
from imap4fast.policy.kit import TEXT_TYPE, Kit, Rules
from imap4fast.policy.loglines import line

PASSED = "PASSED"
FILTERED = "FILTERED"
REPLACED = "REPLACED"
REMOVED = "REMOVED"
RETYPED = "RETYPED"

MOST_COMPARED = 4 << 20
"""Octets of the largest part that can be a replacement of ours."""

_HTML = frozenset(("text/html", "application/xhtml+xml"))
_KEPT = frozenset((b"content-id", b"content-location", b"content-description", b"content-disposition", b"content-base"))
"""Fields of a part that say where it stands and what it is called, not how it is coded."""
_TYPE = b"content-type"


class Rewriting(msgspec.Struct):
    """What is to be done. `splices` none: nothing. `breaks`: a seal would break, and `signed replace` is said.

    `actions` are words for the log, by the number of the part.
    """

    splices: list[Splice] = []
    actions: dict[int, str] = {}
    breaks: bool = False
    log: tuple[LogLine, ...] = ()

    @property
    def takes_out(self) -> bool:
        """Whether some document goes."""
        return bool({REPLACED, REMOVED} & set(self.actions.values()))

    def pieces(self, form: Form) -> list[Piece]:
        """The mail that comes of it, by its pieces."""
        return splice.pieces(form.data, self.splices)


class _Plan:
    """Edits of one mail, collected part by part."""

    def __init__(self) -> None:
        self.parts: dict[int, Replacement] = {}
        self.removed: set[int] = set()
        self.retyped: dict[int, str] = {}
        self.actions: dict[int, str] = {}


def rewriting(kit: Kit, rules: Rules, form: Form, decision: Decision) -> Rewriting:
    """What becomes of an accepted mail."""
    acl = decision.mail_acl
    assert acl is not None
    plan = _Plan()
    for judged in decision.documents:
        _plan(kit, judged, plan)
    body = _body(kit, form, acl, decision) or _instead_of_all(form, decision, plan)
    kept = Rewriting(actions=plan.actions)
    _spare_seals(rules, form, plan, kept, body is not None)
    edits = Edits(
        subject_prefix=acl.subject_prefix or "",
        headers=(*_header_ops(acl), *_retyped_mail(form, plan)),
        parts=plan.parts,
        removed=frozenset(plan.removed),
        body=body,
        cleaned=True,
        own=_own(kit, form),
        one_each=rules.filter.ambiguous_mime == "normalise",
    )
    kept.splices = edit.splices(form.data, form.index, edits)
    if body is None:
        kept.splices += _retyped_parts(form, plan)
        if kept.takes_out and verdicts.is_asked_for(decision.verdicts):
            kept.splices += _without_words(form)
    return kept


def _own(kit: Kit, form: Form) -> frozenset[bytes]:
    """The field of ours that stays in the header: that of a text which we have put in the place of all."""
    part = form.index.part(0)
    header = form.data[: part.header_size]
    if replacement.MARK_NAME not in header.lower() or part.body_size > MOST_COMPARED:
        return frozenset()
    body = form.data[part.body : part.body + part.body_size]
    ours = any(replacement.part_is_ours(header, body, text, kind) for text, kind in kit.templates)
    return frozenset((replacement.MARK_NAME,)) if ours else frozenset()


def _plan(kit: Kit, judged: Judged, plan: _Plan) -> None:
    """What one document's ACL wants."""
    acl, document = judged.acl, judged.document
    assert acl is not None
    number, action = document.number, PASSED
    if acl.remove:
        plan.removed.add(number)
        action = REMOVED
    elif (new := _replaced(kit, judged, acl)) is not None:
        plan.parts[number] = new
        action = REPLACED
    elif (new := _filtered(kit, judged, acl)) is not None:
        plan.parts[number] = new
        action = FILTERED
    if action == PASSED and acl.force_doctype_ident and (kind := _better_type(judged, acl)):
        plan.retyped[number] = kind
        action = RETYPED
    plan.actions[number] = action


def _replaced(kit: Kit, judged: Judged, acl: DocAcl) -> Replacement | None:
    """None where nothing is to stand there, or it does already."""
    if acl.replace_file is None:
        return None
    document, (path, kind) = judged.document, acl.replace_file
    text, kind = kit.template(path), kind or TEXT_TYPE
    if document.part.body_size <= MOST_COMPARED:
        with document.body as body:
            if replacement.part_is_ours(document.header, bytes(body), text, kind):
                return None
    return replacement.part(_values(judged, acl), text, kind)


def _values(judged: Judged, acl: DocAcl) -> Values:
    names, types = judged.document.names, judged.case.types(acl.doctype_ident_order)
    return Values(
        filename=names[0] if names else "",
        type=types[0],
        size=judged.document.size,
        virus=judged.scan.name if judged.scan.status == FOUND else "",
        rule=acl.name,
    )


def _is_html(judged: Judged, acl: DocAcl) -> bool:
    """Whether anybody might show it as HTML: by what it declares, or by what was found."""
    document = judged.document
    return not document.is_message and bool(_HTML & {*document.declared, *judged.case.types(acl.doctype_ident_order)})


def _filtered(kit: Kit, judged: Judged, acl: DocAcl) -> Replacement | None:
    """None where there is no HTML to filter, or nothing to take out."""
    document = judged.document
    if acl.html_filter is None or not _is_html(judged, acl):
        return None
    octets, changed = html.filtered(document.content(), _charset(document), kit.html_rules(acl.html_filter))
    if not changed:
        return None
    encoding, body = coding.encoded(octets, is_text=True)
    header = [field.octets for field in document.fields if field.name in _KEPT]
    header.append(b"Content-Type: text/html; charset=utf-8\r\n")
    header.append(b"Content-Transfer-Encoding: " + encoding + b"\r\n")
    return Replacement(b"".join(header), body)


def _charset(document: Document) -> str | None:
    """The charset that the part declares."""
    for field in document.fields:
        if field.name == _TYPE:
            found = dict(parameters(field.value)[1]).get(b"charset")
            return None if found is None else found.decode("ascii", "replace")
    return None


def _better_type(judged: Judged, acl: DocAcl) -> str:
    """The type that was found, where it is one and not what the part declares."""
    document = judged.document
    found = judged.case.types(acl.doctype_ident_order)[0]
    good = "" if document.is_message or found.startswith(("multipart/", "message/")) else found
    return good if good and document.declared != (good,) else ""


def _body(kit: Kit, form: Form, acl: MailAcl, decision: Decision) -> Replacement | None:
    """The text in place of the whole body, unless it stands there already."""
    if acl.replace_body is None:
        return None
    text, part = kit.template(acl.replace_body), form.index.part(0)
    header = form.data[: part.header_size]
    if part.body_size <= MOST_COMPARED:
        body = form.data[part.body : part.body + part.body_size]
        if replacement.part_is_ours(header, body, text):
            return None
    virus = decision.verdicts.virus
    found = virus.name if virus is not None and virus.status == FOUND else ""
    assert decision.mail is not None
    return replacement.part(Values(size=decision.mail.size, virus=found, rule=acl.name), text)


def _instead_of_all(form: Form, decision: Decision, plan: _Plan) -> Replacement | None:
    """One text in place of all documents, where a virus was found in none of them and all of them go: it is around them
    or between them, and goes, too.
    """
    found = decision.verdicts
    if not verdicts.is_found(found) or verdicts.is_in_leaves(found) or form.index.part(0).kind == "leaf":
        return None
    if not all(plan.actions[one.document.number] in (REPLACED, REMOVED) for one in decision.documents):
        return None
    return next(iter(plan.parts.values()), Replacement(edit.EMPTY, b""))


def _without_words(form: Form) -> Iterator[Splice]:
    """What stands before the first and behind the last part of a multipart goes: it is in no leaf, so that nobody has
    looked at it alone.
    """
    data = form.data
    for number in range(len(form.index)):
        part = form.index.part(number)
        if part.kind != "multipart" or not part.children:
            continue
        first, last = form.index.part(part.children[0]), form.index.part(part.children[-1])
        end = part.body + part.body_size
        opening = max(part.body, data.rfind(b"\n", part.body, first.header - 2) + 1)
        closing = data.find(b"\r\n", last.body + last.body_size + 2, end)
        if opening > part.body:
            yield Splice(part.body, opening, b"")
        if closing >= 0 and closing + 2 < end:
            yield Splice(closing + 2, end, b"")


def _header_ops(acl: MailAcl) -> Iterator[HeaderOp]:
    for op, name, value in acl.modify_header:
        yield HeaderOp(op, name, value or "")


def _retyped_mail(form: Form, plan: _Plan) -> Iterator[HeaderOp]:
    """A type says nothing to some programs where MIME-Version is missing (T-M01)."""
    if 0 in plan.retyped:
        header = form.data[: form.index.part(0).header_size]
        yield HeaderOp(edit.REPLACE, "Content-Type", _retyped(header, plan.retyped[0]).decode("ascii"))
        if fields.first(header, mimefields.VERSION) is None:
            yield HeaderOp(edit.ADD, "MIME-Version", "1.0")


def _retyped(header: bytes, kind: str) -> bytes:
    """A Content-Type of that kind, with the name that the declared one has, and the charset where it is a text's."""
    main = kind.encode("ascii", "replace")
    declared = fields.first(header, _TYPE)
    said = structured.parse(declared.value) if declared is not None else None
    if said is None or said.faults or len({each.name for each in said.parameters}) < len(said.parameters):
        return main
    wanted = (b"name", b"charset") if main.startswith(b"text/") else (b"name",)
    kept = [each for each in said.parameters if each.name.partition(b"*")[0] in wanted]
    value = structured.printed(main, kept)
    return value if value.isascii() and words.is_plain(value.decode("ascii")) else main


def _retyped_parts(form: Form, plan: _Plan) -> Iterator[Splice]:
    """New headers of parts whose octets stay as they are."""
    for number, kind in plan.retyped.items():
        if number:
            part = form.index.part(number)
            start, stop = part.header, part.header + part.header_size
            line = words.field(b"Content-Type", _retyped(form.data[start:stop], kind))
            header = fields.replaced(form.data[start:stop], _TYPE, line)
            if ambiguity.is_mail(form.index, part) and fields.first(header, mimefields.VERSION) is None:
                header = fields.added(header, normalise.VERSION)
            yield Splice(start, stop, header)


def _spare_seals(rules: Rules, form: Form, plan: _Plan, kept: Rewriting, whole: bool) -> None:
    """What `signed` says of changes to what is sealed.

    A part that must go, goes, and the seal breaks; what would only be changed stays as it is where the mail is left
    alone (`pass-if-clean`).
    """
    changed = {*plan.parts, *plan.removed, *plan.retyped}
    if not changed and not whole:
        return
    inner = {part for cover in signed.covers(form.data, form.index) for part in cover.parts}
    broken = changed & inner
    if rules.signed == "replace" and (broken or (whole and inner)):
        kept.breaks = True
        kept.log = (line(smtd.SIGNED, min(broken or inner), "REPLACED"),)
    elif broken and rules.signed == "pass-if-clean":
        gone = {number for number in broken if plan.actions[number] in (REPLACED, REMOVED)}
        kept.log = tuple(_left(plan, broken - gone)) if not gone else ()
    if broken and not kept.breaks and not kept.log:
        kept.log = (line(smtd.SIGNED, min(broken), "REWRITTEN"),)


def _left(plan: _Plan, numbers: Iterable[int]) -> Iterator[LogLine]:
    """Take back what was planned for these parts."""
    for number in sorted(numbers):
        plan.parts.pop(number, None)
        plan.retyped.pop(number, None)
        plan.actions[number] = PASSED
        yield line(smtd.SIGNED, number, "LEFT")
