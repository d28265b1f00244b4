"""What is known of a mail, or of one document in it, when its ACLs are searched: the entry values of phase 3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Protocol

import re2  # type: ignore[import-untyped]

from imap4fast._wire import decode_words
from imap4fast.mail import fields
from imap4fast.mail.fields import Field

_NO_NAME = ("",)
"""The candidates of what has none: `""` in a configuration stands for it."""


def _linear(pattern: bytes) -> Any:
    """An expression over octets that takes linear time: a field may be as long as the header."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern, options)


_QUOTED = _linear(rb'"(?:[^"\\]|\\.)*"@?')
_COMMENT = _linear(rb"\([^()]*\)")
_ANGLE = _linear(rb"<([^<>]*)>")
_ADDRESS = _linear(rb"""(?:[^\s<>(),;:"\[\]]+|"(?:[^"\\]|\\.)*")@[^\s<>(),;:"]+""")
MOST_ADDRESSES = 10_000
"""Addresses of one field that are told apart; a header is bounded by `max-header-size` besides."""

_SHORTEST = 4
"""Octets of an address and what parts it from the next, however it is coded."""

_OF_ADDRESSES = ("from", "sender", "to", "cc", "bcc")
"""Fields whose addresses conditions look at."""


class Headers(Protocol):
    """The header of a mail."""

    def values(self, name: str) -> tuple[str, ...]:
        """What the fields of a name (any case) hold, unfolded and decoded, in their order."""

    def addresses(self, *names: str) -> tuple[str, ...]:
        """The addresses in the fields of these names, case-folded."""

    @property
    def is_unclear(self) -> bool:
        """Whether a field has more addresses than are told apart: nobody knows then from or for whom the mail is."""


class Header:
    """The header of a mail, by its octets; fields are looked for when somebody asks for one."""

    __slots__ = ("_fields", "_octets")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._fields: dict[bytes, list[Field]] | None = None

    def values(self, name: str) -> tuple[str, ...]:
        return tuple(decode_words(value) for value in self._raw(name))

    def addresses(self, *names: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for value in self._readings(names):
            found.update(dict.fromkeys(islice(addresses(value), MOST_ADDRESSES)))
        return tuple(found)

    @property
    def is_unclear(self) -> bool:
        if len(self._octets) < MOST_ADDRESSES * _SHORTEST:
            return False
        many = (islice(addresses(value), MOST_ADDRESSES, None) for value in self._readings(_OF_ADDRESSES))
        return any(next(beyond, None) is not None for beyond in many)

    def _readings(self, names: Iterable[str]) -> Iterator[bytes]:
        """The fields of these names, as they are written and, where that is something else, decoded (T-H01)."""
        for name in names:
            for value in self._raw(name):
                decoded = decode_words(value).encode("utf-8", "surrogatepass")
                yield value
                if decoded != value:
                    yield decoded

    def _raw(self, name: str) -> list[bytes]:
        if self._fields is None:
            self._fields = {}
            for field in fields.fields(self._octets):
                self._fields.setdefault(field.name, []).append(field)
        return [field.value for field in self._fields.get(name.lower().encode("utf-8"), ())]


def addresses(value: bytes) -> Iterator[str]:
    """The addresses of a field of addresses, case-folded.

    Of `name <address>` what is between the angles counts, whatever the name looks like; without angles every word with
    an `@` does. What is no address gives none.
    """
    for one in _split(_COMMENT.sub(b" ", _QUOTED.sub(_local_part, value))):
        angles = _ANGLE.findall(one)
        for part in angles or [one]:
            for found in _ADDRESS.findall(part):
                yield found.decode("utf-8", "replace").casefold()


def _local_part(quoted: Any) -> bytes:
    """A quoted string before an `@` is part of an address, any other one of a name."""
    octets: bytes = quoted.group()
    return octets if octets.endswith(b"@") else b" "


def _split(value: bytes) -> Iterable[bytes]:
    """Members of a list; a group's name and its end separate, too."""
    return value.replace(b";", b",").split(b",")


class MailCase:
    """A mail as the ACLs see it. `virus` is a status, `spam` None where no score is known."""

    __slots__ = ("direction", "header", "size", "spam", "virus")

    def __init__(self, direction: str, header: Headers, size: int, virus: str, spam: float | None) -> None:
        self.direction = direction
        self.header = header
        self.size = size
        self.virus = virus
        self.spam = spam


class DocCase(MailCase):
    """A document as the ACLs see it: size and virus are its own, the rest is the mail's.

    `parent` is the mail-acl that accepted the mail. `names` are all candidate file names; `types` gives all candidate
    types by an order of methods, `""` for an unknown one.
    """

    __slots__ = ("_types", "names", "parent")

    def __init__(
        self,
        mail: MailCase,
        parent: str,
        size: int,
        virus: str,
        names: tuple[str, ...],
        types: Callable[[tuple[str, ...] | None], tuple[str, ...]],
    ) -> None:
        super().__init__(mail.direction, mail.header, size, virus, mail.spam)
        self.parent = parent
        self.names = names or _NO_NAME
        self._types = types

    def types(self, order: tuple[str, ...] | None) -> tuple[str, ...]:
        """Candidate types; `order` None: the proxy's."""
        return self._types(order) or _NO_NAME
