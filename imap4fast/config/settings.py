"""The frozen settings that a configuration becomes.

Field names are item names with `_` for `-`. Sizes are bytes, durations seconds, 0 for a limit means none.
A field `x | None` holds None where the item was omitted and the default depends on something else.
"""

from __future__ import annotations

import msgspec

from imap4fast.config.values import HostList, Sock, TimePeriodSet, TimeSpec, WordList

MOST_PENDING = 250
"""What 0 means for max-pending, and the most that the wire keeps track of."""


class SockOpt(msgspec.Struct, frozen=True):
    """`sock-opt {}`, `client-conn {}`, `server-conn {}`."""

    conn_timeout: float = 75
    recv_timeout: float = 120
    reply_timeout: float = 600
    send_timeout: float = 120
    close_timeout: float = 5
    sock_rcvbuf: int = 0
    sock_sndbuf: int = 0
    keepalive: float = 60
    nodelay: bool = True
    ip_tos: int | None = None
    log_limit: int | None = None


class LogSink(msgspec.Struct, frozen=True):
    """`log-debug {}` or `log-stats {}`. `facility` and `file` exclude each other.

    `rotate` is (bytes, kept files); `mem_file` is (path, bytes).
    """

    level: int = 6
    file: str | None = None
    facility: str | None = None
    format: str = "text"
    mem_level: int | None = None
    mem_file: tuple[str, int] | None = None
    rotate: tuple[int, int] | None = None
    syslog_failure: str = "ignore"
    data_limit: int = 4096


class Listen(msgspec.Struct, frozen=True):
    """One `non-transparent` or `transparent` item of `listen-on`: `sock` kind and port range, both included.

    `address` is set for the address form, `iface` (and `version` 4, 6 or None for both) for the iface form.
    """

    transparent: bool
    address: Sock | None
    iface: str | None
    version: int | None
    port: int
    to_port: int
    method: str = "redirect"


class TcpServer(msgspec.Struct, frozen=True):
    """`tcpserver {}`; `workers` 0 means auto (one a core)."""

    workers: int = 0
    queue_size: int = 2000
    max_sessions: int = 0
    max_sessions_per_ip: int = 0
    conn_rate: int = 0
    conn_rate_per_ip: int = 0
    terminate_wait: float = 30
    listener: bool = False


class Monitoring(msgspec.Struct, frozen=True):
    """`monitoring {}`."""

    disabled: bool = False


class Conditions(msgspec.Struct, frozen=True):
    """Entry conditions of an ACL. None: not given (always fits). See configuration.md section 3.

    `from_` is item `from`; `groups` is item `group`; `time_period_set` is the section itself.
    """

    from_: HostList | None = None
    to: HostList | None = None
    server: HostList | None = None
    time: tuple[TimeSpec, ...] = ()
    time_period_set: TimePeriodSet | None = None
    user: WordList | None = None
    group: WordList | None = None
    parent_acl: WordList | None = None


class SessionAcl(msgspec.Struct, frozen=True):
    """`session-acl NAME {}`. `line` is where it stands in the file."""

    name: str
    accept: bool
    conditions: Conditions = Conditions()
    language: str = "EN"
    idle_timeout: float | None = None
    auth: tuple[str, str | None] | None = None
    plug_to: tuple[Sock, ...] = ()
    line: int = 0


class CommandAcl(msgspec.Struct, frozen=True):
    """`command-acl NAME {}`; `commands`/`capabilities` None: the defaults of configuration.md section 4."""

    name: str
    accept: bool
    conditions: Conditions = Conditions()
    language: str | None = None
    idle_timeout: float | None = None
    commands: WordList | None = None
    capabilities: WordList | None = None
    read_only: bool = False
    max_bytes_in: int = 0
    max_bytes_out: int = 0
    max_mail_in: int = 0
    max_mail_out: int = 0
    max_time: float = 0
    sasl_external: bool = False
    no_mail_scanning: bool = False
    line: int = 0


class Proxy(msgspec.Struct, frozen=True):
    """`imap4-proxy NAME {}`.

    `cfg_resolution` is seconds between two resolutions of the names in the configuration, None for at start only.
    `auth` is ("none", None), or ("oob", NAME).
    """

    name: str
    phase: int = 20
    tag: tuple[str, ...] = ()
    nodaemon: bool = False
    singleproc: bool = False
    app_user: str | None = None
    app_group: str | None = None
    chroot_dir: str | None = None
    pid_file: str | None = None
    log_debug: LogSink = LogSink()
    log_stats: LogSink | None = None
    idle_timeout: float = 1800
    login_timeout: float = 60
    cfg_resolution: float | None = 300
    monitoring: Monitoring | None = None
    auth: tuple[str, str | None] = ("none", None)
    listen_on: tuple[Listen, ...] = ()
    tcpserver: TcpServer = TcpServer()
    client_conn: SockOpt = SockOpt()
    server_conn: SockOpt = SockOpt()
    max_line: int = 65536
    max_server_line: int = 1048576
    max_literal: int = 65536
    max_pending: int = 64
    max_bad_commands: int = 10
    max_bad_prelogin: int = 3
    session_acls: tuple[SessionAcl, ...] = ()
    command_acls: tuple[CommandAcl, ...] = ()


class Settings(msgspec.Struct, frozen=True):
    """A whole configuration. `path` is the file that was named; `digest` the hash that `show-hash` prints."""

    path: str
    digest: str
    proxy: Proxy
