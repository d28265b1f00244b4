"""The argument of `test-imap4 -t` (configuration.md section 6): what it may ask for, as typed structures.

`parse_expression` reads it with the grammar of configuration files; it searches no ACL and knows no clock.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from imap4fast.config.values import Address, Sock

UNSPECIFIED = Address(4, 0)


class TestTime(msgspec.Struct, frozen=True):
    """`[[MM]DD]hhmm`; None: that of now. The year is the current one."""

    __test__: ClassVar[bool] = False

    hour: int
    minute: int
    day: int | None = None
    month: int | None = None


class TestExpr(msgspec.Struct, frozen=True):
    """`test ...`: search the ACLs with these entry values.

    `from_` and the hosts of `to` and `server` are an `Address` or a name as written (a name has to be resolved by
    who asks). Omitted: `[0.0.0.0]`, and port 0. `time` None: now. `cert` and `mail` are paths. `direction` is
    `download` or `upload`; `virus` one of found, free, skipped, unknown, error; `spam_score` None: not given.
    """

    __test__: ClassVar[bool] = False

    from_: Address | str = UNSPECIFIED
    transparent: bool = False
    to: Sock = Sock(UNSPECIFIED, 0)
    server: Sock = Sock(UNSPECIFIED, 0)
    user: str | None = None
    group: tuple[str, ...] = ()
    time: TestTime | None = None
    cert: str | None = None
    mail: str | None = None
    direction: str | None = None
    spam_score: float | None = None
    virus: str | None = None


class ShowAcl(msgspec.Struct, frozen=True):
    """`show-acl [PHASE]`: 1 session-acl, 2 command-acl, 3 mail-acl and doc-acl."""

    phase: int = 1


class ShowProxy(msgspec.Struct, frozen=True):
    """`show-proxy [all]`: `all` also prints what was left at its default."""

    all: bool = False


class ShowHash(msgspec.Struct, frozen=True):
    """`show-hash`: the hash of the configuration."""


class Help(msgspec.Struct, frozen=True):
    """`help`."""


Expr = TestExpr | ShowAcl | ShowProxy | ShowHash | Help
