"""Keys tell apart what must not be mixed up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail.spoolkey import (
    PLACE_BYTES,
    Origin,
    digest,
    is_object_name,
    mailbox_name,
    object_key,
    object_name,
    owner_digest,
    place_digest,
)

KEY = object_key(b"ann", b"mail:143", b"Work", 1, 2, b"policy", "download")


def test_a_key_is_a_digest_that_stays() -> None:
    assert len(KEY) == 32
    assert object_key(b"ann", b"mail:143", b"Work", 1, 2, b"policy", "download") == KEY
    assert Origin(b"ann", b"mail:143", b"Work", 1, 2, b"policy").key() == KEY


def test_each_field_is_in_the_key() -> None:
    others = {
        object_key(b"bob", b"mail:143", b"Work", 1, 2, b"policy", "download"),
        object_key(b"ann", b"mail:993", b"Work", 1, 2, b"policy", "download"),
        object_key(b"ann", b"mail:143", b"Home", 1, 2, b"policy", "download"),
        object_key(b"ann", b"mail:143", b"Work", 2, 2, b"policy", "download"),
        object_key(b"ann", b"mail:143", b"Work", 1, 3, b"policy", "download"),
        object_key(b"ann", b"mail:143", b"Work", 1, 2, b"other", "download"),
        object_key(b"ann", b"mail:143", b"Work", 1, 2, b"policy", "upload"),
        object_key(b"annm", b"ail:143", b"Work", 1, 2, b"policy", "download"),
        KEY,
    }
    assert len(others) == 9


def test_keys_of_a_mailbox_begin_alike_and_others_do_not() -> None:
    place = place_digest(owner_digest(b"ann", b"mail:143"), b"Work")
    assert len(place) == PLACE_BYTES
    assert KEY.startswith(place)
    assert object_key(b"ann", b"mail:143", b"Work", 9, 9, b"", "upload").startswith(place)
    assert not object_key(b"bob", b"mail:143", b"Work", 1, 2, b"policy", "download").startswith(place)


def test_inbox_has_one_name_and_others_have_theirs() -> None:
    assert mailbox_name(b"inBox") == b"INBOX"
    assert mailbox_name(b"inbox/a") == b"inbox/a"
    assert mailbox_name(b"work") != mailbox_name(b"Work")
    assert object_key(b"a", b"s", b"inbox", 1, 1, b"", "download") == object_key(
        b"a", b"s", b"INBOX", 1, 1, b"", "download"
    )


@given(st.lists(st.binary(max_size=12), max_size=4), st.lists(st.binary(max_size=12), max_size=4))
def test_no_two_lists_of_fields_are_written_alike(one: list[bytes], other: list[bytes]) -> None:
    assert (digest(b"x", *one) == digest(b"x", *other)) == (one == other)
    assert digest(b"x", *one) != digest(b"y", *one)


def test_the_owner_of_mailboxes_is_account_and_server() -> None:
    assert owner_digest(b"ann", b"s") != owner_digest(b"anns", b"")


def test_names_of_objects() -> None:
    name = object_name(KEY, b"m" * 32)
    assert is_object_name(name)
    assert name != object_name(b"k" * 32, b"m" * 32)
    assert name != object_name(KEY, b"n" * 32)
    assert not is_object_name("tmp.0.1")
    assert not is_object_name(name.upper())
    assert not is_object_name(name + "0")
