"""Types of documents by the octets at their beginning: the language of magic files, and the rules built in.

A magic file has one test a line, in the fields of magic(5) and of Apache's mod_mime_magic, of which it is a part:

    # offset  type                  test            document type
    0         string                %PDF-           application/pdf
    0         belong                0xcafebabe
    >4        belong                >30             application/java-vm

Offsets are decimal or hexadecimal. Types: `string`; `search/N`, where the text begins in N octets from the offset on;
both with `/c` for letters of either case; `byte`, `beshort`, `leshort`, `belong`, `lelong`, with `&MASK` too. A
test of a number may begin with `=`, `!`, `<`, `>`, or be `x`, which is always true; in a text `\\0`, `\\x7f`, `\\t`,
`\\n`, `\\r`, `\\ ` and `\\\\` stand for one octet. A line beginning with `>` is tried where the line above it with one
`>` less is true, and its document type wins over that one's. The first line without `>` that leads to a type decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_SIZES = {
    "byte": (1, "big"),
    "beshort": (2, "big"),
    "belong": (4, "big"),
    "leshort": (2, "little"),
    "lelong": (4, "little"),
}
_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)")
_LETTERS = {b"t": b"\t", b"n": b"\n", b"r": b"\r"}
_FIELDS = re.compile(r"\s*(>*)\s*(\S+)\s+(\S+)\s+((?:\\.|\S)+)(?:\s+(\S+))?\s*\Z")
_TEXT_KIND = re.compile(r"(string|search/(\d+))(/c)?\Z")
_NUMBER_KIND = re.compile(r"([a-z]+)(?:&(\w+))?\Z")
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*\Z")


class Text(msgspec.Struct, frozen=True):
    """The octets `wanted` at `offset`, or begun in `reach` octets from there on; `fold`: letters of either case."""

    offset: int
    wanted: bytes
    reach: int
    fold: bool

    def holds(self, head: bytes) -> bool:
        end = self.offset + self.reach + len(self.wanted)
        if not self.fold:
            return head.find(self.wanted, self.offset, end) >= 0
        return head[self.offset : end].lower().find(self.wanted) >= 0


class Number(msgspec.Struct, frozen=True):
    """A number of `size` octets at `offset`, compared with `wanted` after `mask`."""

    offset: int
    size: int
    order: str
    mask: int
    operator: str
    wanted: int

    def holds(self, head: bytes) -> bool:
        octets = head[self.offset : self.offset + self.size]
        if len(octets) < self.size:
            return False
        number = int.from_bytes(octets, "big" if self.order == "big" else "little") & self.mask
        return {
            "=": number == self.wanted,
            "!": number != self.wanted,
            "<": number < self.wanted,
            ">": number > self.wanted,
            "x": True,
        }[self.operator]


class Rule(msgspec.Struct):
    """One line with the lines that refine it."""

    test: Text | Number
    type: str
    refined: list[Rule]

    def identify(self, head: bytes) -> str:
        if not self.test.holds(head):
            return ""
        return next((found for rule in self.refined if (found := rule.identify(head))), self.type)


def identify(rules: Sequence[Rule], head: bytes) -> str:
    """The type of a document that begins with `head`; "" where no rule leads to one."""
    return next((found for rule in rules if (found := rule.identify(head))), "")


def parse(text: str) -> list[Rule]:
    """The rules of a magic file. ValueError says the line that is none."""
    rules: list[Rule] = []
    levels = [rules]
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            depth, rule = _rule(line)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        if depth >= len(levels):
            raise ValueError(f"line {number}: no line above with {depth - 1} times >")
        del levels[depth + 1 :]
        levels[depth].append(rule)
        levels.append(rule.refined)
    return rules


def _rule(line: str) -> tuple[int, Rule]:
    fields = _FIELDS.match(line)
    if not fields:
        raise ValueError("not of the form: offset type test [document type]")
    depth, offset, kind, test, mime = fields.groups()
    mime = (mime or "").lower()
    if mime and not _TYPE.match(mime):
        raise ValueError(f"{mime}: no document type")
    return len(depth), Rule(_test(_number(offset), kind, test), mime, [])


def _test(offset: int, kind: str, test: str) -> Text | Number:
    if text := _TEXT_KIND.match(kind):
        wanted = _unescaped(test)
        return Text(offset, wanted.lower() if text[3] else wanted, int(text[2] or 0), bool(text[3]))
    number = _NUMBER_KIND.match(kind)
    if not number or number[1] not in _SIZES:
        raise ValueError(f"{kind}: no type of test; known are string, search/N, {', '.join(_SIZES)}")
    size, order = _SIZES[number[1]]
    mask = _number(number[2]) if number[2] else (1 << 8 * size) - 1
    operator = test[0] if test[0] in "=!<>x" else "="
    value = 0 if operator == "x" else _number(test.removeprefix(operator))
    return Number(offset, size, order, mask, operator, value)


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise ValueError(f"{text}: not a number") from None


def _unescaped(text: str) -> bytes:
    return _ESCAPE.sub(_octet, text.encode())


def _octet(escape: re.Match[bytes]) -> bytes:
    said = escape[1]
    if said[:1] == b"x" and len(said) > 1:
        return bytes([int(said[1:], 16)])
    return bytes([int(said, 8) & 255]) if said[:1].isdigit() else _LETTERS.get(said, said)


BUILT_IN = r"""
# Programs
0       string      MZ                          application/x-dosexec
0       string      \x7fELF                     application/x-executable
0       belong      0xfeedface                  application/x-mach-binary
0       belong      0xfeedfacf                  application/x-mach-binary
0       belong      0xcefaedfe                  application/x-mach-binary
0       belong      0xcffaedfe                  application/x-mach-binary
0       belong      0xcafebabe                  application/x-mach-binary
>4      belong      >30                         application/java-vm
0       string      dex\n                       application/x-dex
0       string      \0asm                       application/wasm
0       string      FWS                         application/x-shockwave-flash
0       string      CWS                         application/x-shockwave-flash
0       string      ZWS                         application/x-shockwave-flash
0       string      L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F  application/x-ms-shortcut
0       string/c    [internetshortcut]          application/x-mswinurl
0       string      ITSF                        application/vnd.ms-htmlhelp
0       string/c    @echo\                      application/x-bat
0       string      #!                          text/x-shellscript
>2      search/120  python                      text/x-python
>2      search/120  perl                        text/x-perl
>2      search/120  ruby                        text/x-ruby
>2      search/120  php                         text/x-php
>2      search/120  node                        text/javascript
0       search/64   <?php                       text/x-php
0       string      Windows\ Registry\ Editor   text/x-ms-regedit
0       string      \xff\xfeW\0i\0n\0d\0o\0w\0s\0\ \0R\0e\0g\0  text/x-ms-regedit

# Documents
0       search/1024 %PDF-                       application/pdf
0       search/64   {\\rtf                      application/rtf
0       search/64   {\\rt                       application/rtf
0       string      \xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1  application/x-ole-storage
>512    search/65536 W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0            application/msword
>512    search/65536 W\0o\0r\0k\0b\0o\0o\0k\0                        application/vnd.ms-excel
>512    search/65536 P\0o\0w\0e\0r\0P\0o\0i\0n\0t\0\ \0D\0o\0c\0     application/vnd.ms-powerpoint
>512    search/65536 _\0_\0s\0u\0b\0s\0t\0g\0                        application/vnd.ms-outlook
0       string      \xe4R\\{\x8c\xd8\xa7M\xae\xb1Sx\xd0)\x96\xd3    application/onenote
0       string      %!PS                        application/postscript
0       string      \x78\x9f\x3e\x22            application/ms-tnef
0       string      BEGIN:VCALENDAR             text/calendar
0       string      BEGIN:VCARD                 text/vcard
0       string      -----BEGIN\ PGP\ MESSAGE    application/pgp-encrypted
0       string      -----BEGIN\ PGP\ SIGNATURE  application/pgp-signature
0       string      -----BEGIN\ PGP\ PUBLIC     application/pgp-keys
0       string      -----BEGIN\ CERTIFICATE     application/x-pem-file
0       beshort     0x3082
>4      string      \x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07  application/pkcs7-mime
0       beshort     0x3080
>2      string      \x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07  application/pkcs7-mime

# Archives
0       string      PK\x03\x04                  application/zip
>38     string      application/vnd.oasis.opendocument.text          application/vnd.oasis.opendocument.text
>38     string      application/vnd.oasis.opendocument.spreadsheet   application/vnd.oasis.opendocument.spreadsheet
>38     string      application/vnd.oasis.opendocument.presentation  application/vnd.oasis.opendocument.presentation
>38     string      application/epub+zip        application/epub+zip
>30     search/16384 AndroidManifest.xml        application/vnd.android.package-archive
>30     search/4096 META-INF/                   application/java-archive
>30     search/8192 word/                       application/vnd.openxmlformats-officedocument.wordprocessingml.document
>30     search/8192 xl/                         application/vnd.openxmlformats-officedocument.spreadsheetml.sheet
>30     search/8192 ppt/        application/vnd.openxmlformats-officedocument.presentationml.presentation
0       string      PK\x05\x06                  application/zip
0       string      PK00PK\x03\x04              application/zip
0       string      \x1f\x8b                    application/gzip
0       string      BZh                         application/x-bzip2
0       string      \xfd7zXZ\0                  application/x-xz
0       string      (\xb5/\xfd                  application/zstd
0       string      \x04"M\x18                  application/x-lz4
0       string      \x1f\x9d                    application/x-compress
0       string      7z\xbc\xaf\x27\x1c          application/x-7z-compressed
0       string      Rar!\x1a\x07                application/vnd.rar
0       string      MSCF                        application/vnd.ms-cab-compressed
0       string      \x60\xea                    application/x-arj
2       string      -lh                         application/x-lzh-compressed
7       string      **ACE**                     application/x-ace-compressed
0       string      MSWIM\0\0\0                 application/x-ms-wim
0       string      !<arch>\ndebian             application/vnd.debian.binary-package
0       belong      0xedabeedb                  application/x-rpm
0       string      Cr24                        application/x-chrome-extension
257     string      ustar                       application/x-tar
32769   string      CD001                       application/x-iso9660-image
32769   string      BEA01                       application/x-iso9660-image
0       string      conectix                    application/x-vhd
0       string      vhdxfile                    application/x-vhdx

# Images, sound, film, type faces
0       string      \x89PNG\r\n\x1a\n           image/png
0       string      \xff\xd8\xff                image/jpeg
0       string      GIF8                        image/gif
0       string      BM
>14     lelong      12                          image/bmp
>14     lelong      40                          image/bmp
>14     lelong      108                         image/bmp
>14     lelong      124                         image/bmp
0       string      II*\0                       image/tiff
0       string      MM\0*                       image/tiff
0       string      RIFF
>8      string      WEBP                        image/webp
>8      string      WAVE                        audio/wav
>8      string      AVI\                        video/x-msvideo
>8      string      ACON                        application/x-navi-animation
0       string      \0\0\x01\0
>5      byte        0                           image/vnd.microsoft.icon
0       string      8BPS                        image/vnd.adobe.photoshop
0       belong      0xd7cdc69a                  image/wmf
40      string      \ EMF                       image/emf
0       string      \0\0\0\x0cjP\ \             image/jp2
4       string      ftyp                        video/mp4
>8      string      heic                        image/heic
>8      string      mif1                        image/heic
>8      string      avif                        image/avif
>8      string      qt                          video/quicktime
>8      string      M4A                         audio/mp4
0       string      ID3                         audio/mpeg
0       beshort     0xfffb                      audio/mpeg
0       string      OggS                        audio/ogg
0       string      fLaC                        audio/flac
0       string      MThd                        audio/midi
0       belong      0x1a45dfa3                  video/x-matroska
>4      search/64   webm                        video/webm
0       belong      0x000001ba                  video/mpeg
0       belong      0x000001b3                  video/mpeg
0       string      FLV\x01                     video/x-flv
0       belong      0x3026b275                  video/x-ms-asf
0       string      wOFF                        font/woff
0       string      wOF2                        font/woff2
0       string      OTTO                        font/otf

# Markup: after what begins with other marks
0       search/4096/c <hta:application          application/hta
0       search/1024/c <!doctype\ html           text/html
0       search/1024/c <html                     text/html
0       search/256/c <script                    text/html
0       search/256/c <iframe                    text/html
0       search/256/c <body                      text/html
0       search/256/c <head>                     text/html
0       search/1024/c <svg                      image/svg+xml
0       search/64/c <job                        application/x-wsf
0       search/64/c <package>                   application/x-wsf
0       search/64   <?xml                       application/xml
0       string/c    mime-version:               message/rfc822
0       string/c    received:                   message/rfc822
0       string/c    return-path:                message/rfc822
"""
"""Rules for what mail carries. None for plain text: what has no marks is for the other ways to say."""
