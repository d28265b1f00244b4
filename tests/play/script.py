"""Readable conversations.

    S: * OK hi               the server says it, and the client gets it as it is
    C: a NOOP                the client says it, and the server gets it as it is
    C| b DELETE INBOX        the client says it, and it stops at the proxy
    S| * OK [REFERRAL x] y   the server says it, and it stops at the proxy
    P: * OK y                the proxy says it to the client, because of the line before
    P> b EXAMINE INBOX       the proxy says it to the server, because of the line before

Each line stands for its text and CRLF; one that ends in `¬` has no CRLF. Control characters are written as their
pictures (`␛` is ESC, `␊` a bare LF), all else is UTF-8. Spaces before a marker and blank lines are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

NO_LINE_END = "¬"
_PICTURES = {0x2400 + code: code for code in range(0x20)} | {0x2421: 0x7F}


@dataclass(frozen=True)
class Beat:
    """One line of an end, or several joined, and what has to come of it."""

    client: bool
    said: bytes
    to_client: bytes
    to_server: bytes


def octets(text: str) -> bytes:
    """The bytes that a line's text stands for."""
    if text.endswith(NO_LINE_END):
        return text[:-1].translate(_PICTURES).encode()
    return text.translate(_PICTURES).encode() + b"\r\n"


def beats(script: str) -> list[Beat]:
    """The script line by line."""
    found: list[Beat] = []
    for line in filter(None, (line.lstrip() for line in script.split("\n"))):
        mark, text = line[:2], octets(line[3:])
        if mark in ("C:", "C|"):
            found.append(Beat(True, text, b"", text if mark == "C:" else b""))
        elif mark in ("S:", "S|"):
            found.append(Beat(False, text, text if mark == "S:" else b"", b""))
        elif mark in ("P:", "P>") and found:
            last = found[-1]
            to_client, to_server = (text, b"") if mark == "P:" else (b"", text)
            found[-1] = Beat(last.client, last.said, last.to_client + to_client, last.to_server + to_server)
        else:
            raise ValueError(f"no line of a script: {line!r}")
    return found


def joined(lines: Iterable[Beat]) -> list[Beat]:
    """Lines of one end that follow each other come in one piece; a server's only while nothing new reaches it."""
    found: list[Beat] = []
    for beat in lines:
        if found and found[-1].client == beat.client and (beat.client or not found[-1].to_server):
            last = found.pop()
            beat = Beat(
                beat.client,
                last.said + beat.said,
                last.to_client + beat.to_client,
                last.to_server + beat.to_server,
            )
        found.append(beat)
    return found


def ahead(lines: Iterable[Beat]) -> list[Beat]:
    """From its first line on the client says all in one piece, before the server says any more.

    What comes of each line is then known for the whole only: it stands at the last beat.
    """
    lines = list(lines)
    first = next((at for at, beat in enumerate(lines) if beat.client), len(lines))
    rest = lines[first:]
    said = b"".join(beat.said for beat in rest if beat.client)
    beats = [Beat(True, said, b"", b"")] + [Beat(False, beat.said, b"", b"") for beat in rest if not beat.client]
    to_client = b"".join(beat.to_client for beat in rest)
    to_server = b"".join(beat.to_server for beat in rest)
    beats[-1] = Beat(beats[-1].client, beats[-1].said, to_client, to_server)
    return lines[:first] + (beats if rest else [])
