"""imap4-proxy(5): `doc-acl`."""

from __future__ import annotations

from imap4fast.config.composite import Opt, Seq
from imap4fast.config.schema import Item, Section
from imap4fast.config.sections.acl import FROM, GROUP, RESULT, RESULTS, SERVER, TO, USER, parent_acl
from imap4fast.config.sections.doctype import METHODS
from imap4fast.config.sections.mail_acl import CONTENT
from imap4fast.config.types import FILE, KEY, STR, Ref
from imap4fast.config.wordlist import STRINGS

DOC_ACL = Section(
    keyword="doc-acl",
    help="phase 3, searched for each document of a mail",
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
        parent_acl("mail-acl"),
        *CONTENT,
        Item(keyword="mime-type", type=STRINGS, default="*", help='condition: the type; "": unknown'),
        Item(keyword="filename", type=STRINGS, default="*", help="condition: the file name"),
        Item(keyword="doctype-ident-order", type=METHODS, default="the proxy's", help="how the type is found"),
        *RESULT,
        Item(keyword="html-filter", type=Ref("html-filter"), default="none", help="filter of HTML"),
        Item(keyword="replace-file", type=Seq(FILE, Opt(STR)), default="none", help="a file in place, and its type"),
        Item(keyword="remove", type=KEY, default="no", help="leaves the document out"),
        Item(keyword="force-doctype-ident", type=KEY, default="no", help="sends the type that was found"),
    ),
)
