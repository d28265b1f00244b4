"""The spool and the directories that workers bring along, as the master makes them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import pytest

from imap4fast.config.load import load_text
from imap4fast.errors import SetupError
from imap4fast.log.setup import Logs
from imap4fast.proc.mailstores import MailStores
from tests.play.stage import Notebook

TEXT = """version IMAP4FAST-1;
imap4-proxy P {{
  nodaemon;
  listen-on {{ non-transparent [127.0.0.1] port 143; }}
  {spool}
  session-acl IN {{ accept; plug-to [192.0.2.9] : 143; }}
  command-acl ALL {{ accept; }}
  mail-acl ALL {{ accept; quarantine "{quarantine}"; }}
  doc-acl ALL {{ accept; }}
}}
"""


def stores(spool: str, quarantine: Path) -> MailStores:
    text = TEXT.format(spool=spool, quarantine=quarantine)
    return MailStores(load_text(text).settings, 2, None, cast(Logs, Notebook(6)))


def test_spool_and_directories(tmp_path: Path) -> None:
    (tmp_path / "q").mkdir()
    made = stores(f'spool-dir "{tmp_path}/spool";', tmp_path / "q")
    provisions = made.enter(1)
    assert os.path.samestat(os.fstat(provisions.directories[str(tmp_path / "q")]), os.stat(tmp_path / "q"))
    fd = provisions.spool.create(10)
    provisions.spool.release(fd)
    provisions.spool.close()
    made.close()
    assert (tmp_path / "spool").is_dir()


def test_without_a_directory_mails_are_kept_as_long_as_the_proxy_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = stores("", tmp_path)
    (path,) = tmp_path.iterdir()
    assert (path.stat().st_mode & 0o777) == 0o700
    made.enter(0).spool.close()
    made.close()
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    made = stores(f'spool-dir "{tmp_path}/spool";', tmp_path / "missing")
    with pytest.raises(SetupError, match=f"^quarantine {tmp_path}/missing: No such file or directory$"):
        made.enter(0)
    made.close()
