"""Reading, version and include."""

from __future__ import annotations

from pathlib import Path

import pytest

from imap4fast.config.diagnostic import Report
from imap4fast.config.files import Reader, read_source, reason
from imap4fast.errors import ConfigError


def keywords(path: Path) -> list[str]:
    report = Report()
    found = Reader(report).statements(read_source(str(path), report))
    report.raise_if_failed()
    return [statement.keyword.text for statement in found]


def test_includes_stand_in_their_place(tmp_path: Path) -> None:
    (tmp_path / "main.cfg").write_text('version IMAP4FAST-1; a; include "b/one.inc"; include "b/one.inc"; d;')
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "one.inc").write_text('b; include "two.inc";')
    (tmp_path / "b" / "two.inc").write_text("version IMAP4FAST-1; c;")
    assert keywords(tmp_path / "main.cfg") == ["version", "a", "b", "c", "b", "c", "d"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a;", "the first item must be"),
        ('version X; include "main.cfg";', "includes itself"),
        ('version X; include "none.inc";', "cannot be read: No such file or directory"),
        ('version X; include ".";', "cannot be read: Is a directory"),
        ('version X; include "a\\x00b";', "cannot be read"),
        ("version X; include a;", 'written `include "FILE";`'),
        ('version X; include "twice.inc";', "more than 1000 includes"),
    ],
)
def test_errors(text: str, error: str, tmp_path: Path) -> None:
    (tmp_path / "main.cfg").write_text(text)
    (tmp_path / "twice.inc").write_text('include "leaf.inc";' * 1001)
    (tmp_path / "leaf.inc").write_text("")
    with pytest.raises(ConfigError, match="error") as caught:
        keywords(tmp_path / "main.cfg")
    assert error in str(caught.value)


def test_what_is_not_utf8_is_reported_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "main.cfg").write_bytes(b"version X;\n \xc3\xa4\xff;")
    with pytest.raises(ConfigError, match=r"main\.cfg:2:3: error: byte 0xff is not UTF-8"):
        keywords(tmp_path / "main.cfg")


def test_reason() -> None:
    assert reason(OSError(2, "No such file")) == "No such file"
    assert reason(ValueError("embedded null byte")) == "embedded null byte"
