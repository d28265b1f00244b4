"""The passwords that tests use, and where the logs of a test run lie.

A test at the end of the run greps every log for every one of them.
"""

from __future__ import annotations

import os
from pathlib import Path

PASSWORDS = (
    "zq8-Correct-Horse",
    'zq8 "quoted" \\back',
    "zq8-wrong-guess",
    "zq8-prelogin-typo",
    "zq8-bearer-token-0123456789",
)
"""All of them carry `zq8`, so that a part of one is found too. The first two are good, the others are not."""

LOG_DIRS = tuple(Path(name) for name in (os.environ.get("IMAP4FAST_TEST_LOGS"),) if name)
"""Folders with the logs of this run."""
