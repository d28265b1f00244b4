"""imap4-proxy(5): `mail-acl`."""

from __future__ import annotations

from imap4fast.config.composite import Branch, Opt, Seq
from imap4fast.config.schema import Item, Section
from imap4fast.config.sections.acl import FROM, GROUP, RESULTS, SERVER, TO, USER, parent_acl
from imap4fast.config.types import DECIMAL, DIRECTORY, FILE, KEY, SIZE, STR, words
from imap4fast.config.wordlist import STRINGS, WordListType, known_word

VIRUS = ("found", "free", "skipped", "unknown", "error")
_OPERATORS = ("lt", "le", "eq", "ne", "ge", "gt")
_VIRUS_TYPE = WordListType("virus status", known_word("virus status", VIRUS, lambda word: word in VIRUS))

CONTENT = (
    Item(keyword="direction", type=words("download", "upload"), default="both", help="condition: the direction"),
    Item(keyword="virus", type=_VIRUS_TYPE, default="*", help=f"condition: {', '.join(VIRUS)}; merged over engines"),
    Item(
        keyword="spam-score",
        type=Branch({**dict.fromkeys(_OPERATORS, DECIMAL), "UNKNOWN": None}),
        default="*",
        help="condition: the score",
    ),
    Item(keyword="size", type=Branch(dict.fromkeys(_OPERATORS, SIZE)), default="*", help="condition: the size"),
    Item(keyword="header", type=Seq(STR, STRINGS), default="*", help="condition: a header and what it holds"),
    Item(keyword="sender", type=STRINGS, default="*", help="condition: the sender"),
    Item(keyword="recipient", type=STRINGS, default="*", help="condition: a recipient"),
)

MAIL_ACL = Section(
    keyword="mail-acl",
    help="phase 3, searched for each mail",
    page="imap4-proxy",
    named=True,
    repeatable=True,
    supported=False,
    one_of=RESULTS,
    members=(
        FROM,
        TO,
        SERVER,
        USER,
        GROUP,
        parent_acl("command-acl"),
        *CONTENT,
        Item(keyword="accept", type=KEY, help="the ACL accepts; it says either this or deny"),
        Item(keyword="deny", type=Opt(STR), default="none", help="the ACL denies; a text for the replacement"),
        Item(keyword="subject-prefix", type=STR, default="none", help="put before the subject"),
        Item(keyword="replace-body", type=FILE, default="none", help="a text in place of the body"),
        Item(
            keyword="modify-header",
            type=Seq(words("add", "replace", "delete"), STR, Opt(STR)),
            repeatable=True,
            default="none",
            help="name and value of a header",
        ),
        Item(keyword="quarantine", type=DIRECTORY, default="none", help="where a copy is kept"),
    ),
)
