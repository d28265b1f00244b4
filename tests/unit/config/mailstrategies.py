"""Settings of mail processing as a configuration can give them, for hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from imap4fast.config.basesettings import Conditions
from imap4fast.config.mailsettings import (
    Antispam,
    Antivirus,
    Connection,
    DocAcl,
    DoctypeIdentification,
    DoctypeOrder,
    HtmlFilter,
    MailAcl,
    MailConditions,
    MailFilter,
    Processing,
    Upload,
    UseAntispam,
    UseAntivirus,
)
from tests.unit.config.strategies import (
    durations,
    host_lists,
    lists_without_regex,
    names,
    numbers,
    paths,
    several,
    sock_opts,
    socks,
    texts,
    word_lists,
)

lines = texts.filter(str.isprintable)
header_names = st.sampled_from(["Subject", "X-A", "received", "List-Id"])
breakers = st.tuples(numbers, numbers)
operators = st.sampled_from(["lt", "le", "eq", "ne", "ge", "gt"])
media_types = st.sampled_from(["text/plain", "text/*", "", "application/x-dosexec"])
methods = st.lists(st.sampled_from(["content-type", "extension", "magic"]), min_size=1, unique=True).map(tuple)
scores = st.integers(0, 1000).map(lambda number: number / 10)
rules = several(st.tuples(st.sampled_from(["accept", "deny"]), word_lists(texts, regex=True)), 2)
replacements = st.none() | texts


@st.composite
def antivirus(draw: Any, name: str) -> Antivirus:
    kind = draw(st.sampled_from(["clamav-net", "clamav-unix", "clamav-file", "icap", "builtin"]))
    connections = {
        "clamav-net": st.builds(Connection, st.just(kind), socks),
        "clamav-unix": st.builds(Connection, st.just(kind), path=paths),
        "clamav-file": st.builds(Connection, st.just(kind), socks) | st.builds(Connection, st.just(kind), path=paths),
        "icap": st.builds(Connection, st.just(kind), socks, service=texts),
        "builtin": st.just(Connection(kind)),
    }
    return Antivirus(
        name,
        draw(connections[kind]),
        digests=draw(st.none() | paths) if kind == "builtin" else None,
        sock_opt=draw(sock_opts),
        timeout=draw(durations),
        max_checked_size=draw(numbers),
        comm_dir=draw(paths) if kind == "clamav-file" else None,
        pool=draw(st.integers(0, 1000)),
        breaker=draw(breakers),
    )


@st.composite
def antispam(draw: Any, name: str) -> Antispam:
    kind = draw(st.sampled_from(["spamd", "rspamd", "builtin"]))
    connection = Connection(kind, None if kind == "builtin" else draw(socks))
    return Antispam(name, connection, draw(sock_opts), draw(durations), draw(st.integers(0, 1000)), draw(breakers))


@st.composite
def html_filters(draw: Any, name: str) -> HtmlFilter:
    return HtmlFilter(name, *(draw(rules) for _ in range(9)), *(draw(replacements) for _ in range(4)))


mail_filters = st.builds(
    MailFilter,
    *[st.booleans()] * 4,
    st.sampled_from(["keep", "shorten", "reject"]),
    st.sampled_from(["keep", "encode", "reject"]),
    st.integers(0, 2**30),
    st.integers(0, 100_000),
    st.integers(0, 100),
    st.sampled_from(["deny", "keep"]),
    st.sampled_from(["deny", "normalise", "keep"]),
    st.sampled_from(["deny", "keep"]),
)


@st.composite
def processing(draw: Any, kind: Any, engines: tuple[Antivirus, ...], judges: tuple[Antispam, ...]) -> Processing:
    used = draw(st.lists(st.sampled_from(engines), unique_by=lambda engine: engine.name, max_size=2))
    sizes = st.none() | numbers
    denied = {} if kind is Upload else {"on_deny": draw(st.sampled_from(["replace", "error"]))}
    return kind(
        use_antivirus=tuple(UseAntivirus(draw(st.booleans()), engine, draw(sizes)) for engine in used),
        use_antispam=draw(st.none() | st.builds(UseAntispam, st.booleans(), st.sampled_from(judges), sizes)),
        mail_filter=draw(mail_filters),
        on_unavailable=draw(st.sampled_from(["error", "replace", "pass"])),
        on_skipped=draw(st.sampled_from(["deny", "pass"])),
        **denied,
    )


mail_conditions = st.builds(
    MailConditions,
    st.none() | st.sampled_from(["download", "upload"]),
    st.none() | word_lists(st.sampled_from(["found", "free", "skipped", "unknown", "error"])),
    st.none() | st.just(("UNKNOWN", None)) | st.tuples(operators, scores),
    st.none() | st.tuples(operators, numbers),
    st.none() | st.tuples(header_names, word_lists(texts, regex=True)),
    st.none() | word_lists(texts, regex=True),
    st.none() | word_lists(texts, regex=True),
)


@st.composite
def conditions(draw: Any, parents: tuple[str, ...]) -> Conditions:
    return Conditions(
        from_=draw(st.none() | host_lists),
        to=draw(st.none() | lists_without_regex),
        server=draw(st.none() | host_lists),
        user=draw(st.none() | word_lists(texts, regex=True)),
        group=draw(st.none() | word_lists(texts, regex=True)),
        parent_acl=draw(st.none() | word_lists(st.sampled_from(parents))) if parents else None,
    )


header_edits = st.one_of(
    st.tuples(st.sampled_from(["add", "replace"]), header_names, lines),
    st.tuples(st.just("delete"), header_names, st.none()),
)


@st.composite
def mail_acls(draw: Any, name: str, parents: tuple[str, ...]) -> MailAcl:
    deny = draw(st.none() | texts)
    return MailAcl(
        name,
        deny is None,
        draw(conditions(parents)),
        draw(mail_conditions),
        deny,
        draw(st.none() | lines),
        draw(st.none() | paths),
        draw(several(header_edits)),
        draw(st.none() | paths),
    )


@st.composite
def doc_acls(draw: Any, name: str, parents: tuple[str, ...], filters: tuple[HtmlFilter, ...]) -> DocAcl:
    action = draw(st.sampled_from(["", "html_filter", "replace_file", "remove"]))
    value = {
        "html_filter": st.sampled_from(filters),
        "replace_file": st.tuples(paths, st.none() | st.sampled_from(["text/plain", "text/html"])),
        "remove": st.just(True),
    }
    return DocAcl(
        name,
        draw(st.booleans()),
        draw(conditions(parents)),
        draw(mail_conditions),
        draw(st.none() | word_lists(media_types, regex=True)),
        draw(st.none() | word_lists(texts, regex=True)),
        draw(st.none() | methods),
        force_doctype_ident=draw(st.booleans()),
        **({action: draw(value[action])} if action else {}),
    )


@st.composite
def identifications(draw: Any) -> DoctypeIdentification:
    wanted = draw(st.lists(st.sampled_from([None, "download", "upload"]), unique=True))
    orders = tuple(DoctypeOrder(direction, draw(methods)) for direction in wanted)
    return DoctypeIdentification(orders, draw(st.none() | paths), draw(st.none() | paths))


@st.composite
def mail_fields(draw: Any, commands: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a proxy that are about mails."""
    mail_names = tuple(draw(st.lists(names, max_size=2, unique=True)))
    doc_names = draw(st.lists(names, max_size=2, unique=True))
    filters = draw(several_sections(html_filters))
    return {
        "spool_dir": draw(st.none() | paths),
        "spool_max": draw(numbers),
        "spool_keep": draw(durations),
        "verdict_keep": draw(durations),
        "doctype_identification": draw(identifications()),
        "mail_acls": tuple(draw(mail_acls(name, commands)) for name in mail_names),
        "doc_acls": tuple(draw(doc_acls(name, mail_names, filters)) for name in doc_names),
    }


def several_sections(kind: Any) -> Any:
    """One or two sections of different names."""
    return st.lists(names, min_size=1, max_size=2, unique=True).flatmap(lambda found: st.tuples(*map(kind, found)))


@st.composite
def command_fields(draw: Any, engines: tuple[Antivirus, ...], judges: tuple[Antispam, ...]) -> dict[str, Any]:
    """The fields of a command-acl that are about mails."""
    return {
        "mail_view": draw(st.sampled_from(["strict", "headers-first"])),
        "prefetch": draw(numbers),
        "signed": draw(st.sampled_from(["pass-if-clean", "rewrite", "replace"])),
        "download": draw(processing(Processing, engines, judges)),
        "upload": draw(processing(Upload, engines, judges)),
    }
