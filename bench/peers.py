"""The proxies that are compared: what each needs, its generated configuration, its command in the foreground."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template

from bench.build import program
from bench.operations import Legs
from bench.tls_words import Ending, dovecot_words, haproxy_words, imap4fast_words, nginx_words

TEMPLATES = Path(__file__).parent / "conf"
REPOSITORY = Path(__file__).parent.parent
ROOT_USERS = {
    "internal_user": "dovecot",
    "internal_group": "dovecot",
    "login_user": "dovenull",
    "login_chroot": "login",
}
"""Whom Dovecot's processes run as where it is started by root: the users that its package makes."""
RUN_IMAP4FAST = "import sys; from imap4fast.cli.imap4_proxy import main; sys.exit(main())"


class PeerError(Exception):
    """A peer that isn't there or doesn't start; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one start of a peer lives: a folder of its own and ports that are free; and what of it is TLS."""

    folder: Path
    port: int
    server_port: int
    extra_port: int
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """`binary` and `packages` must be installed; `command` writes the configuration and returns the argument list.

    `legs`: where it can end TLS.
    """

    name: str
    title: str
    command: Callable[[Place], list[str]]
    binary: str = ""
    packages: tuple[str, ...] = ()
    legs: tuple[Legs, ...] = ()


def find_binary(name: str) -> str:
    """Servers live in sbin, which isn't in every user's path."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    found = shutil.which(name, path=path)
    if found is None:
        raise PeerError(f"{name} is not installed")
    return found


def write_configuration(place: Place, template: str, **more: str) -> str:
    """Fills bench/conf/TEMPLATE in; returns the path of the result."""
    target = place.folder / template
    words = {**asdict(place), **more}
    target.write_text(Template((TEMPLATES / template).read_text()).substitute(words))
    return str(target)


def imap4fast(place: Place) -> list[str]:
    """This proxy as users run it, with the interpreter that runs the bench."""
    configuration = write_configuration(place, "imap4fast.cfg", **imap4fast_words(place.ending))
    return [sys.executable, "-c", RUN_IMAP4FAST, "-f", configuration]


def c_relay(place: Place) -> list[str]:
    """bench/c/relay.c"""
    return [str(program("relay")), str(place.port), str(place.server_port)]


def uvloop_relay(place: Place) -> list[str]:
    """bench/relay_uvloop.py"""
    return [sys.executable, "-m", "bench.relay_uvloop", str(place.port), str(place.server_port)]


def haproxy(place: Place) -> list[str]:
    """TCP mode, one thread, in the foreground."""
    configuration = write_configuration(place, "haproxy.cfg", **haproxy_words(place.ending))
    return [find_binary("haproxy"), "-db", "-f", configuration]


def mail_module(build_options: str) -> str:
    """The `load_module` line that nginx's mail proxy needs; empty where it's linked in. From `nginx -V`."""
    if re.search(r"--with-mail(\s|$)", build_options):
        return ""
    found = re.search(r"--modules-path=(\S+)", build_options)
    module = Path(found[1] if found else "/usr/lib/nginx/modules") / "ngx_mail_module.so"
    if not module.exists():
        raise PeerError(f"nginx has no mail module ({module})")
    return f"load_module {module};"


def nginx(place: Place) -> list[str]:
    """The mail proxy with its authentication service in the same worker."""
    binary = find_binary("nginx")
    shown = subprocess.run([binary, "-V"], capture_output=True, text=True, check=True)
    words = nginx_words(place.ending)
    configuration = write_configuration(place, "nginx.conf", load_module=mail_module(shown.stderr), **words)
    return [binary, "-p", str(place.folder), "-e", str(place.folder / "error.log"), "-c", configuration]


def dovecot(place: Place) -> list[str]:
    """The login proxy, one login process. Without root all its processes run as the present user."""
    user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    users = {"internal_user": user, "internal_group": group, "login_user": user, "login_chroot": ""}
    if os.geteuid() == 0:
        users = ROOT_USERS
    words = dovecot_words(place.ending, place.port)
    return [find_binary("dovecot"), "-F", "-c", write_configuration(place, "dovecot.conf", **users, **words)]


BOTH: tuple[Legs, ...] = ("client", "both")

PEERS = (
    Peer("c-relay", "raw C epoll relay", c_relay),
    Peer("uvloop", "plain uvloop relay", uvloop_relay),
    Peer("haproxy", "HAProxy, TCP mode", haproxy, "haproxy", ("haproxy",), BOTH),
    Peer("nginx", "nginx mail proxy", nginx, "nginx", ("nginx-light", "libnginx-mod-mail"), ("client",)),
    Peer("dovecot", "Dovecot's login proxy", dovecot, "dovecot", ("dovecot-imapd",), BOTH),
    Peer("imap4fast", "imap4fast, full inspection", imap4fast, legs=BOTH),
)


def version_of(peer: Peer) -> str:
    """What a peer says of its version; empty for those of the repository."""
    option = {"haproxy": "-v", "nginx": "-v", "dovecot": "--version"}.get(peer.binary)
    if option is None:
        return ""
    shown = subprocess.run([find_binary(peer.binary), option], capture_output=True, text=True, check=True)
    return (shown.stdout + shown.stderr).splitlines()[0]


def is_missing(peer: Peer) -> bool:
    """Whether a peer's program, or nginx's mail module, isn't installed."""
    try:
        if peer.binary:
            find_binary(peer.binary)
        if peer.name == "nginx":
            shown = subprocess.run([find_binary("nginx"), "-V"], capture_output=True, text=True, check=True)
            mail_module(shown.stderr)
    except PeerError:
        return True
    return False


def install_missing(peers: list[Peer]) -> None:
    """Installs what is missing where root and apt-get are there; else the error says what to install."""
    packages = [package for peer in peers if is_missing(peer) for package in peer.packages]
    if not packages:
        return
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(install, env=environment, check=False)
    if any(is_missing(peer) for peer in peers):
        raise PeerError(f"peers are missing; run: {' '.join(install)}")
