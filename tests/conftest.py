"""What all tests share: one folder for the logs of the run, named by IMAP4FAST_TEST_LOGS."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("IMAP4FAST_TEST_LOGS", tempfile.mkdtemp(prefix="imap4fast-logs."))
