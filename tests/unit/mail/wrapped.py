"""Octets wrapped as senders wrap them: uuencode, yEnc, BinHex, zip, tar; for the tests of what unwraps them."""

from __future__ import annotations

import base64
import binascii
import io
import re
import tarfile
import zipfile

from imap4fast.mail import embedded

_HQX = bytes.maketrans(embedded._BASE64_LETTERS, embedded._HQX_LETTERS)


def uuencoded(octets: bytes, name: str) -> bytes:
    rows = b"".join(binascii.b2a_uu(octets[at : at + 45], backtick=True) for at in range(0, len(octets), 45))
    return (f"begin 644 {name}\n".encode() + rows + b"`\nend\n").replace(b"\n", b"\r\n")


def yencoded(octets: bytes, name: str) -> bytes:
    moved = bytes((octet + 42) & 255 for octet in octets)
    escaped = re.sub(rb"[\0\r\n=.\t ]", lambda match: bytes((61, (match[0][0] + 64) & 255)), moved)
    rows = re.findall(rb"(?s)(?:=.|[^=]){1,128}", escaped)
    head = f"=ybegin line=128 size={len(octets)} name={name}\r\n".encode()
    return head + b"\r\n".join(rows) + f"\r\n=yend size={len(octets)}\r\n".encode()


def binhex(data: bytes, name: str, resource: bytes = b"") -> bytes:
    """BinHex 4.0 with its sums left at zero: nobody here checks them."""
    sizes = len(data).to_bytes(4) + len(resource).to_bytes(4)
    whole = (
        bytes([len(name)]) + name.encode() + b"\0TEXTttxt\0\0" + sizes + b"\0\0" + data + b"\0\0" + resource + b"\0\0"
    )
    packed = re.sub(
        rb"(?s)([^\x90])\1{3,254}", lambda m: m[1] + b"\x90" + bytes([len(m[0])]), whole.replace(b"\x90", b"\x90\0")
    )
    letters = base64.b64encode(packed).rstrip(b"=").translate(_HQX)
    rows = b"\r\n".join(letters[at : at + 64] for at in range(0, len(letters), 64))
    return embedded.HQX_MARK + b" 4.0)\r\n\r\n:" + rows + b":\r\n"


def zipped(*contents: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for number, content in enumerate(contents):
            archive.writestr(zipfile.ZipInfo(f"file{number}.txt"), content, method)
    return file.getvalue()


def tarred(*contents: bytes, form: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for number, content in enumerate(contents):
            info = tarfile.TarInfo(f"file{number}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()
