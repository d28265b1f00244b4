"""Privileges: who workers become, and that nothing comes back. Each drop is done in a process of its own, as root."""

from __future__ import annotations

import ctypes
import json
import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from imap4fast.config.settings import Proxy
from imap4fast.errors import SetupError
from imap4fast.proc import kernel, privileges
from imap4fast.proc.privileges import Identity

NOBODY = Identity(65534, 65534, None)


def in_child(work: Callable[[], object]) -> object:
    """What `work` returns in a forked process; a SetupError's text otherwise."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            result = work()
        except SetupError as error:
            result = str(error)
        except BaseException as error:
            result = f"{type(error).__name__}: {error}"
        os.write(write, json.dumps(result).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    return json.loads(text)


@pytest.fixture(autouse=True)
def _root() -> None:
    assert os.geteuid() == 0, "run as root"


def attempt(call: Callable[..., object], *args: object) -> str:
    try:
        call(*args)
    except OSError as error:
        return str(error.strerror)
    return "succeeded"


def test_everything_is_gone() -> None:
    def work() -> object:
        privileges.drop(NOBODY)
        return [
            os.getresuid(),
            os.getresgid(),
            os.getgroups(),
            kernel.capabilities(),
            kernel.bounding_set(),
            attempt(os.setuid, 0),
            attempt(os.setgroups, [0]),
            attempt(os.chroot, "/"),
            attempt(os.listdir, "/root"),
        ]

    denied = "Operation not permitted"
    ids = [65534] * 3
    assert in_child(work) == [ids, ids, [], [0, 0, 0], [], denied, denied, denied, "Permission denied"]


def test_chroot_hides_the_rest_but_what_is_needed_still_works(tmp_path: Path) -> None:
    (tmp_path / "inside").write_text("")
    tmp_path.chmod(0o755)

    def work() -> object:
        privileges.drop(Identity(65534, 65534, str(tmp_path)))
        return [os.listdir("/"), os.getcwd(), "ř".encode("cp1250").hex(), "č.example".encode("idna").decode()]

    assert in_child(work) == [["inside"], "/", "f8", "xn--bea.example"]


def test_without_app_user_nothing_new_can_be_gained_by_executing() -> None:
    def work() -> object:
        privileges.drop(None)
        status = Path("/proc/self/status").read_text()
        return [os.getuid(), "NoNewPrivs:\t1" in status]

    assert in_child(work) == [0, True]


def test_an_unprivileged_process_loses_ambient_capabilities() -> None:
    def work() -> object:
        prctl = ctypes.CDLL(None).prctl
        prctl(8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS
        os.setresuid(65534, 65534, 65534)
        before = kernel.capabilities()[1]
        privileges.drop(None)
        return [before != 0, kernel.capabilities()]

    assert in_child(work) == [True, [0, 0, 0]]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("setresuid", "user, group or supplementary groups are not what was asked for"),
        ("setresgid", "user, group or supplementary groups are not what was asked for"),
        ("setgroups", "user, group or supplementary groups are not what was asked for"),
    ],
)
def test_a_change_that_did_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    def work() -> object:
        os.setgroups([0])
        monkeypatch.setattr(os, name, lambda *args: None)
        privileges.drop(NOBODY)
        return "went on"

    answer = in_child(work)
    assert answer in (f"privileges: {message}", "privileges: [Errno 1] Operation not permitted: 'prctl'")


def test_capabilities_that_stayed_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> object:
        ctypes.CDLL(None).prctl(8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS
        monkeypatch.setattr(kernel, "drop_capabilities", lambda: None)
        privileges.drop(NOBODY)
        return "went on"

    assert in_child(work) == "privileges: capabilities are left"


def test_a_bounding_set_that_stayed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> object:
        drop = kernel.PR_CAPBSET_DROP
        real = kernel.prctl
        monkeypatch.setattr(kernel, "prctl", lambda option, first=0: 0 if option == drop else real(option, first))
        privileges.drop(NOBODY)
        return "went on"

    assert in_child(work) == "privileges: the bounding set is not empty"


def test_identity_of_the_configuration() -> None:
    entry = pwd.getpwnam("nobody")
    assert privileges.identity(Proxy(name="IMAP")) is None
    assert privileges.identity(Proxy(name="IMAP", app_user="nobody")) == Identity(entry.pw_uid, entry.pw_gid, None)
    assert privileges.identity(
        Proxy(name="IMAP", app_user="nobody", app_group="daemon", chroot_dir="/srv")
    ) == Identity(entry.pw_uid, 1, "/srv")


def test_only_root_can_become_somebody_else() -> None:
    def work() -> object:
        os.setresuid(65534, 65534, 65534)
        try:
            privileges.identity(Proxy(name="IMAP", app_user="daemon"))
        except SetupError as error:
            return str(error)
        return "went on"

    assert in_child(work) == "app-user daemon: only root can become somebody else"


def test_app_user_may_be_who_runs_already() -> None:
    def work() -> object:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        return privileges.identity(Proxy(name="IMAP", app_user="nobody"))

    assert in_child(work) is None
