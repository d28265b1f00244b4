"""What a helper knows of the configuration: everything compiled once, before the first mail.

`Kit` holds no descriptor, no clock and no state of a mail. It is made by the master with the files that it has read,
and lives in every helper.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from imap4fast.config.mailsettings import (
    BUILTIN,
    CONTENT_TYPE,
    DoctypeIdentification,
    HtmlFilter,
    MailFilter,
    Processing,
)
from imap4fast.config.settings import CommandAcl, Settings
from imap4fast.mail.builtin import Engine
from imap4fast.mail.corrections import FilterRules
from imap4fast.mail.html import HtmlRules
from imap4fast.policy.htmlrules import html_rules
from imap4fast.policy.mailsearch import search_of_documents, search_of_mails
from imap4fast.policy.material import Material, catalogue, digests

TEXT_TYPE = "text/plain"
"""The type of a file that is put in place, unless another is named."""

MOST_HEADER = 1 << 30
MOST_PARTS = 100_000
MOST_DEPTH = 100
"""What 0, none, means for the caps of `mail-filter`."""


class BuiltIn(msgspec.Struct, frozen=True):
    """A built-in engine that is in use, and the size of the largest mail for it; 0: any."""

    engine: Engine | None
    limit: int

    def takes(self, size: int) -> bool:
        """Whether a mail of that size is looked at."""
        return not self.limit or size <= self.limit


class Rules(msgspec.Struct, frozen=True):
    """What a command-acl says of mails of one direction.

    `scanned`: some virus scanner is in use. `engines` are the built-in ones of them, `spam` is the built-in one where
    it is in use. `order` are the methods by which types of documents are found.
    """

    command_acl: str
    direction: str
    processing: Processing
    filter: FilterRules
    scanned: bool
    engines: tuple[BuiltIn, ...]
    spam: BuiltIn | None
    signed: str
    order: tuple[str, ...]


class Kit:
    """All that helpers need of the settings and of the files that these name."""

    def __init__(self, settings: Settings, material: Material) -> None:
        proxy = settings.proxy
        found = proxy.doctype_identification
        self.catalogue = catalogue(settings, material)
        self.mails = search_of_mails(proxy.mail_acls)
        self.documents = search_of_documents(proxy.doc_acls)
        self.templates = tuple(_templates(settings, material))
        self.html = {one.name: html_rules(one) for one in _html_filters(settings)}
        self._material = material
        self._rules = {
            (acl.name, direction): _rules(acl, direction, material, found)
            for acl in proxy.command_acls
            for direction in ("download", "upload")
        }

    def rules(self, command_acl: str, direction: str) -> Rules:
        """Those of a command-acl for one direction."""
        return self._rules[command_acl, direction]

    def template(self, path: str) -> bytes:
        """The octets of a file that an ACL names."""
        return self._material.of(path)

    def html_rules(self, html_filter: HtmlFilter) -> HtmlRules:
        """The compiled rules of a filter."""
        return self.html[html_filter.name]


def _templates(settings: Settings, material: Material) -> Iterator[tuple[bytes, str]]:
    """(octets, media type) of all that may stand in the place of a part."""
    for mail in settings.proxy.mail_acls:
        if mail.replace_body is not None:
            yield material.of(mail.replace_body), TEXT_TYPE
    for doc in settings.proxy.doc_acls:
        if doc.replace_file is not None:
            yield material.of(doc.replace_file[0]), doc.replace_file[1] or TEXT_TYPE


def _html_filters(settings: Settings) -> list[HtmlFilter]:
    found = {acl.html_filter.name: acl.html_filter for acl in settings.proxy.doc_acls if acl.html_filter is not None}
    return list(found.values())


def _rules(acl: CommandAcl, direction: str, material: Material, found: DoctypeIdentification) -> Rules:
    processing: Processing = getattr(acl, direction)
    uses = [use for use in processing.use_antivirus if use.enable]
    engines = [
        BuiltIn(Engine(digests(material, use.engine)), _limit(use.size, use.engine.max_checked_size))
        for use in uses
        if use.engine.connection.kind == BUILTIN
    ]
    spam = processing.use_antispam
    own = spam is not None and spam.enable and spam.engine.connection.kind == BUILTIN
    return Rules(
        command_acl=acl.name,
        direction=direction,
        processing=processing,
        filter=filter_rules(processing.mail_filter),
        scanned=bool(uses),
        engines=tuple(engines),
        spam=BuiltIn(None, (spam.size or 0) if spam is not None else 0) if own else None,
        signed=acl.signed,
        order=_order(found, direction),
    )


def _limit(*sizes: int | None) -> int:
    """The smallest that is one."""
    return min((size for size in sizes if size), default=0)


def filter_rules(given: MailFilter) -> FilterRules:
    """The rules on the form of mails, with caps in any case."""
    values = msgspec.structs.asdict(given)
    caps = (("max_header_size", MOST_HEADER), ("max_parts", MOST_PARTS), ("max_depth", MOST_DEPTH))
    return FilterRules(**{**values, **{name: values[name] or most for name, most in caps}})


def _order(found: DoctypeIdentification, direction: str) -> tuple[str, ...]:
    """The methods for a direction; one that is for it alone wins."""
    by_direction = {order.direction: order.methods for order in found.order}
    return by_direction.get(direction) or by_direction.get(None) or (CONTENT_TYPE,)
