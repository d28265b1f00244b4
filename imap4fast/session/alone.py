"""The conversation before a server is connected: a client's leg that begins with STARTTLS.

The proxy greets by itself and answers what needs no server. The server is connected once TLS is there, or, where TLS is
not required, with the first LOGIN or AUTHENTICATE, which waits for the server's greeting and is judged again then.
What was said before TLS is forgotten with it: nothing of it is kept but the counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imap4fast.imap.replies import Reply, text
from imap4fast.log import ssle
from imap4fast.session import answers

if TYPE_CHECKING:
    from imap4fast.session.session import Session

_OFFERED = b"IMAP4rev1 LITERAL+ SASL-IR ID STARTTLS"


def capabilities(session: Session) -> bytes:
    """The fixed list before TLS. No mechanism is in it: the server's are not known."""
    return _OFFERED + b" LOGINDISABLED" if session.tls_required else _OFFERED


def greet(session: Session) -> None:
    """The proxy's own greeting."""
    words = text(session.language, Reply.READY)
    session.relay.greeted()
    session.relay.reply(b"* OK [CAPABILITY " + capabilities(session) + b"] " + words + b"\r\n")


def look(session: Session) -> int:
    """The question COMMAND before a server is awaited."""
    return _LOOKS[session.relay.command](session)


def _done(session: Session) -> int:
    session.reply(session.relay.tag, b"OK", Reply.DONE)
    return answers.DROP


def _capability(session: Session) -> int:
    session.relay.reply(b"* CAPABILITY " + capabilities(session) + b"\r\n")
    return _done(session)


def _identify(session: Session) -> int:
    session.relay.reply(b"* ID NIL\r\n")
    return _done(session)


def _logout(session: Session) -> int:
    session.reply(b"", b"BYE", Reply.GOODBYE)
    session.reply(session.relay.tag, b"OK", Reply.DONE)
    return session.end(None, "logout", failed=False)


def _starttls(session: Session) -> int:
    """Nothing may stand behind the command: it would be taken for what TLS protects (T-S01)."""
    relay = session.relay
    if relay.unread:
        session.log(ssle.INJECTED, "CLIENT", relay.unread)
        return session.end(Reply.FRAMING, "octets behind STARTTLS")
    session.reply(relay.tag, b"OK", Reply.BEGIN_TLS)
    session.outside.start_tls()
    return answers.DROP


def _login(session: Session) -> int:
    session.outside.proceed()
    return answers.CLOSE if session.over else answers.HOLD


_LOOKS = {
    b"CAPABILITY": _capability,
    b"NOOP": _done,
    b"ID": _identify,
    b"LOGOUT": _logout,
    b"STARTTLS": _starttls,
    b"LOGIN": _login,
    b"AUTHENTICATE": _login,
}
