"""Mails, and jobs on them as a helper does them: real files, real engines, ACLs from the text of a configuration."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imap4fast._wire import MailIndex, fill
from imap4fast.config.load import load_text
from imap4fast.config.settings import Settings
from imap4fast.log.catalogue import COMPONENTS
from imap4fast.mail.work import Order, Outcome
from imap4fast.policy.canvas import Canvas
from imap4fast.policy.kit import Kit
from imap4fast.policy.mailjob import Trial, run, trial
from imap4fast.policy.material import read

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-" + b"TEST-FILE!$H+H*"
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

HEADER = (
    b"From: Jana <jana@a.example>\r\nTo: karel@b.example\r\nSubject: Hello\r\nMessage-ID: <1@a.example>\r\n"
    b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMIME-Version: 1.0\r\n"
)
FREE = "mail-acl ALL { accept; } doc-acl ALL { accept; }"
OWN = "use-antivirus enable OWN;"


def settings_of(acls: str = FREE, download: str = OWN, command: str = "", proxy: str = "", head: str = "") -> Settings:
    """One command-acl C with these items; both directions alike as far as that is possible."""
    upload = download.replace("on-deny replace;", "").replace("on-unavailable replace;", "")
    text = f"""version IMAP4FAST-1;
antivirus OWN {{ connection builtin; }}
antivirus BIG {{ connection builtin; max-checked-size 1G; }}
antivirus NET {{ connection clamav-net [127.0.0.1] : 3310; }}
antispam GTUBE {{ connection builtin; }}
{head}
imap4-proxy P {{
  listen-on {{ non-transparent [::1] port 1; }}
  session-acl S {{ accept; plug-to [::1] : 1; }}
  {proxy}
  command-acl C {{ accept; {command} download {{ {download} }} upload {{ {upload} }} }}
  {acls}
}}
"""
    return load_text(text).settings


def kit_of(*args: str, **more: str) -> Kit:
    settings = settings_of(*args, **more)
    return Kit(settings, read(settings))


def order_of(kit: Kit, octets: bytes, job: str = "process", **more: object) -> Order:
    """All ACLs of the configuration are left."""
    names = {"mail_acls": tuple(kit.mails.names), "doc_acls": tuple(kit.documents.names)}
    given = {"job": job, "direction": "download", "command_acl": "C", "size": len(octets), "seed": b"seed", **names}
    return Order(**{**given, **more})


@contextmanager
def files(octets: bytes) -> Iterator[tuple[int, int]]:
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(octets)
        source.flush()
        yield source.fileno(), target.fileno()


def done(kit: Kit, octets: bytes, job: str = "process", **more: object) -> tuple[Outcome, bytes]:
    """(outcome, the mail that is in the target); the index behind it is that of the mail."""
    with files(octets) as (source, target):
        outcome = run(kit, order_of(kit, octets, job, **more), source, target)
        written = os.pread(target, 1 << 30, 0)
    mail, packed = written[: outcome.mail_size], written[outcome.mail_size :]
    assert len(packed) == outcome.index_size
    if packed:
        again = MailIndex.unpack(packed)
        assert (again.size, again.bodystructure) == (len(mail), MailIndex.scan(mail).bodystructure)
    return outcome, mail


def tried(kit: Kit, octets: bytes, **more: object) -> Trial:
    with files(octets) as (source, target):
        return trial(kit, order_of(kit, octets, **more), Canvas(source, target, len(octets)))


def part(octets: bytes, kind: bytes = b"text/plain", name: bytes = b"", encoding: bytes = b"") -> bytes:
    """A part in a multipart, with its header; base64 where `encoding` says so."""
    lines = [b"Content-Type: " + kind + (b'; name="' + name + b'"' if name else b"")]
    if name:
        lines.append(b'Content-Disposition: attachment; filename="' + name + b'"')
    if encoding:
        lines.append(b"Content-Transfer-Encoding: " + encoding)
    body = base64.encodebytes(octets).replace(b"\n", b"\r\n") if encoding == b"base64" else octets + b"\r\n"
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def mixed(*parts: bytes, subtype: bytes = b"mixed", boundary: bytes = b"bb", header: bytes = HEADER) -> bytes:
    """A mail of several parts."""
    inner = b"".join(b"--" + boundary + b"\r\n" + each for each in parts)
    kind = b"Content-Type: multipart/" + subtype + b'; boundary="' + boundary + b'"\r\n\r\n'
    return header + kind + inner + b"--" + boundary + b"--\r\n"


def simple(text: bytes = b"Hello there\r\n", kind: bytes = b"text/plain; charset=us-ascii") -> bytes:
    """A mail of one part."""
    return HEADER + b"Content-Type: " + kind + b"\r\n\r\n" + text


TEXT = part(b"Hello there")
VIRUS = part(EICAR, b"application/octet-stream", b"game.com", b"base64")
CLEAN = part(b"clean" * 20, b"application/octet-stream", b"data.bin", b"base64")
INFECTED = mixed(TEXT, VIRUS)


def template(tmp_path: Path, text: str = "%{filename} (%{type}, %{size}): %{virus} by %{rule}\n") -> str:
    """The path of a template."""
    path = tmp_path / "template.txt"
    path.write_text(text)
    return str(path)


def entries(outcome: Outcome, entry: str) -> list[tuple[object, ...]]:
    """The values of all lines of an entry."""
    return [line.args for line in outcome.log if line.entry == entry]


def written(outcome: Outcome, entry: str) -> str:
    """The text of the only line of an entry, as the log has it."""
    (line,) = (line for line in outcome.log if line.entry == entry)
    component, number = entry.split("-")
    found = COMPONENTS[component].entries[int(number)]
    text = fill(found.forms[line.severity or found.severity].template, line.args, 0)
    assert text is not None
    return text
