"""Ticket keys: changed when due, two kept, never shown, each process's copy its own."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from imap4fast._wire import TlsContext
from imap4fast.proc import tickets
from imap4fast.proc.tickets import KEY_BYTES, TicketKeys
from imap4fast.secret import Secret
from tests.unit.tls.certificates import Authority


def locked_kib() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmLck:"))


def flags_of(address: int) -> list[str]:
    """The kernel's flags of the map at this address."""
    found = False
    with open("/proc/self/smaps") as maps:
        for line in maps:
            found = found or line.startswith(f"{address:x}-")
            if found and line.startswith("VmFlags:"):
                return line.split()[1:]
    raise AssertionError("no such map")


def test_there_is_one_key_at_once() -> None:
    (key,) = TicketKeys(100.0, 60).reveal()
    assert len(key) == KEY_BYTES
    assert len(set(key)) > 20, "it is random"


def test_keys_change_when_due_and_two_are_kept() -> None:
    keys = TicketKeys(100.0, 60)
    (first,) = keys.reveal()
    assert not keys.change(159.9)
    assert keys.change(160.0)
    second, kept = keys.reveal()
    assert kept == first != second
    assert not keys.change(219.9)
    assert keys.change(230.0)
    third, kept = keys.reveal()
    assert kept == second
    assert third not in (first, second)
    assert not keys.change(289.9), "the next is due as long after the last change"


def test_the_interval_is_12_hours() -> None:
    assert tickets.CHANGE_S == 43200


def test_openssl_takes_them() -> None:
    pair = Authority().issue("proxy")
    keys = TicketKeys(0, 1)
    keys.change(1)
    TlsContext(server=True, certificate=pair.chain, private_key=pair.key).set_ticket_keys(keys.reveal())


@pytest.mark.parametrize("show", [repr, str, "{}".format])
def test_they_are_not_shown(show: object) -> None:
    assert callable(show)
    assert show(TicketKeys(0, 1)) == Secret.MARK


def test_a_wiped_copy_has_none() -> None:
    keys = TicketKeys(0, 1)
    keys.wipe()
    assert keys.reveal() == ()
    assert keys._memory[:] == bytes(len(keys._memory))


def test_they_are_in_no_swap_and_no_core(monkeypatch: pytest.MonkeyPatch) -> None:
    if "libasan" in Path("/proc/self/maps").read_text():
        pytest.skip("the sanitizer leaves mlock out")
    at: list[int] = []
    real = ctypes.addressof

    def addressof(first: ctypes.c_char) -> int:
        at.append(real(first))
        return at[-1]

    monkeypatch.setattr(ctypes, "addressof", addressof)
    before = locked_kib()
    keys = TicketKeys(0, 1)
    assert locked_kib() == before + 4
    assert {"lo", "dd"} <= set(flags_of(at[0]))
    assert "sh" not in flags_of(at[0]), "a worker would write into the master's keys"
    del keys


def test_a_child_changes_only_its_own() -> None:
    keys = TicketKeys(0, 1)
    before = keys.reveal()
    pid = os.fork()
    if not pid:
        seen = keys.reveal() == before
        keys.wipe()
        os._exit(not (seen and keys.reveal() == ()))
    assert os.waitpid(pid, 0)[1] == 0
    assert keys.reveal() == before
