"""Types of documents: the first way of the configured order that leads to one (T-M24)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail.doctype import BUILT_IN, HEAD, WAYS, Catalogue, candidates, identify

CATALOGUE = Catalogue()
MZ = b"MZ\x90\0"


@pytest.mark.parametrize(
    ("order", "declared", "names", "head", "expected"),
    [
        (WAYS, "text/plain", ["x.exe"], MZ, "text/plain"),
        (("extension", "content-type"), "text/plain", ["x.exe"], b"", "application/x-dosexec"),
        (("magic", "content-type"), "text/plain", ["x.txt"], MZ, "application/x-dosexec"),
        (("magic", "content-type"), "text/plain", ["x.txt"], b"text", "text/plain"),
        (WAYS, 'Text/HTML; charset="x"', [], b"", "text/html"),
        (WAYS, " image/png (comment)", [], b"", "image/png"),
        (WAYS, "application/octet-stream", ["a.PDF"], MZ, "application/pdf"),
        (WAYS, "application/octet-stream", ["a"], MZ, "application/x-dosexec"),
        (WAYS, "application/octet-stream", ["a.unknown"], b"text", "application/octet-stream"),
        (("extension", "magic"), "application/octet-stream", ["a"], b"text", ""),
        (WAYS, "", ["a."], b"", ""),
        (WAYS, "text", ["a.txt"], b"", "text/plain"),
        (WAYS, "text/", [], b"", ""),
        (WAYS, "text/plain/x", ["a.tar.gz "], b"", "application/gzip"),
        ((), "text/plain", ["a.txt"], MZ, ""),
    ],
)
def test_m24_identify(order: tuple[str, ...], declared: str, names: list[str], head: bytes, expected: str) -> None:
    assert identify(order, declared, names, head, CATALOGUE) == expected


def test_several_names_have_several_types() -> None:
    names = ["a.txt", "a.exe", "b.exe", "a"]
    assert candidates(("extension",), ("",), names, b"", CATALOGUE) == ("text/plain", "application/x-dosexec")
    assert candidates(("extension",), ("",), [], b"", CATALOGUE) == ("",)


def test_several_declared_types() -> None:
    declared = ("application/octet-stream", "text/html", "text/html; charset=x", "x/y")
    found = candidates(("content-type", "extension"), declared, ["a.txt", "a.exe"], b"", CATALOGUE)
    assert found == ("text/plain", "application/x-dosexec", "text/html", "x/y")


def test_a_catalogue_of_the_operator() -> None:
    own = Catalogue(b"# types\nText/X-Own  own OWN2 # mine\nx/y own\nx/z\n", b"0 string own x/own\n")
    assert identify(("extension",), "", ["a.Own"], b"", own) == "text/x-own"
    assert identify(("extension",), "", ["a.own2"], b"", own) == "text/x-own"
    assert identify(("extension",), "", ["a.exe"], b"", own) == ""
    assert identify(("magic",), "", [], b"owner", own) == "x/own"
    assert identify(("magic",), "", [], MZ, own) == ""
    assert identify(("magic",), "", [], MZ, Catalogue(b"", None)) == "application/x-dosexec"


def test_errors_say_the_line() -> None:
    with pytest.raises(ValueError, match="line 2: exe: no document type"):
        Catalogue(b"x/y z\nexe x/y\n")
    with pytest.raises(ValueError, match="line 1"):
        Catalogue(None, b"nonsense")


def test_no_extension_stands_twice_in_the_table() -> None:
    words = [word for line in BUILT_IN.splitlines() for word in line.split()[1:]]
    assert len(words) == len(set(words))


def test_head_reaches_the_mark_of_a_disc() -> None:
    assert (
        identify(("magic",), "", [], (bytes(32769) + b"CD001" + bytes(9999))[:HEAD], CATALOGUE)
        == "application/x-iso9660-image"
    )


@given(st.text(max_size=30), st.lists(st.text(max_size=10)), st.binary(max_size=50))
def test_anything(declared: str, names: list[str], head: bytes) -> None:
    assert identify(WAYS, declared, names, head, CATALOGUE) == identify(WAYS, declared, names, head, CATALOGUE).lower()
