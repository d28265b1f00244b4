"""What the server says and a session looks at: greeting, capabilities, status lines, BYE, completions, "+".

Each function answers the relay's question: PASS, DROP, REPLACE (with `relay.replacement`) or CLOSE.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from imap4fast._wire import STATUSES
from imap4fast.imap.replies import Reply
from imap4fast.log import imap as entries
from imap4fast.session import answers
from imap4fast.session.commands import enabled_utf8
from imap4fast.session.login import MAX_CHALLENGE, MAX_ROUNDS, decoded

if TYPE_CHECKING:
    from imap4fast.session.session import Session

MAX_CODES = 8
"""Codes that are taken out of one line; after so many its text goes, too."""

MOST_REMOVED = 100
"""Names of one list that are logged as removed."""

_APPENDLIMIT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|([( ]APPENDLIMIT +)([^ ()"\r]+)', re.IGNORECASE)
"""A quoted string, which is left alone, or the item with its value."""

_CONTROLS = bytes(range(0x20)) + b"\x7f"


def cleaned(text: bytes) -> bytes:
    """Response text without control characters (T-R12)."""
    return text.translate(None, _CONTROLS)


def capability_names(session: Session, names: bytes, where: str) -> bytes:
    """The client's list for the server's, and what the proxy learns from the server's."""
    authenticated = session.authenticated
    session.learn(names)
    shown = session.powers.rewrite(names, authenticated)
    if session.logs.detailed:
        session.log(entries.CAPABILITIES, where, names, b" ".join(shown))
        kept = {name.upper() for name in shown}
        removed(session, "CAPABILITY", (name for name in names.split() if name.upper() not in kept))
    return b" ".join(shown)


def removed(session: Session, kind: str, names: Iterable[bytes]) -> None:
    """A line in the log for each, up to a number that no honest server reaches."""
    for name in islice(names, MOST_REMOVED):
        session.removed(kind, name)


def rewritten(session: Session, line: bytes, where: str = "CODE") -> bytes:
    """A status line (with CRLF) as the client may see it: `(tag / "*") SP cond SP ["[" code "]" SP] text`."""
    head, _, rest = line.partition(b" ")
    relay, gate = session.relay, session.powers.gate
    said = None if session.logs.detailed else gate.said(rest, session.authenticated)
    if said is not None:
        relay.sasl_ir, relay.searchres = said.sasl_ir, said.searchres
        return head + b" " + said.line
    done = _rewritten(session, rest[:-2], where)
    if _lists_capabilities(rest):
        gate.keep(rest, session.authenticated, done, relay.sasl_ir, relay.searchres)
    return head + b" " + done


def _rewritten(session: Session, rest: bytes, where: str) -> bytes:
    """A status line from behind its tag to its CRLF."""
    condition, _, text = rest.partition(b" ")
    text = cleaned(text).lstrip(b" ")
    code = b""
    for _ in range(MAX_CODES):
        # What stands behind a code that was taken out must not become one.
        if text.startswith(b"[") and not code:
            code, text = _code(session, text, where)
    if text.startswith(b"[") and not code:
        text = b""
    if text.endswith(b"}"):
        # Clients that look for `{n}` at the end of any line would read the next lines as its octets.
        text += b"."
    return cleaned(condition) + b" " + code + (text or b"-") + b"\r\n"


def _lists_capabilities(rest: bytes) -> bool:
    """Whether a status line begins with a list of capabilities, which the session has learned then."""
    words = rest.split(b" ", 2)
    return len(words) == 3 and words[1] == b"[CAPABILITY" and b"]" in words[2]


def _code(session: Session, text: bytes, where: str) -> tuple[bytes, bytes]:
    """(code with brackets and a space behind, or b"" where it must not pass; the text behind it)"""
    inner, closed, rest = text[1:].partition(b"]")
    name = inner.partition(b" ")[0].upper()
    if not closed:
        session.removed("CODE", name)
        return b"", text.lstrip(b"[ ")
    rest = rest.lstrip(b" ")
    if name == b"CAPABILITY":
        names = capability_names(session, inner[len(name) :].strip(), where)
        return b"[CAPABILITY " + names + b"] ", rest
    if session.processing is not None:
        if name in (b"UIDVALIDITY", b"UIDNEXT"):
            session.processing.learn(name, inner[len(name) :].strip())
        elif name == b"INPROGRESS":  # it holds a tag that the client does not know
            return b"", rest
    if session.powers.code_passes(name, session.authenticated):
        return b"[" + inner + b"] ", rest
    session.removed("CODE", name)
    return b"", rest


def _replace(session: Session, data: bytes) -> int:
    if data == session.relay.unit:
        return answers.PASS
    session.relay.replacement = data
    return answers.REPLACE


def greeting(session: Session) -> int:
    """greeting = "*" SP ("OK" / "PREAUTH" / "BYE") SP resp-text; only OK begins a session (T-S05)."""
    line = session.relay.unit
    words = line[:-2].split(b" ", 2)
    condition = words[1].upper() if len(words) > 1 and words[0] == b"*" else b""
    if condition == b"BYE":
        return session.end(Reply.SERVER_REFUSED, "server refused")
    if condition != b"OK":
        session.fault("SERVER", "BAD_GREETING", session.relay.sin)
        return session.end(Reply.SERVER_FAULT, "bad greeting")
    shown = rewritten(session, line, "GREETING")
    hidden = session.alone
    session.greeted()
    return answers.DROP if hidden else _replace(session, shown)


def capability(session: Session) -> int:
    """capability-data (untagged)"""
    line = cleaned(session.relay.unit)
    names = capability_names(session, line[len(b"* CAPABILITY ") :], "UNTAGGED")
    return _replace(session, b"* CAPABILITY " + names + b"\r\n")


def enabled(session: Session) -> int:
    """enable-data: only what the client asked for may be in it (T-R15)."""
    names = frozenset(session.relay.unit[:-2].upper().split(b" ")[2:]) - {b""}
    kept = names & session.enabling
    removed(session, "ENABLED", names - kept)
    if names and not kept:
        return answers.DROP
    if enabled_utf8(kept):
        session.relay.utf8 = True
    shown = [word for word in session.relay.unit[:-2].split(b" ")[2:] if word.upper() in kept]
    return _replace(session, b" ".join([b"* ENABLED", *shown]) + b"\r\n")


def bye(session: Session) -> int:
    """The server ends the session: one BYE goes to the client, what follows does not (T-R16)."""
    if session.relay.bye:
        return answers.DROP
    line = session.relay.unit if session.relay.plain else rewritten(session, session.relay.unit)
    session.relay.reply(line)
    session.relay.bye = True
    if session.relay.leaving:
        return answers.DROP
    return session.end(None, "server said BYE")


def status(session: Session) -> int:
    """A status line with a code or text that must not pass as it is."""
    if session.relay.plain:
        return answers.PASS
    return _replace(session, rewritten(session, session.relay.unit))


def completed(session: Session) -> int:
    """The tagged answer to LOGIN, AUTHENTICATE or ENABLE."""
    ok = session.relay.status == 0
    name = session.relay.command
    if name in (b"LOGIN", b"AUTHENTICATE"):
        session.take_user()
        if session.sasl is not None:
            session.candidate = session.sasl.user
        severity = "D" if ok else "N"
        if not ok or session.logs.detailed:
            cancelled = session.sasl is not None and session.sasl.cancelled and not ok
            result = b"CANCELLED" if cancelled else STATUSES[session.relay.status]
            session.log(entries.LOGIN, session.candidate, session.mechanism, result, severity=severity)
        session.sasl = None
        if ok and not session.logged_in():
            return answers.CLOSE
    elif name == b"ENABLE":
        session.enabling = frozenset()
    elif session.processing is not None:
        session.processing.completed(name, ok=ok)
    return status(session)


def continuation(session: Session) -> int:
    """continue-req inside AUTHENTICATE."""
    sasl = session.sasl
    line = session.relay.unit
    if sasl is None:
        return server_fault_of(session, "UNEXPECTED_CONTINUE")
    sasl.rounds += 1
    if sasl.rounds > MAX_ROUNDS or len(line) > MAX_CHALLENGE:
        return server_fault_of(session, "SASL_TOO_LONG")
    if sasl.stashed is not None:
        session.relay.send_server(sasl.stashed + b"\r\n")
        sasl.stashed = None
        return answers.DROP
    if decoded(line[1:-2].removeprefix(b" ")) is None:
        # Text where a challenge belongs: clients would take it for one.
        session.relay.reply(b"+ \r\n")
        session.relay.challenge()
        return answers.DROP
    return answers.PASS


def append_limit(session: Session) -> int:
    """status-att-val =/ "APPENDLIMIT" SP (number / nil): what STATUS and LIST-STATUS say of it (RFC 7889)."""
    powers = session.powers

    def shown(found: re.Match[bytes]) -> bytes:
        return found[0] if found[1] is None else found[1] + powers.append_limit(found[2])

    return _replace(session, _APPENDLIMIT.sub(shown, session.relay.unit))


def server_fault_of(session: Session, code: str) -> int:
    """The server broke the protocol: the session ends."""
    session.fault("SERVER", code, session.relay.sin)
    return session.end(Reply.SERVER_FAULT, "server fault")


def unlisted(session: Session) -> int:
    """An untagged response that no list has was dropped."""
    words = session.relay.unit[:80].split(b" ", 3)
    name = words[2] if words[1].isdigit() and len(words) > 2 else words[1]
    session.unlisted(name.strip())
    return answers.DROP
