"""The frozen settings of mail processing: scanners, filters, the ACLs of mails and documents.

Conventions are those of `settings.py`. Paths are of the host; `line` and `path` are where a section stands.
"""

from __future__ import annotations

import msgspec

from imap4fast.config.basesettings import Conditions, SockOpt
from imap4fast.config.values import Sock, WordList

CONTENT_TYPE = "content-type"
EXTENSION = "extension"
MAGIC = "magic"

BUILTIN = "builtin"
"""The kind of a connection that is none: the engine is the helper's own."""


class Connection(msgspec.Struct, frozen=True):
    """Item `connection` of a scanner: its kind, and the socket or the path (one of both), and the service of ICAP."""

    kind: str
    sock: Sock | None = None
    path: str | None = None
    service: str | None = None


class Antivirus(msgspec.Struct, frozen=True):
    """`antivirus NAME {}`. `breaker` is (failures in a row, seconds)."""

    name: str
    connection: Connection = Connection("")
    digests: str | None = None
    sock_opt: SockOpt = SockOpt()
    timeout: float = 60
    max_checked_size: int = 25 * 1024**2
    comm_dir: str | None = None
    pool: int = 4
    breaker: tuple[int, int] = (5, 30)
    line: int = 0
    path: str = ""


class Antispam(msgspec.Struct, frozen=True):
    """`antispam NAME {}`."""

    name: str
    connection: Connection = Connection("")
    sock_opt: SockOpt = SockOpt()
    timeout: float = 30
    pool: int = 4
    breaker: tuple[int, int] = (5, 30)
    line: int = 0
    path: str = ""


Rules = tuple[tuple[str, WordList], ...]
"""Rules of one aspect: (`accept` or `deny`, what it is about), the first that fits decides."""


class HtmlFilter(msgspec.Struct, frozen=True):
    """`html-filter NAME {}`: rules by aspect, and what is put in the place of what is removed."""

    name: str
    script_tag_language: Rules = ()
    style_tag_type: Rules = ()
    iframe_tag_src: Rules = ()
    intrinsic_language: Rules = ()
    link_target: Rules = ()
    tag: Rules = ()
    attribute: Rules = ()
    url_scheme: Rules = ()
    remote_image: Rules = ()
    replace_script_tags: str | None = None
    replace_style_tags: str | None = None
    replace_iframe_tags: str | None = None
    replace_remote_images: str | None = None


class DoctypeOrder(msgspec.Struct, frozen=True):
    """One item `order`: methods in the order in which they are tried, for one direction or (None) for both."""

    direction: str | None
    methods: tuple[str, ...]


class DoctypeIdentification(msgspec.Struct, frozen=True):
    """`doctype-identification {}`."""

    order: tuple[DoctypeOrder, ...] = ()
    mime_types: str | None = None
    magic: str | None = None
    line: int = 0
    path: str = ""


class MailFilter(msgspec.Struct, frozen=True):
    """`mail-filter {}`."""

    accept_8bit_header: bool = False
    correct_8bit_body: bool = False
    correct_bad_char: bool = False
    correct_quoting: bool = False
    invalid_header: str = "shorten"
    header_8bit_chars: str = "encode"
    max_header_size: int = 256 * 1024
    max_parts: int = 1000
    max_depth: int = 30
    partial_message: str = "deny"
    ambiguous_mime: str = "normalise"
    tnef: str = "deny"


class UseAntivirus(msgspec.Struct, frozen=True):
    """`use-antivirus enable|disable NAME [SIZE]`."""

    enable: bool
    engine: Antivirus
    size: int | None = None


class UseAntispam(msgspec.Struct, frozen=True):
    """`use-antispam enable|disable NAME [SIZE]`."""

    enable: bool
    engine: Antispam
    size: int | None = None


class Processing(msgspec.Struct, frozen=True):
    """`download {}` of a command-acl."""

    use_antivirus: tuple[UseAntivirus, ...] = ()
    use_antispam: UseAntispam | None = None
    mail_filter: MailFilter = MailFilter()
    on_unavailable: str = "error"
    on_skipped: str = "deny"
    on_deny: str = "replace"


class Upload(Processing, frozen=True):
    """`upload {}` of a command-acl."""

    on_deny: str = "error"


class MailConditions(msgspec.Struct, frozen=True):
    """Conditions on a mail, and on a document the same. None: not given. `spam_score` is (operator, number), or
    (`UNKNOWN`, None); `size` is (operator, bytes); `header` is (name, what it holds).
    """

    direction: str | None = None
    virus: WordList | None = None
    spam_score: tuple[str, float | None] | None = None
    size: tuple[str, int] | None = None
    header: tuple[str, WordList] | None = None
    sender: WordList | None = None
    recipient: WordList | None = None


class MailAcl(msgspec.Struct, frozen=True):
    """`mail-acl NAME {}`. `deny` is the text of item `deny`, empty where it has none; None: the ACL accepts."""

    name: str
    accept: bool
    conditions: Conditions = Conditions()
    mail: MailConditions = MailConditions()
    deny: str | None = None
    subject_prefix: str | None = None
    replace_body: str | None = None
    modify_header: tuple[tuple[str, str, str | None], ...] = ()
    quarantine: str | None = None
    line: int = 0
    path: str = ""


class DocAcl(msgspec.Struct, frozen=True):
    """`doc-acl NAME {}`. `replace_file` is (path, media type or None); `doctype_ident_order` None: the proxy's."""

    name: str
    accept: bool
    conditions: Conditions = Conditions()
    mail: MailConditions = MailConditions()
    mime_type: WordList | None = None
    filename: WordList | None = None
    doctype_ident_order: tuple[str, ...] | None = None
    html_filter: HtmlFilter | None = None
    replace_file: tuple[str, str | None] | None = None
    remove: bool = False
    force_doctype_ident: bool = False
    line: int = 0
    path: str = ""
