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
    """`tcpserver {}`; `workers` and `helpers` 0 mean auto (one a core)."""

    workers: int = 0
    queue_size: int = 2000
    max_sessions: int = 0
    max_sessions_per_ip: int = 0
    conn_rate: int = 0
    conn_rate_per_ip: int = 0
    terminate_wait: float = 30
    listener: bool = False
    helpers: int = 0


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


class SslParams(msgspec.Struct, frozen=True):
    """`ssl-params NAME {}`. Paths are of the host; `sni` is (name, certificate, key).

    `verify` None: by leg, `none` for clients, `require` for servers. `ciphers`, `ciphersuites` and `curves` None: those
    of `config/ciphers.py`. `path` and `line` are where it stands.
    """

    name: str
    certificate: str | None = None
    private_key: str | None = None
    key_passphrase: str | None = None
    sni: tuple[tuple[str, str, str], ...] = ()
    ca_file: str | None = None
    ca_dir: str | None = None
    crl: tuple[str, ...] = ()
    verify: str | None = None
    min_version: str = "TLSv1-2"
    max_version: str = "TLSv1-3"
    ciphers: str | None = None
    ciphersuites: str | None = None
    curves: str | None = None
    weak_tls: bool = False
    session_tickets: bool = True
    require_tls: bool = True
    server_name: str | None = None
    line: int = 0
    path: str = ""


class SslUse(msgspec.Struct, frozen=True):
    """`client-ssl-params` or `server-ssl-params`: `NAME session` (TLS at once) or `NAME command` (STARTTLS)."""

    params: SslParams
    starttls: bool = False


class CertMatch(msgspec.Struct, frozen=True):
    """`ssl-cert-match NAME {}`. None: the condition is not given. Plain words are compared without case.

    `key_usage` and `ext_key_usage` hold the names of RFC 5280; `line` is where it stands in its file.
    """

    name: str
    subject: WordList | None = None
    issuer: WordList | None = None
    common_name: WordList | None = None
    organization: WordList | None = None
    organizational_unit: WordList | None = None
    email: WordList | None = None
    dns_name: WordList | None = None
    serial: WordList | None = None
    fingerprint: WordList | None = None
    valid_days: int | None = None
    key_usage: WordList | None = None
    ext_key_usage: WordList | None = None
    any: bool = False
    none: bool = False
    line: int = 0


class SslSessionCache(msgspec.Struct, frozen=True):
    """`ssl-session-cache {}`. `timeout`: how long a session may be resumed. `capacity` has no effect: clients keep
    their sessions themselves, as tickets.
    """

    capacity: int = 20000
    timeout: float = 300


class SessionAcl(msgspec.Struct, frozen=True):
    """`session-acl NAME {}`. `line` is where it stands in the file. `client_cert_match` is a requirement."""

    name: str
    accept: bool
    conditions: Conditions = Conditions()
    language: str = "EN"
    idle_timeout: float | None = None
    auth: tuple[str, str | None] | None = None
    plug_to: tuple[Sock, ...] = ()
    line: int = 0
    client_ssl: SslUse | None = None
    client_cert_match: CertMatch | None = None


class CommandAcl(msgspec.Struct, frozen=True):
    """`command-acl NAME {}`; `commands`/`capabilities` None: the defaults of configuration.md section 4.

    `client_cert_match` is a condition, `server_cert_match` a requirement.
    """

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
    client_cert_match: CertMatch | None = None
    server_ssl: SslUse | None = None
    server_cert_match: CertMatch | None = None


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
    ssl_session_cache: SslSessionCache = SslSessionCache()
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
