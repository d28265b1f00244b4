"""Words shared by all tiers: names of the program, sides and directions."""

from __future__ import annotations

from enum import IntEnum

PRODUCT = "imap4fast"
DIALECT = "IMAP4FAST-1"
"""What `version` in a configuration file must say and `-v` prints."""


class Side(IntEnum):
    """The two ends of a session (architecture.md section 2)."""

    CLIENT = 0
    SERVER = 1
