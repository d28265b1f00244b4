"""Status line and fields before the empty line, as HTTP, ICAP and spamd write them; fed in any pieces, bounded."""

from __future__ import annotations

MOST_OCTETS = 16384
MOST_FIELDS = 200


class Head:
    """`done` once the empty line came. `fault`: it is too long, or no head.

    `fields` are by their names in lower case; the values of one name are joined by commas, folded lines by blanks.
    """

    def __init__(self) -> None:
        self.status = b""
        self.fields: dict[bytes, bytes] = {}
        self.done = False
        self.fault = False
        self._buffer = bytearray()

    def feed(self, octets: bytes) -> bytes:
        """What comes behind the head; empty as long as it is not whole."""
        start = max(0, len(self._buffer) - 3)
        self._buffer += octets[: MOST_OCTETS + 1]
        end = self._buffer.find(b"\r\n\r\n", start)
        if end < 0 or end > MOST_OCTETS:
            self.fault = len(self._buffer) > MOST_OCTETS
            return b""
        kept = len(self._buffer) - len(octets[: MOST_OCTETS + 1])
        self._read(bytes(self._buffer[:end]))
        return octets[end + 4 - kept :]

    @property
    def said(self) -> bytes:
        """The first line as far as it came."""
        return self.status or bytes(self._buffer[:200]).split(b"\r\n")[0]

    def _read(self, text: bytes) -> None:
        self.status, *lines = text.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n")
        self.done = len(lines) <= MOST_FIELDS
        for line in lines[:MOST_FIELDS]:
            name, colon, value = line.partition(b":")
            if not colon or not name or name != name.strip():
                self.done = False
            self._keep(name.lower(), value.strip())
        self.fault = not self.done

    def _keep(self, name: bytes, value: bytes) -> None:
        earlier = self.fields.get(name)
        self.fields[name] = value if earlier is None else b"%s, %s" % (earlier, value)


def number(value: bytes) -> int | None:
    """A decimal number of up to nine digits, else None."""
    return int(value) if value.isdigit() and len(value) < 10 else None
