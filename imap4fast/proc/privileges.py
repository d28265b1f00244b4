"""Giving up of privileges: what a worker may not do, it must be unable to get back.

Root with `app-user`: chroot, no supplementary groups, all ids changed, no capability in any set, nothing to be gained
by executing (no_new_privs), no core and no tracing (not dumpable). Each is checked afterwards, and a process that could
regain anything does not go on. Not root: ids stay as they are, the rest holds. Root without `app-user` keeps what it
has but for no_new_privs and dumpable; master.py logs a warning.
"""

from __future__ import annotations

import codecs
import grp
import os
import pwd
import socket
import time
from collections.abc import Callable

import msgspec

from imap4fast.config.settings import Proxy
from imap4fast.errors import SetupError
from imap4fast.proc import kernel

_WHAT = "privileges"
_CODECS = ("ascii", "latin-1", "utf-8", "idna", "punycode", "iso8859-2", "cp1250", "unicode_escape")


class Identity(msgspec.Struct, frozen=True):
    """Who workers run as, and the directory that they see as `/` (None: no chroot)."""

    uid: int
    gid: int
    root: str | None


def identity(proxy: Proxy) -> Identity | None:
    """What `app-user`, `app-group` and `chroot-dir` ask for; None: workers stay who the master is.

    Raises SetupError for names that do not exist and for what this process cannot do.
    """
    if proxy.app_user is None:
        if proxy.chroot_dir is not None:
            raise SetupError(f"chroot-dir {proxy.chroot_dir}", "app-user must be given too: root can leave any chroot")
        if proxy.app_group is not None:
            raise SetupError(f"app-group {proxy.app_group}", "app-user must be given too")
        return None
    found = Identity(*_ids(proxy.app_user, proxy.app_group), proxy.chroot_dir)
    if os.geteuid() == 0:
        if found.uid == 0 or found.gid == 0:
            raise SetupError(f"app-user {proxy.app_user}", "root and its group are no place to drop privileges to")
        return found
    if proxy.chroot_dir is not None:
        raise SetupError(f"chroot-dir {proxy.chroot_dir}", "only root can do this")
    if (found.uid, found.gid) != (os.geteuid(), os.getegid()):
        raise SetupError(f"app-user {proxy.app_user}", "only root can become somebody else")
    return None


def _ids(user: str, group: str | None) -> tuple[int, int]:
    try:
        entry = pwd.getpwnam(user)
    except KeyError as error:
        raise SetupError(f"app-user {user}", "no such user") from error
    if group is None:
        return entry.pw_uid, entry.pw_gid
    try:
        return entry.pw_uid, grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise SetupError(f"app-group {group}", "no such group") from error


def drop(who: Identity | None) -> None:
    """Gives up everything that `who` says. Raises SetupError when that failed or anything could be regained."""
    try:
        if who is not None:
            _become(who)
        if os.geteuid() != 0:
            kernel.prctl(kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_CLEAR_ALL)
            kernel.drop_capabilities()
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    except OSError as error:
        raise SetupError(_WHAT, error) from error
    if who is not None:
        _check_ids(who)
    if os.geteuid() != 0:
        _check_capabilities()


def _become(who: Identity) -> None:
    _load_what_a_chroot_hides()
    if who.root is not None:
        os.chroot(who.root)
        os.chdir("/")
    for capability in kernel.bounding_set():
        kernel.prctl(kernel.PR_CAPBSET_DROP, capability)
    os.setgroups([])
    os.setresgid(who.gid, who.gid, who.gid)
    os.setresuid(who.uid, who.uid, who.uid)


def _load_what_a_chroot_hides() -> None:
    """Time zone, codecs and the resolver's configuration are read at first use, from paths that will be gone."""
    time.tzset()
    for name in _CODECS:
        codecs.lookup(name)
    try:
        socket.getaddrinfo("localhost", None)
    except OSError:  # no such name here: what was to be loaded is loaded
        return


def _check_ids(who: Identity) -> None:
    if os.getresuid() != (who.uid,) * 3 or os.getresgid() != (who.gid,) * 3 or os.getgroups():
        raise SetupError(_WHAT, "user, group or supplementary groups are not what was asked for")
    for call in (os.setuid, os.seteuid, os.setgid, os.setegid):
        if _succeeds(call, 0):
            raise SetupError(_WHAT, f"{call.__name__}(0) still succeeds")
    if kernel.bounding_set():
        raise SetupError(_WHAT, "the bounding set is not empty")


def _check_capabilities() -> None:
    if any(kernel.capabilities()):
        raise SetupError(_WHAT, "capabilities are left")


def _succeeds(call: Callable[[int], None], value: int) -> bool:
    try:
        call(value)
    except OSError:
        return False
    return True
