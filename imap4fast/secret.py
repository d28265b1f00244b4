"""A value that must not be shown: credentials and what is made from them."""

from __future__ import annotations


class Secret:
    """Holds bytes and prints as a mark. `reveal()` is the only way to the bytes."""

    __slots__ = ("_value",)

    MARK = "<secret>"

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The bytes themselves, for the one place that must use them."""
        return self._value

    def __repr__(self) -> str:
        return self.MARK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return self.MARK

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a Secret is never pickled")
