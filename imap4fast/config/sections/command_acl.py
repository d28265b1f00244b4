"""imap4-proxy(5): `command-acl` with `download` and `upload`."""

from __future__ import annotations

from typing import Any

from imap4fast.config.basesettings import Conditions
from imap4fast.config.composite import Opt, Seq
from imap4fast.config.cursor import Cursor
from imap4fast.config.diagnostic import Report
from imap4fast.config.mailsettings import Processing, Upload, UseAntispam, UseAntivirus
from imap4fast.config.schema import Bound, Item, Section
from imap4fast.config.sections.acl import (
    FROM,
    GROUP,
    LANGUAGE,
    RESULT,
    RESULTS,
    SERVER,
    TIME_ITEM,
    TIME_PERIOD,
    TO,
    USER,
    check_times,
    parent_acl,
)
from imap4fast.config.sections.mail_filter import MAIL_FILTER
from imap4fast.config.sections.session_acl import shape
from imap4fast.config.sections.ssl import CERT_MATCH, SSL_USE
from imap4fast.config.settings import CommandAcl
from imap4fast.config.types import DURATION, INTEGER, KEY, SIZE, YES_NO, Ref, Type, Word, words
from imap4fast.config.values import WordList
from imap4fast.config.wordlist import WordListType, first_fit, known_word, named_words
from imap4fast.config.words import (
    CAPABILITY_WORDS,
    COMMAND_WORDS,
    NEVER_SCANNED,
    is_capability_word,
    is_command_word,
    never_with_scanning,
)

COMMANDS_TYPE = WordListType("command", known_word("command", COMMAND_WORDS, is_command_word))
CAPABILITIES_TYPE = WordListType("capability", known_word("capability", CAPABILITY_WORDS, is_capability_word))


_SCANNING_ITEMS = ("mail-view", "prefetch", "signed", "download", "upload")


class _Use(Type):
    """`enable|disable NAME [SIZE]`."""

    def __init__(self, kind: str, struct: type[UseAntivirus] | type[UseAntispam]) -> None:
        self.inner = Seq(Word({"enable": True, "disable": False}), Ref(kind, resolve=True), Opt(SIZE))
        self.struct = struct
        self.name = self.inner.name

    def read(self, cursor: Cursor) -> UseAntivirus | UseAntispam:
        return self.struct(*self.inner.read(cursor))

    def write(self, value: Any) -> str:
        return self.inner.write((value.enable, value.engine, value.size))


def _processing(direction: str, struct: type[Processing], on_deny: str) -> Section:
    return Section(
        keyword=direction,
        help=f"processing of mails, {direction}",
        page="imap4-proxy",
        struct=struct,
        check=_check_uses,
        members=(
            Item(
                keyword="use-antivirus",
                type=_Use("antivirus", UseAntivirus),
                repeatable=True,
                help="a scanner and the largest mail for it; the smaller of this and max-checked-size counts, what is "
                "larger is SKIPPED",
            ),
            Item(
                keyword="use-antispam",
                type=_Use("antispam", UseAntispam),
                help="a scanner and the largest mail for it",
            ),
            MAIL_FILTER,
            Item(
                keyword="on-unavailable",
                type=words("error", "replace", "pass"),
                help="when a scanner gave no result; only with pass do the ACLs see that",
            ),
            Item(
                keyword="on-skipped",
                type=words("deny", "pass"),
                help="when a mail was too large for a virus scanner; only with pass do the ACLs see that",
            ),
            Item(keyword="on-deny", type=words(*on_deny.split()), help="what a denied mail becomes"),
        ),
    )


def _check_uses(bound: Bound, report: Report) -> None:
    """No engine is named twice."""
    seen: set[str] = set()
    for use, place in zip(bound.struct.use_antivirus, bound.places.get("use-antivirus", ()), strict=False):
        if use.engine is not None and use.engine.name in seen:
            report.error(place, f"`antivirus {use.engine.name}` is named a second time")
        seen.add(use.engine.name if use.engine is not None else "")


def _check(bound: Bound, report: Report) -> None:
    check_times(bound, report)
    acl: CommandAcl = bound.struct
    if acl.accept and not acl.no_mail_scanning and not bound.partial:
        _check_scanning(bound, report)
    if acl.no_mail_scanning:
        for keyword in _SCANNING_ITEMS:
            if keyword in bound.places:
                report.warning(bound.place(keyword), f"`{keyword}` has no effect with `no-mail-scanning`")
    for command in sorted(COMMAND_WORDS):
        _check_uid_form(command, acl.commands or (), bound, report)


def _check_scanning(bound: Bound, report: Report) -> None:
    acl: CommandAcl = bound.struct
    for command in sorted(NEVER_SCANNED & named_words(acl.commands or ())):
        text = f"`{command}` never passes where mails are processed: `no-mail-scanning` is missing, or leave it out"
        report.error(bound.place("commands"), text)
    for word in sorted(named_words(acl.capabilities or ())):
        if never_with_scanning(word):
            text = f"`{word}` is never offered where mails are processed"
            report.warning(bound.place("capabilities"), text)


def _check_uid_form(command: str, members: WordList, bound: Bound, report: Report) -> None:
    twin = f"UID-{command}"
    if twin in COMMAND_WORDS and first_fit(members, command) is False and first_fit(members, twin):
        report.warning(bound.place("commands"), f"{command} is excluded, but {twin} is not")


COMMAND_ACL = Section(
    keyword="command-acl",
    help="phase 2, searched once for a connection and, with user or group, again after login",
    page="imap4-proxy",
    named=True,
    repeatable=True,
    field="command_acls",
    struct=CommandAcl,
    parts={"conditions": Conditions},
    one_of=RESULTS,
    check=_check,
    members=(
        FROM,
        TO,
        SERVER,
        TIME_ITEM,
        TIME_PERIOD,
        USER,
        GROUP,
        parent_acl("session-acl"),
        *RESULT,
        Item(
            keyword="client-cert-match",
            type=CERT_MATCH,
            default="*",
            help="condition: the client's certificate",
        ),
        Item(keyword="language", type=LANGUAGE, default="session-acl's", help="overrides session-acl's"),
        Item(keyword="idle-timeout", type=DURATION, default="session-acl's", help="overrides session-acl's"),
        shape("in"),
        shape("out"),
        Item(
            keyword="commands",
            type=COMMANDS_TYPE,
            default="all but COMPRESS UNAUTHENTICATE PROXYAUTH UNKNOWN",
            help="commands that pass; where mails are processed fewer by default, and some never",
        ),
        Item(
            keyword="capabilities",
            type=CAPABILITIES_TYPE,
            default="all known ones but hop-by-hop names, referrals and -PLUS mechanisms",
            help="capabilities that the client sees; `AUTH=*` for all mechanisms, UNKNOWN for the rest",
        ),
        Item(
            keyword="read-only",
            type=KEY,
            help="SELECT becomes EXAMINE; what changes a mailbox is refused; no \\Seen",
        ),
        Item(
            keyword="server-ssl-params",
            type=SSL_USE,
            field="server_ssl",
            default="none",
            help="TLS of the server: session: at once (default), command: STARTTLS",
        ),
        Item(
            keyword="server-cert-match",
            type=CERT_MATCH,
            default="none",
            help="requirement: the server's certificate",
        ),
        Item(keyword="max-bytes-in", type=SIZE, help="bytes of IMAP towards the client"),
        Item(keyword="max-bytes-out", type=SIZE, help="bytes of IMAP towards the server"),
        Item(keyword="max-mail-in", type=SIZE, help="size of a mail towards the client"),
        Item(keyword="max-mail-out", type=SIZE, help="size of a mail towards the server"),
        Item(keyword="max-time", type=DURATION, help="length of the session"),
        Item(keyword="sasl-external", type=YES_NO, help="SASL EXTERNAL towards the server"),
        Item(keyword="no-mail-scanning", type=KEY, help="pass mode: mails are not looked at"),
        Item(
            keyword="mail-view",
            type=words("strict", "headers-first"),
            help="headers-first: lists of mails are answered before the mails are processed; strict: nothing is",
        ),
        Item(
            keyword="prefetch",
            type=INTEGER,
            help="new mails that are processed ahead while a mailbox is selected and nothing is asked; not in IDLE",
        ),
        Item(
            keyword="signed",
            type=words("pass-if-clean", "rewrite", "replace"),
            help="signed and encrypted mails: left as they are unless something must be taken out; rewritten as "
            "others are; or replaced where they would be changed",
        ),
        _processing("download", Processing, "replace error"),
        _processing("upload", Upload, "error"),
    ),
)
