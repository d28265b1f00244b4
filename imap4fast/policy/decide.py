"""What is to become of a mail: the ACLs of phase 3 asked, first about the mail, then about each document.

The answer is a `Decision`: denied and why, or what is to be done to which part. Nothing is rewritten here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from imap4fast.config.mailsettings import DocAcl, MailAcl
from imap4fast.mail.replacement import Why
from imap4fast.mail.work import ERROR, FOUND, SKIPPED, UNKNOWN, Order, Scan, Verdicts
from imap4fast.policy import documents, verdicts
from imap4fast.policy.content import DocCase, Header, MailCase
from imap4fast.policy.documents import Document
from imap4fast.policy.examine import AMBIGUOUS, Form
from imap4fast.policy.kit import Kit, Rules
from imap4fast.policy.search import NO_ACL

UNAVAILABLE = "unavailable"
TOO_LARGE = "skipped"
_NO_RESULT = frozenset((ERROR, UNKNOWN))

REFUSE = "error"
REPLACE = "replace"


class Judged(msgspec.Struct):
    """A document, what its ACLs saw, its verdict, and the doc-acl that decided; None: none fits, or the document has
    more names or types than anybody judges.
    """

    document: Document
    case: DocCase
    scan: Scan
    acl: DocAcl | None

    @property
    def accepted(self) -> bool:
        return self.acl is not None and self.acl.accept


class Denial(msgspec.Struct):
    """Why a mail is denied, whether by `REPLACE` or `REFUSE`, and whether no ACL was asked before."""

    why: Why
    how: str
    unasked: bool = False


class Decision(msgspec.Struct):
    """What the ACLs said. `mail` is None where they were not asked. `documents` are those that were judged, all where
    the mail is accepted.
    """

    verdicts: Verdicts
    mail: MailCase | None = None
    mail_acl: MailAcl | None = None
    documents: tuple[Judged, ...] = ()
    denial: Denial | None = None


def decided(kit: Kit, rules: Rules, order: Order, form: Form, found: Verdicts, leaves: dict[int, Document]) -> Decision:
    """Ask the ACLs about a mail in good form. `leaves` are its documents that are no mails, by their numbers."""
    denial = _unscanned(rules, order, found)
    if denial is not None:
        return Decision(found, denial=denial)
    mail = _mail_case(rules, order, form, found)
    if mail.header.is_unclear:
        why = Why(AMBIGUOUS, size=order.size, detail="a field with too many addresses")
        return Decision(found, denial=Denial(why, rules.processing.on_deny, unasked=True))
    acl = kit.mails.search(order.mail_acls, mail)
    decision = Decision(found, mail, acl)
    if acl is None or not acl.accept:
        decision.denial = _denied_mail(rules, order, found, acl)
        return decision
    walk = _Walk(kit, rules, order, form, decision, leaves)
    decision.documents = tuple(walk.all())
    last = decision.documents[-1]
    if not last.accepted:
        decision.denial = Denial(_why_document(order, last), rules.processing.on_deny)
    return decision


def _unscanned(rules: Rules, order: Order, found: Verdicts) -> Denial | None:
    """A mail without a verdict, where the ACLs do not get to see that."""
    processing = rules.processing
    status = found.virus.status if found.virus is not None else ""
    if (status in _NO_RESULT or found.spam_failed) and processing.on_unavailable != "pass":
        detail = found.virus.name if status in _NO_RESULT and found.virus is not None else "antispam"
        how = processing.on_unavailable if order.direction == "download" else REFUSE
        return Denial(Why(UNAVAILABLE, size=order.size, detail=detail), how, unasked=True)
    if status == SKIPPED and processing.on_skipped != "pass":
        detail = found.virus.name if found.virus is not None else ""
        return Denial(Why(TOO_LARGE, size=order.size, detail=detail), processing.on_deny, unasked=True)
    return None


def _mail_case(rules: Rules, order: Order, form: Form, found: Verdicts) -> MailCase:
    header = form.data[: form.index.part(0).header_size]
    status = found.virus.status if found.virus is not None else SKIPPED
    return MailCase(order.direction, Header(header), order.size, status, found.spam)


def _denied_mail(rules: Rules, order: Order, found: Verdicts, acl: MailAcl | None) -> Denial:
    virus = found.virus if found.virus is not None and found.virus.status == FOUND else None
    reason = "policy"
    if virus is not None:
        reason = "virus"
    elif acl is not None and acl.mail.spam_score is not None and found.spam is not None:
        reason = "spam"
    rule, detail = ("", "") if acl is None else (acl.name, acl.deny or "")
    why = Why(reason, rule=rule, virus=virus.name if virus is not None else "", size=order.size, detail=detail)
    return Denial(why, rules.processing.on_deny)


def _why_document(order: Order, last: Judged) -> Why:
    if last.document.is_unclear:
        return Why(AMBIGUOUS, size=order.size, detail="a document with too many names or types")
    reason = "virus" if last.scan.status == FOUND else "policy"
    rule = last.acl.name if last.acl is not None else ""
    names = last.document.names
    virus = last.scan.name if reason == "virus" else ""
    return Why(reason, rule=rule, virus=virus, size=order.size, detail=names[0] if names else "")


class _Walk:
    """The documents of one mail, in the order in which they stand; ends with the first that is denied.

    A mail inside the mail is a document itself, before what is in it, and that is judged only where it stays.
    """

    def __init__(
        self, kit: Kit, rules: Rules, order: Order, form: Form, decision: Decision, leaves: dict[int, Document]
    ) -> None:
        self._kit = kit
        self._rules = rules
        self._names = order.doc_acls
        self._form = form
        self._decision = decision
        self._leaves = leaves
        scans = verdicts.of_leaves(decision.verdicts, len(leaves))
        self._scans = dict(zip(leaves, scans, strict=True))

    def all(self) -> Iterator[Judged]:
        waiting = list(documents.children(self._form.index, 0))[::-1]
        while waiting:
            number = waiting.pop()
            judged = self._judge(number)
            yield judged
            if not judged.accepted:
                return
            if judged.document.is_message and stays(judged.acl):
                waiting += list(documents.inside(self._form.index, number))[::-1]

    def _judge(self, number: int) -> Judged:
        index = self._form.index
        document = self._leaves.get(number) or Document(self._form.data, index, number)
        scan = self._scans.get(number)
        if scan is None:
            inside = [self._scans[part] for part in documents.below(index, number) if part in self._scans]
            scan = verdicts.of_message(self._decision.verdicts, inside)
        case = self._case(document, scan)
        acl = None if document.is_unclear else self._kit.documents.search(self._names, case)
        return Judged(document, case, scan, acl)

    def _case(self, document: Document, scan: Scan) -> DocCase:
        mail, acl = self._decision.mail, self._decision.mail_acl
        assert mail is not None
        parent = acl.name if acl is not None else NO_ACL
        types = types_of(document, self._rules, self._kit)
        return DocCase(mail, parent, document.size, scan.status, document.names, types)


def types_of(document: Document, rules: Rules, kit: Kit) -> Callable[[tuple[str, ...] | None], tuple[str, ...]]:
    """Candidate types of a document by an order of methods, the proxy's where None is asked for."""

    def types(order: tuple[str, ...] | None) -> tuple[str, ...]:
        return document.types(order or rules.order, kit.catalogue)

    return types


def stays(acl: DocAcl | None) -> bool:
    """Whether a document that an ACL accepts is still there afterwards."""
    return acl is not None and not acl.remove and acl.replace_file is None
