"""Catalogue of component LOGS: the logs themselves."""

from __future__ import annotations

from imap4fast.log.entry import Component

LOGS = Component("LOGS", "the logs themselves")

LINES_LOST = LOGS.entry(
    101,
    "E",
    "LINES-LOST COUNT=%u REASON=%s",
    "So many lines could not be written and were dropped, between the line before this one and this one. Traffic was "
    "not held up.",
)
REOPEN_FAILED = LOGS.entry(
    102,
    "E",
    "REOPEN-FAILED FILE=%s REASON=%s",
    "A log file could not be opened anew; writing goes on to the file that was open.",
)
ROTATION_FAILED = LOGS.entry(
    103,
    "E",
    "ROTATION-FAILED FILE=%s REASON=%s",
    "A log file could not be rotated; it grows on, and rotation is tried again.",
)
SYSLOG_FAILED = LOGS.entry(
    104,
    "E",
    "SYSLOG-FAILED REASON=%s ACTION=%s",
    "The system's log daemon does not take lines. ACTION is IGNORE, FILE (lines go to a file from now on) or STOP.",
)
