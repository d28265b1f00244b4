"""imap4-proxy(5): `command-acl` with `download` and `upload`."""

from __future__ import annotations

from imap4fast.config.composite import Opt, Seq
from imap4fast.config.diagnostic import Report
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
from imap4fast.config.settings import CommandAcl, Conditions
from imap4fast.config.types import DURATION, INTEGER, KEY, SIZE, YES_NO, Ref, words
from imap4fast.config.values import WordList
from imap4fast.config.wordlist import WordListType, first_fit, known_word
from imap4fast.config.words import CAPABILITY_WORDS, COMMAND_WORDS, is_capability_word, is_command_word

COMMANDS_TYPE = WordListType("command", known_word("command", COMMAND_WORDS, is_command_word))
CAPABILITIES_TYPE = WordListType("capability", known_word("capability", CAPABILITY_WORDS, is_capability_word))


def _processing(direction: str, on_deny: str, default: str) -> Section:
    return Section(
        keyword=direction,
        help=f"processing of mails, {direction}",
        page="imap4-proxy",
        supported=False,
        members=(
            Item(
                keyword="use-antivirus",
                type=Seq(words("enable", "disable"), Ref("antivirus"), Opt(SIZE)),
                repeatable=True,
                default="none",
                help="a scanner and the largest mail for it; what is larger is SKIPPED",
            ),
            Item(
                keyword="use-antispam",
                type=Seq(words("enable", "disable"), Ref("antispam"), Opt(SIZE)),
                default="none",
                help="a scanner and the largest mail for it",
            ),
            MAIL_FILTER,
            Item(
                keyword="on-unavailable",
                type=words("error", "replace", "pass"),
                default="error",
                help="when a scanner gave no result",
            ),
            Item(keyword="on-skipped", type=words("deny", "pass"), default="deny", help="when a mail was too large"),
            Item(keyword="on-deny", type=words(*on_deny.split()), default=default, help="what a denied mail becomes"),
        ),
    )


def _check(bound: Bound, report: Report) -> None:
    check_times(bound, report)
    acl: CommandAcl = bound.struct
    if acl.accept and not acl.no_mail_scanning and not bound.partial:
        report.error(
            bound.statement.keyword.span,
            f"mail processing is not supported yet: `command-acl {acl.name}` must say `no-mail-scanning;` to accept",
        )
    for command in sorted(COMMAND_WORDS):
        _check_uid_form(command, acl.commands or (), bound, report)


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
            help="commands that pass",
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
            supported=False,
            default="strict",
            help="what is answered from the processed mail",
        ),
        Item(keyword="prefetch", type=INTEGER, supported=False, default="0", help="mails fetched ahead"),
        Item(
            keyword="signed",
            type=words("pass-if-clean", "rewrite", "replace"),
            supported=False,
            default="pass-if-clean",
            help="signed mails",
        ),
        _processing("download", "replace error", "replace"),
        _processing("upload", "error", "error"),
    ),
)
