"""Files of mail processing, read once, with all errors in one report."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imap4fast.config.load import load_text
from imap4fast.config.settings import Settings
from imap4fast.errors import ConfigError
from imap4fast.policy import material
from imap4fast.policy.material import Material, digests, read, wanted_files

TEXT = """version IMAP4FAST-1;
antivirus OWN { connection builtin; digests "%(at)s/digests"; }
antivirus IDLE { connection builtin; digests "/nowhere/unused"; }
imap4-proxy P {
  listen-on { non-transparent [::1] port 1; }
  doctype-identification { mime-types "%(at)s/types"; }
  command-acl C { accept; download { use-antivirus enable OWN; use-antivirus disable IDLE; } }
  mail-acl M { accept; replace-body "%(at)s/body"; }
  doc-acl D { accept; replace-file "%(at)s/text"; }
  doc-acl E { accept; replace-file "%(at)s/image" image/png; }
}
"""
GOOD = {
    "digests": b"# known ones\n\n" + b"0A" * 32 + b"\n" + b"0b" * 32 + b"  file.exe\n",
    "types": b"text/x-a a\n",
    "body": "na\u00efve".encode(),
    "text": b"",
    "image": b"\x89PNG\xff",
}


def settings(at: Path, **other: bytes) -> Settings:
    for name, octets in {**GOOD, **other}.items():
        (at / name).write_bytes(octets)
    return load_text(TEXT % {"at": at}, "a.cfg").settings


def test_files_by_their_paths(tmp_path: Path) -> None:
    found = read(settings(tmp_path))
    assert found.files == {f"{tmp_path}/{name}": octets for name, octets in GOOD.items()}
    assert found.of(f"{tmp_path}/body") == GOOD["body"]
    assert found.of(None) == b""


def test_digests(tmp_path: Path) -> None:
    given = settings(tmp_path)
    engine = given.proxy.command_acls[0].download.use_antivirus[0].engine
    assert digests(read(given), engine) == {b"\x0a" * 32, b"\x0b" * 32}


def test_what_no_acl_uses_is_not_read(tmp_path: Path) -> None:
    assert "/nowhere/unused" not in {wanted.path for wanted in wanted_files(settings(tmp_path))}


def test_all_errors_at_once_each_with_its_place(tmp_path: Path) -> None:
    given = settings(tmp_path, digests=b"\n0A0B\n", body=b"a\xff")
    os.remove(tmp_path / "text")
    os.remove(tmp_path / "types")
    (tmp_path / "types").mkdir()
    with pytest.raises(ConfigError) as caught:
        read(given)
    assert str(caught.value).split("\n") == [
        f'a.cfg:6: error: doctype-identification: mime-types "{tmp_path}/types": Is a directory',
        f'a.cfg:2: error: antivirus OWN: digests "{tmp_path}/digests": line 2: a SHA-256 digest of 64 digits in hex '
        "expected",
        f'a.cfg:8: error: mail-acl M: replace-body "{tmp_path}/body": byte 0xff at 1 is not UTF-8',
        f'a.cfg:9: error: doc-acl D: replace-file "{tmp_path}/text": No such file or directory',
    ]


def test_a_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    given = settings(tmp_path)
    os.remove(tmp_path / "text")
    os.mkfifo(tmp_path / "text")
    assert read(given).of(f"{tmp_path}/text") == b""


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(material, "LARGEST", 1 << 20)
    with pytest.raises(ConfigError, match=r"/text\": more than 1M$"):
        read(settings(tmp_path, text=b"x" * (1 << 20) + b"x"))


def test_nothing_is_needed_without_scanning() -> None:
    assert read(load_text(TEXT.partition("doctype")[0] + "}").settings) == Material()
