"""Runs last of the end-to-end tests: no log that they left has a password in it, in any form."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from tests.secrets import PASSWORDS


def _forms(password: str) -> list[bytes]:
    plain = password.encode()
    # Base64 of a password after user names of any length: the three alignments, less the ends.
    shifted = [base64.b64encode(b"\0" * shift + plain)[4:-4] for shift in range(3)]
    return [plain, *(part for part in shifted if len(part) > 8)]


def test_no_password_in_any_log() -> None:
    logs = [path for path in Path(os.environ["IMAP4FAST_TEST_LOGS"]).rglob("*") if path.is_file()]
    assert any(path.stat().st_size for path in logs), "the end-to-end tests left no log"
    for path in logs:
        data = path.read_bytes()
        for password in PASSWORDS:
            for form in _forms(password):
                at = data.find(form)
                assert at < 0, f"{path}: {data[max(0, at - 300) : at + 100]!r}"
