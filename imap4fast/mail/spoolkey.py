"""Names of things in the spool: whose mail it is, the key of its processed object, and the name of the object's file.

A key holds all that decides how a mail looks: the same UID of another account, server, mailbox, UIDVALIDITY or policy
has another key (RFC 2683 section 3.4.3: UIDVALIDITY and UID alone are not unique).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import msgspec

KEY_BYTES = 32
PLACE_BYTES = 8
"""So many octets at the start of a key are those of all mails of the mailbox: they stand together in the database."""
_INBOX = b"INBOX"


def digest(purpose: bytes, *fields: bytes) -> bytes:
    """SHA-256 of the fields, each behind its length, so that no two lists of fields are written alike."""
    parts = [part for field in (purpose, *fields) for part in (len(field).to_bytes(8, "big"), field)]
    return hashlib.sha256(b"".join(parts)).digest()


def mailbox_name(mailbox: bytes) -> bytes:
    """The mailbox under the one name that it has: INBOX in any case is INBOX (RFC 3501 section 5.1)."""
    return _INBOX if mailbox.upper() == _INBOX else mailbox


def object_key(
    account: bytes, server: bytes, mailbox: bytes, uidvalidity: int, uid: int, residual: bytes, direction: str
) -> bytes:
    """The key of a processed object, 32 octets, the first of them those of its mailbox.

    `server` is as configured, `mailbox` as sent, `residual` the digest of the policy that remains once the conditions
    on the session are decided.
    """
    owner, name, place = _place(account, server, mailbox)
    numbers = uidvalidity.to_bytes(8, "big") + uid.to_bytes(8, "big")
    whole = digest(b"object", owner, name, numbers, residual, direction.encode("ascii"))
    return place + whole[PLACE_BYTES:]


@lru_cache(maxsize=1024)
def _place(account: bytes, server: bytes, mailbox: bytes) -> tuple[bytes, bytes, bytes]:
    owner, name = owner_digest(account, server), mailbox_name(mailbox)
    return owner, name, place_digest(owner, name)


def place_digest(owner: bytes, name: bytes) -> bytes:
    """What the keys of all mails of a mailbox begin with; `name` is of `mailbox_name`."""
    return digest(b"place", owner, name)[:PLACE_BYTES]


def owner_digest(account: bytes, server: bytes) -> bytes:
    """Who the mailboxes of one account at one server belong to."""
    return digest(b"owner", account, server)


def object_name(key: bytes, sha256: bytes) -> str:
    """The file of the object with this key that holds a mail with this digest.

    The key is in it, so no account is ever served what was made for another, whatever a helper in hostile hands says
    of its octets.
    """
    return digest(b"name", key, sha256).hex()


def is_object_name(name: str) -> bool:
    """It could be one of `object_name`."""
    return len(name) == 2 * KEY_BYTES and not set(name) - set("0123456789abcdef")


class Origin(msgspec.Struct, frozen=True):
    """Where a mail comes from, and what is done with it; the fields are those of `object_key`."""

    account: bytes
    server: bytes
    mailbox: bytes
    uidvalidity: int
    uid: int
    residual: bytes
    direction: str = "download"

    def key(self) -> bytes:
        """The key of its processed object."""
        return object_key(
            self.account, self.server, self.mailbox, self.uidvalidity, self.uid, self.residual, self.direction
        )
