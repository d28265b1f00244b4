"""What holds of every index, whatever the mail is or the blob was."""

from __future__ import annotations

import struct

from imap4fast._wire import (
    MIME_FAULTS,
    MailIndex,
    decode_transfer,
    decode_words,
    header_fields,
    header_list,
    parameters,
    unfolded,
)
from tests.mime.answers import parsed

CHECK = slice(4, 8)
"""Where a packed index has its checksum, which is over all that follows."""


def usable(index: MailIndex) -> None:
    """All that is asked of an index holds, whatever it was unpacked from."""
    for number in range(len(index)):
        part = index.part(number)
        assert (
            0 <= part.header <= part.header + part.header_size == part.body <= part.body + part.body_size <= index.size
        )
        assert all(index.part(child).parent == number for child in part.children)
        assert part.faults <= set(MIME_FAULTS)
        index.decoded_size(number)
    for spec in (b"", b"HEADER", b"TEXT", b"1", b"1.1.HEADER", b"2.TEXT", b"1.2.3.4.5"):
        found = index.section(spec)
        assert found is None or 0 <= found[0] <= found[0] + found[1] <= index.size
    assert sorted({*index.leaves}) == list(index.leaves)
    assert MailIndex.unpack(index.pack()).pack() == index.pack()


def sound(index: MailIndex, mail: bytes) -> None:
    """The index is one of this mail."""
    usable(index)
    assert (index.size, index.lines) == (len(mail), mail.count(b"\n"))
    for number in range(len(index)):
        part = index.part(number)
        body = mail[part.body : part.body + part.body_size]
        assert part.lines == body.count(b"\n")
        if part.parent >= 0:
            around = index.part(part.parent)
            assert around.body <= part.header
            assert part.body + part.body_size <= around.body + around.body_size
        if not part.children:
            decoded = decode_transfer(body, part.transfer)
            assert index.decoded_size(number) == (None if decoded is None else len(decoded))
        reads(mail[part.header : part.body])
    assert len(parsed(index.envelope)) == 10
    assert isinstance(parsed(index.body), list)
    assert isinstance(parsed(index.bodystructure), list)
    assert len(index.preview.decode("utf-8")) <= 200


def reads(header: bytes) -> None:
    """The fields of a header stand one behind the other, and each is on one side of a choice."""
    at = 0
    for name, start, end in header_list(header):
        assert start == at < end
        assert header[start:].startswith(name)
        assert b"\n" not in name
        at = end
        decode_words(header[start:end])
        parameters(header[start:end])
        assert not set(unfolded(header[start:end])) & set(b"\r\n")
    assert header[at : at + 2] in (b"", b"\r\n") or header[at : at + 1] == b"\n"
    assert header_fields(header, (), True) == header
    assert header_fields(header, (b"subject",), False).endswith(b"\n")


def sealed(blob: bytes) -> bytes:
    """A blob with the checksum that its octets have: as one would have it who means harm."""
    h = 2166136261
    data = blob[CHECK.stop :]
    whole = len(data) // 4 * 4
    for (word,) in struct.iter_unpack("=I", data[:whole]):
        h = ((h ^ word) * 16777619) & 0xFFFFFFFF
        h ^= h >> 15
    for octet in data[whole:]:
        h = ((h ^ octet) * 16777619) & 0xFFFFFFFF
    return blob[: CHECK.start] + struct.pack("=I", h) + data
