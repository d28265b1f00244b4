"""The limits of one session: proxy, session-acl and command-acl taken together."""

from __future__ import annotations

from imap4fast._wire import Relay
from imap4fast.config.settings import CommandAcl, Proxy, SessionAcl


def fixed_limits(relay: Relay, proxy: Proxy) -> None:
    """What the proxy section says for every session. Seconds and bytes; 0 means none where the item allows it."""
    relay.max_line = proxy.max_line
    relay.max_server_line = proxy.max_server_line
    relay.max_literal = proxy.max_literal
    relay.max_pending = min(proxy.max_pending, 250) or 250
    relay.client_recv_s = proxy.client_conn.recv_timeout
    relay.client_send_s = proxy.client_conn.send_timeout
    relay.server_recv_s = proxy.server_conn.recv_timeout
    relay.server_send_s = proxy.server_conn.send_timeout
    relay.reply_s = proxy.server_conn.reply_timeout


def idle_timeout(proxy: Proxy, session_acl: SessionAcl, command_acl: CommandAcl | None) -> float:
    """The idle-timeout in force, in seconds: the innermost one that is given."""
    if command_acl is not None and command_acl.idle_timeout is not None:
        return command_acl.idle_timeout
    if session_acl.idle_timeout is not None:
        return session_acl.idle_timeout
    return proxy.idle_timeout


def acl_limits(relay: Relay, proxy: Proxy, session_acl: SessionAcl, command_acl: CommandAcl, began: float) -> None:
    """What the command-acl in force says; `began` is when the session began, in seconds of the worker's clock."""
    relay.max_bytes_in = command_acl.max_bytes_in
    relay.max_bytes_out = command_acl.max_bytes_out
    relay.max_mail_in = command_acl.max_mail_in
    relay.max_mail_out = command_acl.max_mail_out
    relay.idle_s = idle_timeout(proxy, session_acl, command_acl) or 1e12
    relay.end_at = began + command_acl.max_time if command_acl.max_time else 0.0
