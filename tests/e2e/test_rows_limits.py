"""Rows T-L01 to T-L17 of the attack table: numbers too big, too many, too slow."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import re
import time
import zlib

import pytest

from tests.e2e.fakeserver import Session
from tests.e2e.lab import Lab, bad, mail, refused
from tests.e2e.wire import Wire, WireError

HUGE = [b"4294967296", b"4294967295", b"2147483648", b"9223372036854775808", b"18446744073709551616", b"9" * 100]


def refusal(wire: Wire) -> bytes:
    """NO [TOOBIG] or BAD, tagged or not; never a continuation."""
    unit = wire.unit()
    assert re.match(rb"(a NO \[TOOBIG\]|a BAD|\* BAD) ", unit), unit
    return unit


@pytest.mark.parametrize("plus", [b"", b"+"])
@pytest.mark.parametrize("size", HUGE)
def test_T_L01_huge_append(lab: Lab, size: bytes, plus: bytes) -> None:
    config = {"command": "max-mail-out 1M;"}
    proxy = lab.proxy(**config)
    wire = lab.login(**config)
    before, memory = lab.out(), proxy.memory_kb()
    wire.send(b"a APPEND INBOX {" + size + plus + b"}\r\n")
    data = refusal(wire) if not plus else wire.rest()
    assert plus == b"" or b"* BYE" in data
    assert lab.out() == before
    assert proxy.memory_kb() - memory < 4096


@pytest.mark.parametrize("size", HUGE[4:])
def test_T_L01_no_number_at_all(lab: Lab, size: bytes) -> None:
    """Beyond 64 bits, and where max-mail-out is not set."""
    wire = lab.login()
    before = lab.out()
    wire.send(b"a APPEND INBOX {" + size + b"}\r\n")
    refusal(wire)
    assert lab.out() == before


@pytest.mark.parametrize("mark", [b"{4294967296}", b"{4294967296+}", b"{65537+}", b"{8193}", b"{8193+}"])
def test_T_L02_huge_before_login(lab: Lab, mark: bytes) -> None:
    wire = lab.client()
    wire.send(b"a LOGIN " + mark + b"\r\n")
    if mark == b"{8193+}":
        wire.flood(b"x" * 8193 + b" y\r\n")
    unit = wire.unit()
    assert re.match(rb"(a (NO \[TOOBIG\]|BAD)|\* (BAD|BYE)) ", unit), unit
    assert lab.out() == b""


def _many(start: bytes) -> bytes:
    return start + b" {1+}\r\nx" * 100_000 + b"\r\n"


def test_T_L03_many_literals_before_login(lab: Lab) -> None:
    wire = lab.client()
    wire.flood(_many(b"a LOGIN"), 5)
    assert re.match(rb"(a (NO \[TOOBIG\]|BAD)|\* (BAD|BYE)) ", wire.unit())
    assert lab.out() == b""


def test_T_L03_many_literals_in_search(lab: Lab) -> None:
    wire = lab.selected()
    before = lab.out()
    wire.flood(_many(b"a SEARCH SUBJECT"), 5)
    assert re.match(rb"(a (NO \[TOOBIG\]|BAD)|\* (BAD|BYE)) ", wire.unit())
    assert lab.out() == before


def test_T_L03_sum_of_literals(lab: Lab) -> None:
    """Each is within max-literal, together they are more than twice that."""
    wire = lab.selected()
    before = lab.out()
    wire.flood(b"a SEARCH" + (b" SUBJECT {60000+}\r\n" + b"x" * 60_000) * 3 + b"\r\n")
    assert re.match(rb"(a (NO \[TOOBIG\]|BAD)|\* (BAD|BYE)) ", wire.unit())
    assert lab.out() == before


def test_T_L04_silence_in_a_literal(lab: Lab) -> None:
    wire = lab.login(proxy="client-conn { recv-timeout 1; }")
    wire.send(b"a APPEND INBOX {1000000}\r\n")
    assert wire.unit().startswith(b"+")
    wire.send(b"x" * 1000)
    wire.rest(5)


def test_T_L04_drip_in_a_literal(lab: Lab) -> None:
    """Bytes come, but the mail never ends: max-time is the bound."""
    wire = lab.login(proxy="client-conn { recv-timeout 1; }", command="max-time 3;")
    wire.send(b"a APPEND INBOX {1000000}\r\n")
    assert wire.unit().startswith(b"+")
    assert _drip(wire, b"x" * 1000, 0.2) < 8


def _drip(wire: Wire, data: bytes, pause_s: float) -> float:
    """Send byte by byte until the other end closes; how long that took."""
    start = time.monotonic()
    wire.sock.setblocking(False)
    for byte in data:
        try:
            wire.sock.send(bytes([byte]))
            if wire.sock.recv(4096) == b"":
                break
        except BlockingIOError:
            pass
        except OSError:
            break
        time.sleep(pause_s)
        assert time.monotonic() - start < 15, "still open"
    return time.monotonic() - start


def test_T_L05_slow_line_before_login(lab: Lab) -> None:
    wire = lab.client(proxy="login-timeout 2;")
    assert _drip(wire, b"a NOOP " + b"x" * 100, 0.2) < 6
    assert lab.out() == b""


def test_T_L05_slow_line_after_login(lab: Lab) -> None:
    """The command timeout counts from its first byte."""
    wire = lab.login(proxy="client-conn { recv-timeout 1; } idle-timeout 3;")
    before = lab.out()
    assert _drip(wire, b"a CREATE " + b"x" * 200, 0.2) < 8
    assert lab.out() == before


def test_T_L06_slow_reader(lab: Lab) -> None:
    sent = []

    def script(server: Session) -> None:
        server.let_select()
        tag, _ = server.wait_for(b"FETCH")
        server.send(b"* 1 FETCH (BODY[] {50000000}\r\n")
        server.wait_s = 20
        piece = b"0123456789" * 10_000
        for _ in range(500):
            server.send(piece)
            sent.append(len(piece))
        server.send(b")\r\n" + tag + b" OK done\r\n")

    config = {"proxy": "client-conn { send-timeout 2; }"}
    proxy = lab.before_fake(script, **config)
    wire = lab.keep(proxy.wire(rcvbuf=4096)).greet()
    wire.ok(b"LOGIN joe x")
    wire.ok(b"SELECT INBOX")
    memory = proxy.memory_kb()
    wire.send(b"a FETCH 1 BODY[]\r\n")
    time.sleep(1.5)
    assert proxy.memory_kb() - memory < 8192
    lab.fake.finish(20)  # the script ends since the proxy closes its leg
    assert sum(sent) < 25_000_000
    lab.log(r"IMAP-740-W LIMIT NAME=send-timeout|send-timeout", plug=(lab.fake.address,), **config)


def test_T_L07_connection_flood(lab: Lab) -> None:
    config = {"proxy": "login-timeout 2;", "tcpserver": "workers 1; max-sessions-per-ip 100;"}
    proxy = lab.proxy(**config)
    time.sleep(0.2)
    wires = [lab.keep(proxy.wire()) for _ in range(300)]
    greetings = [wire.line(10) for wire in wires]
    assert sum(line.startswith(b"* OK") for line in greetings) == 100
    assert sum(line.startswith(b"* BYE") for line in greetings) == 200
    start = time.monotonic()
    for wire in wires:
        wire.rest(8)
        wire.close()
    assert time.monotonic() - start < 8
    time.sleep(0.5)
    lab.login(**config)


def test_T_L09_zero_literal(lab: Lab) -> None:
    wire = lab.login()
    wire.send(b"a APPEND INBOX {0+}\r\n\r\n")
    assert wire.answer(b"a").status == "NO"
    wire.send(b"b APPEND INBOX {0}\r\n")
    unit = wire.unit()
    if unit.startswith(b"+"):
        wire.send(b"\r\n")
        unit = wire.unit()
    assert unit.startswith(b"b NO ")


def test_T_L10_above_4096_is_accepted(lab: Lab) -> None:
    wire = lab.login()
    wire.send(b"a CREATE {4097+}\r\n" + b"x" * 4097 + b"\r\n")
    assert wire.answer(b"a").status == "NO"  # Dovecot's own: the name is too long
    assert b"x" * 4097 in lab.out()


def test_T_L10_above_the_limit_is_eaten(lab: Lab) -> None:
    wire = lab.login()
    before = lab.out()
    wire.send(b"a CREATE {65537+}\r\n" + b"x" * 65537 + b"\r\nb NOOP\r\n")
    assert wire.answer(b"a").tagged.startswith(b"NO [TOOBIG]")
    assert wire.answer(b"b").status == "OK"
    assert lab.out()[len(before) :] == b"b NOOP\r\n"


@pytest.mark.parametrize("size", [200_001, 1 << 20])
def test_T_L10_mail_above_the_limit_is_eaten(lab: Lab, size: int) -> None:
    user = lab.user()
    wire = lab.login(user, command="max-mail-out 200000;")
    before = lab.out()
    wire.send(b"a APPEND INBOX {%d+}\r\n" % size + b"x" * size + b"\r\nb NOOP\r\n")
    assert wire.answer(b"a").tagged.startswith(b"NO [TOOBIG]")
    assert wire.answer(b"b").status == "OK"
    assert lab.out()[len(before) :] == b"b NOOP\r\n"


def test_T_L10_mail_far_above_the_limit(lab: Lab) -> None:
    wire = lab.login(command="max-mail-out 200000;")
    before = lab.out()
    wire.flood(b"a APPEND INBOX {%d+}\r\n" % (3 << 20) + b"x" * (3 << 20) + b"\r\nb NOOP\r\n", 5)
    assert b"* BYE" in wire.rest()
    assert lab.out() == before


def test_T_L11_fetch_repeated(lab: Lab) -> None:
    proxy = lab.proxy()
    wire = lab.selected()
    memory = proxy.memory_kb()
    tags = [b"f%d" % number for number in range(2000)]
    wire.send(b"".join(tag + b" UID FETCH 1 BODY.PEEK[]\r\n" for tag in tags))
    # Dovecot may answer pipelined commands in another order (protocol.md section 4.2).
    units = [wire.unit() for _ in range(2 * len(tags))]
    assert sum(unit.startswith(b"* 1 FETCH") and mail(1) in unit for unit in units) == len(tags)
    assert {unit.split()[0] for unit in units if b" OK " in unit} >= set(tags)
    assert proxy.memory_kb() - memory < 8192


def test_T_L11_queue_is_bounded(lab: Lab) -> None:
    """A server that does not answer gets max-pending commands; the rest waits unread in the client's socket."""

    def script(server: Session) -> None:
        server.let_in()
        time.sleep(1.5)
        lines = bytes(server._buffer) + server.sock.recv(1 << 20)
        server.seen += lines
        assert 1 <= lines.count(b"NOOP") <= 8

    wire = lab.fake_login(script, proxy="max-pending 8;")
    wire.flood(b"".join(b"q%d NOOP\r\n" % number for number in range(500)), 3)
    lab.fake.finish()


def test_T_L12_partial_storm(lab: Lab) -> None:
    user = lab.user()
    lab.direct(user).append(b"INBOX", mail(1, 3000))
    wire = lab.login(user)
    wire.ok(b"SELECT INBOX")
    wire.send(b"".join(b"p%d UID FETCH 1 BODY.PEEK[]<%d.1>\r\n" % (at, at) for at in range(500)))
    units = b"\r\n".join(wire.unit() for _ in range(1000))
    got = dict(re.findall(rb'\[\]<(\d+)> (?:\{1\}\r\n|")(.)', units, re.DOTALL))
    assert b"".join(got[b"%d" % at] for at in range(500)) == mail(1, 3000)[:500]


def test_T_L14_compression(lab: Lab) -> None:
    """COMPRESS is not offered and refused, so what would be its stream is no more than bad lines."""
    wire = lab.login()
    assert b"COMPRESS" not in wire.ok(b"CAPABILITY").one(b"* CAPABILITY")
    before = lab.out()
    wire.send(b"a COMPRESS DEFLATE\r\n")
    refused(wire.answer(b"a"))
    wire.flood(zlib.compress(b"\0" * 1_000_000)[2:] + b"\0\0\0\xff\xff" * 1000 + b"\r\n")
    wire.rest()
    assert lab.out() == before


@pytest.mark.parametrize("keys", [500, 9000])
def test_T_L15_search_cost(lab: Lab, keys: int) -> None:
    wire = lab.selected()
    before = lab.out()
    bad(wire.command(b"SEARCH" + b" BODY a" * keys))
    assert lab.out() == before


@pytest.mark.parametrize("pattern", [b"*%" * 500, b"*%*%*%" * 20])
def test_T_L15_list_cost(lab: Lab, pattern: bytes) -> None:
    wire = lab.login()
    before = lab.out()
    bad(wire.command(b'LIST "" "' + pattern + b'"'))
    assert lab.out() == before


@pytest.mark.parametrize(("config", "most"), [("", 10), ("max-bad-commands 4;", 4)])
def test_T_L16_bad_commands(lab: Lab, config: str, most: int) -> None:
    wire = lab.login(proxy=config)
    before = lab.out()
    wire.flood(b"x XFOO\r\n" * 2000)
    data = wire.rest()
    assert most <= data.count(b"x BAD ") + data.count(b"* BAD ") <= most + 1
    assert data.rstrip().rsplit(b"\r\n", 1)[-1].startswith(b"* BYE")
    assert lab.out() == before


@pytest.mark.parametrize(("config", "most"), [("", 3), ("max-bad-prelogin 5;", 5)])
def test_T_L16_bad_commands_before_login(lab: Lab, config: str, most: int) -> None:
    wire = lab.client(proxy=config)
    wire.flood(b"x XFOO\r\n" * 2000)
    data = wire.rest()
    assert most <= data.count(b"x BAD ") + data.count(b"* BAD ") <= most + 1
    assert data.rstrip().rsplit(b"\r\n", 1)[-1].startswith(b"* BYE")
    assert lab.out() == b""


def test_T_L16_log_stays_small(lab: Lab) -> None:
    config = {"proxy": "max-bad-commands 0;", "log": "level normal;"}
    wire = lab.login(**config)
    try:
        for _ in range(20):
            wire.send(b"x XFOO\r\n" * 500)
            for _ in range(500):
                wire.unit()
    except (WireError, OSError):
        pass  # to close the session is right too
    assert len(lab.logged(**config)) < 200_000


def _pairs(count: int) -> bytes:
    return b" ".join(b'"k%d" "v"' % number for number in range(count))


@pytest.mark.parametrize("count", [31, 300])
def test_T_L17_id_flood(lab: Lab, count: int) -> None:
    wire = lab.client()
    bad(wire.command(b"ID (" + _pairs(count) + b")"))
    assert lab.out() == b""


def test_T_L17_id_flood_beyond_the_line(lab: Lab) -> None:
    wire = lab.client()
    wire.flood(b"a ID (" + _pairs(100_000) + b")\r\n", 5)
    assert b"BAD" in wire.rest()
    assert lab.out() == b""


def test_T_L17_id_flood_by_literals(lab: Lab) -> None:
    wire = lab.client()
    wire.flood(b"a ID (" + b" ".join(b"{4+}\r\nk%03d {1+}\r\nv" % number for number in range(100)) + b")\r\n", 5)
    assert re.match(rb"(a BAD|\* BAD) ", wire.unit())
    assert lab.out() == b""


def test_T_L17_thirty_pairs_pass(lab: Lab) -> None:
    wire = lab.client()
    wire.ok(b"ID (" + _pairs(30) + b")")
    assert b'"k29" "v"' in lab.out()
