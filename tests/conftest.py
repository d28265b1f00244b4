"""What all tests share: one folder for the logs of the run, named by IMAP4FAST_TEST_LOGS; no deadline for an example in
a run that is slow on purpose.
"""

from __future__ import annotations

import os
import tempfile

from hypothesis import settings

from tests.clock import SLOWER

settings.register_profile("slower", deadline=None)
if SLOWER > 1:
    settings.load_profile("slower")

os.environ.setdefault("IMAP4FAST_TEST_LOGS", tempfile.mkdtemp(prefix="imap4fast-logs."))
