"""What the index of a mail costs, beside Python's email package reading the same octets.

Guidance: 15 times as fast or more, with ENVELOPE, BODY, BODYSTRUCTURE, PREVIEW and decoded sizes included. `MB/s` and
`ratio` (to the faster of the package's two policies, in the same run) are in the extra columns of pytest-benchmark;
nothing here fails by time.
"""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import compat32, default
from functools import partial
from typing import TYPE_CHECKING

import pytest

from imap4fast._wire import MailIndex, decode_transfer

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

RECEIVED = (
    b"Received: from mail.example.com (mail.example.com [192.0.2.1])\r\n"
    b"\tby mx.example.org (Postfix) with ESMTPS id 4F1234\r\n"
    b"\tfor <ann@example.org>; Thu,  2 Jan 2025 03:04:05 +0100 (CET)\r\n"
)
HEADER = (
    b"Return-Path: <joe@example.com>\r\n" + RECEIVED * 3 + b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
    b"\td=example.com; s=sel; h=From:To:Subject:Date:Message-ID;\r\n\tb=" + b"abcdefgh" * 20 + b"\r\n"
    b'From: Joe Public <joe@example.com>\r\nTo: Ann Example <ann@example.org>, "Bob, B." <bob@example.org>\r\n'
    b"Cc: list@example.net\r\nSubject: =?utf-8?q?Minutes_of_the_meeting?=\r\nDate: Thu, 2 Jan 2025 03:04:05 +0100\r\n"
    b"Message-ID: <20250102030405.12345@example.com>\r\nIn-Reply-To: <20250101@example.org>\r\n"
    b"References: <1@example.org>\r\n <20250101@example.org>\r\nMIME-Version: 1.0\r\n"
)
LINE = b"The quick brown fox jumps over the lazy dog, and then goes home again.\r\n"
QP_LINE = b'<p style=3D"color:red">The quick brown fox =C3=A9</p><br>over the=\r\n lazy dog\r\n'


def text(size: int) -> bytes:
    head = HEADER + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    return head + LINE * ((size - len(head)) // len(LINE))


def alternative() -> bytes:
    """Text and HTML, quoted-printable, 4 KB in all."""
    encoded = b"; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    parts = [b"Content-Type: text/" + kind + encoded + QP_LINE * 12 for kind in (b"plain", b"html")]
    head = HEADER + b'Content-Type: multipart/alternative; boundary="=_x"\r\n\r\n'
    return head + b"".join(b"--=_x\r\n" + part for part in parts) + b"--=_x--\r\n"


def attachment(size: int) -> bytes:
    """A short text and so many octets in base64."""
    data = base64.encodebytes(random.Random(1).randbytes(size)).replace(b"\n", b"\r\n")
    head = HEADER + b'Content-Type: multipart/mixed; boundary="=_x"\r\n\r\n--=_x\r\n\r\nhello\r\n--=_x\r\n'
    fields = b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head + fields + data + b"--=_x--\r\n"


MAILS = {
    "text 4 KB": (text(4096), 200),
    "alternative 4 KB": (alternative(), 100),
    "text 100 KB": (text(100_000), 20),
    "attachment 100 KB": (attachment(75_000), 20),
    "attachment 10 MB": (attachment(7_500_000), 1),
}


def cpu_seconds(work: Callable[[], object], times: int) -> float:
    """Of one call."""
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def best(mail: bytes, times: int) -> tuple[float, float]:
    """CPU seconds of the index and of the faster parser, the best of rounds in which each has its turn."""
    parsers = [BytesParser(policy=policy) for policy in (compat32, default)]
    ours = theirs = 1e9
    for _ in range(7):
        ours = min(ours, cpu_seconds(lambda: MailIndex.scan(mail), 10 * times))
        theirs = min(theirs, *(cpu_seconds(partial(parser.parsebytes, mail), times) for parser in parsers))
    return ours, theirs


@pytest.mark.parametrize("name", MAILS)
def test_index(benchmark: BenchmarkFixture, name: str) -> None:
    mail, times = MAILS[name]
    index = benchmark(MailIndex.scan, mail)
    assert index.faults == set()
    if benchmark.stats is not None:
        ours, theirs = best(mail, times)
        benchmark.extra_info["MB/s"] = round(len(mail) / ours / 1e6)
        benchmark.extra_info["ratio"] = round(theirs / ours, 1)


@pytest.mark.parametrize("name", ["alternative 4 KB", "attachment 10 MB"])
def test_unpack(benchmark: BenchmarkFixture, name: str) -> None:
    """What a worker does with an index from the store."""
    blob = MailIndex.scan(MAILS[name][0]).pack()
    assert benchmark(MailIndex.unpack, blob).pack() == blob


@pytest.mark.parametrize("encoding", [b"base64", b"quoted-printable"])
def test_decode_transfer(benchmark: BenchmarkFixture, encoding: bytes) -> None:
    data = base64.encodebytes(bytes(1 << 20)) if encoding == b"base64" else QP_LINE * 10000
    assert benchmark(decode_transfer, data, encoding)
    if benchmark.stats is not None:
        benchmark.extra_info["MB/s"] = round(len(data) / benchmark.stats.stats.median / 1e6)
