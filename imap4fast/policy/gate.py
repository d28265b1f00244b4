"""Compilation of a command-acl: the gate table in C and the capability filter. One of each for all its sessions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import imap4fast._wire as wire
from imap4fast.config import words
from imap4fast.config.settings import CommandAcl
from imap4fast.config.values import WordList
from imap4fast.config.words import UNKNOWN, is_known_capability, word_covers
from imap4fast.imap import capabilities as caps
from imap4fast.imap import responses

NOT_BY_DEFAULT = frozenset((b"COMPRESS", b"UNAUTHENTICATE", b"PROXYAUTH", b"UNKNOWN"))
"""Commands that pass mode does not permit unless named (configuration.md section 4)."""

SCANNED = frozenset(
    b"CAPABILITY NOOP LOGOUT ID STARTTLS AUTHENTICATE LOGIN ENABLE SELECT EXAMINE CREATE DELETE RENAME SUBSCRIBE "
    b"UNSUBSCRIBE LIST LSUB XLIST NAMESPACE STATUS APPEND REPLACE IDLE CHECK CLOSE UNSELECT EXPUNGE SEARCH SORT THREAD "
    b"FETCH STORE COPY MOVE UID-REPLACE UID-EXPUNGE UID-SEARCH UID-SORT UID-THREAD UID-FETCH UID-STORE UID-COPY "
    b"UID-MOVE GETQUOTA GETQUOTAROOT MYRIGHTS".split()
)
"""Commands that are permitted by default where mails are processed."""

NEVER_SCANNED = frozenset(name.encode("ascii") for name in words.NEVER_SCANNED)
"""Commands that no list permits where mails are processed."""

NEVER_FORWARDED = frozenset((b"COMPRESS", b"STARTTLS"))

CHANGING = frozenset(
    b"CREATE DELETE RENAME SUBSCRIBE UNSUBSCRIBE APPEND STORE COPY MOVE EXPUNGE REPLACE UID-STORE UID-COPY UID-MOVE "
    b"UID-EXPUNGE UID-REPLACE SETACL DELETEACL SETQUOTA SETMETADATA".split()
)
"""Commands that read-only refuses."""

ASKED = frozenset((b"LOGIN", b"AUTHENTICATE", b"ENABLE", b"ID"))
"""Commands that the session must see: they carry the user's name, or arguments that are filtered."""

ASKED_FOR_MAILS = frozenset(b"FETCH UID-FETCH SELECT EXAMINE SEARCH UID-SEARCH SORT UID-SORT DELETE RENAME".split())
"""Commands that the session must see where mails are processed."""

_MAX_NAME = 100
_MAX_DIGITS = 20
_MAX_LIST = 2000
"""Octets of what is remembered: a hostile server must not fill the memory of all sessions."""


def listed(members: WordList, name: str, known: bool = True) -> bool:
    """First member that fits decides; none: no. `UNKNOWN` stands for every name that the proxy does not know."""
    for member in members:
        if member.sublist is not None:
            fits = listed(member.sublist, name, known)
        elif member.word is None:
            fits = True
        elif member.word.upper() == UNKNOWN:
            fits = not known
        else:
            fits = word_covers(member.word, name)
        if fits:
            return not member.negate
    return False


class Powers:
    """What a session under one command-acl may do: compiled, immutable, shared."""

    scanning: bool
    """Whether mails are processed."""

    __slots__ = ("_cache", "_offered", "acl", "commands", "gate", "scanning", "unknown_capabilities")

    def __init__(self, acl: CommandAcl) -> None:
        self.acl = acl
        self.commands = permitted_commands(acl)
        self.scanning = scans(acl)
        unknown = acl.capabilities is not None and listed(acl.capabilities, "", known=False)
        self.unknown_capabilities = unknown and not self.scanning
        self.gate = compile_gate(acl, self.commands, self.unknown_capabilities)
        self._offered: dict[bytes, bool] = {}
        self._cache: dict[tuple[bytes, bool], tuple[bytes, ...]] = {}

    def offers(self, name: bytes) -> bool:
        """Whether a capability of the server's (upper case) is shown to the client; hop-by-hop ones are not."""
        offered = self._offered.get(name)
        if offered is None:
            offered = self._judge(name)
            if len(self._offered) < 1000 and len(name) <= _MAX_NAME:
                self._offered[name] = offered
        return offered

    def mechanism(self, name: bytes) -> bool:
        """Whether AUTHENTICATE with this mechanism (upper case) is permitted."""
        return self.offers(b"AUTH=" + name)

    def code_passes(self, name: bytes, authenticated: bool) -> bool:
        """Whether a response code (upper case, other than CAPABILITY) may be shown to the client."""
        if name in responses.NEVER or (name in responses.AFTER_LOGIN and not authenticated):
            return False
        return name in responses.CODES or self.unknown_capabilities

    def rewrite(self, line: bytes, authenticated: bool) -> tuple[bytes, ...]:
        """The client's capability list for the server's (names apart by spaces): order kept, own names added."""
        key = (line, authenticated)
        done = self._cache.get(key)
        if done is None:
            done = tuple(self._rewritten(line.split(), authenticated))
            if len(self._cache) < 100 and len(line) <= _MAX_LIST:
                self._cache[key] = done
        return done

    def _rewritten(self, names: Sequence[bytes], authenticated: bool) -> list[bytes]:
        own = [name for name in caps.OWN if self._own(name) and (name != b"SASL-IR" or not authenticated)]
        shown: dict[bytes, bytes] = {}
        for spelt in names:
            name = spelt.upper()
            if b"{" in name:  # no atom; at the end of a line clients may take it for a literal's announcement
                continue
            if name in own or (name == b"SASL-IR" and self._own(name)):
                shown.setdefault(name, spelt)
            elif name.startswith(b"APPENDLIMIT") and self.offers(b"APPENDLIMIT"):
                limit = self.append_limit(name.partition(b"=")[2])
                shown.setdefault(b"APPENDLIMIT", b"APPENDLIMIT=" + limit if self.acl.max_mail_out else name)
            elif self.offers(name):
                shown.setdefault(name, spelt)
        return [*shown.values(), *(name for name in own if name not in shown)]

    def append_limit(self, value: bytes) -> bytes:
        """What is shown for the server's APPENDLIMIT (RFC 7889): no more than max-mail-out, whatever else it is."""
        most = self.acl.max_mail_out
        if not most:
            return value
        return b"%d" % (min(int(value), most) if value.isdigit() and len(value) <= _MAX_DIGITS else most)

    def _own(self, name: bytes) -> bool:
        return self.acl.capabilities is None or listed(self.acl.capabilities, name.decode("ascii"))

    def _judge(self, name: bytes) -> bool:
        text = name.decode("ascii", "replace")
        if name == b"IMAP4REV1":
            return True
        if name in caps.HOP_BY_HOP or name.startswith(b"COMPRESS="):
            return False
        if name.startswith(b"AUTH="):
            mechanism = name[5:]
            if caps.mechanism_barred(mechanism) or (mechanism == b"EXTERNAL" and not self.acl.sasl_external):
                return False
        needed = b"THREAD" if name.startswith(b"THREAD=") else caps.COMMAND_OF.get(name)
        if needed is not None and needed not in self.commands:
            return False
        if self.scanning and words.never_with_scanning(text):
            return False
        known = is_known_capability(text)
        if self.acl.capabilities is not None:
            return listed(self.acl.capabilities, text, known) and (known or not self.scanning)
        if name.startswith(b"AUTH=") and not caps.mechanism_known(name[5:]):
            return False
        if self.scanning:
            return name in caps.SCANNED or name.startswith(caps.SCANNED_FAMILIES)
        return known and name not in caps.REFERRALS and name not in caps.UNOFFERED


def scans(acl: CommandAcl) -> bool:
    """Whether mails are processed under a command-acl."""
    return acl.accept and not acl.no_mail_scanning


def permitted_commands(acl: CommandAcl) -> frozenset[bytes]:
    """The names of `_wire.COMMANDS` that the command-acl permits, read-only not yet considered."""
    never = NEVER_SCANNED if scans(acl) else frozenset()
    if acl.commands is None:
        return SCANNED if scans(acl) else frozenset(wire.COMMANDS) - NOT_BY_DEFAULT
    given = acl.commands
    named = (name for name in wire.COMMANDS if listed(given, name.decode("ascii"), known=name != b"UNKNOWN"))
    return frozenset(named) - never


def action_of(acl: CommandAcl, commands: frozenset[bytes]) -> Callable[[bytes], int]:
    """The gate's action for each command name."""

    def action(name: bytes) -> int:
        if name not in commands or name in NEVER_FORWARDED or (acl.read_only and name in CHANGING):
            return wire.DENY
        if name in ASKED or (acl.read_only and name == b"SELECT"):
            return wire.ASK
        if not acl.no_mail_scanning and name in ASKED_FOR_MAILS:
            return wire.ASK
        return wire.PASS

    return action


BEFORE_SERVER = frozenset((b"CAPABILITY", b"NOOP", b"ID", b"LOGOUT", b"STARTTLS", b"LOGIN", b"AUTHENTICATE"))
"""Commands that the proxy answers, or lets wait, while there is no server (architecture.md section 5)."""

LOGINS = frozenset((b"LOGIN", b"AUTHENTICATE"))


def powers_before_server(*, login: bool) -> Powers:
    """What every session may do that begins before a server is connected: each command is asked about.

    Without `login` no literal of LOGIN is asked for either: there may be a password in it (T-S10).
    """
    powers = Powers(CommandAcl(name="", accept=True, no_mail_scanning=True))
    allowed = BEFORE_SERVER if login else BEFORE_SERVER - LOGINS
    actions = bytes(wire.ASK if name in allowed else wire.DENY for name in wire.COMMANDS)
    powers.gate = wire.Gate(actions, responses.CODES, responses.UNTAGGED, False)
    return powers


def compile_gate(acl: CommandAcl, commands: frozenset[bytes], unknown: bool) -> wire.Gate:
    """The tables of the gate. `unknown` lets names pass that no list has."""
    action = action_of(acl, commands)
    untagged = responses.UNTAGGED | {name for name, command in responses.UNTAGGED_OF.items() if command in commands}
    actions = bytes(map(action, wire.COMMANDS))
    return wire.Gate(actions, responses.CODES, untagged, unknown, responses.DYNAMIC_ITEMS)
