"""Many parts without their transfer encodings, as `BINARY[]` has the whole mail (RFC 3516): each leaf decoded, and its
header says `binary`. The RFC leaves open what an empty section is but by RFC 3501: the whole mail with its header. So
has Dovecot it.
"""

from __future__ import annotations

from collections.abc import Sequence

from imap4fast._wire import MailIndex, decode_transfer, header_list

_ENCODING = b"content-transfer-encoding"
_BINARY = b"Content-Transfer-Encoding: binary\r\n"
_CODED = (b"base64", b"quoted-printable")


def encoded(index: MailIndex, offset: int, size: int) -> Sequence[int] | None:
    """The leaves in these octets of the mail that have an encoding to be taken off, where there is something in one of
    them; None: one has an unknown encoding.
    """
    found = []
    octets = 0
    for number in index.leaves:
        part = index.part(number)
        if part.header < offset or part.body + part.body_size > offset + size:
            continue
        if index.decoded_size(number) is None:
            return None
        if part.transfer in _CODED:
            found.append(number)
            octets += part.body_size
    return found if octets else []


def decoded(octets: bytes, index: MailIndex, offset: int) -> bytes:
    """`octets` of the mail, from `offset` on, with all leaves in them decoded."""
    made: list[bytes] = []
    at = offset
    for number in encoded(index, offset, len(octets)) or ():
        part = index.part(number)
        header, body, end = part.header - offset, part.body - offset, part.body + part.body_size - offset
        made.append(octets[at - offset : header])
        made.append(_relabelled(octets[header : header + part.header_size]))
        made.append(octets[header + part.header_size : body])
        made.append(decode_transfer(octets[body:end], part.transfer) or b"")
        at = end + offset
    return b"".join([*made, octets[at - offset :]])


def _relabelled(header: bytes) -> bytes:
    """The header of a decoded part: what named its encoding goes, the word for none comes last."""
    kept: list[bytes] = []
    at = 0
    for name, start, end in header_list(header):
        kept.append(header[at:start])
        kept.append(b"" if name.strip().lower() == _ENCODING else header[start:end])
        at = end
    return b"".join([*kept, _BINARY, header[at:]])
