"""Phase 3: which mail-acl decides about a mail, and which doc-acl about each of its documents.

The conditions on the session were decided before (`residual.py`); what is searched here are the ACLs that are left, in
file order. The first whose conditions all fit decides, none denies under the name `<NULL>`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from imap4fast.config.mailsettings import DocAcl, MailAcl
from imap4fast.policy import contentconditions
from imap4fast.policy.content import DocCase, MailCase
from imap4fast.policy.contentconditions import ContentCondition
from imap4fast.policy.search import NO_ACL
from imap4fast.policy.trace import AclTrace, acl_trace

Acl = TypeVar("Acl", MailAcl, DocAcl)
Case = TypeVar("Case", MailCase, DocCase)


class ContentSearch(Generic[Acl, Case]):
    """The ACLs of one kind, compiled, by their names."""

    def __init__(self, rows: Iterable[tuple[Acl, tuple[ContentCondition[Case], ...]]]) -> None:
        self._rows: dict[str, tuple[Acl, tuple[ContentCondition[Case], ...]]] = {row[0].name: row for row in rows}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all of them, in file order."""
        return tuple(self._rows)

    def search(self, names: tuple[str, ...], case: Case) -> Acl | None:
        """The first of the ACLs `names` that fits; None denies."""
        for name in names:
            acl, conditions = self._rows[name]
            for condition in conditions:
                if not condition.fits(case):
                    break
            else:
                return acl
        return None

    def explain(self, names: tuple[str, ...], case: Case) -> tuple[AclTrace, ...]:
        """A trace of every ACL up to the one that decides."""
        traces = []
        for name in names:
            _, conditions = self._rows[name]
            traces.append(acl_trace(name, tuple(condition.trace(case) for condition in conditions)))
            if traces[-1].matched:
                break
        return tuple(traces)


def search_of_mails(acls: Iterable[MailAcl]) -> ContentSearch[MailAcl, MailCase]:
    """The mail-acls of a configuration."""
    return ContentSearch((acl, contentconditions.of_mail(acl)) for acl in acls)


def search_of_documents(acls: Iterable[DocAcl]) -> ContentSearch[DocAcl, DocCase]:
    """The doc-acls of a configuration."""
    return ContentSearch((acl, contentconditions.of_document(acl)) for acl in acls)


def name_of(acl: MailAcl | DocAcl | None) -> str:
    """The name that a decision has."""
    return NO_ACL if acl is None else acl.name
