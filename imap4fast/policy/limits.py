"""The limits of a session: proxy, session-acl and command-acl taken together."""

from __future__ import annotations

from imap4fast._wire import Limits
from imap4fast.config.settings import MOST_PENDING, CommandAcl, Proxy, SessionAcl

CEILING = 1 << 24
"""What 0, none, means for a line or a gathered literal: the wire keeps these in memory. Bytes."""

NEVER_S = 1e12


def idle_timeout(proxy: Proxy, session_acl: SessionAcl, command_acl: CommandAcl | None) -> float:
    """The idle-timeout in force, in seconds: the innermost one that is given."""
    if command_acl is not None and command_acl.idle_timeout is not None:
        return command_acl.idle_timeout
    if session_acl.idle_timeout is not None:
        return session_acl.idle_timeout
    return proxy.idle_timeout


def limits_of(proxy: Proxy, session_acl: SessionAcl, command_acl: CommandAcl) -> Limits:
    """What is in force for a session under these ACLs."""
    limits = Limits()
    limits.max_line = proxy.max_line or CEILING
    limits.max_server_line = proxy.max_server_line or CEILING
    limits.max_literal = proxy.max_literal or CEILING
    limits.max_pending = min(proxy.max_pending or MOST_PENDING, MOST_PENDING)
    limits.client_recv_s = proxy.client_conn.recv_timeout
    limits.client_send_s = proxy.client_conn.send_timeout
    limits.server_recv_s = proxy.server_conn.recv_timeout
    limits.server_send_s = proxy.server_conn.send_timeout
    limits.reply_s = proxy.server_conn.reply_timeout or NEVER_S
    limits.login_s = proxy.login_timeout
    limits.max_bytes_in = command_acl.max_bytes_in
    limits.max_bytes_out = command_acl.max_bytes_out
    limits.max_mail_in = command_acl.max_mail_in
    limits.max_mail_out = command_acl.max_mail_out
    limits.idle_s = idle_timeout(proxy, session_acl, command_acl) or NEVER_S
    limits.time_s = command_acl.max_time
    return limits
