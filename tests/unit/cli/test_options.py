"""Options that every command shares."""

from __future__ import annotations

import pytest

from imap4fast import __version__
from imap4fast.cli.options import USAGE_ERROR, base_parser


def parse(*argv: str):
    return base_parser("some-command", "Does something.", "Examples:\n  some-command -f x").parse_args(argv)


def test_short_and_long_forms() -> None:
    assert vars(parse("-f", "a.cfg", "-d", "7")) == {"file": "a.cfg", "debug_level": 7}
    assert parse("--file", "a.cfg", "--debug-level", "3") == parse("-fa.cfg", "-d3")
    assert parse("-f", "a.cfg").debug_level is None


@pytest.mark.parametrize("argv", [["-v"], ["--version"], ["-v", "-f", "a.cfg"]])
def test_version(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(*argv)
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"imap4fast {__version__} (IMAP4FAST-1)\n"


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_ends_with_the_examples_as_written(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(flag)
    assert ended.value.code == 0
    assert capsys.readouterr().out.endswith("\nExamples:\n  some-command -f x\n")


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        ([], "the following arguments are required: -f/--file"),
        (["-f", "x", "-d", "2"], "'2' is no log level: 3 to 9 are"),
        (["-f", "x", "-d", "10"], "'10' is no log level: 3 to 9 are"),
        (["-f", "x", "-d", "debug"], "'debug' is no log level: 3 to 9 are"),
        (["-f", "x", "-d", "\u0665"], "'\u0665' is no log level: 3 to 9 are"),
        (["-f", "x", "more"], "unrecognized arguments: more"),
        (["--fil", "x"], "the following arguments are required: -f/--file"),
    ],
)
def test_usage_errors(argv: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(*argv)
    assert ended.value.code == USAGE_ERROR == 2
    printed = capsys.readouterr()
    assert complaint in printed.err
    assert printed.out == ""
