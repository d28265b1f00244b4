"""A session rehearsed without traffic: what `test-imap4 -t 'test ...'` asks, answered by the live proxy's policy.

The searches come as in a session: session-acl, with what it requires of the client's certificate; command-acl before
login, when nobody is known yet; and, where a user is given and a command-acl looks at users, command-acl once more
after login. Each must accept. The certificate that is given counts as verified, where the client's leg asks for one.
"""

from __future__ import annotations

import datetime
from typing import ClassVar

import msgspec

from imap4fast.config.expression import UNSPECIFIED, TestExpr
from imap4fast.config.settings import CommandAcl, SessionAcl, Settings
from imap4fast.config.values import Address, Sock
from imap4fast.errors import ConfigError
from imap4fast.policy.certificates import NO_CERTIFICATE, Presented, explain
from imap4fast.policy.facts import Facts
from imap4fast.policy.fit import DOES_NOT_FIT
from imap4fast.policy.hosts import Names, plain_name
from imap4fast.policy.search import Decision, Policy
from imap4fast.policy.trace import AclTrace, ConditionTrace, acl_trace

CONNECTION = "at connection"
HANDSHAKE = "after the TLS handshake"
BEFORE_LOGIN = "before login"
AFTER_LOGIN = "after login"

_KINDS = {1: "session-acl", 2: "command-acl"}


class Search(msgspec.Struct, frozen=True):
    """One search: in which phase, at which moment of a session, and what came of it."""

    moment: str
    server: tuple[Address | str | None, int] | None
    decision: Decision
    traces: tuple[AclTrace, ...]

    @property
    def kind(self) -> str:
        """The section that was searched."""
        return _KINDS[self.decision.phase]


class Requirement(msgspec.Struct, frozen=True):
    """What an item of the session-acl requires of the client's certificate, and how that was judged."""

    session_acl: str
    item: str
    trace: AclTrace

    moment: ClassVar[str] = HANDSHAKE


class Rehearsal(msgspec.Struct, frozen=True):
    """All searches up to the one that refused. `acls` are those in effect at the end, if all accepted.

    `unpresented` says why the certificate of the expression was never shown to the proxy.
    """

    expr: TestExpr
    facts: Facts
    searches: tuple[Search, ...]
    acls: tuple[SessionAcl, CommandAcl] | None
    requirement: Requirement | None = None
    unpresented: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether a session goes on."""
        return self.acls is not None


def names_asked(expr: TestExpr) -> frozenset[str]:
    """Host names in the expression, to be resolved with those of the policy."""
    hosts = (expr.from_, expr.to.host, expr.server.host)
    return frozenset(plain_name(host) for host in hosts if isinstance(host, str))


def rehearse(
    settings: Settings,
    expr: TestExpr,
    now: datetime.datetime,
    names: Names,
    certificate: bytes | None = None,
) -> Rehearsal:
    """Search the ACLs of `settings` with the values of `expr`; `now` is local time, `names` what was resolved.

    `certificate` is what the file `expr.cert` holds, in DER. Raises ConfigError for values that do not exist.
    """
    facts = _first_facts(expr, now, names)
    policy = Policy(settings, names)
    searches = [_search_session(policy, facts)]
    session_acl = searches[0].decision.acl
    if not searches[0].decision.accepted or not isinstance(session_acl, SessionAcl):
        return Rehearsal(expr, facts, tuple(searches), None)
    unpresented = None if certificate is None else _why_not_presented(session_acl)
    if certificate is not None and unpresented is None:
        facts.client_cert = Presented(certificate, verified=True)
    requirement = _require(session_acl, facts)
    if requirement is not None and not requirement.trace.matched:
        return Rehearsal(expr, facts, tuple(searches), None, requirement, unpresented)
    facts.parent = session_acl.name
    facts.server = _command_server(expr, facts, session_acl)
    searches += _search_commands(policy, facts, expr)
    command_acl = searches[-1].decision.acl
    if not searches[-1].decision.accepted or not isinstance(command_acl, CommandAcl):
        return Rehearsal(expr, facts, tuple(searches), None, requirement, unpresented)
    return Rehearsal(expr, facts, tuple(searches), (session_acl, command_acl), requirement, unpresented)


def _why_not_presented(session_acl: SessionAcl) -> str | None:
    """Why a client under this ACL can show no certificate; None: it can."""
    use = session_acl.client_ssl
    if use is None:
        return f"session-acl {session_acl.name} has no client-ssl-params"
    if use.params.verify in (None, "none"):
        return f"ssl-params {use.params.name} does not ask clients for one (verify none)"
    return None


def _require(session_acl: SessionAcl, facts: Facts) -> Requirement | None:
    """`verify require` comes before `client-cert-match`: without a certificate the handshake fails."""
    use, match = session_acl.client_ssl, session_acl.client_cert_match
    if use is not None and use.params.verify == "require" and facts.client_cert is None:
        wanted = ConditionTrace("verify", "verify require;", NO_CERTIFICATE, DOES_NOT_FIT)
        return Requirement(session_acl.name, "client-ssl-params", acl_trace(use.params.name, (wanted,)))
    if match is None:
        return None
    return Requirement(session_acl.name, "client-cert-match", explain(match, facts.client_cert, facts.when))


def _search_session(policy: Policy, facts: Facts) -> Search:
    return Search(CONNECTION, facts.server, *policy.explain_session(facts))


def _search_commands(policy: Policy, facts: Facts, expr: TestExpr) -> list[Search]:
    before = Search(BEFORE_LOGIN, facts.server, *policy.explain_command(facts))
    facts.user, facts.groups = expr.user, expr.group
    if not before.decision.accepted or expr.user is None or not policy.command_uses_user:
        return [before]
    return [before, Search(AFTER_LOGIN, facts.server, *policy.explain_command(facts))]


def _first_facts(expr: TestExpr, now: datetime.datetime, names: Names) -> Facts:
    """What is known at connection: no user, and a destination only if the expression or the kernel names one."""
    client = _one_address("from", expr.from_, names)
    to = (_one_address("to", expr.to.host, names), expr.to.port)
    return Facts(
        client=client,
        client_port=0,
        to=to,
        transparent=expr.transparent,
        server=_asked_server(expr) or (to if expr.transparent else None),
        client_name=expr.from_ if isinstance(expr.from_, str) else None,
        when=_moment(expr, now),
    )


def _one_address(item: str, host: Address | str | None, names: Names) -> Address:
    """The host itself, or the lowest address of a name."""
    if host is None:
        raise ConfigError(f"<expression>: error: {item} needs an address, not *")
    if isinstance(host, Address):
        return host
    addresses = names.get(plain_name(host))
    if addresses is None:
        raise ConfigError(f"<expression>: error: {item}: the name {host} is not resolved (-r resolves names first)")
    if not addresses:
        raise ConfigError(f"<expression>: error: {item}: the name {host} has no address")
    return min(addresses)


def _moment(expr: TestExpr, now: datetime.datetime) -> datetime.datetime:
    time = expr.time
    if time is None:
        return now
    try:
        return now.replace(
            month=time.month or now.month,
            day=time.day or now.day,
            hour=time.hour,
            minute=time.minute,
            second=0,
            microsecond=0,
        )
    except ValueError as error:
        raise ConfigError(f"<expression>: error: time: {error} (the year is {now.year})") from error


def _asked_server(expr: TestExpr) -> tuple[Address | str | None, int] | None:
    given = expr.server != Sock(UNSPECIFIED, 0)
    return (expr.server.host, expr.server.port) if given else None


def _command_server(expr: TestExpr, facts: Facts, session_acl: SessionAcl) -> tuple[Address | str | None, int] | None:
    """Where the session would go: as asked, else plug-to's first choice, else the original destination."""
    asked = _asked_server(expr)
    if asked is not None or not session_acl.plug_to:
        return asked or facts.server
    first = session_acl.plug_to[0]
    host = facts.to[0] if first.host is None and facts.transparent else first.host
    return host, first.port
