"""The command imap4-proxy: its options, what it prints, and its exit status. (tests/e2e/test_proc_real.py runs it.)"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from imap4fast import __version__
from imap4fast.cli import imap4_proxy
from imap4fast.config.load import load_text
from imap4fast.config.settings import Settings
from imap4fast.errors import SetupError
from imap4fast.net.service import Service
from imap4fast.proc import launch
from imap4fast.proc.brood import Craft
from imap4fast.proc.worker import MakeService

GOOD = """version IMAP4FAST-1;
imap4-proxy IMAP {
  nodaemon;
  listen-on { non-transparent [127.0.0.1] port 1143; }
  session-acl ALL { accept; %s }
  command-acl ALL { accept; no-mail-scanning; }
}
"""
PLUG = "plug-to [127.0.0.1] : 143;"


Run = tuple[Settings, MakeService, Sequence[str]]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """What would have been run."""
    calls: list[Run] = []

    def run(settings: Settings, make_service: MakeService, warnings: Sequence[str], craft: Craft) -> None:
        calls.append((settings, make_service, warnings))

    monkeypatch.setattr(launch, "run", run)
    return calls


def config(folder: Path, text: str) -> str:
    path = folder / "proxy.cfg"
    path.write_text(text)
    return str(path)


def test_runs_the_configured_proxy(tmp_path: Path, ran: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    assert imap4_proxy.main(["-f", config(tmp_path, GOOD % PLUG)]) == 0
    ((settings, make_service, warnings),) = ran
    assert list(warnings) == []
    assert settings.proxy.name == "IMAP"
    assert isinstance(make_service, partial)
    assert make_service.func is Service
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("options", "shown"), [([], True), (["-d", "4"], True), (["--debug-level", "3"], False)])
def test_warnings_go_to_standard_error(
    tmp_path: Path,
    ran: list[Run],
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    shown: bool,
) -> None:
    assert imap4_proxy.main([*options, "--file", config(tmp_path, GOOD % "")]) == 0
    assert ("warning:" in capsys.readouterr().err) == shown
    ((_, _, warnings),) = ran
    assert ["warning:" in warning and "\n" not in warning for warning in warnings] == [True]


def test_a_start_that_fails_is_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: object) -> None:
        raise SetupError("listen-on", "taken")

    monkeypatch.setattr(launch, "run", run)
    assert imap4_proxy.main(["-f", config(tmp_path, GOOD % PLUG)]) == 1
    assert capsys.readouterr() == ("", "imap4-proxy: listen-on: taken\n")


def test_configuration_errors_are_status_2(tmp_path: Path, ran: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    path = config(tmp_path, GOOD % "plug-too [127.0.0.1] : 143;")
    assert imap4_proxy.main(["-f", path]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"{path}:5:")
    assert "did you mean" in err
    assert ran == []


def test_a_missing_file_is_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert imap4_proxy.main(["-f", str(tmp_path / "none")]) == 2
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize("line", [[], ["-f"], ["-x", "-f", "x"], ["-f", "x", "y"], ["-d", "10", "-f", "x"]])
def test_usage_errors_are_status_2(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        imap4_proxy.main(line)
    assert ended.value.code == 2
    assert "usage: imap4-proxy" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["-v", "--version"])
def test_version(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        imap4_proxy.main([option])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"imap4fast {__version__} (IMAP4FAST-1)\n"


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_teaches(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        imap4_proxy.main([option])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("test-imap4 -f", "nodaemon", "SIGHUP", "SIGRTMIN+1", "exit status"))


def test_mails_are_processed_where_an_acl_says_so() -> None:
    scanning = GOOD.replace("no-mail-scanning; }\n", "}\n  mail-acl M { accept; }\n  doc-acl D { accept; }\n")
    for text, processed in ((GOOD, False), (scanning, True)):
        assert imap4_proxy.processes_mail(load_text(text % PLUG).settings) is processed
