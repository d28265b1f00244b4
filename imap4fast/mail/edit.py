"""Changes of a mail by policy, in one pass over its index: octets that no change names are byte for byte what came in.

Changes that were made before are not made again: a subject that has its prefix keeps it, a field that is there with its
value is not added twice, and a part that was replaced is known by `replacement.is_ours`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from imap4fast._wire import MailIndex, MimePart
from imap4fast.mail import fields, splice, spoof, subject, words
from imap4fast.mail.canonical import Octets
from imap4fast.mail.splice import Piece, Splice

ADD = "add"
REPLACE = "replace"
DELETE = "delete"
CONTENT = b"content-"
EMPTY = b"Content-Type: text/plain; charset=us-ascii\r\nContent-Disposition: inline\r\n"
"""Fields of what stands where nothing was left."""


class HeaderOp(msgspec.Struct, frozen=True):
    """`modify-header`: `op` is ADD, REPLACE (added where there is none) or DELETE."""

    op: str
    name: str
    value: str = ""


class Replacement(msgspec.Struct, frozen=True):
    """What stands for a part: `header` are whole fields with CRLF, without the empty line behind them; `octets` are in
    the transfer encoding that the header names."""

    header: bytes
    octets: bytes


class Edits(msgspec.Struct, frozen=True):
    """What is to become of a mail. Parts are numbered as in the index; what is said of a part in another that is
    replaced or removed is void.

    `body`: the whole body, in place of all parts. `cleaned`: control characters and fields of ours that the sender put
    in are taken from the header first (`spoof.cleaned`), but for those that `own` names; with `one_each` also second
    fields of what stands once.
    """

    subject_prefix: str = ""
    headers: tuple[HeaderOp, ...] = ()
    parts: dict[int, Replacement] = {}
    removed: frozenset[int] = frozenset()
    body: Replacement | None = None
    cleaned: bool = False
    own: frozenset[bytes] = frozenset()
    one_each: bool = False


def apply(data: Octets, index: MailIndex, edits: Edits) -> Octets:
    """The mail after the edits, in memory; `data` itself where there is nothing to do."""
    return splice.spliced(data, splices(data, index, edits))


def pieces(data: Octets, index: MailIndex, edits: Edits) -> list[Piece]:
    """The same as views of `data` and new octets, for writing a mapped mail to a file."""
    return splice.pieces(data, splices(data, index, edits))


def splices(data: Octets, index: MailIndex, edits: Edits) -> list[Splice]:
    before = data[: index.part(0).header_size]
    header = spoof.cleaned(before, edits.own, edits.one_each) if edits.cleaned else before
    if edits.body is not None or 0 in edits.parts or 0 in edits.removed:
        new = edits.body or edits.parts.get(0) or Replacement(EMPTY, b"")
        return [Splice(0, len(data), edited_header(header_with(header, new), edits) + new.octets)]
    header = edited_header(header, edits)
    out = [] if header == before else [Splice(0, len(before), header)]
    for number, new in edits.parts.items():
        out.append(replaced(data, index, number, new))
    out += without_parts(data, index, edits.removed)
    return out


def edited_header(header: bytes, edits: Edits) -> bytes:
    for op in edits.headers:
        header = with_op(header, op)
    return subject.prefixed(header, edits.subject_prefix) if edits.subject_prefix else header


def with_op(header: bytes, op: HeaderOp) -> bytes:
    name = op.name.lower().encode("ascii")
    if op.op == DELETE:
        return fields.without(header, frozenset((name,)))
    line = words.field(op.name.encode("ascii"), words.encoded(op.value))
    found = [field.octets for field in fields.fields(header) if field.name == name]
    if op.op == ADD:
        return header if line in found else fields.added(header, line)
    return header if found == [line] else fields.replaced(header, name, line)


def replaced(data: Octets, index: MailIndex, number: int, new: Replacement) -> Splice:
    """A part in a multipart is exchanged whole; of a mail in a mail what is not about its content stays."""
    part = index.part(number)
    start, stop = part.header, part.body + part.body_size
    header = new.header + b"\r\n"
    outer = index.part(part.parent)
    if outer.kind == "message":
        header = header_with(data[start : start + part.header_size], new)
        # An empty mail may stand behind a header whose empty line is that of the delimiter.
        header = header if fields.ending(data[outer.header : outer.body]) else b"\r\n" + header
    return Splice(start, stop, header + new.octets + line_end(data, stop))


def line_end(data: Octets, stop: int) -> bytes:
    """What a new part needs at its end: a part that was empty, or a multipart that closed, ends in the line end of the
    delimiter that follows."""
    return b"\r\n" if data[stop : stop + 2] == b"--" else b""


def header_with(header: bytes, new: Replacement) -> bytes:
    """The header of a mail whose body becomes the replacement: what was not about the content, and the new fields."""
    names = {field.name for field in fields.fields(new.header)}
    kept = fields.kept(header, lambda field: not field.name.startswith(CONTENT) and field.name not in names)
    version = b"" if fields.first(kept, b"mime-version") else b"MIME-Version: 1.0\r\n"
    whole = fields.added(kept, version + new.header)
    return whole if fields.ending(whole) else whole + b"\r\n"


def without_parts(data: Octets, index: MailIndex, removed: frozenset[int]) -> Iterator[Splice]:
    for parent in sorted({index.part(number).parent for number in removed}):
        part = index.part(parent)
        if part.kind == "message":
            yield replaced(data, index, part.children[0], Replacement(EMPTY, b""))
        else:
            yield from without_children(data, index, part, removed)


def without_children(data: Octets, index: MailIndex, part: MimePart, removed: frozenset[int]) -> Iterator[Splice]:
    """Of parts in a row all up to the next header goes, that is with the delimiters behind them; of the last ones all
    from the end of the part before, that is with the delimiters before them. One part is left, if an empty one."""
    children = [(child not in removed, index.part(child)) for child in part.children]
    last = children[-1][1]
    end = last.body + last.body_size
    gone: MimePart | None = None
    before: MimePart | None = None
    for kept, each in children:
        if not kept:
            gone = gone or each
            continue
        if gone:
            yield Splice(gone.header, each.header, b"")
        gone, before = None, each
    if before is None:
        yield Splice(children[0][1].header, end, EMPTY + b"\r\n" + line_end(data, end))
    elif gone:
        yield Splice(before.body + before.body_size, end, line_end(data, end))
