"""Types of single elements: how each is read from a file and written back.

`read` takes what it needs from the cursor and raises ElementError; `write` is its inverse for values that `read` can
give. `name` stands in the reference.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from imap4fast.config.cursor import Cursor, bare_hint, shown
from imap4fast.config.diagnostic import ElementError, suggestion
from imap4fast.config.syntax import Atom

_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_ESCAPED = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9._+=/*-]*")


class Type(ABC):
    """What an element may be."""

    name: str

    @abstractmethod
    def read(self, cursor: Cursor) -> Any:
        """The value of the next elements."""

    @abstractmethod
    def write(self, value: Any) -> str:
        """The elements that give `value`; an empty text where there are none."""


class Key(Type):
    """No element: the keyword alone says `value`."""

    name = ""

    def __init__(self, value: object = True) -> None:
        self.value = value

    def read(self, cursor: Cursor) -> object:
        return self.value

    def write(self, value: Any) -> str:
        return ""


class Integer(Type):
    """A number in a range."""

    def __init__(self, low: int = 0, high: int = 2**32 - 1, name: str = "integer") -> None:
        self.low = low
        self.high = high
        self.name = name if (low, high) in ((0, 2**32 - 1), (1, 65535)) else f"{name} {low}-{high}"

    def read(self, cursor: Cursor) -> int:
        atom = cursor.take_atom("an integer", "INTEGER", "BAD_NUMBER")
        if not atom.text.isdigit():
            raise ElementError(atom.span, f"an integer expected, not `{atom.text}`{self._hint(atom)}")
        return self.checked(atom, _number(atom))

    def checked(self, atom: Atom, value: int) -> int:
        if not self.low <= value <= self.high:
            raise ElementError(atom.span, f"{value} is out of range: {self.low} to {self.high}")
        return value

    def _hint(self, atom: Atom) -> str:
        return "; this item takes no suffix" if atom.text[:-1].isdigit() else bare_hint(atom)

    def write(self, value: Any) -> str:
        return str(value)


class Scaled(Integer):
    """A number with one optional suffix, each for a factor."""

    def __init__(self, name: str, suffixes: Mapping[str, int], low: int, high: int) -> None:
        self.name = name if low == 0 else f"{name}, not 0"
        self.kind = name
        self.suffixes = suffixes
        self.low = low
        self.high = high

    def read(self, cursor: Cursor) -> int:
        atom = cursor.take_atom(f"a {self.kind}", "INTEGER", "BAD_NUMBER", "DECIMAL")
        digits, suffix = (atom.text, "") if atom.text.isdigit() else (atom.text[:-1], atom.text[-1])
        if not digits.isdigit() or (suffix and suffix not in self.suffixes):
            raise ElementError(atom.span, f"`{atom.text}` is no {self.kind}{self._scaled_hint(digits, suffix)}")
        if len(digits) > 18:
            raise ElementError(atom.span, f"`{digits}` is out of range")
        value = int(digits) * (self.suffixes[suffix] if suffix else 1)
        if self.low and not value:
            raise ElementError(atom.span, f"the {self.kind} must not be 0")
        return self.checked(atom, value)

    def _scaled_hint(self, digits: str, suffix: str) -> str:
        known = " ".join(self.suffixes)
        if not digits.isdigit():
            return f"; write an integer with one of the suffixes {known}"
        near = next((known for known in self.suffixes if known.lower() == suffix.lower()), None)
        return f"; did you mean `{digits}{near}`?" if near else f"; the suffixes are {known}"

    def write(self, value: Any) -> str:
        for suffix, factor in reversed(list(self.suffixes.items())):
            if value and factor > 1 and value % factor == 0:
                return f"{int(value) // factor}{suffix}"
        return str(int(value))


class Decimal(Type):
    """A number with or without a decimal part."""

    name = "decimal"

    def read(self, cursor: Cursor) -> float:
        atom = cursor.take_atom("a number", "INTEGER", "DECIMAL")
        if not atom.text.replace(".", "").isdigit() or len(atom.text) > 18:
            raise ElementError(atom.span, f"a number expected, not `{atom.text}`")
        return float(atom.text)

    def write(self, value: Any) -> str:
        return str(value)


class Str(Type):
    """A string in quotes; a word that needs none may stand bare."""

    def __init__(self, name: str = "string", bare: bool = True) -> None:
        self.name = name
        self.kinds = ("STRING", "WORD") if bare else ("STRING",)

    def read(self, cursor: Cursor) -> str:
        return text_of(cursor.take_atom(f"a {self.name}", *self.kinds))

    def write(self, value: Any) -> str:
        return quoted(value)


class Path(Str):
    """A path of the host, in quotes and not empty."""

    def __init__(self, name: str) -> None:
        super().__init__(name, bare=False)

    def read(self, cursor: Cursor) -> str:
        atom = cursor.take_atom(f"a {self.name} in quotes", "STRING")
        path = text_of(atom)
        if not path or "\0" in path:
            raise ElementError(atom.span, f"the {self.name} must have a name")
        return path


class Word(Type):
    """One of the words of `values`; `numbers` are words that may also be given as their number."""

    def __init__(self, values: Mapping[str, Any], numbers: range | None = None) -> None:
        self.values = dict(values)
        self.numbers = numbers
        self.name = " | ".join(self.values) + (f" | {numbers[0]}-{numbers[-1]}" if numbers else "")

    def read(self, cursor: Cursor) -> Any:
        what = _one_of(list(self.values))
        if self.numbers is None:
            return self.value(cursor.take_atom(what, "WORD"))
        atom = cursor.take_atom(what, "WORD", "INTEGER")
        if atom.text.isdigit() and _number(atom) in self.numbers:
            return _number(atom)
        return self.value(atom)

    def value(self, atom: Atom) -> Any:
        """What the word of `atom` means."""
        if atom.text not in self.values:
            near = suggestion(atom.text, self.values)
            raise ElementError(atom.span, f"{_one_of(list(self.values))} expected, not `{atom.text}`{near}")
        return self.values[atom.text]

    def write(self, value: Any) -> str:
        return next((word for word, meant in self.values.items() if meant == value), str(value))


def words(*names: str) -> Word:
    """Words that stand for themselves."""
    return Word({name: name for name in names})


class Ref(Type):
    """The name of a section of a kind. Gives the name, or with `resolve` what the section became."""

    def __init__(self, kind: str, resolve: bool = False) -> None:
        self.kind = kind
        self.resolve = resolve
        self.name = f"name of {kind}"

    def read(self, cursor: Cursor) -> Any:
        atom = cursor.take_atom(f"the name of a section {self.kind}", "WORD")
        known = cursor.names.of(self.kind)
        if atom.text not in known:
            raise ElementError(atom.span, f"no section {self.kind} {atom.text}{suggestion(atom.text, known)}")
        return cursor.names.values.get(self.kind, {}).get(atom.text) if self.resolve else atom.text

    def write(self, value: Any) -> str:
        return str(value.name if self.resolve else value)


def text_of(atom: Atom) -> str:
    """The characters that a STRING or WORD stands for."""
    if atom.kind != "STRING":
        return atom.text

    def plain(found: re.Match[str]) -> str:
        if found[1]:
            return chr(int(found[1], 16))
        if found[2] not in _ESCAPED:
            span = type(atom.span)(
                atom.span.source, atom.span.start + 1 + found.start(), atom.span.start + 1 + found.end()
            )
            raise ElementError(span, f'unknown escape `{found[0]}`; known are \\" \\\\ \\n \\t \\xHH')
        return _ESCAPED[found[2]]

    return _ESCAPE.sub(plain, atom.text[1:-1])


def quoted(text: str) -> str:
    """`text` as a STRING."""
    return '"' + "".join(_quoted_char(char) for char in text) + '"'


def bare_or_quoted(text: str) -> str:
    """`text` as a WORD where it is one, else as a STRING."""
    return text if _WORD.fullmatch(text) else quoted(text)


def _quoted_char(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char == "\n":
        return "\\n"
    if char == "\t":
        return "\\t"
    return f"\\x{ord(char):02x}" if not char.isprintable() and ord(char) < 256 else char


def _number(atom: Atom) -> int:
    if len(atom.text) > 18:
        raise ElementError(atom.span, f"{shown(atom)} is out of range")
    return int(atom.text)


def _one_of(names: list[str]) -> str:
    if len(names) == 1:
        return f"`{names[0]}`"
    return ", ".join(f"`{name}`" for name in names[:-1]) + f" or `{names[-1]}`"


SIZE_SUFFIXES = {"K": 1024, "M": 1024**2, "G": 1024**3}
DURATION_SUFFIXES = {"s": 1, "m": 60, "h": 3600, "d": 86400}

KEY = Key()
INTEGER = Integer()
PORT = Integer(1, 65535, "port")
SIZE = Scaled("size", SIZE_SUFFIXES, 0, 2**60)
SIZE_NOT_0 = Scaled("size", SIZE_SUFFIXES, 1, 2**60)
SIZE_IN_MEMORY = Scaled("size", SIZE_SUFFIXES, 0, 2**30)
"""Of what is kept in memory, the proxy's or the kernel's."""
DURATION = Scaled("duration", DURATION_SUFFIXES, 0, 86400 * 36500)
DURATION_NOT_0 = Scaled("duration", DURATION_SUFFIXES, 1, 86400 * 36500)
DECIMAL = Decimal()
STR = Str()
FILE = Path("file")
DIRECTORY = Path("directory")
YES_NO = Word({"yes": True, "no": False})
