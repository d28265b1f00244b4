"""Mails and documents for conditions: as plain values, without a mail."""

from __future__ import annotations

from imap4fast.policy.content import DocCase, MailCase


class Headers:
    """What a header says, given outright."""

    is_unclear = False

    def __init__(self, **given: str | tuple[str, ...]) -> None:
        self._given = {name: (value,) if isinstance(value, str) else value for name, value in given.items()}

    def values(self, name: str) -> tuple[str, ...]:
        return self._given.get(name.lower().replace("-", "_"), ())

    def addresses(self, *names: str) -> tuple[str, ...]:
        return tuple(value.casefold() for name in names for value in self.values(name))


def mail(
    direction: str = "download", size: int = 0, virus: str = "free", spam: float | None = None, **given: object
) -> MailCase:
    return MailCase(direction, Headers(**given), size, virus, spam)


def document(
    of: MailCase | None = None,
    parent: str = "M",
    size: int = 0,
    virus: str = "free",
    names: tuple[str, ...] = (),
    types: tuple[str, ...] = (),
) -> DocCase:
    return DocCase(of or mail(), parent, size, virus, names, lambda order: types)
