"""The type of a document: by its declared type, by its names, by its octets, in the order that is configured.

The first way that leads to a type decides. A declared `application/octet-stream` says that the sender does not know, so
the other ways come before it. The catalogues are an Apache-like mime.types and a magic file (`magic.py`); without files
those built in hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial

from imap4fast.mail import magic

CONTENT_TYPE, EXTENSION, MAGIC = "content-type", "extension", "magic"
WAYS = (CONTENT_TYPE, EXTENSION, MAGIC)

HEAD = 40 << 10
"""Octets of a document that the magic built in looks at: a file system for discs has its mark behind 32 KiB."""

_TYPE = re.compile(r"\s*([A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+)\s*(?:[;(,]|\Z)")
_SAYS_NOTHING = frozenset(
    {
        "application/octet-stream",
        "application/x-octet-stream",
        "application/octetstream",
        "application/binary",
        "application/unknown",
        "application/x-unknown",
        "application/x-download",
        "application/force-download",
        "binary/octet-stream",
        "unknown/unknown",
    }
)


class Catalogue:
    """Types by file name extension and by magic, from texts of the two files; None stands for what is built in.

    ValueError says what is wrong in which line.
    """

    def __init__(self, mime_types: bytes | None = None, magic_rules: bytes | None = None) -> None:
        self.extensions = _extensions(BUILT_IN if mime_types is None else mime_types.decode("utf-8", "replace"))
        self.magic = magic.parse(magic.BUILT_IN if magic_rules is None else magic_rules.decode("utf-8", "replace"))


def identify(order: Sequence[str], declared: str, filenames: Sequence[str], head: bytes, catalogue: Catalogue) -> str:
    """The type of a document, in lower case, without parameters; "" where no way of `order` leads to one.

    `declared` is the value of Content-Type, `filenames` the candidate names, `head` the first octets, decoded.
    """
    return candidates(order, (declared,), filenames, head, catalogue)[0]


def candidates(
    order: Sequence[str], declared: Sequence[str], filenames: Sequence[str], head: bytes, catalogue: Catalogue
) -> tuple[str, ...]:
    """All types to which the way that decides leads, by each of the types declared, since a document may have several
    of them and several names; ("",) for none.
    """
    ways: dict[str, Callable[[], tuple[str, ...]]] = {
        EXTENSION: cache(lambda: _by_names(filenames, catalogue)),
        MAGIC: cache(lambda: _some(magic.identify(catalogue.magic, head))),
    }
    found: dict[str, None] = {}
    for one in declared:
        found.update(dict.fromkeys(_decided(order, {**ways, CONTENT_TYPE: partial(_declared, one)})))
    return tuple(found) or ("",)


def _decided(order: Sequence[str], ways: Mapping[str, Callable[[], tuple[str, ...]]]) -> tuple[str, ...]:
    vague: tuple[str, ...] = ("",)
    for way in order:
        found = ways[way]()
        if found and found[0] not in _SAYS_NOTHING:
            return found
        vague = found or vague
    return vague


def _some(found: str) -> tuple[str, ...]:
    return (found,) if found else ()


def _declared(declared: str) -> tuple[str, ...]:
    found = _TYPE.match(declared)
    return (found[1].lower(),) if found else ()


def _by_names(filenames: Sequence[str], catalogue: Catalogue) -> tuple[str, ...]:
    suffixes = (name.rpartition(".")[2].strip().lower() for name in filenames if "." in name)
    return tuple(dict.fromkeys(catalogue.extensions[suffix] for suffix in suffixes if suffix in catalogue.extensions))


def _extensions(text: str) -> dict[str, str]:
    """Lines of a type and its extensions; the first type that names an extension has it."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        mime, *suffixes = line.partition("#")[0].lower().split() or [""]
        if mime and not _TYPE.fullmatch(mime):
            raise ValueError(f"line {number}: {mime}: no document type")
        for suffix in suffixes:
            found.setdefault(suffix.lstrip("."), mime)
    return found


BUILT_IN = """
application/x-dosexec       exe scr com pif cpl dll sys drv ocx efi mui xll
application/x-bat           bat cmd
application/x-powershell    ps1 psm1 psd1 ps1xml psc1
application/x-msi           msi msp mst
application/x-msix          msix msixbundle appx appxbundle appinstaller
application/x-ms-shortcut   lnk
application/x-mswinurl      url website
application/x-ms-scf        scf
application/x-wsf           wsf wsh wsc sct
application/hta             hta
text/vbscript               vbs vbe vb
text/javascript             js jse mjs
text/x-ms-regedit           reg
application/x-ms-inf        inf
application/x-msc           msc
application/x-ms-settings   settingcontent-ms searchconnector-ms library-ms diagcab
application/x-rdp           rdp
application/x-ms-application application
application/vnd.ms-htmlhelp chm
application/winhlp          hlp
application/java-archive    jar
application/java-vm         class
application/x-java-jnlp-file jnlp
application/x-executable    elf so run appimage
application/x-mach-binary   dylib macho
application/x-apple-diskimage dmg
application/x-iso9660-image iso img udf
application/x-vhd           vhd
application/x-vhdx          vhdx
application/vnd.android.package-archive apk
application/x-chrome-extension crx
application/x-xpinstall     xpi
application/wasm            wasm
application/x-shockwave-flash swf
text/x-shellscript          sh bash csh ksh zsh command
text/x-python               py pyw pyc
text/x-perl                 pl pm
text/x-ruby                 rb
text/x-php                  php phtml php3 php4 php5 phar
application/pdf             pdf
application/postscript      ps eps ai
application/rtf             rtf
application/msword          doc dot wiz
application/vnd.ms-excel    xls xlt xla xlw slk iqy
application/vnd.ms-powerpoint ppt pps pot ppa
application/vnd.ms-outlook  msg
application/msaccess        mdb accdb ade adp mde
application/vnd.ms-publisher pub
application/vnd.visio       vsd vst vss
application/onenote         one onepkg onetoc2
application/vnd.ms-word.document.macroenabled.12        docm
application/vnd.ms-word.template.macroenabled.12        dotm
application/vnd.ms-excel.sheet.macroenabled.12          xlsm
application/vnd.ms-excel.template.macroenabled.12       xltm
application/vnd.ms-excel.addin.macroenabled.12          xlam
application/vnd.ms-excel.sheet.binary.macroenabled.12   xlsb
application/vnd.ms-powerpoint.presentation.macroenabled.12 pptm
application/vnd.ms-powerpoint.slideshow.macroenabled.12 ppsm
application/vnd.ms-powerpoint.addin.macroenabled.12     ppam
application/vnd.openxmlformats-officedocument.wordprocessingml.document     docx
application/vnd.openxmlformats-officedocument.wordprocessingml.template     dotx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet           xlsx
application/vnd.openxmlformats-officedocument.spreadsheetml.template        xltx
application/vnd.openxmlformats-officedocument.presentationml.presentation   pptx
application/vnd.openxmlformats-officedocument.presentationml.slideshow      ppsx
application/vnd.oasis.opendocument.text             odt ott
application/vnd.oasis.opendocument.spreadsheet      ods ots
application/vnd.oasis.opendocument.presentation     odp otp
application/vnd.oasis.opendocument.graphics         odg
application/epub+zip        epub
application/zip             zip zipx
application/gzip            gz tgz
application/x-bzip2         bz2 tbz2 tbz
application/x-xz            xz txz
application/x-lzma          lzma
application/zstd            zst
application/x-compress      z
application/x-7z-compressed 7z
application/vnd.rar         rar r00 rev
application/vnd.ms-cab-compressed cab
application/x-arj           arj
application/x-ace-compressed ace
application/x-lzh-compressed lzh lha
application/x-tar           tar
application/x-ms-wim        wim swm esd
application/vnd.debian.binary-package deb
application/x-rpm           rpm
application/ms-tnef         tnef
application/pkcs7-mime      p7m p7c
application/pkcs7-signature p7s
application/x-pkcs12        p12 pfx
application/pgp-encrypted   pgp gpg
application/pgp-signature   sig asc
application/x-pem-file      pem
application/pkix-cert       cer crt der
application/json            json
application/xml             xml xsl xslt
application/xhtml+xml       xhtml xht
application/sql             sql
text/html                   html htm shtml
multipart/related           mht mhtml
text/plain                  txt text log ini cfg conf
text/csv                    csv
text/tab-separated-values   tsv
text/css                    css
text/markdown               md markdown
text/calendar               ics ifb
text/vcard                  vcf
message/rfc822              eml mail
image/jpeg                  jpg jpeg jpe jfif
image/png                   png
image/gif                   gif
image/bmp                   bmp dib
image/tiff                  tif tiff
image/webp                  webp
image/svg+xml               svg svgz
image/heic                  heic heif
image/avif                  avif
image/jp2                   jp2 j2k
image/vnd.microsoft.icon    ico cur
image/vnd.adobe.photoshop   psd
image/wmf                   wmf
image/emf                   emf
audio/mpeg                  mp3 mp2
audio/mp4                   m4a
audio/ogg                   ogg oga opus
audio/flac                  flac
audio/wav                   wav
audio/midi                  mid midi
audio/amr                   amr
video/mp4                   mp4 m4v
video/mpeg                  mpg mpeg
video/quicktime             mov qt
video/webm                  webm
video/x-matroska            mkv
video/x-msvideo             avi
video/x-ms-wmv              wmv
video/x-ms-asf              asf
video/x-flv                 flv
font/ttf                    ttf
font/otf                    otf
font/woff                   woff
font/woff2                  woff2
"""
