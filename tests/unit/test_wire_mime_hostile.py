"""Mails made to cost: time in proportion to their size, memory bounded whatever it is (protocol.md T-M25, T-M34)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from imap4fast._wire import MailIndex, decode_words, header_fields, header_list, parameters, unfolded

MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
NO_CAPS = {"max_header": 1 << 40, "max_parts": 1 << 30, "max_depth": 1 << 30}


def nested(levels: int) -> bytes:
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(levels)
    )


def alike_boundaries(lines: int) -> bytes:
    """As many open boundaries as there can be, with one beginning, and lines that have it too."""
    long = b"x" * 70
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=%b%03d\r\n\r\n--%b%03d\r\n" % (long, n, long, n) for n in range(255)
    )
    return head + b"\r\n" + (b"--" + long + b"zz\r\n") * lines


MAILS: dict[str, Callable[[int], bytes]] = {
    "empty parts": lambda n: MIXED + b"--b\r\n\r\n" * n,
    "parts without header": lambda n: MIXED + b"--b\r\n" * n,
    "nested multiparts": nested,
    "nested messages": lambda n: b"Content-Type: message/rfc822\r\n\r\n" * n,
    "alike boundaries": lambda n: alike_boundaries(n // 8),
    "To lines": lambda n: b"To: a@b.example\r\n" * n + b"\r\n",
    "addresses in one line": lambda n: b"To: " + b"a@b," * n + b"\r\n\r\n",
    "open comments": lambda n: b"To: " + b"a(" * n + b"\r\n\r\n",
    "comments": lambda n: b"To: " + b"(a)" * n + b"\r\n\r\n",
    "groups": lambda n: b"To: " + b"g:a@b;," * n + b"\r\n\r\n",
    "words": lambda n: b"To: " + b"a " * n + b"\r\n\r\n",
    "quoted words": lambda n: b"To: " + b'"a" ' * n + b"\r\n\r\n",
    "routes": lambda n: b"To: <" + b"@a," * n + b":b@c>\r\n\r\n",
    "dots": lambda n: b"To: " + b"." * n + b"\r\n\r\n",
    "RFC 2231 parameters": lambda n: b"Content-Type: x/y" + b"".join(b"; n*%d=v" % k for k in range(n)) + b"\r\n\r\n",
    "parameters": lambda n: b"Content-Type: x/y" + b"; n=v" * n + b"\r\n\r\n",
    "junk in parameters": lambda n: b"Content-Type: x/y;" + b"@" * n + b"\r\n\r\n",
    "one long parameter": lambda n: b"Content-Type: x/y; a=" + b'"\\"' * n + b"\r\n\r\n",
    "header lines": lambda n: b"X: y\r\n" * n,
    "junk lines": lambda n: b"y\r\n" * n,
    "folded lines": lambda n: b"Subject: x\r\n" + b" y\r\n" * n,
    "one long line": lambda n: b"Subject: " + b"y" * n,
    "colons": lambda n: b":" * n,
    "dashes": lambda n: MIXED + b"--\r\n" * n,
    "line feeds": lambda n: MIXED + b"\n" * n,
    "languages": lambda n: b"Content-Type: x/y\r\nContent-Language: " + b"a," * n + b"\r\n\r\n",
    "dispositions": lambda n: b"Content-Type: x/y\r\n" + b"Content-Disposition: a\r\n" * n + b"\r\n",
    "dispositions after one that is long": lambda n: (
        b"Content-Type: x/y\r\nContent-Disposition: a; b=" + b"c" * 4 * n + b"\r\n" + b"Content-Disposition: a\r\n" * n
    ),
    "encodings": lambda n: b"Content-Transfer-Encoding: x\r\n" * n + b"\r\n",
    "html": lambda n: b"Content-Type: text/html\r\n\r\n" + b"<!--" * n,
    "tags": lambda n: b"Content-Type: text/html\r\n\r\n" + b"<a '" * n,
    "quoted-printable": lambda n: b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b" =" * n,
    "base64": lambda n: b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=" * n,
}

PARTS = 1_000_000
SMALL = 50_000


def seconds(work: Callable[[], object]) -> float:
    """The best of three."""
    best = 1e9
    for _ in range(3):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def grows_in_proportion(make: Callable[[int], object]) -> None:
    """Eight times as much takes no more than eight times as long, by a factor of four for a machine that is busy."""
    for attempt in range(3):
        small, large = make(SMALL), make(8 * SMALL)
        assert callable(small)
        assert callable(large)
        if seconds(large) <= 32 * seconds(small) + 0.01:
            return
        time.sleep(attempt)
    pytest.fail("more than in proportion")


@pytest.mark.parametrize("name", MAILS)
def test_time_is_in_proportion(name: str) -> None:
    def make(count: int) -> Callable[[], object]:
        mail = MAILS[name](count)
        return lambda: MailIndex.scan(mail, **NO_CAPS)

    grows_in_proportion(make)


@pytest.mark.parametrize("name", MAILS)
def test_what_is_made_is_bounded(name: str) -> None:
    index = MailIndex.scan(MAILS[name](PARTS), max_depth=100)
    assert len(index) <= 1000
    assert len(index.pack()) < 16 << 20


@pytest.mark.parametrize(
    ("work", "text"),
    [
        (header_list, b"X: y\r\n"),
        (header_list, b"\r\n "),
        (header_list, b"x"),
        (lambda text: header_fields(text, (b"a", b"x"), True), b"X: y\r\n"),
        (unfolded, b"\r\n"),
        (unfolded, b" \r"),
        (decode_words, b"=?"),
        (decode_words, b"=?a?q?"),
        (decode_words, b"=?utf-8?q?a?= "),
        (decode_words, b"=?utf-8?q?a?=x"),
        (decode_words, b"=?x-1?q?a?= =?x-2?q?b?= "),
        (decode_words, b"=?a"),
        (decode_words, b"?="),
        (parameters, b"; a=b"),
        (parameters, b'; a="'),
        (parameters, b"("),
        (parameters, b"@"),
    ],
)
def test_time_of_what_reads_fields(work: Callable[[bytes], object], text: bytes) -> None:
    def make(count: int) -> Callable[[], object]:
        whole = text * (count // 4)
        return lambda: work(whole)

    grows_in_proportion(make)


MEMORY = """
import mmap, resource, sys, tempfile
from imap4fast._wire import MailIndex

with tempfile.TemporaryFile() as file:
    for _ in range(100):
        file.write({piece!r} * ((1 << 20) // len({piece!r})))
    file.flush()
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ, flags=mmap.MAP_SHARED) as mapped:
        MailIndex.scan(b"Subject: x")
        status = open("/proc/self/status").read()
        now = int(status.split("VmData:")[1].split()[0]) << 10
        resource.setrlimit(resource.RLIMIT_DATA, (now + {room},) * 2)
        index = MailIndex.scan(mapped)
        print(index.size, *sorted(index.faults))
"""


@pytest.mark.parametrize(
    ("piece", "fault"),
    [
        (b"X: y\r\n", "HEADER_TOO_LARGE"),
        (b"To: a@b, c@d\r\n", "HEADER_TOO_LARGE"),
        (b"To: a@b,\r\n c@d\r\n ", "HEADER_TOO_LARGE"),
        (b"x", "HEADER_TOO_LARGE"),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n", "TOO_MANY_PARTS"),
        (b"Content-Type: message/rfc822\r\n\r\nFrom: " + b"a," * 5000 + b"\r\n", "TOO_DEEP"),
    ],
)
def test_a_mail_of_100_mb_takes_little_memory(piece: bytes, fault: str) -> None:
    """No more than 30 MB beside the map of the file; the address sanitizer keeps what was freed, and more."""
    room = 1 << 40 if "libasan" in Path("/proc/self/maps").read_text() else 30 << 20
    done = subprocess.run(
        [sys.executable, "-c", MEMORY.format(piece=piece, room=room)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    size, *faults = done.stdout.split()
    assert int(size) > 99 << 20
    assert fault in faults


def test_structures_are_capped() -> None:
    address = b"From: " + b"a," * 5000 + b"\r\n"
    mail = MIXED + (b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + address + b"\r\nx\r\n") * 490
    index = MailIndex.scan(mail)
    assert "STRUCTURE_TOO_LARGE" in index.faults
    assert len(index.pack()) < 16 << 20
    large = MailIndex.scan(b"".join(b"%b: " % name + b"a," * 19000 + b"\r\n" for name in (b"From", b"To", b"Cc")))
    assert "STRUCTURE_TOO_LARGE" in large.faults
    assert large.envelope.count(b"NIL") == 10
    many = MailIndex.scan(b"From: " + b"a," * 21000 + b"\r\n\r\n")
    assert "TOO_MANY_ADDRESSES" in many.faults


def test_parameters_are_capped() -> None:
    assert "TOO_MANY_PARAMETERS" in MailIndex.scan(MAILS["parameters"](1000)).faults
