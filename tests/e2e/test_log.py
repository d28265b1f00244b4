"""What the log says of a session, with the byte counts of both sides; and what a full disk does to the traffic."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.lab import PASSWORD, Lab, mail
from tests.e2e.wire import Wire

LINE = re.compile(
    r"^[A-Z][a-z]{2} [ 0-9]?\d \d\d:\d\d:\d\d \S+ [^\[ ]+\[\d+\]: "
    r"(?P<code>[A-Z0-9]{4}-\d{3})-(?P<level>[CEWNIKDTF]) (?P<text>.*)$"
)


def session(lab: Lab, **config: object) -> tuple[Wire, str]:
    """One session with some traffic, ended by LOGOUT; the user."""
    user = lab.user()
    wire = lab.login(user, **config)
    wire.ok(b"SELECT INBOX")
    wire.append(b"INBOX", mail(1, 30_000))
    wire.append(b"INBOX", mail(2, 10_000), plus=False)
    wire.ok(b"FETCH 1 BODY.PEEK[]")
    wire.send(b"z LOGOUT\r\n")
    wire.rest()
    wire.close()
    return wire, user


def fields(line: str) -> dict[str, str]:
    return dict(re.findall(r"([A-Z-]+)=(\S*)", line))


def event(lab: Lab, wire: Wire, **config: object) -> dict[str, str]:
    (line,) = lab.log(rf"(IMAP-888-I PROXY-EVENT .*CLIENT-PORT={wire.port} .*)$", **config)
    return fields(line)


def test_lines_of_a_session(lab: Lab) -> None:
    config = {"log": "level normal;"}
    wire, user = session(lab, **config)
    event(lab, wire, **config)
    lab.log(rf"IMAP-701-I SESSION-START FROM=\S*127\.0\.0\.1\S*{wire.port} TO=\S*127\.0\.0\.1\S* TRANSP=NO", **config)
    lab.log(r"IMAP-721-I ACL PHASE=1 NAME=IN ACCEPTED", **config)
    lab.log(r"IMAP-722-I ACL PHASE=2 PARENT=IN NAME=ALL ACCEPTED", **config)
    (end,) = lab.log(rf"(IMAP-702-I SESSION-END CLIENT=\S*{wire.port} .*)$", **config)
    found = fields(end)
    assert found["USER"] == user
    assert found["TRANSP"] == "NO"
    assert re.search(r" ACCEPTED", end)
    assert (int(found["IN"]), int(found["OUT"])) == (wire.received, wire.sent)


def test_number_of_commands(lab: Lab) -> None:
    wire, _ = session(lab)
    (count,) = lab.log(rf"SESSION-END CLIENT=\S*{wire.port} .* CMDs=(\d+)")
    assert int(count) == 6  # LOGIN SELECT APPEND APPEND FETCH LOGOUT


def test_order_of_lines(lab: Lab) -> None:
    wire, _ = session(lab)
    event(lab, wire)
    codes = re.findall(r"(IMAP-(?:701|721|722|702))-I", lab.logged())
    ours = codes[-4:]
    assert ours == ["IMAP-701", "IMAP-721", "IMAP-722", "IMAP-702"]


def test_every_line_has_the_form(lab: Lab) -> None:
    wire, _ = session(lab)
    event(lab, wire)
    lines = lab.logged().splitlines()
    for line in lines:
        assert LINE.match(line), line
    assert "SESSION-END" in "".join(lines)


def test_event_counts_bytes_of_both_sides(lab: Lab) -> None:
    wire, user = session(lab)
    found = event(lab, wire)
    recording = lab.tap.recordings[-1]
    assert recording.closed.wait(5)
    assert found["PROTOCOL"] == "TCP"
    assert "127.0.0.1" in found["CLIENT-IP"]
    assert found["SERVER-PORT"] == str(lab.tap.address[1])
    assert found["USER"] == user
    assert int(found["BYTES-CIN"]) == wire.received
    assert int(found["BYTES-COUT"]) == wire.sent
    assert int(found["BYTES-SIN"]) == len(recording.into)
    assert int(found["BYTES-SOUT"]) == len(recording.out)
    assert found["STATUS"] == "ACCEPTED"
    assert found["RESULT"] == "OK"
    assert found["RULE"]


def test_counts_of_a_refused_command(lab: Lab) -> None:
    """The sides differ where something was refused: each side counts its own bytes."""
    config = {"command": "commands { ! CREATE, * };"}
    wire = lab.login(**config)
    wire.command(b"CREATE {500+}\r\n" + b"x" * 500)
    wire.send(b"z LOGOUT\r\n")
    wire.rest()
    wire.close()
    found = event(lab, wire, **config)
    assert int(found["BYTES-COUT"]) == wire.sent > 500
    assert int(found["BYTES-SOUT"]) == len(lab.tap.recordings[-1].out) < 200
    assert int(found["BYTES-CIN"]) == wire.received


def test_client_that_vanished(lab: Lab) -> None:
    wire = lab.login()
    wire.send(b"a APPEND INBOX {1000+}\r\nabc")
    wire.vanish()
    assert event(lab, wire)["RESULT"] in ("ABORTED", "FAILED")


def test_fault_line(lab: Lab) -> None:
    wire = lab.login()
    wire.send(b"a NOOP\nb NOOP\r\n")
    wire.rest()
    lab.log(r"IMAP-745-W FAULT SIDE=\S+ CODE=\S+ OFFSET=\d+")
    lab.log(rf"SESSION-END CLIENT=\S*{wire.port} .* FAILED")


def test_json(lab: Lab) -> None:
    config = {"log": "level full; format json;"}
    wire, user = session(lab, **config)
    lab.log(rf"(.*PROXY-EVENT.*{wire.port}.*)", **config)
    rows = [json.loads(line) for line in lab.logged(**config).splitlines()]
    assert all(isinstance(row, dict) for row in rows)
    text = json.dumps([row for row in rows if "SESSION-END" in json.dumps(row) or "702" in json.dumps(row)])
    assert user in text
    assert str(wire.received) in text
    assert PASSWORD.decode() not in json.dumps(rows)


def test_level(lab: Lab) -> None:
    """At level error entries of severity D and T are absent, I and N are there at every level."""
    config = {"log": "level error;"}
    wire, _ = session(lab, **config)
    event(lab, wire, **config)
    levels = set(re.findall(r": [A-Z0-9]{4}-\d{3}-(\w) ", lab.logged(**config)))
    assert "I" in levels
    assert not levels & set("WDTF")


def test_log_file_is_not_for_everybody(lab: Lab) -> None:
    proxy = lab.proxy()
    assert proxy.log_path.stat().st_mode & 0o007 == 0


# syslog and full disks


MOUNTED = """mount --bind "$0" "$1" && shift && exec "$@" """
"""Runs a command to which the socket $0 lies at the path $1."""


@pytest.fixture(params=["free", "taken"])
def dev_log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, tuple[str, ...]]]:
    """A log daemon's socket, and what runs a command that finds it at /dev/log, whoever else has that place.

    The command gets a mount namespace of its own; the machine's log daemon hears nothing of it.
    """
    if os.geteuid() != 0:
        pytest.skip("needs root: it mounts a socket at /dev/log")
    place = Path(os.path.realpath("/dev/log"))
    missing = not place.exists()
    place.parent.mkdir(parents=True, exist_ok=True)
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other,
    ):
        receiver.bind(str(tmp_path / "log"))
        receiver.settimeout(8)
        if missing and request.param == "taken":
            other.bind(str(place))
            other.setblocking(False)
        elif missing:
            place.touch()
        try:
            yield receiver, ("unshare", "--mount", "sh", "-c", MOUNTED, str(tmp_path / "log"), str(place))
            if missing and request.param == "taken":
                with pytest.raises(BlockingIOError):
                    other.recv(1)
        finally:
            if missing:
                place.unlink()


def test_syslog(lab: Lab, dev_log: tuple[socket.socket, tuple[str, ...]]) -> None:
    receiver, prefix = dev_log
    config = {"log": "facility LOCAL4;", "prefix": prefix}
    wire, user = session(lab, **config)
    entries = []
    while not any(b"PROXY-EVENT" in entry and b"CLIENT-PORT=%d " % wire.port in entry for entry in entries):
        entries.append(receiver.recv(65536))
    assert all(entry.startswith(b"<") for entry in entries)
    # LOCAL4 is 20; information is 6.
    assert any(entry.startswith(b"<%d>" % (20 * 8 + 6)) for entry in entries)
    assert any(user.encode() in entry for entry in entries)
    lab.forget(**config)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("needs root: it mounts a small tmpfs")
    mount, umount = shutil.which("mount"), shutil.which("umount")
    assert mount
    assert umount
    subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k,mode=777", "none", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run([umount, "-l", str(tmp_path)], check=True)


def _traffic_goes_on(lab: Lab, **config: object) -> None:
    for _ in range(60):
        wire = lab.login(**config)
        wire.ok(b"SELECT INBOX")
        assert wire.append(b"INBOX", mail(1, 20_000)).status == "OK"
        assert mail(1, 20_000) in wire.ok(b"FETCH 1 BODY.PEEK[]").one(b"* 1 FETCH")
        wire.close()


def test_disk_full_under_the_log(lab: Lab, small_disk: Path) -> None:
    config = {"log_file": str(small_disk / "proxy.log")}
    _traffic_goes_on(lab, **config)
    assert os.statvfs(small_disk).f_bavail == 0 or lab.proxy(**config).log_size() > 50_000
    (small_disk / "proxy.log").write_bytes(b"")
    lab.login(**config).ok(b"NOOP")
    time.sleep(0.3)
    lab.forget(**config)


def test_dev_full_under_the_log(lab: Lab) -> None:
    config = {"log_file": "/dev/full"}
    _traffic_goes_on(lab, **config)
    lab.forget(**config)
