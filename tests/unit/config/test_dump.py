"""What is written loads again to the same settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imap4fast.config.dump import digest, dump_acls, dump_proxy
from imap4fast.config.load import load, load_text
from imap4fast.config.settings import CommandAcl, Listen, Proxy, Settings

from . import mailstrategies, strategies

EVERYTHING = str(Path(__file__).parent / "right" / "everything.cfg")


def without_lines(proxy: Proxy) -> Proxy:
    """Where a section stands in its file is no part of what it says."""
    return msgspec.convert(_nowhere(msgspec.to_builtins(proxy)), Proxy)


def _nowhere(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _nowhere(inner) for key, inner in value.items() if key not in ("line", "path")}
    return tuple(map(_nowhere, value)) if isinstance(value, (list, tuple)) else value


def as_settings(proxy: Proxy) -> Settings:
    return Settings("x.cfg", digest(proxy), proxy)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(strategies.proxies())
def test_round_trip(proxy: Proxy) -> None:
    for everything in (False, True):
        again = load_text(dump_proxy(as_settings(proxy), everything)).settings
        assert without_lines(again.proxy) == without_lines(proxy)
        assert again.digest == digest(proxy)


def test_round_trip_of_everything() -> None:
    found = load(EVERYTHING).settings
    for everything in (False, True):
        again = load_text(dump_proxy(found, everything)).settings
        assert without_lines(again.proxy) == without_lines(found.proxy)
        assert dump_proxy(again, everything) == dump_proxy(found, everything)


def test_acls_load_again() -> None:
    found = load(EVERYTHING).settings
    text = dump_proxy(found, False)
    head = text[: text.index("  session-acl S1 {")]
    again = load_text(head + dump_acls(found, 1) + dump_acls(found, 2) + dump_acls(found, 3) + "}\n").settings
    assert without_lines(again.proxy) == without_lines(found.proxy)


def test_defaults_are_left_out_unless_all_is_wanted() -> None:
    found = load(EVERYTHING).settings
    server_conn = dump_proxy(found, False).partition("  server-conn {")[2].partition("}")[0]
    assert server_conn.split() == ["ip-tos", "16;"]
    assert "recv-timeout 2m;" in dump_proxy(found, True)


def test_sections_of_tls_that_are_used_are_written_once() -> None:
    text = dump_proxy(load(EVERYTHING).settings, False)
    for section in ("ssl-params PUBLIC", "ssl-params SERVERS", "ssl-cert-match STAFF", "ssl-cert-match NOBODY"):
        assert text.count(f"{section} {{") == 1


def test_digest() -> None:
    text = Path(EVERYTHING).read_text(encoding="utf-8")
    found = load_text(text).settings.digest
    assert len(found) == 64
    assert load_text("# more\n" + text.replace("; ", ";\n# x\n\n")).settings.digest == found
    assert load_text(text.replace("max-line 1K", "max-line 1024")).settings.digest == found
    assert load_text(text.replace("max-line 1K", "max-line 1025")).settings.digest != found
    assert load_text(text.replace("dates 24 dec", "dates 23 dec")).settings.digest != found


@st.composite
def with_mails(draw: Any) -> Proxy:
    """A proxy that processes mails; its ACLs deny, so that nothing hangs on what else they say."""
    commands = tuple(draw(st.lists(strategies.names, max_size=2, unique=True)))
    engines = draw(mailstrategies.several_sections(mailstrategies.antivirus))
    judges = draw(mailstrategies.several_sections(mailstrategies.antispam))
    acls = tuple(CommandAcl(name, False, **draw(mailstrategies.command_fields(engines, judges))) for name in commands)
    listen = Listen(False, None, "lo", None, 143, 143)
    return Proxy("P", listen_on=(listen,), command_acls=acls, **draw(mailstrategies.mail_fields(commands)))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(with_mails())
def test_round_trip_of_mail_processing(proxy: Proxy) -> None:
    for everything in (False, True):
        again = load_text(dump_proxy(as_settings(proxy), everything)).settings
        assert without_lines(again.proxy) == without_lines(proxy)
        assert again.digest == digest(proxy)


def test_acls_of_phase_3() -> None:
    text = dump_acls(load(EVERYTHING).settings, 3)
    assert [line for line in text.splitlines() if not line.startswith(" ") and line != "}"] == [
        *(f"mail-acl {name} {{" for name in "MNO"),
        *(f"doc-acl {name} {{" for name in "DEFGH"),
    ]
    assert 'deny "no";' in text
    assert "  deny;\n" in text
