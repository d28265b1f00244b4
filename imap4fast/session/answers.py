"""What a session answers to a question of the relay (`_wire.ANSWERS`)."""

from __future__ import annotations

PASS = 0
DROP = 1
REPLACE = 2
CLOSE = 3
HOLD = 4
