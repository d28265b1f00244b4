"""The grammar of a command in plain Python: tokens of its lines, their canonical form, what is a fault.

Written from protocol.md 3.2 and the RFCs, as regular expressions; shares no code with the extension.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ON_MAILS = {b"EXPUNGE", b"SEARCH", b"SORT", b"THREAD", b"FETCH", b"STORE", b"COPY", b"MOVE", b"REPLACE", b"CONVERT"}
ALONE = {
    b"CAPABILITY",
    b"NOOP",
    b"LOGOUT",
    b"STARTTLS",
    b"NAMESPACE",
    b"IDLE",
    b"CHECK",
    b"CLOSE",
    b"UNSELECT",
    b"EXPUNGE",
}
ALONE |= {b"UNAUTHENTICATE", b"GETJMAPACCESS"}
OPTIONAL = {b"UNKNOWN", b"UIDBATCHES", b"RESETKEY", b"LANGUAGE", b"COMPARATOR"}
ON_SETS = {b"FETCH", b"STORE", b"COPY", b"MOVE", b"CONVERT"}
ON_SETS |= {b"UID-" + name for name in ON_SETS} | {b"UID-EXPUNGE"}
FETCHES = {b"FETCH", b"UID-FETCH"}
UPLOADS = {b"APPEND": 1, b"REPLACE": 2, b"UID-REPLACE": 2}  # arguments before the first mail, at least
MAILS = re.compile(r"(?:(?:\(a*\))?q?(?:l|L|U\(L\)|C\([aqlLp]*\)))*")
ENDS = ("", "l", ")l", "(L)", "L)", ")", "()")
LISTS = {b"LIST", b"LSUB", b"XLIST"}

QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){"]+')
FIELD = re.compile(rb'[^\x00-\x20\x7f-\xff(){"\]]+')
MARKER = re.compile(rb"(~?)\{([0-9]{1,20})(\+?)\}\Z")
MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
DATE_TIME = re.compile(rb'"[ 0-9]?[0-9]-%b-[0-9]{4} [0-9]{2}(?::[0-9]{2}){2} [+-][0-9]{4}"' % MONTH, re.IGNORECASE)
NUMBER = rb"(?:0|[1-9][0-9]{0,9})"
NZ = rb"[1-9][0-9]{0,9}"
SET = re.compile(rb"(?:%b|\*)(?::(?:%b|\*))?(?:,(?:%b|\*)(?::(?:%b|\*))?)*\Z" % (NZ, NZ, NZ, NZ))
PART = rb"%b(?:\.%b)*" % (NZ, NZ)
PARTIAL = rb"(?:<%b\.%b>)?" % (NUMBER, NZ)
SECTION = re.compile(
    rb"(?i:BODY(?:\.PEEK)?\[(?:%b(?:\.(?:HEADER|TEXT|MIME))?|HEADER|TEXT)?\]|BINARY(?:\.PEEK|\.SIZE)?\[(?:%b)?\])%b\Z"
    % (PART, PART, PARTIAL)
)
FIELDS = re.compile(rb"(?i:BODY(?:\.PEEK)?\[(?:%b\.)?HEADER\.FIELDS(?:\.NOT)?)\Z" % PART)
FIELDS_END = re.compile(rb"\]" + PARTIAL + rb"\Z")
NUMBERS = re.compile(rb"[0-9]+")
MOST = 4294967295


class Fault(Exception):  # noqa: N818  (the project's word)
    """The client broke the grammar; `framing` ends the session."""

    def __init__(self, *, framing: bool = False) -> None:
        super().__init__()
        self.framing = framing


@dataclass
class Limits:
    line: int = 65536
    literal: int = 65536
    mail: int = 0
    pending: int = 64
    utf8: bool = False
    searchres: bool = False


@dataclass
class Grammar:
    """The arguments of one command, over all its lines."""

    name: bytes
    limits: Limits
    depth: int = 0
    args: int = 0
    literals: int = 0
    wildcards: int = 0
    fields: str = ""  # "", "open" before the list of HEADER.FIELDS, "in" inside, "out" behind it
    fields_depth: int = 0
    field_count: int = 0
    tail: bool = False
    mails: str = ""
    marker: tuple[bytes, int, bytes] | None = None

    def line(self, text: bytes) -> bytes:
        """One line less CRLF, from behind the name or literal: its canonical form less the marker."""
        out, at, self.marker, last = b"", 0, None, "start"
        while at < len(text):
            spaces = len(text) - at - len(text[at:].lstrip(b" "))
            if at + spaces == len(text):
                if last == "(":
                    raise Fault
                break
            if spaces > 1 and self.fields == "open":
                raise Fault  # inside a section
            if spaces and (last == "(" or text[at + spaces : at + spaces + 1] == b")"):
                raise Fault
            token, kind = self._token(text, at + spaces)
            apart = (
                kind == ")"
                or (last == ")" and token[:1] == b"]" and (kind == "]" or self.name not in FETCHES | UPLOADS.keys()))
                or last == "("
            )
            if not spaces and not apart:
                # A marker glued to a token is a malformed marker; all else is a mere error.
                raise Fault(framing=kind == "marker")
            out += (b" " if spaces else b"") + (b"" if kind == "marker" else token)
            at += spaces + len(token)
            self._take(token, kind)
            last = kind
        if self.marker is None and (self.depth or self.fields):
            raise Fault
        return out

    def _upload(self, token: bytes, kind: str) -> None:
        """The arguments behind the mailbox: letters of tokens that some end must make whole mails of."""
        if self.args > UPLOADS[self.name]:
            letter = {"atom": "a", "quoted": "q", "marker": "L" if token[:1] == b"~" else "l"}.get(kind, kind)
            if kind == "quoted" and not self.depth and not DATE_TIME.fullmatch(token):
                raise Fault
            self.mails += {b"UTF8": "U", b"CATENATE": "C"}.get(token.upper(), letter) if not self.depth else letter
            if not any(MAILS.fullmatch(self._outer_mails + end) for end in ENDS):
                raise Fault
        elif kind == "(" or (kind == "marker" and token[:1] == b"~"):
            raise Fault

    def _token(self, text: bytes, at: int) -> tuple[bytes, str]:
        c = text[at : at + 1]
        if c in (b"(", b")"):
            return c, c.decode()
        if c == b'"':
            found = QUOTED.match(text, at)
            if not found:
                raise Fault(framing=True)
            return found[0], "quoted"
        if c == b"{" or text[at : at + 2] == b"~{":
            found = MARKER.match(text, at)
            if not found or (found[1] and self.name not in UPLOADS) or int(found[2]) > 0x7FFFFFFFFFFFFFFF:
                raise Fault(framing=True)
            return found[0], "marker"
        if self.fields == "out" and c == b"]":
            found = ATOM.match(text, at)
            assert found
            return found[0], "]"
        found = (FIELD if self.fields == "in" else ATOM).match(text, at)
        if not found:
            raise Fault
        if text[found.end() : found.end() + 1] == b"{" or (
            found[0] == b"~" and text[found.end() : found.end() + 2] == b" {"
        ):
            raise Fault(framing=True)
        return found[0], "atom"

    def _take(self, token: bytes, kind: str) -> None:
        if kind not in (")", "]"):
            self._count(kind)
        if self.name in UPLOADS:
            self._upload(token, kind)
        if self.name in ON_SETS and self.args == 1 and kind not in (")", "]"):
            if kind != "atom" or not self._is_set(token):
                raise Fault
            return
        getattr(self, "_" + {"(": "open", ")": "close", "]": "fields_end"}.get(kind, kind))(token)

    def _count(self, kind: str) -> None:
        if self.name in ALONE:
            raise Fault
        self.args += 1
        if self.args > 512:
            raise Fault
        if self.fields == "out" or (self.fields == "open" and kind != "("):
            raise Fault
        if self.fields == "in":
            self.field_count += 1

    def _open(self, token: bytes) -> None:
        if self.fields == "in":
            raise Fault
        self.depth += 1
        if self.depth > 32:
            raise Fault
        if self.fields == "open":
            self.fields, self.fields_depth, self.field_count = "in", self.depth, 0

    def _close(self, token: bytes) -> None:
        if not self.depth or self.fields in ("out", "open"):
            raise Fault
        if self.fields == "in":
            if not self.field_count:
                raise Fault
            self.fields = "out"
        self.depth -= 1

    def _fields_end(self, token: bytes) -> None:
        if not FIELDS_END.match(token) or not _small(token):
            raise Fault
        self.fields = ""

    def _atom(self, token: bytes) -> None:
        self._wild(token)
        if self.name in FETCHES and b"[" in token and not self.fields:
            if FIELDS.match(token) and _small(token):
                self.fields = "open"
            elif not SECTION.match(token) or not _small(token):
                raise Fault

    def _quoted(self, token: bytes) -> None:
        if re.search(rb"\\[^\"\\]", re.sub(rb"\\[\"\\]", b"", token)):
            raise Fault
        if any(c >= 0x80 for c in token):
            if not self.limits.utf8:
                raise Fault
            try:
                token.decode()
            except UnicodeDecodeError:
                raise Fault from None
        self._wild(token)

    def _marker(self, token: bytes) -> None:
        found = MARKER.match(token)
        assert found
        self.literals += 1
        self.marker = (found[1], int(found[2]), found[3])

    def _wild(self, token: bytes) -> None:
        self.wildcards += token.count(b"*") + token.count(b"%")
        if self.name in LISTS and self.wildcards > 16:
            raise Fault

    def _is_set(self, token: bytes) -> bool:
        if token == b"$":
            return self.limits.searchres
        return bool(SET.match(token)) and _small(token)

    def finished(self) -> None:
        if self.name in UPLOADS and not (self.mails and self.whole_mails):
            raise Fault  # an upload without a mail
        if self.name in ALONE or self.name in OPTIONAL:
            return
        if self.args < (2 if self.name in FETCHES else 1):
            raise Fault

    @property
    def _outer_mails(self) -> str:
        """The letters with a "p" for each list inside of a list."""
        outer, depth = "", 0
        for letter in self.mails:
            depth -= letter == ")"
            shown = "p" if letter == "(" and depth == 1 else letter
            outer += shown if depth < (1 if shown in "()" else 2) else ""
            depth += letter == "("
        return outer

    @property
    def whole_mails(self) -> bool:
        """Is no part of a mail open at the end?"""
        return bool(MAILS.fullmatch(self._outer_mails))

    @property
    def uploads(self) -> bool:
        """Does the marker announce a mail?"""
        return self.args > UPLOADS.get(self.name, 1 << 30)

    def text_of_literal(self, octets: bytes) -> bool:
        """Octets of a gathered literal: whole lines, no NUL; a field's name is printable, no colon; few wildcards."""
        if self.fields == "in" and re.search(rb"[^\x21-\x7e]|:", octets):
            return False
        self.wildcards += octets.count(b"*") + octets.count(b"%")
        if self.name in LISTS and self.wildcards > 16:
            return False
        return not re.search(rb"[\0\r\n]", octets.replace(b"\r\n", b""))


def _small(token: bytes) -> bool:
    return all(int(number) <= MOST for number in NUMBERS.findall(token))
