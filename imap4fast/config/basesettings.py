"""Structures of settings that several sections share. Conventions are those of `settings.py`."""

from __future__ import annotations

import msgspec

from imap4fast.config.values import HostList, TimePeriodSet, TimeSpec, WordList


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
