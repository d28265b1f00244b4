"""Good configurations and what they become."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.config.load import Loaded, load, load_text
from imap4fast.config.settings import Listen, LogSink, Proxy, Settings
from imap4fast.config.values import (
    Address,
    AnyHost,
    DateRange,
    HostMask,
    HostMember,
    HostName,
    HostRange,
    HostRegex,
    HostSublist,
    PeriodSpec,
    Sock,
    TimePeriodSet,
    TimeSpec,
    WordMember,
)
from imap4fast.errors import ConfigError

HERE = Path(__file__).parent
CONF = HERE.parents[2] / "conf"
MINIMAL = """version IMAP4FAST-1;
imap4-proxy IMAP {
  listen-on { non-transparent [127.0.0.1] port 1143; }
  session-acl ALL { accept; plug-to [192.0.2.20] : 143; }
  command-acl ALL { accept; no-mail-scanning; }
}
"""


def everything() -> Proxy:
    return load(str(HERE / "right" / "everything.cfg")).settings.proxy


def v4(text: str) -> int:
    first, second, third, fourth = (int(part) for part in text.split("."))
    return first << 24 | second << 16 | third << 8 | fourth


def test_minimal() -> None:
    loaded = load_text(MINIMAL, "min.cfg")
    proxy = loaded.settings.proxy
    assert loaded.settings.path == "min.cfg"
    assert loaded.warnings == []
    assert (proxy.name, proxy.phase, proxy.idle_timeout) == ("IMAP", 20, 1800)
    loopback = Sock(Address(4, v4("127.0.0.1")), 1143)
    assert proxy.listen_on == (Listen(False, loopback, None, None, 1143, 1143),)
    assert proxy.session_acls[0].plug_to == (Sock(Address(4, v4("192.0.2.20")), 143),)
    assert proxy.session_acls[0].line == 4
    assert proxy.command_acls[0].no_mail_scanning


def test_nothing_is_left_at_its_default() -> None:
    proxy = everything()
    default = Proxy("MAIL.1")
    same = {name for name in proxy.__struct_fields__ if getattr(proxy, name) == getattr(default, name)}
    assert same == {"name", "auth"}


def test_log_and_process_items() -> None:
    proxy = everything()
    assert (proxy.name, proxy.tag, proxy.nodaemon, proxy.app_user) == ("MAIL.1", ("one", "two"), True, "proxy user")
    assert proxy.pid_file == "/run/i.pid"
    assert proxy.log_debug == LogSink(
        level=9,
        file='/var/log/a"b\\c\n\t',
        format="json",
        mem_level=9,
        mem_file=("/dev/shm/log", 1048576),
        rotate=(10485760, 5),
        syslog_failure="stop",
        data_limit=1024,
    )
    assert proxy.log_stats == LogSink(level=3, facility="MAIL")
    assert proxy.cfg_resolution is None
    assert (proxy.client_conn.close_timeout, proxy.client_conn.ip_tos, proxy.server_conn.ip_tos) == (432000, 8, 16)
    assert proxy.listen_on[3] == Listen(False, None, "3com.7", 6, 200, 300)


def test_host_members() -> None:
    found = everything().session_acls[0].conditions.from_
    assert found is not None
    one = v4("198.51.100.7")
    assert found == (
        HostMember(HostRange(4, v4("10.0.0.5"), v4("10.0.0.5")), negate=True),
        HostMember(HostRange(4, v4("10.0.0.0"), v4("10.255.255.255"))),
        HostMember(HostRange(4, v4("192.0.2.1"), v4("192.0.2.9"))),
        HostMember(HostRange(4, v4("172.16.0.0"), v4("172.16.255.255"))),
        HostMember(HostMask(4, v4("172.0.0.0"), v4("255.0.255.0"))),
        HostMember(HostRange(4, v4("192.168.0.0"), v4("192.168.0.255"))),
        HostMember(HostRange(6, 0x20010DB8 << 96, (0x20010DB9 << 96) - 1)),
        HostMember(HostRange(4, v4("10.1.2.3"), v4("10.1.2.3"))),
        HostMember(HostName("mail.example.org")),
        HostMember(HostName("3com.example.org")),
        HostMember(HostRegex(r"\.example/$")),
        HostMember(
            HostSublist(
                (
                    HostMember(HostRange(4, one, one), negate=True),
                    HostMember(HostRange(4, v4("198.51.100.0"), v4("198.51.100.255")), port=(1024, 65535)),
                )
            )
        ),
        HostMember(AnyHost()),
    )
    assert everything().session_acls[0].conditions.to == (
        HostMember(AnyHost(), port=(993, 993)),
        HostMember(HostRange(4, v4("192.0.2.1"), v4("192.0.2.1")), port=(143, 145)),
        HostMember(HostName("mail"), port=(143, 143)),
    )


def test_times() -> None:
    assert everything().session_acls[0].conditions.time == (
        TimeSpec(
            days=frozenset({1, 2, 3, 4, 5, 6, 7, 31}),
            months=frozenset({11, 12, 1, 2}),
            weekdays=frozenset({5, 6, 0, 1}),
            minutes=((480, 990), (1320, 120)),
        ),
        TimeSpec(weekdays=frozenset({1, 2, 3, 4, 5, 6}), minutes=((0, 720), (780, 1440))),
        TimeSpec(),
        TimeSpec(months=frozenset({6})),
    )
    assert everything().session_acls[1].conditions.time_period_set == TimePeriodSet(
        "WORK",
        (
            PeriodSpec("A", dates=(DateRange(24, 12, 2, 1), DateRange(29, 2, 1, 3)), weekdays=((1, 5), (6, 0))),
            PeriodSpec("B", hours=((1320, 360), (0, 1440))),
        ),
        exclude=True,
    )


def test_words() -> None:
    proxy = everything()
    assert proxy.session_acls[0].conditions.user == (
        WordMember("alice"),
        WordMember("bob smith"),
        WordMember("^x", regex=True),
        WordMember("eve", negate=True),
    )
    fetches = (WordMember("FETCH"), WordMember("UID-FETCH"))
    assert proxy.command_acls[0].commands == (WordMember(None, negate=True, sublist=fetches), WordMember(None))
    assert proxy.command_acls[0].conditions.parent_acl == (WordMember("S2", negate=True), WordMember("S1"))


def test_other_names_of_the_session_limits() -> None:
    text = MINIMAL.replace("listen-on", "tcpserver { max-children 9; max-children-per-ip 3; } listen-on")
    server = load_text(text).settings.proxy.tcpserver
    assert (server.max_sessions, server.max_sessions_per_ip) == (9, 3)


def test_sections_may_stand_after_their_use() -> None:
    text = MINIMAL.replace("ALL { accept; plug", "ALL { time-period-set W; accept; plug")
    text += "time-period-set W { time-spec A { hours 0800 1600; } }\n"
    acl = load_text(text).settings.proxy.session_acls[0]
    assert acl.conditions.time_period_set == TimePeriodSet("W", (PeriodSpec("A", hours=((480, 960),)),))


def test_include(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "main.cfg").write_text(MINIMAL.replace("  session-acl", '  include "sub/limits.inc";\n  session-acl'))
    (tmp_path / "sub" / "limits.inc").write_text('version IMAP4FAST-1;\nmax-line 1K;\ninclude "more.inc";\n')
    (tmp_path / "sub" / "more.inc").write_text("max-pending 7;\n")
    proxy = load(str(tmp_path / "main.cfg")).settings.proxy
    assert (proxy.max_line, proxy.max_pending) == (1024, 7)


def test_byte_order_mark_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "x.cfg"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load(str(path)).settings.digest == load_text(MINIMAL).settings.digest


def warnings_of(text: str) -> list[str]:
    return [warning.text for warning in load_text(text).warnings]


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        ("plug-to [192.0.2.20] : 143;", "", "accepts without `plug-to`"),
        ("ALL { accept; no", "ALL { group staff; accept; no", "`group` never matches"),
        ("ALL { accept; plug", "ALL { user alice; accept; plug", "`user` never matches before login"),
        (
            "no-mail-scanning;",
            "no-mail-scanning; commands { ! { STORE, COPY }, * };",
            "STORE is excluded, but UID-STORE",
        ),
        ("  session-acl ALL { accept; plug-to [192.0.2.20] : 143; }\n", "", "there is no session-acl"),
    ],
)
def test_warnings(old: str, new: str, warning: str) -> None:
    assert warnings_of(MINIMAL) == []
    assert any(warning in text for text in warnings_of(MINIMAL.replace(old, new)))


@pytest.mark.parametrize("path", sorted(CONF.glob("*.cfg")), ids=lambda path: path.name)
def test_samples_load_without_a_warning(path: Path) -> None:
    loaded = load(str(path))
    assert isinstance(loaded.settings, Settings)
    assert loaded.warnings == []


def test_there_are_samples() -> None:
    assert {"example.cfg", "isp.cfg", "scanning.cfg", "tls.cfg"} <= {path.name for path in CONF.glob("*.cfg")}


def loaded_or_report(text: str) -> Loaded | str:
    try:
        return load_text(text, "fuzz.cfg")
    except ConfigError as error:
        return str(error)


def check_report(text: str, report: str) -> None:
    """Every place is one of the text."""
    lines = text.split("\n")
    heads = [line for line in report.split("\n") if line.startswith("fuzz.cfg:")]
    assert heads
    for head in heads:
        _, line, column, *_ = head.split(":")
        assert 1 <= int(line) <= len(lines)
        assert 1 <= int(column) <= len(lines[int(line) - 1]) + 1


@given(st.text(max_size=200))
def test_arbitrary_text(text: str) -> None:
    found = loaded_or_report(text)
    assert isinstance(found, str)
    check_report(text, found)


GOOD = (HERE / "right" / "everything.cfg").read_text(encoding="utf-8")
BAD = (HERE / "wrong" / "unsupported-everything.cfg").read_text(encoding="utf-8")
PIECES = [
    "{",
    "}",
    ";",
    ",",
    ":",
    "!",
    "*",
    "-",
    '"',
    "/",
    "[",
    "]",
    "#",
    "\n",
    "0",
    "5m",
    "[10.0.0.1]",
    "accept",
    "\0",
]


@given(
    st.sampled_from([GOOD, BAD, MINIMAL]),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(PIECES) | st.text(max_size=3)),
        min_size=1,
        max_size=4,
    ),
)
def test_mutated_text(text: str, edits: list[tuple[float, int, str]]) -> None:
    for where, cut, piece in edits:
        at = int(where * len(text))
        text = text[:at] + piece + text[at + cut :]
    found = loaded_or_report(text)
    if isinstance(found, str):
        check_report(text, found)
