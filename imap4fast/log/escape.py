"""What a value from outside looks like in a log line: one line, no control bytes, and no way to forge a field.

The rules, which a reader of logs may rely on:

1. Bytes: printable ASCII stays, a backslash is doubled, every other byte is `\\xHH`.
2. Text: printable characters stay, a backslash is doubled. Everything else (control characters, line and paragraph
   separators, direction marks, unassigned code points) is `\\xHH` in ASCII, `\\uHHHH` or `\\UHHHHHHHH` above. A byte
   that was smuggled through as a lone surrogate is `\\xHH` of that byte, other lone surrogates are `\\uHHHH`.
3. A value that is empty or contains a space, `=` or `"` stands in double quotes, with `"` inside written `\\"`. So what
   follows `KEY=` up to the next space outside quotes is one value, and no value can look like another `KEY=`.
4. None is `<NULL>`; a value that reads `<NULL>` itself stands in quotes.
5. A value longer than the log's data-limit is cut and ends with `...+N`, N being the bytes or characters left out.
   A block of the level full is cut so at its log-limit instead.
"""

from __future__ import annotations

from enum import Enum

NULL = "<NULL>"

_BYTES = {code: f"\\x{code:02x}" for code in range(256) if not 0x20 <= code < 0x7F} | {ord("\\"): "\\\\"}


class Block:
    """Bytes that are cut at a limit of their own, not at the log's; 0: never."""

    __slots__ = ("data", "left_out")

    def __init__(self, data: bytes, limit: int) -> None:
        self.data = data[:limit] if limit else data
        self.left_out = len(data) - len(self.data)


def escape_bytes(value: bytes) -> str:
    """Rule 1."""
    text = value.decode("latin-1")
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return text.translate(_BYTES)


def escape_text(value: str) -> str:
    """Rule 2."""
    if value.isprintable() and "\\" not in value:
        return value
    return "".join([char if char.isprintable() and char != "\\" else _mark(char) for char in value])


def _mark(char: str) -> str:
    code = ord(char)
    if char == "\\":
        return "\\\\"
    if code < 0x80:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quote(text: str) -> str:
    """Rules 3 and 4, for text that is escaped already."""
    if text and " " not in text and "=" not in text and '"' not in text and text != NULL:
        return text
    return '"' + text.replace('"', '\\"') + '"'


def is_plain(text: str) -> bool:
    """Whether no rule but perhaps the last would change `text`, or any value out of which it was joined.

    False may be wrong for joined text, True never is, but for empty values among them.
    """
    return (
        text.isprintable()
        and " " not in text
        and "=" not in text
        and '"' not in text
        and "\\" not in text
        and NULL not in text
    )


def bare(value: object, limit: int) -> str:
    """A value without quotes, as it stands in a JSON field. `limit` 0: never cut.

    YES and NO for truth, names for members of an enumeration, three places for decimals; anything else as `str` says,
    so that a Secret shows its mark.
    """
    if type(value) is str and len(value) <= (limit or len(value)):
        return escape_text(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bare_bytes(bytes(value), limit)
    if isinstance(value, Block):
        return escape_bytes(value.data) + (f"...+{value.left_out}" if value.left_out else "")
    if isinstance(value, bool):
        return "YES" if value else "NO"
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value:.3f}"
    text = str(value)
    if limit and len(text) > limit:
        return f"{escape_text(text[:limit])}...+{len(text) - limit}"
    return escape_text(text)


def _bare_bytes(value: bytes, limit: int) -> str:
    if limit and len(value) > limit:
        return f"{escape_bytes(value[:limit])}...+{len(value) - limit}"
    return escape_bytes(value)


def shown(value: object, limit: int) -> str:
    """A value as it stands in a line of text: all five rules."""
    if value is None:
        return NULL
    return quote(bare(value, limit))
