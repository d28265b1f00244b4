"""Which limit is in force."""

from __future__ import annotations

import pytest

from imap4fast.config.basesettings import SockOpt
from imap4fast.config.settings import MOST_PENDING, Proxy, SessionAcl
from imap4fast.policy import limits
from tests.play.stage import accepting

IN = SessionAcl(name="IN", accept=True)


@pytest.mark.parametrize(
    ("proxy", "session", "command", "seconds"),
    [(1, None, None, 1), (1, 2, None, 2), (1, 2, 3, 3), (1, None, 3, 3), (1, 0, None, 0), (1, 2, 0, 0)],
)
def test_the_innermost_idle_timeout(proxy: float, session: float | None, command: float | None, seconds: float) -> None:
    acl = SessionAcl(name="IN", accept=True, idle_timeout=session)
    found = limits.idle_timeout(Proxy(name="P", idle_timeout=proxy), acl, accepting(idle_timeout=command))
    assert found == seconds


def test_without_a_command_acl() -> None:
    acl = SessionAcl(name="IN", accept=True, idle_timeout=2)
    assert limits.idle_timeout(Proxy(name="P"), acl, None) == 2


def test_items_of_the_proxy() -> None:
    proxy = Proxy(
        name="P", max_line=1, max_server_line=2, max_literal=3, max_pending=4, login_timeout=5,
        client_conn=SockOpt(recv_timeout=6, send_timeout=7),
        server_conn=SockOpt(recv_timeout=8, send_timeout=9, reply_timeout=10),
    )  # fmt: skip
    found = limits.limits_of(proxy, IN, accepting())
    assert (found.max_line, found.max_server_line, found.max_literal, found.max_pending) == (1, 2, 3, 4)
    assert (found.login_s, found.client_recv_s, found.client_send_s) == (5, 6, 7)
    assert (found.server_recv_s, found.server_send_s, found.reply_s) == (8, 9, 10)


def test_items_of_the_command_acl() -> None:
    acl = accepting(max_bytes_in=1, max_bytes_out=2, max_mail_in=3, max_mail_out=4, max_time=5, idle_timeout=6)
    found = limits.limits_of(Proxy(name="P"), IN, acl)
    assert (found.max_bytes_in, found.max_bytes_out, found.max_mail_in, found.max_mail_out) == (1, 2, 3, 4)
    assert (found.time_s, found.idle_s) == (5, 6)


def test_none() -> None:
    """0 means none (configuration.md section 1); what the wire keeps in memory is bounded all the same."""
    proxy = Proxy(
        name="P", max_line=0, max_server_line=0, max_literal=0, max_pending=0, idle_timeout=0, login_timeout=0
    )
    found = limits.limits_of(proxy, IN, accepting())
    assert found.max_line == found.max_server_line == found.max_literal == limits.CEILING
    assert found.max_pending == MOST_PENDING
    assert found.idle_s == limits.NEVER_S
    assert found.login_s == found.time_s == 0


@pytest.mark.parametrize("wanted", [251, 1000, 10**9])
def test_pending_is_at_most_what_the_wire_keeps(wanted: int) -> None:
    assert limits.limits_of(Proxy(name="P", max_pending=wanted), IN, accepting()).max_pending == MOST_PENDING
