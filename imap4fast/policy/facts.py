"""What is known of a session when its ACLs are searched."""

from __future__ import annotations

import datetime

import msgspec

from imap4fast.config.values import Address
from imap4fast.policy.certificates import Presented


class Facts(msgspec.Struct):
    """The entry values of a search; one per session, changed by the session and searched again after login."""

    client: Address
    client_port: int
    to: tuple[Address, int]
    """The address and port that the client connected to."""
    transparent: bool = False
    server: tuple[Address | str | None, int] | None = None
    """The logical destination: plug-to's first choice, or the original destination. None: unknown."""
    user: str | None = None
    """The out-of-band user until login, then the IMAP login name. None: nobody yet."""
    groups: tuple[str, ...] = ()
    parent: str = ""
    """The session-acl that accepted, for the search of command-acls."""
    client_name: str | None = None
    """The forward-confirmed name of the client's address. None: unknown."""
    when: datetime.datetime | None = None
    """Local time of the search; needed only if `Policy.needs_time`."""
    client_cert: Presented | None = None
    """What the client presented in its TLS handshake. None: nothing, or there is no TLS on that leg."""
    server_cert: Presented | None = None
    """What the server presented."""
