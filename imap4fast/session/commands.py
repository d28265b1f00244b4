"""Commands that a session looks at: LOGIN, AUTHENTICATE, ENABLE, ID, and SELECT when it must become EXAMINE.

Each function answers the relay's question: PASS, DROP (it has replied), or REPLACE (with `relay.replacement`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imap4fast._wire import COMMANDS
from imap4fast.imap.replies import Reply
from imap4fast.log import imap as entries
from imap4fast.session import alone, answers
from imap4fast.session.identity import id_pairs
from imap4fast.session.login import Sasl, normalised

if TYPE_CHECKING:
    from imap4fast._wire import Token
    from imap4fast.session.session import Session

_EXAMINE = COMMANDS.index(b"EXAMINE")
_UTF8 = frozenset((b"UTF8=ACCEPT", b"IMAP4REV2"))


def atoms(tokens: list[Token]) -> list[bytes] | None:
    """All of them, if they are atoms."""
    found = [token for token in tokens if isinstance(token, bytes)]
    return found if len(found) == len(tokens) else None


def login(session: Session) -> int:
    """login = "LOGIN" SP userid SP password"""
    words = session.relay.astrings()
    if words is None or len(words) != 2:
        return session.bad(Reply.BAD_SYNTAX)
    session.candidate = normalised(words[0])
    session.mechanism = "LOGIN"
    return answers.PASS


def authenticate(session: Session) -> int:
    """authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp] (RFC 4959)"""
    words = atoms(session.relay.tokens())
    if words is None or not 1 <= len(words) <= 2:
        return session.bad(Reply.BAD_SYNTAX)
    mechanism = words[0].upper()
    if not session.powers.mechanism(mechanism):
        return session.refuse(Reply.MECHANISM_NOT_PERMITTED)
    session.sasl = Sasl(mechanism)
    session.candidate = None
    session.mechanism = mechanism.decode("ascii", "replace")
    if len(words) == 1:
        return answers.PASS
    initial = b"" if words[1] == b"=" else words[1]
    if not session.sasl.answered(initial, initial=True):
        session.sasl = None
        return session.bad(Reply.BAD_SASL)
    if session.relay.sasl_ir:
        return answers.PASS
    session.sasl.stashed = initial
    session.relay.replacement = session.relay.tag + b" AUTHENTICATE " + words[0] + b"\r\n"
    return answers.REPLACE


def sasl_line(session: Session) -> int:
    """The client's line inside AUTHENTICATE: base64, or `*` to cancel (RFC 9051 section 6.2.2)."""
    line = session.relay.unit
    sasl = session.sasl
    if sasl is None or (line != b"*" and sasl.answered(line)):
        return answers.PASS
    sasl.cancelled = True
    if line == b"*":
        return answers.PASS
    session.fault("CLIENT", "BAD_SASL", session.relay.cout)
    if not session.count_bad():
        return answers.CLOSE
    session.relay.replacement = b"*\r\n"
    return answers.REPLACE


def enable(session: Session) -> int:
    """enable = "ENABLE" 1*(SP capability) (RFC 5161): what is not offered is taken out."""
    words = atoms(session.relay.tokens())
    if words is None:
        return session.bad(Reply.BAD_SYNTAX)
    kept = [word for word in words if session.powers.offers(word.upper())]
    for word in words:
        if word not in kept:
            session.removed("ENABLE", word)
    session.enabling = frozenset(word.upper() for word in kept)
    if len(kept) == len(words):
        return answers.PASS
    tag = session.relay.tag
    if not kept:
        session.relay.reply(b"* ENABLED\r\n" + tag + b" OK ENABLE\r\n")
        return answers.DROP
    session.relay.replacement = tag + b" ENABLE " + b" ".join(kept) + b"\r\n"
    return answers.REPLACE


def enabled_utf8(names: frozenset[bytes]) -> bool:
    """Whether quoted strings may be UTF-8 from now on (RFC 9755, RFC 9051)."""
    return bool(names & _UTF8)


def quoted(value: bytes, *, utf8: bool = False) -> bytes | None:
    """quoted, or None where the octets cannot stand in one. `utf8`: UTF-8 may (RFC 9755)."""
    if any(octet < 0x20 or octet == 0x7F or (octet > 0x7F and not utf8) for octet in value):
        return None
    if utf8 and "\ufffd" in value.decode("utf-8", "replace"):
        return None
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def identify(session: Session) -> int:
    """id: the client's `x-*` fields are removed, since servers trust such fields of a proxy (finding 10)."""
    pairs = id_pairs(session.relay.tokens())
    if pairs is None:
        return session.bad(Reply.BAD_SYNTAX)
    kept = []
    for field, value in pairs:
        name, text = quoted(field), b"NIL" if value is None else quoted(value)
        if field[:2].lower() == b"x-" or name is None or text is None:
            session.removed("ID", field)
        else:
            kept.append(name + b" " + text)
    if len(kept) == len(pairs) and session.relay.unit.count(b"\n") == 1:
        return answers.PASS
    params = b"(" + b" ".join(kept) + b")" if kept else b"NIL"
    session.relay.replacement = session.relay.tag + b" ID " + params + b"\r\n"
    return answers.REPLACE


def serialised(token: Token, *, utf8: bool = False) -> bytes | None:
    """A token in a form without literals, or None where there is none. `utf8` as in `quoted`."""
    if isinstance(token, bytes):
        return token
    if isinstance(token, tuple):
        return quoted(token[0], utf8=utf8)
    parts = [serialised(inner, utf8=utf8) for inner in token]
    whole = [part for part in parts if part is not None]
    return b"(" + b" ".join(whole) + b")" if len(whole) == len(parts) else None


def select(session: Session) -> int:
    """read-only: SELECT goes on as EXAMINE, arguments unchanged."""
    arguments = serialised(session.relay.tokens(), utf8=session.relay.utf8)
    if arguments is None:
        return session.bad(Reply.BAD_SYNTAX)
    session.relay.set_code(_EXAMINE)
    session.relay.replacement = session.relay.tag + b" EXAMINE " + arguments[1:-1] + b"\r\n"
    return answers.REPLACE


def look(session: Session) -> int:
    """The question COMMAND."""
    if session.relay.alone:
        return alone.look(session)
    name = session.relay.command
    found = None if session.processing is None else session.processing.look(name)
    answer = _LOOKS.get(name, _as_it_is)(session) if found is None else found
    if answer != answers.DROP and session.logs.detailed:
        session.log(entries.COMMAND_PASSED, name, session.relay.tag)
    return answer


def _as_it_is(session: Session) -> int:
    """A command that is asked about for another's sake."""
    return answers.PASS


_LOOKS = {
    b"LOGIN": login,
    b"AUTHENTICATE": authenticate,
    b"ENABLE": enable,
    b"ID": identify,
    b"SELECT": select,
}
