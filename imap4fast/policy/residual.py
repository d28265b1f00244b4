"""The policy on mails that is left of a session's: its conditions on the session are decided, once for all its mails.

A mail must look the same whenever it is asked for. So the conditions of mail-acl and doc-acl fall in two: those on the
session are judged here, those on content when a mail is processed; and what is left of both, with all that rewriting
depends on, has a digest under which processed mails are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec
from msgspec import structs

from imap4fast.config.basesettings import Conditions
from imap4fast.config.dump import section_text
from imap4fast.config.mailsettings import DocAcl, MailAcl, Processing
from imap4fast.config.schema import Section
from imap4fast.config.sections.command_acl import COMMAND_ACL
from imap4fast.config.sections.doc_acl import DOC_ACL
from imap4fast.config.sections.doctype import DOCTYPE_IDENTIFICATION
from imap4fast.config.sections.html_filter import HTML_FILTER
from imap4fast.config.sections.mail_acl import MAIL_ACL
from imap4fast.config.settings import CommandAcl, Settings
from imap4fast.config.values import Address
from imap4fast.policy.conditions import Condition, compile_conditions
from imap4fast.policy.facts import Facts
from imap4fast.policy.fit import FITS
from imap4fast.policy.hosts import Names, plain_name
from imap4fast.policy.material import Material

REWRITER = 1
"""What the same policy makes of the same mail: raised whenever that changes, lest a mail be half old, half new."""

_NO_NAMES: Names = MappingProxyType({})


class Residual(msgspec.Struct, frozen=True):
    """The mail-acls and doc-acls that are left, in file order, and the digest of all that a mail's form depends on."""

    mail_acls: tuple[str, ...]
    doc_acls: tuple[str, ...]
    digest: bytes


class Residuals:
    """What is left of a configuration's policy on mails for one session after another."""

    def __init__(
        self, settings: Settings, material: Material, names: Mapping[str, frozenset[Address]] = _NO_NAMES
    ) -> None:
        known = MappingProxyType({plain_name(name): addresses for name, addresses in names.items()})
        self._settings = settings
        self._material = material
        self._mails = [(acl, compile_conditions(acl.conditions, known)) for acl in settings.proxy.mail_acls]
        self._docs = [
            (acl, compile_conditions(_without_parent(acl.conditions), known)) for acl in settings.proxy.doc_acls
        ]
        self._known: dict[tuple[str, str, str, tuple[str, ...], tuple[str, ...]], Residual] = {}

    def of(self, facts: Facts, command_acl: CommandAcl, direction: str, language: str = "EN") -> Residual:
        """For a session with these facts under a command-acl; `language` is that of texts made for its client."""
        facts = structs.replace(facts, parent=command_acl.name)
        mails = tuple(acl.name for acl, conditions in self._mails if _left(acl, conditions, facts, direction))
        docs = tuple(acl.name for acl, conditions in self._docs if _left(acl, conditions, facts, direction))
        key = (command_acl.name, direction, language, mails, docs)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Residual(mails, docs, self._digest(command_acl, *key[1:]))
        return found

    def _digest(
        self, command_acl: CommandAcl, direction: str, language: str, mails: tuple[str, ...], docs: tuple[str, ...]
    ) -> bytes:
        state = hashlib.sha256()
        for text in self._texts(command_acl, direction, language, mails, docs):
            octets = text if isinstance(text, bytes) else text.encode("utf-8")
            state.update(len(octets).to_bytes(8, "big"))
            state.update(octets)
        return state.digest()

    def _texts(
        self, command_acl: CommandAcl, direction: str, language: str, mails: tuple[str, ...], docs: tuple[str, ...]
    ) -> Iterator[str | bytes]:
        """All that decides how a mail looks."""
        proxy = self._settings.proxy
        processing: Processing = getattr(command_acl, direction)
        most = command_acl.max_mail_in if direction == "download" else command_acl.max_mail_out
        yield from (str(REWRITER), direction, language, command_acl.signed, str(most))
        yield section_text(_section(direction), processing)
        for use in processing.use_antivirus:
            yield f"{use.engine.connection.kind} {use.engine.max_checked_size}"
            yield self._material.of(use.engine.digests) if use.engine.connection.kind == "builtin" else b""
        yield section_text(DOCTYPE_IDENTIFICATION, proxy.doctype_identification)
        yield self._material.of(proxy.doctype_identification.mime_types)
        yield self._material.of(proxy.doctype_identification.magic)
        for mail in (acl for acl in proxy.mail_acls if acl.name in mails):
            yield section_text(MAIL_ACL, _content_of_mail(mail))
            yield self._material.of(mail.replace_body)
        for doc in (acl for acl in proxy.doc_acls if acl.name in docs):
            yield section_text(DOC_ACL, _content_of_document(doc))
            yield "" if doc.html_filter is None else section_text(HTML_FILTER, doc.html_filter)
            yield self._material.of(doc.replace_file[0] if doc.replace_file is not None else None)


def of(
    settings: Settings,
    material: Material,
    facts: Facts,
    command_acl: CommandAcl,
    direction: str,
    language: str = "EN",
    names: Mapping[str, frozenset[Address]] = _NO_NAMES,
) -> Residual:
    """For one session alone."""
    return Residuals(settings, material, names).of(facts, command_acl, direction, language)


def _left(acl: MailAcl | DocAcl, conditions: tuple[Condition, ...], facts: Facts, direction: str) -> bool:
    if acl.mail.direction not in (None, direction):
        return False
    return all(condition.fits(facts) is FITS for condition in conditions)


def _without_parent(conditions: Conditions) -> Conditions:
    """A doc-acl's parent is the mail-acl that accepts: no condition on the session."""
    return structs.replace(conditions, parent_acl=None)


def _content_of_mail(acl: MailAcl) -> MailAcl:
    """Without what was decided, and without what changes no mail."""
    return structs.replace(
        acl, conditions=Conditions(), mail=structs.replace(acl.mail, direction=None), quarantine=None
    )


def _content_of_document(acl: DocAcl) -> DocAcl:
    parent = Conditions(parent_acl=acl.conditions.parent_acl)
    return structs.replace(acl, conditions=parent, mail=structs.replace(acl.mail, direction=None))


def _section(direction: str) -> Section:
    section = COMMAND_ACL.member(direction)
    assert isinstance(section, Section)
    return section
