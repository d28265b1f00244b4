"""Programs that the end-to-end tests need: found, installed by apt, or named in a failure."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

import pytest

PACKAGES = {
    "dovecot": "dovecot-imapd",
    "doveadm": "dovecot-core",
    "curl": "curl",
    "mbsync": "isync",
    "neomutt": "neomutt",
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
    found = _find(program) or _install(program)
    if found:
        return found
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
