"""Settings back to the language. What is written loads again to the same settings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from imap4fast.config.mailsettings import Antispam, Antivirus, HtmlFilter, Processing
from imap4fast.config.schema import Item, Section, default_of, defaults_of
from imap4fast.config.sections.antispam import ANTISPAM
from imap4fast.config.sections.antivirus import ANTIVIRUS
from imap4fast.config.sections.command_acl import COMMAND_ACL
from imap4fast.config.sections.doc_acl import DOC_ACL
from imap4fast.config.sections.html_filter import HTML_FILTER
from imap4fast.config.sections.imap4_proxy import IMAP4_PROXY
from imap4fast.config.sections.mail_acl import MAIL_ACL
from imap4fast.config.sections.session_acl import SESSION_ACL
from imap4fast.config.sections.ssl import SSL_PARAMS
from imap4fast.config.sections.ssl_cert_match import SSL_CERT_MATCH
from imap4fast.config.sections.time import TIME_PERIOD_SET
from imap4fast.config.settings import CertMatch, Proxy, Settings, SslParams
from imap4fast.config.types import Key
from imap4fast.config.values import TimePeriodSet
from imap4fast.names import DIALECT

_INDENT = "  "


def dump_proxy(settings: Settings, all: bool) -> str:
    """A whole file; `all`: also what has its default."""
    return _file(settings.proxy, all)


def dump_acls(settings: Settings, phase: int) -> str:
    """The ACLs of a phase: 1 session-acl, 2 command-acl, 3 mail-acl and doc-acl."""
    proxy = settings.proxy
    found: tuple[tuple[Section, tuple[Any, ...]], ...] = {
        1: ((SESSION_ACL, proxy.session_acls),),
        2: ((COMMAND_ACL, proxy.command_acls),),
        3: ((MAIL_ACL, proxy.mail_acls), (DOC_ACL, proxy.doc_acls)),
    }[phase]
    lines = [line for section, acls in found for acl in acls for line in _section(section, acl, False)]
    return "".join(f"{line}\n" for line in lines)


def section_text(section: Section, struct: Any) -> str:
    """One section with all that is in it, defaults too."""
    return "\n".join(_section(section, struct, True))


def digest(proxy: Proxy) -> str:
    """SHA-256, in hex, of the whole file that the settings are: comments and layout do not count."""
    return hashlib.sha256(_file(proxy, True).encode("utf-8")).hexdigest()


def _file(proxy: Proxy, everything: bool) -> str:
    lines = [f"version {DIALECT};"]
    for section, used in (
        (ANTIVIRUS, _antivirus(proxy)),
        (ANTISPAM, _antispam(proxy)),
        (HTML_FILTER, _html_filters(proxy)),
        (TIME_PERIOD_SET, _periods(proxy)),
        (SSL_PARAMS, _params(proxy)),
        (SSL_CERT_MATCH, _matches(proxy)),
    ):
        for struct in used:
            lines.extend(_section(section, struct, everything))
    lines.extend(_section(IMAP4_PROXY, proxy, everything))
    return "\n".join(lines) + "\n"


def _periods(proxy: Proxy) -> list[TimePeriodSet]:
    """The sets that ACLs use, each once."""
    conditions = [acl.conditions for acl in proxy.session_acls] + [acl.conditions for acl in proxy.command_acls]
    used = [condition.time_period_set for condition in conditions]
    return _each_once(used)


def _params(proxy: Proxy) -> list[SslParams]:
    """The `ssl-params` that ACLs use, each once."""
    used = [acl.client_ssl for acl in proxy.session_acls] + [acl.server_ssl for acl in proxy.command_acls]
    return _each_once([use.params for use in used if use is not None])


def _matches(proxy: Proxy) -> list[CertMatch]:
    """The `ssl-cert-match` that ACLs use, each once."""
    used = [acl.client_cert_match for acl in proxy.session_acls]
    for acl in proxy.command_acls:
        used += [acl.client_cert_match, acl.server_cert_match]
    return _each_once(used)


def _processing(proxy: Proxy) -> list[Processing]:
    return [one for acl in proxy.command_acls for one in (acl.download, acl.upload)]


def _antivirus(proxy: Proxy) -> list[Antivirus]:
    """The virus scanners that ACLs name, each once."""
    return _each_once([use.engine for one in _processing(proxy) for use in one.use_antivirus])


def _antispam(proxy: Proxy) -> list[Antispam]:
    """The spam scanners that ACLs name, each once."""
    return _each_once([one.use_antispam.engine for one in _processing(proxy) if one.use_antispam is not None])


def _html_filters(proxy: Proxy) -> list[HtmlFilter]:
    """The filters that doc-acls name, each once."""
    return _each_once([acl.html_filter for acl in proxy.doc_acls])


def _each_once(used: list[Any]) -> list[Any]:
    return list({one.name: one for one in used if one is not None}.values())


def _section(section: Section, struct: Any, everything: bool) -> Iterator[str]:
    yield f"{section.keyword} {struct.name} {{" if section.named else f"{section.keyword} {{"
    for member in section.members:
        if isinstance(member, Item):
            yield from (_INDENT + line for line in _item(section, member, struct, everything))
        else:
            yield from (_INDENT + line for line in _member_section(member, struct, everything))
    yield "}"


def _member_section(section: Section, struct: Any, everything: bool) -> Iterator[str]:
    if section.inline:
        yield from _inline(section, getattr(struct, section.target))
    if section.struct is None:
        return
    value = getattr(struct, section.target)
    default = defaults_of(struct.__class__)[section.target]
    if section.repeatable:
        for one in value:
            yield from _section(section, one, everything)
    elif value is not None and (everything or value != default):
        yield from _section(section, value, everything)


def _inline(section: Section, values: tuple[Any, ...]) -> Iterator[str]:
    item = next(member for member in section.members if isinstance(member, Item) and member.target == section.target)
    yield f"{section.keyword} {{"
    yield from (f"{_INDENT}{item.keyword} {item.type.write(value)};" for value in values)
    yield "}"


def _item(section: Section, item: Item, struct: Any, everything: bool) -> Iterator[str]:
    if item.same_as or not item.supported:
        return
    value = struct
    for name in item.target.split("."):
        value = getattr(value, name)
    if isinstance(item.type, Key):
        if value == item.type.value and value != default_of(section, item):
            yield f"{item.keyword};"
    elif item.repeatable:
        yield from (_line(item, one) for one in value)
    elif value != default_of(section, item) or (everything and value is not None):
        yield _line(item, value)


def _line(item: Item, value: Any) -> str:
    return f"{f'{item.keyword} {item.type.write(value)}'.rstrip()};"
