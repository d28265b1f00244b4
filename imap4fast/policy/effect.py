"""What the two ACLs of a session come to: limits, excluded commands and capabilities, for people."""

from __future__ import annotations

import msgspec

from imap4fast.config.sections.ssl import SSL_USE
from imap4fast.config.settings import CommandAcl, Proxy, SessionAcl, SslUse
from imap4fast.config.words import COMMAND_WORDS
from imap4fast.policy.gate import NEVER_FORWARDED, permitted_commands
from imap4fast.policy.limits import idle_timeout
from imap4fast.policy.syntax import sock_text, word_list_text

_OWN = b"STARTTLS"
"""Never forwarded either, yet not excluded: it is the proxy's own."""


class InEffect(msgspec.Struct, frozen=True):
    """Sizes in bytes, durations in seconds, 0: none. `servers` empty: the original destination."""

    servers: tuple[str, ...]
    client_tls: str
    server_tls: str
    server_cert_match: str
    language: str
    read_only: bool
    idle_timeout: float
    login_timeout: float
    max_time: float
    max_bytes_in: int
    max_bytes_out: int
    max_mail_in: int
    max_mail_out: int
    max_line: int
    max_server_line: int
    max_literal: int
    max_pending: int
    max_bad_commands: int
    max_bad_prelogin: int
    commands_excluded: tuple[str, ...]
    capabilities: str


def in_effect(proxy: Proxy, session_acl: SessionAcl, command_acl: CommandAcl) -> InEffect:
    """What holds for a session that these ACLs accepted."""
    return InEffect(
        servers=tuple(sock_text(sock.host, sock.port) for sock in session_acl.plug_to),
        client_tls=_tls(session_acl.client_ssl),
        server_tls=_tls(command_acl.server_ssl),
        server_cert_match=command_acl.server_cert_match.name if command_acl.server_cert_match else "",
        language=command_acl.language or session_acl.language,
        read_only=command_acl.read_only,
        idle_timeout=idle_timeout(proxy, session_acl, command_acl),
        login_timeout=proxy.login_timeout,
        max_time=command_acl.max_time,
        max_bytes_in=command_acl.max_bytes_in,
        max_bytes_out=command_acl.max_bytes_out,
        max_mail_in=command_acl.max_mail_in,
        max_mail_out=command_acl.max_mail_out,
        max_line=proxy.max_line,
        max_server_line=proxy.max_server_line,
        max_literal=proxy.max_literal,
        max_pending=proxy.max_pending,
        max_bad_commands=proxy.max_bad_commands,
        max_bad_prelogin=proxy.max_bad_prelogin,
        commands_excluded=excluded_commands(command_acl),
        capabilities="default" if command_acl.capabilities is None else word_list_text(command_acl.capabilities),
    )


def _tls(use: SslUse | None) -> str:
    """The item's value, empty without TLS."""
    return "" if use is None else SSL_USE.write(use)


def excluded_commands(command_acl: CommandAcl) -> tuple[str, ...]:
    """Command words that are refused by name, sorted. What read-only refuses besides is not among them."""
    permitted = permitted_commands(command_acl) - (NEVER_FORWARDED - {_OWN})
    return tuple(sorted(word for word in COMMAND_WORDS if word.encode("ascii") not in permitted))
