"""What a client says of itself in ID (RFC 2971)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imap4fast._wire import Token

MAX_ID_PAIRS = 30
MAX_ID_KEY = 30
MAX_ID_VALUE = 1024


def id_pairs(tokens: list[Token]) -> list[tuple[bytes, bytes | None]] | None:
    """id-params-list as (field, value or None for NIL) within the limits of RFC 2971 section 3.3, or None."""
    if len(tokens) != 1:
        return None
    if isinstance(tokens[0], bytes) and tokens[0].upper() == b"NIL":
        return []
    if not isinstance(tokens[0], list) or len(tokens[0]) % 2 or len(tokens[0]) > 2 * MAX_ID_PAIRS:
        return None
    pairs: list[tuple[bytes, bytes | None]] = []
    for field, value in zip(tokens[0][::2], tokens[0][1::2], strict=True):
        if not isinstance(field, tuple) or isinstance(value, list) or len(field[0]) > MAX_ID_KEY:
            return None
        if isinstance(value, bytes) and value.upper() != b"NIL":
            return None
        text = value[0] if isinstance(value, tuple) else None
        if text is not None and len(text) > MAX_ID_VALUE:
            return None
        pairs.append((field[0], text))
    return pairs
