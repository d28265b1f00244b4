"""Limits in bytes, mails, time and sessions: what the client sees, what the log says."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from tests.e2e.fakeserver import Session
from tests.e2e.lab import PASSWORD, Lab, mail
from tests.e2e.wire import Wire, WireError


def limit(lab: Lab, name: str, **config: object) -> None:
    lab.log(rf"IMAP-740-W LIMIT NAME={name} VALUE=\d+", **config)


def goes_on(wire: Wire, command: bytes) -> bool:
    """Whether the session still answers."""
    try:
        return wire.command(command).status == "OK"
    except (WireError, OSError):
        return False


# bytes


@pytest.mark.parametrize("command", [b"NOOP", b'LIST "" *'])
def test_max_bytes_out_between_units(lab: Lab, command: bytes) -> None:
    config = {"command": "max-bytes-out 600;"}
    wire = lab.login(**config)
    for _ in range(100):
        if not goes_on(wire, command):
            break
    wire.rest()
    assert wire.sent <= 600 + 40
    limit(lab, "max-bytes-out", **config)


def test_max_bytes_out_says_bye(lab: Lab) -> None:
    wire = lab.login(command="max-bytes-out 600;")
    for number in range(80):
        wire.flood(b"x%02d NOOP\r\n" % number)
        time.sleep(0.005)
    data = wire.rest()
    assert data.rstrip().rsplit(b"\r\n", 1)[-1].startswith(b"* BYE ")
    assert 0 < data.count(b" OK ") < 65


def test_max_bytes_out_inside_a_unit(lab: Lab) -> None:
    user = lab.user()
    wire = lab.login(user, command="max-bytes-out 20K;")
    wire.flood(b"a APPEND INBOX {100000+}\r\n" + mail(1, 100_000) + b"\r\n")
    assert b"a OK" not in wire.rest()
    assert len(lab.out()) < 22_000
    assert b"MESSAGES 0" in lab.direct(user).ok(b"STATUS INBOX (MESSAGES)").untagged[0]


def test_max_bytes_in_between_units(lab: Lab) -> None:
    config = {"command": "max-bytes-in 2000;"}
    wire = lab.login(**config)
    wire.flood(b"".join(b"x%d NOOP\r\n" % number for number in range(200)))
    data = wire.rest()
    assert data.rstrip().rsplit(b"\r\n", 1)[-1].startswith(b"* BYE ")
    assert wire.received < 2000 + 200
    limit(lab, "max-bytes-in", **config)


def test_max_bytes_in_inside_a_unit(lab: Lab) -> None:
    user = lab.user()
    lab.direct(user).append(b"INBOX", mail(1, 500_000))
    wire = lab.login(user, command="max-bytes-in 100K;")
    wire.ok(b"SELECT INBOX")
    wire.send(b"a FETCH 1 BODY.PEEK[]\r\n")
    data = wire.rest()
    assert b"a OK" not in data
    assert b"* BYE" not in data  # inside a unit nothing may be inserted
    assert wire.received <= 102_400 + 200


# mails


@pytest.mark.parametrize("mark", [b"{2001}", b"{2001+}", b"~{2001}", b"{100000}"])
def test_max_mail_out(lab: Lab, mark: bytes) -> None:
    config = {"command": "max-mail-out 2000;"}
    user = lab.user()
    wire = lab.login(user, **config)
    before = lab.out()
    wire.send(b"a APPEND INBOX " + mark + b"\r\n")
    if b"+" in mark:
        wire.send(b"x" * 2001 + b"\r\n")
    assert wire.answer(b"a").tagged.startswith(b"NO [TOOBIG] ")
    assert lab.out() == before
    limit(lab, "max-mail-out", **config)
    assert wire.append(b"INBOX", mail(1, 2000)).status == "OK"


def test_max_mail_out_in_multiappend(lab: Lab) -> None:
    """The second mail is too big: all or nothing (RFC 3502)."""
    user = lab.user()
    wire = lab.login(user, command="max-mail-out 2000;")
    first = mail(1, 300)
    wire.flood(b"a APPEND INBOX {300+}\r\n" + first + b" {2001+}\r\n" + b"x" * 2001 + b"\r\n")
    unit = wire.unit()
    assert unit.startswith((b"a NO [TOOBIG] ", b"* BYE ")), unit
    wire.close()
    assert b"MESSAGES 0" in lab.direct(user).ok(b"STATUS INBOX (MESSAGES)").untagged[0]


def test_max_mail_in(lab: Lab) -> None:
    config = {"command": "max-mail-in 2000;"}
    user = lab.user()
    direct = lab.direct(user)
    for size in (2000, 2001):
        direct.append(b"INBOX", mail(1, size))
    wire = lab.login(user, **config)
    wire.ok(b"SELECT INBOX")
    assert mail(1, 2000) in wire.ok(b"FETCH 1 BODY.PEEK[]").one(b"* 1 FETCH")
    wire.send(b"a FETCH 2 BODY.PEEK[]\r\n")
    data = wire.rest()
    assert b"Subject" not in data
    assert b"a OK" not in data
    limit(lab, "max-mail-in", **config)


# time


def test_max_time(lab: Lab) -> None:
    config = {"command": "max-time 2;"}
    wire = lab.login(**config)
    start = time.monotonic()
    while time.monotonic() - start < 8 and goes_on(wire, b"NOOP"):
        time.sleep(0.1)
    assert 1 < time.monotonic() - start < 5
    limit(lab, "max-time", **config)


def test_max_time_says_bye(lab: Lab) -> None:
    wire = lab.login(command="max-time 2;")
    assert wire.rest(6).startswith(b"* BYE ")


@pytest.mark.parametrize("place", ["proxy", "session", "command"])
def test_idle_timeout(lab: Lab, place: str) -> None:
    config = {place: "idle-timeout 1;"}
    wire = lab.login(**config)
    start = time.monotonic()
    assert wire.rest(6).startswith(b"* BYE ")
    assert 0.7 < time.monotonic() - start < 4
    limit(lab, "idle-timeout", **config)


def test_idle_timeout_is_moved_by_commands(lab: Lab) -> None:
    wire = lab.login(proxy="idle-timeout 2;")
    for _ in range(10):
        wire.ok(b"NOOP")
        time.sleep(0.35)
    wire.ok(b"NOOP")


def test_command_acls_idle_timeout_wins(lab: Lab) -> None:
    wire = lab.login(session="idle-timeout 1;", command="idle-timeout 30;")
    wire.quiet(3)
    wire.ok(b"NOOP")


def test_idle_timeout_in_idle(lab: Lab) -> None:
    """The server's keep-alives are no sign of life of the client."""

    def script(server: Session) -> None:
        server.let_in()
        server.wait_for(b"IDLE")
        server.send(b"+ idling\r\n")
        for _ in range(60):
            server.send(b"* OK Still here\r\n")
            time.sleep(0.1)

    wire = lab.fake_login(script, proxy="idle-timeout 2;")
    wire.send(b"a IDLE\r\n")
    start = time.monotonic()
    data = wire.rest(8)
    assert time.monotonic() - start < 5
    assert data.count(b"* OK Still here") > 5
    assert data.rstrip().rsplit(b"\r\n", 1)[-1].startswith(b"* BYE ")


def test_login_timeout(lab: Lab) -> None:
    config = {"proxy": "login-timeout 1;"}
    wire = lab.client(**config)
    start = time.monotonic()
    while time.monotonic() - start < 6 and goes_on(wire, b"NOOP"):
        time.sleep(0.2)
    assert time.monotonic() - start < 5
    limit(lab, "login-timeout", **config)


def test_login_timeout_ends_at_login(lab: Lab) -> None:
    wire = lab.login(proxy="login-timeout 1;")
    wire.quiet(2.5)
    wire.ok(b"NOOP")


@pytest.mark.parametrize("text", [b"a NO", b"a CREATE {5+}\r\nab", b"a APPEND INBOX {500+}\r\nab", b"a CREATE {5}\r\n"])
def test_recv_timeout_of_the_client(lab: Lab, text: bytes) -> None:
    """Silence in the middle of a unit."""
    wire = lab.login(proxy="client-conn { recv-timeout 1; }")
    wire.send(text)
    start = time.monotonic()
    wire.rest(6)
    assert time.monotonic() - start < 4


def test_recv_timeout_does_not_rule_between_units(lab: Lab) -> None:
    wire = lab.login(proxy="client-conn { recv-timeout 1; } server-conn { recv-timeout 1; }")
    wire.quiet(2.5)
    wire.ok(b"NOOP")


def test_recv_timeout_of_the_server(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.let_select()
        server.wait_for(b"FETCH")
        server.send(b"* 1 FETCH (BODY[] {1000}\r\nabc")
        server.until_closed()

    wire = lab.fake_selected(script, proxy="server-conn { recv-timeout 1; }")
    wire.send(b"a FETCH 1 BODY[]\r\n")
    start = time.monotonic()
    assert b"a OK" not in wire.rest(6)
    assert time.monotonic() - start < 4


def test_reply_timeout(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.let_in()
        server.wait_for(b"NAMESPACE")
        server.until_closed()

    wire = lab.fake_login(script, proxy="server-conn { reply-timeout 1; }")
    wire.quiet(1.5)  # nothing pending: no timeout
    wire.send(b"a NAMESPACE\r\n")
    start = time.monotonic()
    assert b"* BYE" in wire.rest(6)
    assert time.monotonic() - start < 4


def test_send_timeout_of_the_server(lab: Lab) -> None:
    """A server that takes nothing, for longer than the client waits for an end."""
    over = threading.Event()

    def script(server: Session) -> None:
        server.let_in()
        server.wait_for(b"APPEND")
        server.send(b"+ go on\r\n")
        over.wait(90)

    wire = lab.fake_login(script, proxy="server-conn { send-timeout 1; }")
    try:
        wire.flood(b"a APPEND INBOX {50000000+}\r\n" + b"x" * 50_000_000, 30)
        wire.rest(30)
    finally:
        over.set()


def _silent(server: Session) -> None:
    server.until_closed()


def test_greeting_timeout(lab: Lab) -> None:
    wire = lab.play(_silent, proxy="server-conn { recv-timeout 1; }")
    start = time.monotonic()
    assert wire.rest(6).startswith(b"* BYE ")
    assert time.monotonic() - start < 4


def test_conn_timeout(lab: Lab) -> None:
    """A server whose queue is full answers no connect at all."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(address)
            fillers.append(filler)
        config = {"plug": (address,), "proxy": "server-conn { conn-timeout 1; }", "probe": False}
        wire = lab.keep(lab.proxy(**config).wire())
        start = time.monotonic()
        assert wire.rest(8).startswith(b"* BYE ")
        assert time.monotonic() - start < 6
        for filler in fillers:
            filler.close()


# units


def test_max_line(lab: Lab) -> None:
    wire = lab.login(proxy="max-line 1K;")
    wire.command(b"CREATE " + b"x" * 900)
    assert b"x" * 900 in lab.out()
    before = lab.out()
    wire.send(b"a CREATE " + b"x" * 1100 + b"\r\n")
    data = wire.rest()
    assert data.startswith(b"* BAD ")
    assert lab.out() == before


def test_max_server_line(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.let_in()
        tag, _ = server.wait_for(b"NAMESPACE")
        server.send(b"* OK " + b"x" * 1500 + b"\r\n" + tag + b" OK done\r\n")
        server.until_closed()

    wire = lab.fake_login(script, proxy="max-server-line 1K;")
    wire.send(b"a NAMESPACE\r\n")
    assert b"a OK" not in wire.rest()


def test_max_literal(lab: Lab) -> None:
    wire = lab.login(proxy="max-literal 1K;")
    wire.send(b"a CREATE {1024+}\r\n" + b"x" * 1024 + b"\r\n")
    assert wire.answer(b"a").status == "NO"
    assert b"x" * 1024 in lab.out()
    before = lab.out()
    wire.send(b"b CREATE {1025}\r\n")
    assert wire.answer(b"b").tagged.startswith(b"NO [TOOBIG] ")
    wire.send(b"c CREATE {1025+}\r\n" + b"x" * 1025 + b"\r\n")
    assert wire.answer(b"c").tagged.startswith(b"NO [TOOBIG] ")
    assert lab.out() == before
    assert wire.append(b"INBOX", mail(1, 5000)).status == "OK"  # outside uploads


def test_max_pending_gates_nothing_else(lab: Lab) -> None:
    wire = lab.login(proxy="max-pending 4;")
    wire.send(b"".join(b"p%d NOOP\r\n" % number for number in range(200)))
    for number in range(200):
        assert wire.answer(b"p%d" % number).status == "OK"


def test_max_bad_commands_is_for_the_session(lab: Lab) -> None:
    """Good commands in between do not help."""
    wire = lab.login(proxy="max-bad-commands 5;")
    wire.flood(b"".join(b"x XFOO\r\ny%d NOOP\r\n" % number for number in range(100)))
    data = wire.rest()
    assert data.count(b"x BAD") in (5, 6)


# sessions


def refused_session(wire: Wire) -> None:
    data = wire.rest()
    assert data.startswith(b"* BYE ")
    assert data.count(b"\r\n") == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_max_sessions(lab: Lab, workers: int) -> None:
    proxy = lab.proxy(tcpserver=f"workers {workers}; max-sessions 5;")
    time.sleep(0.3)
    wires = [lab.keep(proxy.wire()) for _ in range(12)]
    heads = [wire.line(8) for wire in wires]
    assert sum(head.startswith(b"* OK") for head in heads) == 5
    assert sum(head.startswith(b"* BYE") for head in heads) == 7
    for wire in wires:
        wire.close()
    time.sleep(0.5)
    lab.keep(proxy.wire()).greet().ok(b"NOOP")


@pytest.mark.parametrize("workers", [1, 2])
def test_max_sessions_per_ip(lab: Lab, workers: int) -> None:
    proxy = lab.proxy(tcpserver=f"workers {workers}; max-sessions-per-ip 3;")
    time.sleep(0.3)
    for source in ("127.0.0.1", "127.0.0.5"):
        heads = [lab.keep(proxy.wire(source)).line(8) for _ in range(6)]
        assert [head[:4] for head in heads] == [b"* OK"] * 3 + [b"* BY"] * 3, source


@pytest.mark.parametrize(
    ("item", "source"), [("conn-rate 5;", ("127.0.0.1", "127.0.0.2")), ("conn-rate-per-ip 5;", ("127.0.0.1",))]
)
def test_conn_rate(lab: Lab, item: str, source: tuple[str, ...]) -> None:
    """Beyond it: closed silently, logged once a second."""
    config = {"tcpserver": f"workers 1; {item}", "probe": False}
    proxy = lab.proxy(**config)
    time.sleep(1.5)
    wires = [lab.keep(proxy.wire(source[number % len(source)])) for number in range(30)]
    greeted = 0
    for wire in wires:
        try:
            assert wire.line(5).startswith(b"* OK")
            greeted += 1
        except WireError:
            assert wire.received == 0
    assert 5 <= greeted <= 10  # a second may have begun in between
    time.sleep(2.2)
    lab.keep(proxy.wire(source[0])).greet().ok(b"NOOP")
    assert 1 <= lab.logged(**config).count("TCPS-64") <= 4


def test_conn_rate_per_ip_spares_others(lab: Lab) -> None:
    proxy = lab.proxy(tcpserver="workers 1; conn-rate-per-ip 2;", probe=False)
    time.sleep(1.5)
    for _ in range(10):
        lab.keep(proxy.wire("127.0.0.7"))
    lab.keep(proxy.wire("127.0.0.8")).greet().ok(b"NOOP")


def test_login_after_limits(lab: Lab) -> None:
    """All limits at once, none reached: nothing is in the way."""
    everything = "max-bytes-in 1G; max-bytes-out 1G; max-mail-in 1G; max-mail-out 1G; max-time 1h; idle-timeout 1h;"
    wire = lab.client(command=everything, tcpserver="workers 1; max-sessions 100; conn-rate 1000;")
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    assert wire.append(b"INBOX", mail(1, 100_000)).status == "OK"
    wire.ok(b"SELECT INBOX")
    assert mail(1, 100_000) in wire.ok(b"FETCH 1 BODY[]").one(b"* 1 FETCH (")
