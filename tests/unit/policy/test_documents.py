"""The documents of a mail, and what is known of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast._wire import MailIndex
from imap4fast.mail import filenames
from imap4fast.mail.doctype import Catalogue
from imap4fast.policy.documents import Document, below, children, inside, plain_names, section
from tests.unit.policy.jobs import CLEAN, HEADER, TEXT, VIRUS, mixed, part, simple

MESSAGE = b"Content-Type: message/rfc822\r\n\r\n"
INNER = mixed(TEXT, VIRUS, boundary=b"inner")
NESTED = mixed(TEXT, mixed(TEXT, CLEAN, subtype=b"alternative", boundary=b"alt", header=b""), MESSAGE + INNER)
CATALOGUE = Catalogue()


def document(mail: bytes, number: int) -> Document:
    return Document(mail, MailIndex.scan(mail), number)


def test_documents_in_their_order() -> None:
    index = MailIndex.scan(NESTED)
    found = list(children(index, 0))
    assert [index.part(number).kind for number in found] == ["leaf", "leaf", "leaf", "message"]
    assert [index.part(number).subtype for number in inside(index, found[3])] == [b"plain", b"octet-stream"]
    assert sorted(below(index, 0)) == list(range(len(index)))
    assert list(below(index, found[0])) == [found[0]]


@pytest.mark.parametrize(
    "mail",
    [
        simple(),
        NESTED,
        HEADER + MESSAGE + simple(),
        HEADER + MESSAGE + NESTED,
        HEADER + MESSAGE + HEADER + MESSAGE + simple(),
    ],
)
def test_section_numbers_are_those_of_the_index(mail: bytes) -> None:
    """What IMAP calls a part leads to it; of a mail that is a leaf 1 is the mail."""
    index = MailIndex.scan(mail)
    for number in range(len(index)):
        name = section(index, number)
        if index.part(number).kind == "multipart" and index.part(number).children:
            continue
        found = index.find(tuple(int(word) for word in name.split(".")))
        assert found == number


def test_a_leaf() -> None:
    found = document(mixed(TEXT, VIRUS), 2)
    assert (found.declared, found.names, found.encodings) == (
        ("application/octet-stream",),
        ("game.com",),
        (b"base64",),
    )
    assert (found.size, len(found.content())) == (68, 68)
    assert not found.is_message
    assert found.header.startswith(b"Content-Type: application/octet-stream")
    with found.body as body:
        assert bytes(body[:4]) == b"WDVP"


def test_a_mail_inside_the_mail() -> None:
    mail = mixed(MESSAGE + INNER)
    found = document(mail, 1)
    assert found.is_message
    assert found.declared == ("message/rfc822",)
    assert found.size == len(INNER)
    assert document(HEADER + b"\r\ntext", 0).declared == ("text/plain",)


def test_types_by_order() -> None:
    found = document(mixed(part(b"MZ" + b"\0" * 100, b"text/plain", b"a.pdf", b"base64")), 1)
    assert found.types(("content-type",), CATALOGUE) == ("text/plain",)
    assert found.types(("extension",), CATALOGUE) == ("application/pdf",)
    assert found.types(("magic", "extension"), CATALOGUE)[0] in ("application/x-dosexec", "application/x-msdos-program")
    assert found.types(("extension",), CATALOGUE) is found.types(("extension",), CATALOGUE)


def test_a_type_that_is_not_known() -> None:
    assert document(mixed(part(b"x", b"text/plain")), 1).types(("extension",), CATALOGUE) == ("",)


def test_all_declared_types_are_candidates() -> None:
    """T-M02, where the filter keeps ambiguous mails."""
    mail = HEADER + b"Content-Type: text/plain\r\nContent-Type: application/x-dosexec; x=y\r\n\r\nMZ\r\n"
    found = document(mail, 0)
    assert set(found.declared) == {"text/plain", "application/x-dosexec"}
    assert set(found.types(("content-type",), CATALOGUE)) == {"text/plain", "application/x-dosexec"}


def test_all_names_are_candidates() -> None:
    """T-M23."""
    header = b"Content-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment; filename=a.exe\r\n\r\n"
    found = document(mixed(header + b"x\r\n"), 1)
    assert {"a.txt", "a.exe"} <= set(found.names)
    assert {"text/plain", "application/x-dosexec"} <= set(found.types(("extension",), CATALOGUE))


@pytest.mark.parametrize(
    ("field", "value", "most"),
    [
        (b"Content-Disposition: attachment", b"; filename=n%d.txt", filenames.MOST),
        (b"Content-Disposition: attachment", b"; filename=n%d.txt; x=(y)", filenames.MOST),
        (b"Content-Disposition: attachment", b'; filename="a\\%d\0"', 20),
        (b"Content-Type: text/plain", b"\r\nContent-Type: text/x%d", 15),
    ],
)
def test_what_is_more_than_is_told_apart_is_unclear(field: bytes, value: bytes, most: int) -> None:
    """The octets of a name that all programs read differently, and those that all read alike."""

    def called(times: int) -> Document:
        named = field + b"".join(value % number for number in range(times)) + b"\r\n"
        return document(HEADER + named + b"\r\nMZ\r\n", 0)

    assert not called(most).is_unclear
    many = called(5000)
    assert many.is_unclear
    assert (
        max(len(many.names), len(many.declared), len(many.types(("extension", "magic"), CATALOGUE))) <= filenames.MOST
    )


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (b"Content-Type: text/plain\r\n\r\n", ()),
        (b'Content-Type: a/b; name="a.txt"\r\n\r\n', ("a.txt",)),
        (b'Content-Type: a/b; name="a.txt"\r\nContent-Disposition: x;\r\n filename="a.txt"\r\n\r\n', ("a.txt",)),
        (b'Content-Type: a/b; name="a b-c_1.tar.gz"\r\n\r\n', ("a b-c_1.tar.gz",)),
        (b'Content-Disposition: x; filename="b.exe"\r\nContent-Type: a/b; name="a.txt"\r\n\r\n', ("b.exe", "a.txt")),
        (b"Content-Type: a/b; name=a.txt\r\n\r\n", ("a.txt",)),
        (b"Content-Type: a/b; name=a b\r\n\r\n", None),
        (b"Content-Type: a/b; name=a.txt (x)\r\n\r\n", None),
        (b"Content-Type: a/b; name=\"a.txt\"; name*=utf-8''b\r\n\r\n", None),
        (b'Content-Type: a/b; name="a..exe"\r\n\r\n', None),
        (b'Content-Type: a/b; name="a.exe "\r\n\r\n', None),
        (b'Content-Type: a/b; name="=?utf-8?q?a?="\r\n\r\n', None),
        (b'Content-Type: a/b; (x) name="a"\r\n\r\n', None),
    ],
)
def test_names_that_everybody_reads_alike(header: bytes, names: tuple[str, ...] | None) -> None:
    assert plain_names(header) == names
    assert names is None or set(filenames.candidates(header)) == set(names)


tokens = st.sampled_from(
    [
        *(b"Content-Type: a/b", b"Content-Disposition: x", b"; ", b";\r\n ", b'name="', b'filename="', b"a", b"B.exe"),
        *(b" ", b".", b'"', b"\r\n", b"Subject: x", b"name=", b"=", b"-", b"X-Name: y", b'\\"', b"*0", b"%41", b":"),
        *(b"/", b"\0", b"\xc3\xa4"),
    ]
)


@given(st.lists(tokens, max_size=14).map(b"".join))
def test_the_quick_way_comes_to_the_same_names(header: bytes) -> None:
    header += b"\r\n\r\n"
    quick = plain_names(header)
    assert quick is None or set(quick) == set(filenames.candidates(header))


def test_an_encoding_that_nobody_knows() -> None:
    found = document(mixed(part(b"abc", b"text/plain", encoding=b"x-none")), 1)
    assert (found.size, found.content()) == (3, b"abc")


def test_encodings_that_are_read_alike_are_one() -> None:
    many = b"".join(b"Content-Transfer-Encoding: %s\r\n" % word for word in (b"base64", b'"base64"', b"x-base64", b"q"))
    found = document(mixed(part(b"x").replace(b"\r\n\r\n", b"\r\n" + many + b"\r\n", 1)), 1)
    assert found.encodings == (b"base64", b'"base64"', b"q")
