"""The parts of a mail as three readers see them: our index, Python's email package, and one that looks at lines."""

from __future__ import annotations

import email
import email.message
import email.policy
import re
from typing import NamedTuple

from imap4fast._wire import MailIndex

BOUNDARY = re.compile(rb'boundary="?([^";\r\n]*[^";\r\n \t])', re.IGNORECASE)
KIND = re.compile(rb"^content-type:[ \t]*(?:\r\n[ \t]+)*([^ \t;\r\n]+)", re.IGNORECASE | re.MULTILINE)
FOLD = re.compile(rb"\r\n(?=[ \t])")


class Tree(NamedTuple):
    """One part and what is in it. `kind` is its type; `*` is any."""

    kind: str
    children: tuple[Tree, ...] = ()

    def is_like(self, other: Tree) -> bool:
        return (
            "*" in (self.kind, other.kind) or (self.kind == other.kind and len(self.children) == len(other.children))
        ) and all(one.is_like(two) for one, two in zip(self.children, other.children, strict=False))

    @property
    def size(self) -> int:
        return 1 + sum(child.size for child in self.children)


def ours(data: bytes) -> Tree:
    return of_index(MailIndex.scan(data), 0)


def of_index(index: MailIndex, number: int) -> Tree:
    part = index.part(number)
    kind = b"%b/%b" % (part.type, part.subtype) if part.type else b"text/plain"
    return Tree(kind.decode("latin-1").lower(), tuple(of_index(index, child) for child in part.children))


def of_python(data: bytes) -> Tree:
    return _of_message(email.message_from_bytes(data, policy=email.policy.compat32))


def _of_message(part: email.message.Message) -> Tree:
    inside = part.get_payload()
    children = [each for each in inside if not isinstance(each, str)] if isinstance(inside, list) else []
    return Tree(part.get_content_type(), tuple(_of_message(child) for child in children))


def naive(data: bytes, default: str = "text/plain") -> Tree:
    """Header to the first empty line, its first Content-Type, the first boundary, each line that begins with that."""
    header, _, body = (b"\r\n" + data).partition(b"\r\n\r\n")
    header = FOLD.sub(b"", header[2:])
    said = KIND.search(header)
    kind = said[1].decode("latin-1").lower() if said else default
    if kind == "message/rfc822":
        return Tree(kind, (naive(body),))
    if said is None or not kind.startswith("multipart/"):
        return Tree(kind)
    found = BOUNDARY.search(header, said.end(), ends(header, said.end()))
    if found is None:
        return Tree(kind)
    inner = "message/rfc822" if kind == "multipart/digest" else "text/plain"
    return Tree(kind, tuple(naive(part, inner) for part in parts_of(body, found[1])))


def ends(header: bytes, at: int) -> int:
    """The end of the line."""
    end = header.find(b"\r\n", at)
    return len(header) if end < 0 else end


def parts_of(body: bytes, boundary: bytes) -> list[bytes]:
    """What stands between the lines that begin with the boundary, up to the one that closes."""
    parts: list[list[bytes]] = []
    for line in body.split(b"\r\n"):
        if line.startswith(b"--" + boundary + b"--"):
            break
        if line.startswith(b"--" + boundary):
            parts.append([])
        elif parts:
            parts[-1].append(line)
    return [b"\r\n".join(part) for part in parts]


def delimiters(data: bytes) -> int:
    """Lines that begin with a boundary that anything in the mail declares."""
    declared = {found for found in BOUNDARY.findall(data) if found}
    return sum(any(line.startswith(b"--" + each) for each in declared) for line in re.split(rb"\r\n|\r|\n", data))
