"""Programs that the end-to-end tests need: found, installed by apt, or named in a failure."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGES = {
    "dovecot": "dovecot-imapd",
    "doveadm": "dovecot-core",
    "curl": "curl",
    "mbsync": "isync",
    "neomutt": "neomutt",
    "offlineimap": "offlineimap3",
    "/usr/lib": "libpython3-testsuite",  # the folder of files that need_files is asked for
    "/usr/share/doc/spamassassin/examples": "spamassassin",
    "tmux": "tmux",
    "openssl": "openssl",
    "testssl": "testssl.sh",
    "clamd": "clamav-daemon",
    "c-icap": "c-icap libc-icap-mod-virus-scan",
    "spamd": "spamd",
    "rspamd": "rspamd",
}
"""Program to Debian packages."""

SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))


@functools.cache
def need(program: str) -> str:
    """The path of a program; as root it is installed when missing, under CI or as root its absence is a failure."""
    return _find(program) or _install(program) or _missing(program)


@functools.cache
def need_files(folder: str, pattern: str) -> list[Path]:
    """As `need`, of a package's files, sorted."""
    found = sorted(Path(folder).glob(pattern))
    if not found:
        _install(folder)
        found = sorted(Path(folder).glob(pattern))
    return found or [Path(_missing(folder))]


def _missing(program: str) -> str:
    message = f"{program} is missing: apt-get install {PACKAGES[program]}"
    if os.environ.get("CI") == "true" or os.geteuid() == 0:
        pytest.fail(message)
    pytest.skip(message)


def _find(program: str) -> str | None:
    return shutil.which(program, path=SEARCH_PATH)


def _install(program: str) -> str | None:
    apt = _find("apt-get")
    if os.geteuid() != 0 or apt is None:
        return None
    # In this runlevel a package starts no service when it is installed.
    settings = dict(os.environ, DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1")
    for words in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES[program].split()]):
        subprocess.run([apt, "-q", *words], env=settings, check=False, capture_output=True)
    return _find(program)
