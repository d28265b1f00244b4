"""Entry conditions of session-acl and command-acl, compiled.

Each condition answers one question about `Facts` and can say, for a trace, how it stands in the configuration and
which value it saw. They are judged in one order: from, to, server, time, time-period-set, user, group, parent-acl,
client-cert-match.
A user that is not known yet (None) fits no list of users or groups, whatever stands in it, `*` and `!` included.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from imap4fast.config.basesettings import Conditions
from imap4fast.config.settings import CertMatch
from imap4fast.config.values import Address, HostList, HostName, HostRegex, TimePeriodSet, TimeSpec, WordList
from imap4fast.policy.certificates import NO_CERTIFICATE, cert_test
from imap4fast.policy.facts import Facts
from imap4fast.policy.fit import CANNOT_TELL, DOES_NOT_FIT, Fit
from imap4fast.policy.hosts import Names, compile_hosts, plain_name, walk_members
from imap4fast.policy.syntax import (
    WEEKDAYS,
    host_list_text,
    period_set_text,
    sock_text,
    time_text,
    word_list_text,
    word_text,
)
from imap4fast.policy.times import TimeTest, compile_period_set, compile_times
from imap4fast.policy.trace import ConditionTrace
from imap4fast.policy.words import WordTest, without_case


class Condition(ABC):
    """One compiled condition. `item` is its keyword, `text` the whole item in configuration syntax."""

    __slots__ = ("item", "text")

    def __init__(self, item: str, text: str) -> None:
        self.item = item
        self.text = text

    @abstractmethod
    def fits(self, facts: Facts) -> Fit:
        """Whether the facts fit."""

    @abstractmethod
    def seen(self, facts: Facts) -> str:
        """The value that `fits` looks at, for people."""

    def traces(self, facts: Facts) -> tuple[ConditionTrace, ...]:
        """How the condition was judged: one trace, or one for each part that it has."""
        return (ConditionTrace(self.item, self.text, self.seen(facts), self.fits(facts)),)


def compile_conditions(conditions: Conditions, names: Names) -> tuple[Condition, ...]:
    """All conditions of an ACL in the order in which they are judged; an ACL without conditions has none."""
    return tuple(_compile(conditions, names))


def compile_client_cert(match: CertMatch | None) -> tuple[Condition, ...]:
    """Item `client-cert-match` of a command-acl, the last of its conditions, if it has one."""
    return () if match is None else (_ClientCert(match),)


def condition_names(conditions: Conditions) -> Iterator[str]:
    """Host names that the conditions compare addresses with."""
    for members in (conditions.from_, conditions.to, conditions.server):
        yield from _names_in(members or ())


def uses_client_name(conditions: Conditions) -> bool:
    """Whether item `from` asks for the forward-confirmed name of the client."""
    return any(isinstance(member.host, HostRegex) for member in walk_members(conditions.from_ or ()))


def uses_time(conditions: Conditions) -> bool:
    """Whether `Facts.when` is looked at."""
    return bool(conditions.time) or conditions.time_period_set is not None


def uses_user(conditions: Conditions) -> bool:
    """Whether the user or the user's groups are looked at."""
    return conditions.user is not None or conditions.group is not None


def _compile(conditions: Conditions, names: Names) -> Iterator[Condition]:
    if conditions.from_ is not None:
        yield _From("from", conditions.from_, names)
    if conditions.to is not None:
        yield _To("to", conditions.to, names)
    if conditions.server is not None:
        yield _Server("server", conditions.server, names)
    if conditions.time:
        yield _time(conditions.time)
    if conditions.time_period_set is not None:
        yield _period_set(conditions.time_period_set)
    if conditions.user is not None:
        yield _User("user", conditions.user)
    if conditions.group is not None:
        yield _Group("group", conditions.group)
    if conditions.parent_acl is not None:
        yield _ParentAcl("parent-acl", conditions.parent_acl)


class _HostCondition(Condition):
    """A condition by a host list. `_pending` are its names that were not resolved."""

    __slots__ = ("_asks_name", "_asks_port", "_pending", "_test")

    def __init__(self, item: str, members: HostList, names: Names) -> None:
        super().__init__(item, f"{item} {host_list_text(members)};")
        self._test = compile_hosts(members, names, by_name=item == "server")
        self._pending = tuple(dict.fromkeys(name for name in _names_in(members) if name not in names))
        self._asks_name = any(isinstance(member.host, HostRegex) for member in walk_members(members))
        self._asks_port = any(member.port is not None for member in walk_members(members))

    def _notes(self, name: str | None) -> str:
        """What makes the condition hard to judge."""
        notes = [f", {pending} not resolved" for pending in self._pending]
        if self._asks_name:
            notes.insert(0, ", name unknown" if name is None else f", name {name}")
        return "".join(notes)


class _From(_HostCondition):
    __slots__ = ()

    def fits(self, facts: Facts) -> Fit:
        return self._test.fits(facts.client, facts.client_port, facts.client_name)

    def seen(self, facts: Facts) -> str:
        shown = sock_text(facts.client, facts.client_port)
        return (shown if self._asks_port else shown.partition(" ")[0]) + self._notes(facts.client_name)


class _To(_HostCondition):
    __slots__ = ()

    def fits(self, facts: Facts) -> Fit:
        address, port = facts.to
        return self._test.fits(address, port, None)

    def seen(self, facts: Facts) -> str:
        return sock_text(*facts.to) + self._notes(None)


class _Server(_HostCondition):
    """The logical destination; known by its name alone, it fits as far as all addresses of the name agree."""

    __slots__ = ("_names",)

    def __init__(self, item: str, members: HostList, names: Names) -> None:
        super().__init__(item, members, names)
        self._names = names

    def fits(self, facts: Facts) -> Fit:
        if facts.server is None:
            return CANNOT_TELL
        host, port = facts.server
        if not isinstance(host, str):
            return self._test.fits(host, port, None)
        addresses: frozenset[Address] | None = self._names.get(plain_name(host))
        if not addresses:
            return self._test.fits(None, port, host)
        answers = {self._test.fits(address, port, host) for address in addresses}
        return answers.pop() if len(answers) == 1 else CANNOT_TELL

    def seen(self, facts: Facts) -> str:
        if facts.server is None:
            return "unknown"
        host, port = facts.server
        shown = f"unknown : {port}" if host is None else sock_text(host, port)
        return shown + self._notes(host if isinstance(host, str) else None)


class _Time(Condition):
    __slots__ = ("_test",)

    def __init__(self, item: str, text: str, test: TimeTest) -> None:
        super().__init__(item, text)
        self._test = test

    def fits(self, facts: Facts) -> Fit:
        return CANNOT_TELL if facts.when is None else self._test.fits(facts.when)

    def seen(self, facts: Facts) -> str:
        when = facts.when
        return "unknown" if when is None else f"{WEEKDAYS[when.isoweekday() % 7]} {when:%Y-%m-%d %H:%M}"


class _Words(Condition):
    __slots__ = ("_test",)

    def __init__(self, item: str, members: WordList) -> None:
        super().__init__(item, f"{item} {word_list_text(members)};")
        self._test = WordTest(self._compared(members))

    @staticmethod
    def _compared(members: WordList) -> WordList:
        """The members as they are compared; the text shows them as they were given."""
        return members


class _User(_Words):
    __slots__ = ()

    @staticmethod
    def _compared(members: WordList) -> WordList:
        return without_case(members)

    def fits(self, facts: Facts) -> Fit:
        return CANNOT_TELL if facts.user is None else self._test.fits((facts.user.casefold(),))

    def seen(self, facts: Facts) -> str:
        return "no user" if facts.user is None else word_text(facts.user)


class _Group(_Words):
    __slots__ = ()

    def fits(self, facts: Facts) -> Fit:
        return CANNOT_TELL if facts.user is None else self._test.fits(facts.groups)

    def seen(self, facts: Facts) -> str:
        if facts.user is None:
            return "no user"
        return f"{{ {', '.join(map(word_text, facts.groups))} }}" if facts.groups else "no group"


class _ParentAcl(_Words):
    __slots__ = ()

    def fits(self, facts: Facts) -> Fit:
        return self._test.fits((facts.parent,)) if facts.parent else DOES_NOT_FIT

    def seen(self, facts: Facts) -> str:
        return facts.parent or "no session-acl"


class _ClientCert(Condition):
    __slots__ = ("_name", "_test")

    def __init__(self, match: CertMatch) -> None:
        super().__init__("client-cert-match", f"client-cert-match {match.name};")
        self._name = match.name
        self._test = cert_test(match)

    def fits(self, facts: Facts) -> Fit:
        return self._test.fits(facts.client_cert, facts.when)

    def seen(self, facts: Facts) -> str:
        return NO_CERTIFICATE if facts.client_cert is None else word_text(facts.client_cert.subject)

    def traces(self, facts: Facts) -> tuple[ConditionTrace, ...]:
        return tuple(
            ConditionTrace(self.item, f"client-cert-match {self._name}: {part.text}", part.seen, part.fit)
            for part in self._test.explain(facts.client_cert, facts.when)
        )


def _time(specs: tuple[TimeSpec, ...]) -> Condition:
    return _Time("time", " ".join(map(time_text, specs)), compile_times(specs))


def _period_set(section: TimePeriodSet) -> Condition:
    return _Time("time-period-set", period_set_text(section), compile_period_set(section))


def _names_in(members: HostList) -> Iterator[str]:
    for member in walk_members(members):
        if isinstance(member.host, HostName):
            yield plain_name(member.host.name)
