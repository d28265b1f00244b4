"""imap4-proxy(5): the proxy's own section."""

from __future__ import annotations

import re
from typing import Any

from imap4fast.config.composite import Branch
from imap4fast.config.cursor import Cursor
from imap4fast.config.diagnostic import ElementError
from imap4fast.config.schema import Item, Section
from imap4fast.config.sections.auth import AUTH_TYPE, refused_auth
from imap4fast.config.sections.command_acl import COMMAND_ACL
from imap4fast.config.sections.doc_acl import DOC_ACL
from imap4fast.config.sections.doctype import DOCTYPE_IDENTIFICATION
from imap4fast.config.sections.listen_on import LISTEN_ON
from imap4fast.config.sections.log import log_sink
from imap4fast.config.sections.mail_acl import MAIL_ACL
from imap4fast.config.sections.monitoring import MONITORING, stats
from imap4fast.config.sections.netio import sock_opt
from imap4fast.config.sections.session_acl import SESSION_ACL
from imap4fast.config.sections.source_address import SOURCE_ADDRESS
from imap4fast.config.sections.ssl import SSL_SESSION_CACHE
from imap4fast.config.sections.tcpserver import TCPSERVER
from imap4fast.config.settings import MOST_PENDING, Proxy
from imap4fast.config.types import (
    DIRECTORY,
    DURATION,
    DURATION_NOT_0,
    FILE,
    INTEGER,
    KEY,
    SIZE,
    SIZE_IN_MEMORY,
    STR,
    Integer,
    Ref,
)


class _Mode(Integer):
    """Permissions of a file, in octal."""

    def __init__(self) -> None:
        super().__init__(0, 0o7777, "octal mode")

    def read(self, cursor: Cursor) -> int:
        atom = cursor.take_atom("permissions in octal", "INTEGER")
        if not re.fullmatch("[0-7]{3,4}", atom.text):
            raise ElementError(atom.span, f"`{atom.text}` are no permissions in octal, such as 0660")
        return int(atom.text, 8)

    def write(self, value: Any) -> str:
        return f"{value:04o}"


class _CfgResolution(Branch):
    """`start`, or `refresh` and how often; None for `start`."""

    def __init__(self) -> None:
        super().__init__({"start": None, "refresh": DURATION_NOT_0})

    def read(self, cursor: Cursor) -> Any:
        return super().read(cursor)[1]

    def write(self, value: Any) -> str:
        return super().write(("start", None) if value is None else ("refresh", value))


_PROCESS = (
    Item(keyword="phase", type=Integer(0, 255), help="label without effect"),
    Item(keyword="tag", type=STR, repeatable=True, help="label without effect"),
    Item(keyword="nodaemon", type=KEY, help="foreground"),
    Item(keyword="singleproc", type=KEY, help="one process"),
    Item(keyword="app-user", type=STR, help="user of the workers"),
    Item(keyword="app-group", type=STR, help="group of the workers"),
    Item(keyword="chroot-dir", type=DIRECTORY, help="root directory of the workers"),
    Item(keyword="pid-file", type=FILE, help="where the master's process number is written"),
)
_SPOOL = (
    Item(
        keyword="state-dir",
        type=DIRECTORY,
        supported=False,
        default="none",
        help="directory for files of the running proxy",
    ),
    Item(
        keyword="spool-dir",
        type=DIRECTORY,
        help="where mails are kept; none: a temporary one, for as long as the proxy runs",
    ),
    Item(keyword="spool-max", type=SIZE, help="size of the spool, on the whole host"),
    Item(keyword="spool-keep", type=DURATION, help="how long a processed mail may be kept; 0: for good"),
    Item(keyword="verdict-keep", type=DURATION, help="how long verdicts are kept after their last use; 0: for good"),
    Item(keyword="control-socket", type=FILE, supported=False, default="none", help="live view, trace, end, reload"),
    Item(keyword="control-mode", type=_Mode(), supported=False, default="0660", help="permissions of control-socket"),
)
_CONNECTIONS = (
    Item(keyword="idle-timeout", type=DURATION, help="longest silence between units"),
    Item(keyword="login-timeout", type=DURATION, help="from connection to login, TLS included"),
    LISTEN_ON,
    TCPSERVER,
    SOURCE_ADDRESS,
    DOCTYPE_IDENTIFICATION,
    sock_opt("client-conn", "connections of clients"),
    sock_opt("server-conn", "connections to servers"),
    SSL_SESSION_CACHE,
    Item(keyword="auth", type=AUTH_TYPE, refuses=refused_auth, help="out-of-band login"),
)
_LIMITS = (
    Item(keyword="max-line", type=SIZE_IN_MEMORY, help="length of a line from the client; 0: 16M"),
    Item(keyword="max-server-line", type=SIZE_IN_MEMORY, help="length of a line from the server; 0: 16M"),
    Item(
        keyword="max-literal",
        type=SIZE_IN_MEMORY,
        help="size of a literal outside uploads; before login 8K; per command twice that; 0: 16M",
    ),
    Item(
        keyword="max-pending",
        type=Integer(0, MOST_PENDING),
        help=f"commands without an answer; beyond it the client is not read; 0: {MOST_PENDING}",
    ),
    Item(keyword="max-bad-commands", type=INTEGER, help="bad commands after login"),
    Item(keyword="max-bad-prelogin", type=INTEGER, help="bad commands before login"),
)

IMAP4_PROXY = Section(
    keyword="imap4-proxy",
    help="the proxy; exactly one in a file",
    page="imap4-proxy",
    named=True,
    obligatory=True,
    field="proxy",
    struct=Proxy,
    members=(
        *_PROCESS,
        *_SPOOL,
        log_sink("log-debug", "log of what happens"),
        log_sink("log-stats", "log of statistics"),
        Item(keyword="use-resolver", type=Ref("resolver"), supported=False, default="the system's", help="DNS client"),
        Item(keyword="cfg-resolution", type=_CfgResolution(), help="when names in conditions are resolved"),
        MONITORING,
        stats("daily"),
        stats("weekly"),
        stats("monthly"),
        *_CONNECTIONS,
        *_LIMITS,
        SESSION_ACL,
        COMMAND_ACL,
        MAIL_ACL,
        DOC_ACL,
    ),
)
