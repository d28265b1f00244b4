"""What the demo makes of conf/demo-tls.cfg, and what that has to do with conf/demo.cfg."""

from __future__ import annotations

import socket
from email import message_from_bytes
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from imap4fast.config.load import load
from imap4fast.config.settings import CommandAcl, Proxy, SessionAcl
from imap4fast.mail.builtin import Engine, spam_score
from tools.demo import (
    CONFIG,
    HOST,
    TOP,
    USUAL,
    DemoError,
    Ports,
    configuration,
    mails_for_scanners,
    need_free,
    server_port,
)

Acl = TypeVar("Acl", SessionAcl, CommandAcl)


def proxy_of(path: Path) -> Proxy:
    loaded = load(str(path))
    assert loaded.warnings == []
    return loaded.settings.proxy


def anywhere(acls: tuple[Acl, ...]) -> tuple[Acl, ...]:
    """The same, wherever they stand in a file."""
    return tuple(msgspec.structs.replace(acl, line=0) for acl in acls)


def ports_of(path: Path) -> tuple[list[int], set[int]]:
    """Where a configuration listens, and the ports that it goes to."""
    proxy = proxy_of(path)
    behind = {sock.port for acl in proxy.session_acls for sock in acl.plug_to}
    return [listen.port for listen in proxy.listen_on], behind


def test_demo_with_tls_is_the_demo_and_tls() -> None:
    plain, tls = proxy_of(TOP / "conf" / "demo.cfg"), proxy_of(CONFIG)
    imaps, local = tls.session_acls
    assert anywhere((msgspec.structs.replace(local, client_ssl=None),)) == anywhere(plain.session_acls)
    assert imaps.plug_to == local.plug_to
    assert imaps.client_ssl is not None
    assert local.client_ssl is not None
    assert (imaps.client_ssl.starttls, local.client_ssl.starttls) == (False, True)
    (passing,), (processing,) = plain.command_acls, tls.command_acls
    assert passing.no_mail_scanning
    assert not processing.no_mail_scanning
    assert (processing.max_mail_in, processing.idle_timeout) == (passing.max_mail_in, passing.idle_timeout)
    without = {"session_acls": (), "command_acls": (), "mail_acls": (), "doc_acls": (), "listen_on": ()}
    assert msgspec.structs.replace(tls, **without) == msgspec.structs.replace(plain, **without)


def test_its_mails_are_what_scanners_know() -> None:
    infected, spam = mails_for_scanners()
    assert Engine(frozenset()).scan_mail(infected).status == "free"  # base64: only a leaf tells
    (leaf,) = [part for part in message_from_bytes(infected).walk() if part.get_filename()]
    assert Engine(frozenset()).scan(leaf.get_payload(decode=True)).status == "found"
    assert spam_score(spam) == 1000.0


def test_usual_ports_need_no_copy(tmp_path: Path) -> None:
    assert configuration(tmp_path, USUAL) == CONFIG
    assert list(tmp_path.iterdir()) == []
    assert ports_of(CONFIG) == ([USUAL.plain, USUAL.tls], {USUAL.server})


@pytest.mark.parametrize(
    "ports",
    [Ports(2143, 2993, 2144), Ports(1143, 1993, 40000), Ports(1993, 1143, 1144), Ports(1144, 1145, 1143)],
    ids=str,
)
def test_copy_with_other_ports(tmp_path: Path, ports: Ports) -> None:
    copy = configuration(tmp_path, ports)
    assert copy.parent == tmp_path
    assert ports_of(copy) == ([ports.plain, ports.tls], {ports.server})
    to = proxy_of(copy).session_acls[0].conditions.to
    assert str(ports.tls) in repr(to)


def test_server_never_takes_a_port_of_the_proxy() -> None:
    assert server_port(USUAL.server, 1) != USUAL.server
    assert server_port(1, USUAL.server) != USUAL.server


def test_every_taken_port_is_named_with_one_way_out() -> None:
    with socket.create_server((HOST, 0)) as one, socket.create_server((HOST, 0)) as two, socket.socket() as free:
        free.bind((HOST, 0))
        first, second, other = (each.getsockname()[1] for each in (one, two, free))
        free.close()
        with pytest.raises(DemoError) as both:
            need_free(PORT=first, TLS_PORT=second)
        with pytest.raises(DemoError) as last:
            need_free(PORT=other, TLS_PORT=second)
        need_free(PORT=other)
    assert f"port {first} of {HOST} is taken and port {second} of {HOST} is taken" in str(both.value)
    assert f"make demo PORT={first + 1000} TLS_PORT={second + 1000}" in str(both.value)
    assert f"make demo PORT={other} TLS_PORT={second + 1000}" in str(last.value)
