"""A mail's test from settings to a written file; from the command line in test_test_imap4.py."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from imap4fast.cli.mailtest import mail_test
from imap4fast.config.expression import TestExpr
from imap4fast.errors import ConfigError
from imap4fast.policy.rehearsal import rehearse
from tests.unit.policy.jobs import INFECTED, settings_of

NOW = datetime.datetime(2026, 1, 1)


def checked(tmp_path: Path, acls: str, **more: str):
    settings = settings_of(acls)
    (tmp_path / "a.eml").write_bytes(INFECTED)
    expr = TestExpr(mail=str(tmp_path / "a.eml"), **more)
    return mail_test(settings, rehearse(settings, expr, NOW, {}), {})


def test_the_mail_that_comes_of_it_is_written(tmp_path: Path) -> None:
    found = checked(tmp_path, "mail-acl M { accept; } doc-acl D { accept; remove; }", write=str(tmp_path / "b.eml"))
    assert found.accepted
    assert found.values["written"] == str(tmp_path / "b.eml")
    assert (tmp_path / "b.eml").stat().st_size == found.values["size_after"]


def test_the_file_may_be_written_over_itself(tmp_path: Path) -> None:
    checked(tmp_path, "mail-acl M { deny; }", write=str(tmp_path / "a.eml"))
    assert b"X-Imap4fast-Replaced" in (tmp_path / "a.eml").read_bytes()


def test_a_mail_that_is_denied(tmp_path: Path) -> None:
    found = checked(tmp_path, "mail-acl M { deny; }")
    assert (found.accepted, found.reason) == (False, "virus: Eicar-Test-Signature")


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'^<expression>: error: write ".*/x/b.eml": No such file or directory$'):
        checked(tmp_path, "mail-acl M { deny; }", write=str(tmp_path / "x" / "b.eml"))
