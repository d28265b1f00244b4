"""Refusals, faults, limits and timeouts: what the client gets, what the log says, whether the session goes on.

The tables follow configuration.md section 5 and protocol.md section 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imap4fast._wire import FAULTS, FIRST_FRAMING, LIMITS
from imap4fast.imap.replies import Reply
from imap4fast.log import imap as entries
from imap4fast.policy.gate import LOGINS
from imap4fast.session import answers

if TYPE_CHECKING:
    from imap4fast.session.session import Session

_OF_FAULT = {
    "BAD_TAG": Reply.BAD_TAG,
    "UNKNOWN_COMMAND": Reply.UNKNOWN_COMMAND,
    "EXPECTED_DONE": Reply.EXPECTED_DONE,
    "BAD_SASL": Reply.BAD_SASL,
    "TOO_DEEP": Reply.TOO_DEEP,
    "TOO_MANY_ARGUMENTS": Reply.TOO_MANY_ARGUMENTS,
    "TOO_MANY_LITERALS": Reply.TOO_MANY_ARGUMENTS,
    "TOO_MANY_WILDCARDS": Reply.TOO_MANY_ARGUMENTS,
    "LITERAL_TOO_LONG": Reply.LITERAL_TOO_LONG,
    "LITERAL_OVERFLOW": Reply.LITERAL_TOO_LONG,
    "LINE_TOO_LONG": Reply.LINE_TOO_LONG,
    "UNEATABLE_LITERAL": Reply.TOO_BIG,
}
_REFUSED = {
    b"STARTTLS": Reply.STARTTLS_UNAVAILABLE,
    b"COMPRESS": Reply.COMPRESS_UNAVAILABLE,
}
_TIMEOUT = {
    "LOGIN-TIMEOUT": (Reply.LOGIN_TIMEOUT, "login-timeout"),
    "MAX-TIME": (Reply.SESSION_TIME, "max-time"),
    "IDLE-TIMEOUT": (Reply.IDLE_TIMEOUT, "idle-timeout"),
    "CLIENT-RECV": (Reply.COMMAND_TIMEOUT, "recv-timeout"),
    "SERVER-RECV": (Reply.SERVER_TIMEOUT, "recv-timeout"),
    "REPLY-TIMEOUT": (Reply.SERVER_TIMEOUT, "reply-timeout"),
    "CLIENT-SEND": (None, "send-timeout"),
    "SERVER-SEND": (Reply.SERVER_TIMEOUT, "send-timeout"),
    "GREETING": (Reply.SERVER_GREETING_TIMEOUT, "recv-timeout"),
}


def refused(session: Session) -> int:
    """A command that the gate denies or that may not stand in this state."""
    relay = session.relay
    name = relay.command
    if relay.wrong_state:
        return session.bad(Reply.BAD_STATE)
    if name == b"STARTTLS" and relay.ctls is not None:
        return session.bad(Reply.TLS_ACTIVE)
    if name in LOGINS and session.alone and session.tls_required:
        return session.refuse(Reply.TLS_REQUIRED)
    if name in _REFUSED:
        return session.refuse(_REFUSED[name])
    if name in session.powers.commands and session.powers.acl.read_only:
        return session.refuse(Reply.READ_ONLY)
    return session.refuse(Reply.COMMAND_NOT_PERMITTED)


def client_fault(session: Session) -> int:
    """The client broke the grammar: `BAD`; where nobody can say what comes next, `BYE` as well."""
    relay = session.relay
    fault = FAULTS[relay.fault]
    session.fault("CLIENT", fault, relay.offset)
    _limit_of(session, fault)
    framing = relay.fault >= FIRST_FRAMING
    reply = _OF_FAULT.get(fault, Reply.FRAMING if framing else Reply.BAD_SYNTAX)
    if fault == "UNEATABLE_LITERAL":
        return session.end(reply, "literal too large")
    too_long = fault == "LITERAL_TOO_LONG" and session.authenticated
    session.reply(relay.tag, b"NO" if too_long else b"BAD", reply)
    if framing:
        return session.end(reply, "fault of the client")
    return answers.DROP if session.count_bad() else answers.CLOSE


def _limit_of(session: Session, fault: str) -> None:
    proxy = session.charter.proxy
    if fault == "LINE_TOO_LONG":
        session.limited("max-line", proxy.max_line)
    elif fault == "LITERAL_TOO_LONG":
        session.limited("max-literal", proxy.max_literal)


def too_big(session: Session) -> int:
    """An upload above max-mail-out: refused at its announcement."""
    if session.powers.acl.max_mail_out:
        session.limited("max-mail-out", session.powers.acl.max_mail_out)
    if session.processing is not None and session.processing.upload is not None:
        session.processing.upload.drop()
    answer = session.refuse(Reply.TOO_BIG)
    return session.end(Reply.TOO_BIG, "mail too large") if session.relay.midway else answer


def server_fault(session: Session) -> int:
    """The server broke the protocol: the session ends."""
    fault = FAULTS[session.relay.fault]
    session.fault("SERVER", fault, session.relay.offset)
    if fault == "LINE_TOO_LONG":
        session.log(entries.LIMIT, "max-server-line", session.charter.proxy.max_server_line)
    return session.end(Reply.SERVER_FAULT, "fault of the server")


def limit(session: Session) -> int:
    """A limit in bytes was reached."""
    name = LIMITS[session.relay.limit].lower()
    session.log(entries.LIMIT, name, getattr(session.powers.acl, name.replace("-", "_")))
    return session.end(Reply.MAIL_LIMIT if name == "max-mail-in" else Reply.BYTES_LIMIT, name)


def timeout(session: Session, name: str) -> None:
    """A limit in time was reached (`_wire.TIMEOUTS`)."""
    reply, item = _TIMEOUT[name]
    session.log(entries.LIMIT, item, round(_seconds(session, name)))
    session.end(reply, f"{name.lower()}")


def _seconds(session: Session, name: str) -> float:
    proxy = session.charter.proxy
    if name == "MAX-TIME":  # there is no command-acl yet where a client is lost in its handshake
        return session.powers.acl.max_time
    seconds = {
        "LOGIN-TIMEOUT": proxy.login_timeout,
        "IDLE-TIMEOUT": session.relay.idle_s,
        "CLIENT-RECV": proxy.client_conn.recv_timeout,
        "CLIENT-SEND": proxy.client_conn.send_timeout,
        "REPLY-TIMEOUT": proxy.server_conn.reply_timeout,
        "SERVER-SEND": proxy.server_conn.send_timeout,
    }
    return seconds.get(name, proxy.server_conn.recv_timeout)
