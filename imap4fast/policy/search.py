"""The search: which session-acl and which command-acl decide about a session.

ACLs are searched in file order, the first whose conditions all fit decides, none denies under the name `<NULL>`.
A policy is compiled once from settings and never changes; the live proxy and `test-imap4` ask the same one. The
trace asks the same compiled conditions as the quick search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import msgspec

from imap4fast.config.basesettings import Conditions
from imap4fast.config.settings import CommandAcl, SessionAcl, Settings
from imap4fast.config.values import Address
from imap4fast.policy.conditions import (
    Condition,
    compile_client_cert,
    compile_conditions,
    condition_names,
    uses_client_name,
    uses_time,
    uses_user,
)
from imap4fast.policy.facts import Facts
from imap4fast.policy.fit import FITS, Fit
from imap4fast.policy.hosts import Names, plain_name
from imap4fast.policy.trace import AclTrace, ConditionTrace, acl_trace

NO_ACL = "<NULL>"
"""What a decision says, and logs print, when no ACL matched."""

NOT_CONNECTABLE = "accepted without plug-to, and the connection is not transparent"

NO_TLS = "requires client-cert-match, and has no client-ssl-params"

_NO_NAMES: Names = MappingProxyType({})


class Decision(msgspec.Struct, frozen=True):
    """What a search found. `reason` says why, where the ACL accepts and the session is refused all the same."""

    phase: int
    name: str
    accepted: bool
    acl: SessionAcl | CommandAcl | None
    reason: str | None = None


class _Row(msgspec.Struct, frozen=True):
    """One ACL: its conditions, their tests alone for the quick search, and the decision if all fit."""

    conditions: tuple[Condition, ...]
    decision: Decision

    def tests(self) -> tuple[Callable[[Facts], Fit], ...]:
        return tuple(condition.fits for condition in self.conditions)


class _Phase:
    """The ACLs of one phase."""

    __slots__ = ("_none", "_quick", "_rows")

    def __init__(self, phase: int, rows: Iterable[_Row]) -> None:
        self._rows = tuple(rows)
        self._quick = tuple((row.tests(), row.decision) for row in self._rows)
        self._none = Decision(phase, NO_ACL, False, None)

    def search(self, facts: Facts) -> Decision:
        for tests, decision in self._quick:
            for fits in tests:
                if fits(facts) is not FITS:
                    break
            else:
                return decision
        return self._none

    def explain(self, facts: Facts) -> tuple[Decision, tuple[AclTrace, ...]]:
        traces: list[AclTrace] = []
        for row in self._rows:
            traces.append(acl_trace(row.decision.name, _judge(row.conditions, facts)))
            if traces[-1].matched:
                return row.decision, tuple(traces)
        return self._none, tuple(traces)


class Policy:
    """The ACLs of a configuration. `names` are its resolved host names; a name that is missing cannot be told."""

    needs_time: bool
    """Whether `Facts.when` is looked at."""
    needs_client_name: bool
    """Whether `Facts.client_name` is looked at."""
    needs_client_cert: bool
    """Whether `Facts.client_cert` is looked at by command-acls."""
    command_uses_user: bool
    """Whether command-acls are searched once more after login."""
    host_names: frozenset[str]
    """Names to resolve: those in conditions and, where servers are compared, those of plug-to."""

    def __init__(self, settings: Settings, names: Mapping[str, frozenset[Address]] = _NO_NAMES) -> None:
        session_acls, command_acls = settings.proxy.session_acls, settings.proxy.command_acls
        known = MappingProxyType({plain_name(name): addresses for name, addresses in names.items()})
        self._direct = _Phase(1, _session_rows(session_acls, known, transparent=False))
        self._transparent = _Phase(1, _session_rows(session_acls, known, transparent=True))
        self._command = _Phase(2, _command_rows(command_acls, known))
        used = [acl.conditions for acl in session_acls] + [acl.conditions for acl in command_acls]
        used += [acl.conditions for acl in settings.proxy.mail_acls]
        used += [acl.conditions for acl in settings.proxy.doc_acls]
        self.needs_time = any(map(uses_time, used)) or _uses_days(session_acls, command_acls)
        self.needs_client_cert = any(acl.client_cert_match is not None for acl in command_acls)
        self.needs_client_name = any(map(uses_client_name, used))
        self.command_uses_user = any(uses_user(acl.conditions) for acl in command_acls)
        self.host_names = _host_names(used, session_acls)

    def session(self, facts: Facts) -> Decision:
        """Phase 1: search the session-acls."""
        return (self._transparent if facts.transparent else self._direct).search(facts)

    def command(self, facts: Facts) -> Decision:
        """Phase 2: search the command-acls; `facts.parent` names the session-acl."""
        return self._command.search(facts)

    def explain_session(self, facts: Facts) -> tuple[Decision, tuple[AclTrace, ...]]:
        """As `session`, with a trace of every ACL up to the one that decided."""
        return (self._transparent if facts.transparent else self._direct).explain(facts)

    def explain_command(self, facts: Facts) -> tuple[Decision, tuple[AclTrace, ...]]:
        """As `command`, with a trace of every ACL up to the one that decided."""
        return self._command.explain(facts)


def _session_rows(acls: tuple[SessionAcl, ...], names: Names, *, transparent: bool) -> Iterable[_Row]:
    for acl in acls:
        reason = _why_refused(acl, connectable=transparent or bool(acl.plug_to)) if acl.accept else None
        decision = Decision(1, acl.name, acl.accept and reason is None, acl, reason)
        yield _Row(compile_conditions(acl.conditions, names), decision)


def _why_refused(acl: SessionAcl, *, connectable: bool) -> str | None:
    """Why sessions that an ACL accepts can come to nothing. A requirement is never skipped for want of a handshake."""
    if not connectable:
        return NOT_CONNECTABLE
    match = acl.client_cert_match
    return NO_TLS if match is not None and not match.none and acl.client_ssl is None else None


def _command_rows(acls: tuple[CommandAcl, ...], names: Names) -> Iterable[_Row]:
    for acl in acls:
        conditions = compile_conditions(acl.conditions, names) + compile_client_cert(acl.client_cert_match)
        yield _Row(conditions, Decision(2, acl.name, acl.accept, acl))


def _uses_days(session_acls: tuple[SessionAcl, ...], command_acls: tuple[CommandAcl, ...]) -> bool:
    """Whether a certificate's last day is compared with the day."""
    matches = [acl.client_cert_match for acl in session_acls]
    for acl in command_acls:
        matches += [acl.client_cert_match, acl.server_cert_match]
    return any(match is not None and match.valid_days is not None for match in matches)


def _judge(conditions: tuple[Condition, ...], facts: Facts) -> tuple[ConditionTrace, ...]:
    return tuple(trace for condition in conditions for trace in condition.traces(facts))


def _host_names(used: list[Conditions], session_acls: tuple[SessionAcl, ...]) -> frozenset[str]:
    names = {name for conditions in used for name in condition_names(conditions)}
    if any(conditions.server is not None for conditions in used):
        socks = (sock for acl in session_acls for sock in acl.plug_to)
        names |= {plain_name(sock.host) for sock in socks if isinstance(sock.host, str)}
    return frozenset(names)
