"""The exceptions of the package: what an operator or a developer must act on.

Misbehaviour of a client or server is a fault code, a refusal is a decision; neither is an
exception (architecture.md section 9).
"""

from __future__ import annotations


class Imap4FastError(Exception):
    """Base of every exception that this package raises on purpose."""


class ConfigError(Imap4FastError):
    """A configuration cannot be used. `str()` is the whole report, one block an error."""


class SetupError(Imap4FastError):
    """The machine does not allow what the configuration asks for: `what` failed because of `why`."""

    def __init__(self, what: str, why: object) -> None:
        super().__init__(f"{what}: {why}")
        self.what = what
        self.why = why


class ServiceError(Imap4FastError):
    """A service outside (resolver, scanner, directory) did not do its work: `service`, `why`."""

    def __init__(self, service: str, why: object) -> None:
        super().__init__(f"{service}: {why}")
        self.service = service
        self.why = why


class InternalError(Imap4FastError):
    """A rule of this program was broken at `where`. Ends one session, never the worker."""
