"""Seeds of the fuzzers: the vectors, and the words of the grammar as libFuzzer's dictionary."""

from __future__ import annotations

import hashlib
from pathlib import Path

from imap4fast._wire import COMMANDS, MailIndex
from tests.fuzz import fetching, flowing
from tests.fuzz.mails import SEEDS as REWRITING
from tests.mime import corpus
from tests.unit.session import talks
from tests.wire.client_dialogues import DIALOGUES
from tests.wire.client_vectors import VECTORS as CLIENT_VECTORS
from tests.wire.drawn import LINES, SPECIALS, WORDS
from tests.wire.server_vectors import VECTORS as SERVER_VECTORS

LONGEST = 2000
CLIENT = [vector.client for vector in (*CLIENT_VECTORS, *DIALOGUES) if len(vector.client) <= LONGEST]
SERVER = [vector.server for vector in SERVER_VECTORS if len(vector.server) <= LONGEST]
SCANNERS = [
    (0, b"1: stream: OK\0"),
    (0, b"1: stream: Virus FOUND\0"),
    (0, b"1: INSTREAM size limit exceeded. ERROR\0"),
    (1, b'ICAP/1.0 204 No Content\r\nISTag: "x"\r\n\r\n'),
    (1, b"ICAP/1.0 100 Continue\r\n\r\nICAP/1.0 204 No Content\r\n\r\n"),
    (1, b"ICAP/1.0 204 No Content\r\nX-Infection-Found: Type=0; Threat=Virus;\r\n\r\n"),
    (
        1,
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=19\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
        b"5\r\n\0\0\0\0\0\r\n0\r\n\r\n",
    ),
    (2, b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 12.3 / 5.0\r\n\r\n"),
    (3, b'HTTP/1.1 200 OK\r\nServer: rspamd/3\r\nContent-Length: 13\r\n\r\n{"score":1.5}'),
    (3, b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n{"score":1.5}\r\n0\r\n\r\n'),
    (4, b"1: /a: OK\0"),
    (5, b'ICAP/1.0 200 OK\r\nISTag: "x"\r\nPreview: 5\r\nOptions-TTL: 60\r\n\r\n'),
    (6, b"1: POOLS: 1\n\nMEMSTATS: pools 1 pools_used 5.882M pools_total 5.964M\nEND\0"),
    (7, b"1: ClamAV 1.4.6/27000/x\0"),
]
"""Codecs as the target numbers them, with answers."""
MIME = (
    b"Content-Type: multipart/mixed; boundary=b",
    b"Content-Type: message/rfc822",
    b"Content-Type: multipart/digest; boundary=c",
    b"Content-Transfer-Encoding: base64",
    b"Content-Transfer-Encoding: quoted-printable",
    b"Content-Disposition: ",
    b"Content-Language: ",
    b"MIME-Version: 1.0",
    b"--b",
    b"--b--",
    b"\n\n",
    b"*0*=",
    b"=?utf-8?q?",
    b"From: ",
    b"Subject: ",
)
HEADS = {"not": b"\x40\x08", "auth": b"\x40\x04", "selected": b"\x40\x00"}


def seeds(target: str) -> list[bytes]:
    if target == "rewriting":
        return REWRITING
    if target == "fetch":
        return fetching.seeds()
    if target == "flow":
        return flowing.seeds()
    if target == "lexer":
        return [said.split(b"\r\n")[0] for said in CLIENT]
    if target == "tls":
        return [
            bytes((role, turn, size, 0)) + b"\x40\0\1" for role in range(4) for turn in range(4) for size in (1, 255)
        ]
    if target == "starttls":
        return [
            bytes((vector.required, 0, 5, 0))
            + b"\xfe".join(
                said.replace(talks.TAG, b"$").replace(b"x" * 2500, b"#")
                for said in (vector.before, vector.inside)
                if said
            )
            for vector in talks.VECTORS
            if len(vector.before) + len(vector.inside) <= 5 * LONGEST
        ]
    if target == "scanners":
        return [bytes((which + size, 5, 0, 3)) + reply for which, reply in SCANNERS for size in (0, 0x50)]
    if target in ("mime", "index"):
        mails = [mail for mail in corpus.mails().values() if len(mail) <= LONGEST]
        if target == "mime":
            return [b"\1" + mail.replace(b"\r\n", b"\n") for mail in mails]
        return [MailIndex.scan(mail, max_depth=100).pack() for mail in mails[::8]]
    if target == "server":
        return [b"\0\0\3\1" + said for said in SERVER]
    if target == "raw":
        return [
            b"\0\2\3\1" + vector.client + b"\xfe" + vector.server
            for vector in SERVER_VECTORS
            if len(vector.server) <= LONGEST
        ]
    vectors = [vector for vector in (*CLIENT_VECTORS, *DIALOGUES) if len(vector.client) <= LONGEST]
    heads = [HEADS[v.state][:1] + bytes([HEADS[v.state][1] + v.script.forms]) + b"\7\1" for v in vectors]
    return [head + v.client for head, v in zip(heads, vectors, strict=True)]


def write(target: str, folder: Path) -> int:
    """Write the seeds that are not there yet; how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds(target):
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    return len(list(folder.iterdir()))


def dictionary(path: Path) -> None:
    words = {*SPECIALS, *WORDS, *LINES, *MIME, *(name.replace(b"UID-", b"UID ") for name in COMMANDS)}
    lines = ['"' + "".join(f"\\x{byte:02x}" for byte in word) + '"' for word in sorted(words) if word]
    path.write_text("\n".join(lines) + "\n")
