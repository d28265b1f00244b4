"""imap4-proxy(5): `doc-acl`."""

from __future__ import annotations

import re
from typing import Any

from imap4fast.config.basesettings import Conditions
from imap4fast.config.composite import Opt, Seq
from imap4fast.config.cursor import Cursor
from imap4fast.config.diagnostic import ElementError, Report
from imap4fast.config.mailsettings import DocAcl, MailConditions
from imap4fast.config.schema import Bound, Item, Section
from imap4fast.config.sections.acl import FROM, GROUP, RESULT, RESULTS, SERVER, TO, USER, parent_acl
from imap4fast.config.sections.doctype import METHODS
from imap4fast.config.sections.mail_acl import CONTENT, check_content
from imap4fast.config.types import FILE, KEY, Ref, Str, bare_or_quoted, text_of
from imap4fast.config.wordlist import STRINGS

_ACTIONS = ("remove", "replace-file", "html-filter")
"""The first of these that is given is what happens to the document; more than one is a mistake."""

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")


class _MediaType(Str):
    """`type/subtype`, of a single document."""

    def __init__(self) -> None:
        super().__init__("media type")

    def read(self, cursor: Cursor) -> str:
        atom = cursor.take_atom(f"a {self.name}", *self.kinds)
        name = text_of(atom).lower()
        if not _MEDIA_TYPE.fullmatch(name) or name.startswith(("multipart/", "message/")):
            raise ElementError(atom.span, f"`{text_of(atom)}` is no type of a document, as text/plain is")
        return name

    def write(self, value: Any) -> str:
        return bare_or_quoted(value)


def _check(bound: Bound, report: Report) -> None:
    check_content(bound, report)
    given = [keyword for keyword in _ACTIONS if keyword in bound.places]
    for keyword in given[1:]:
        report.error(bound.place(keyword), f"`{keyword}` and `{given[0]}` exclude each other")
    if "deny" in bound.places:
        for keyword in (*given, *(["force-doctype-ident"] if "force-doctype-ident" in bound.places else [])):
            report.warning(bound.place(keyword), f"`{keyword}` has no effect in an ACL that denies")


DOC_ACL = Section(
    keyword="doc-acl",
    help="phase 3, searched for each document of a mail that a mail-acl accepts; the first that matches decides, "
    "none, or one that denies: the mail is denied",
    page="imap4-proxy",
    named=True,
    repeatable=True,
    field="doc_acls",
    struct=DocAcl,
    parts={"conditions": Conditions, "mail": MailConditions},
    one_of=RESULTS,
    check=_check,
    members=(
        FROM,
        TO,
        SERVER,
        USER,
        GROUP,
        parent_acl("mail-acl"),
        *CONTENT,
        Item(
            keyword="mime-type",
            type=STRINGS,
            default="*",
            help='condition: the type, as found; `text/*` for a family, "" for an unknown one; of several candidates '
            "all must fit to accept, any to deny",
        ),
        Item(
            keyword="filename",
            type=STRINGS,
            default="*",
            help='condition: the file name, "" where there is none; of several candidates as above',
        ),
        Item(keyword="doctype-ident-order", type=METHODS, default="the proxy's", help="how the type is found"),
        *RESULT,
        Item(keyword="html-filter", type=Ref("html-filter", resolve=True), help="filter of HTML"),
        Item(keyword="replace-file", type=Seq(FILE, Opt(_MediaType())), help="a file in place, and its type"),
        Item(keyword="remove", type=KEY, help="leaves the document out"),
        Item(keyword="force-doctype-ident", type=KEY, help="sends the type that was found"),
    ),
)
