"""ssl(5): `ssl-cert-match`."""

from __future__ import annotations

import re

from imap4fast.config.cursor import Cursor
from imap4fast.config.diagnostic import ElementError, Report, suggestion
from imap4fast.config.schema import Bound, Item, Section
from imap4fast.config.settings import CertMatch
from imap4fast.config.syntax import Atom
from imap4fast.config.types import INTEGER, KEY, text_of
from imap4fast.config.wordlist import STRINGS, WordListType

KEY_USAGES = (
    *("digitalSignature", "nonRepudiation", "contentCommitment", "keyEncipherment", "dataEncipherment"),
    *("keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"),
)
"""Names of RFC 5280 section 4.2.1.3; nonRepudiation and contentCommitment are one."""

EXT_KEY_USAGES = {
    "serverAuth": "1.3.6.1.5.5.7.3.1",
    "clientAuth": "1.3.6.1.5.5.7.3.2",
    "codeSigning": "1.3.6.1.5.5.7.3.3",
    "emailProtection": "1.3.6.1.5.5.7.3.4",
    "timeStamping": "1.3.6.1.5.5.7.3.8",
    "OCSPSigning": "1.3.6.1.5.5.7.3.9",
    "anyExtendedKeyUsage": "2.5.29.37.0",
}
"""Names of RFC 5280 section 4.2.1.12; others are written as their numbers."""

SEPARATORS = re.compile(r"[:\s.-]")
"""What may stand between the digits of a serial number or a fingerprint."""

_SHA256_DIGITS = 64
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")


def _key_usage(atom: Atom, cursor: Cursor) -> None:
    _known("key usage", atom, KEY_USAGES)


def _ext_key_usage(atom: Atom, cursor: Cursor) -> None:
    if not _OID.fullmatch(text_of(atom)):
        _known("extended key usage", atom, tuple(EXT_KEY_USAGES))


def _known(what: str, atom: Atom, known: tuple[str, ...]) -> None:
    word = text_of(atom)
    if word.lower() not in map(str.lower, known):
        raise ElementError(atom.span, f"unknown {what} `{word}`{suggestion(word, known)}")


def _serial(atom: Atom, cursor: Cursor) -> None:
    text = text_of(atom)
    if not re.fullmatch("(0x)?[0-9a-f]+", SEPARATORS.sub("", text).lower()):
        raise ElementError(atom.span, f"`{text}` is no serial number in hex")


def _fingerprint(atom: Atom, cursor: Cursor) -> None:
    text = text_of(atom)
    kind, colon, digits = text.partition(":")
    digits = SEPARATORS.sub("", digits)
    if not colon or kind.lower() != "sha256" or not re.fullmatch(f"[0-9A-Fa-f]{{{_SHA256_DIGITS}}}", digits):
        raise ElementError(atom.span, f'`{text}` is no fingerprint: "sha256:" and {_SHA256_DIGITS} digits in hex')


_CONDITIONS = (
    ("subject", STRINGS, "RFC 4514 string of the whole name"),
    ("issuer", STRINGS, "RFC 4514 string of the whole name"),
    ("common-name", STRINGS, "CN of the subject"),
    ("organization", STRINGS, "O of the subject"),
    ("organizational-unit", STRINGS, "OU of the subject"),
    ("email", STRINGS, "e-mail address, of the alternative names or the subject"),
    ("dns-name", STRINGS, "DNS name among the alternative names"),
    ("serial", WordListType("serial number", _serial), "serial number in hex, with any separators"),
    ("fingerprint", WordListType("fingerprint", _fingerprint), "`sha256:hex`, separators are ignored"),
    ("valid-days", INTEGER, "at least so many days left"),
    ("key-usage", WordListType("key usage", _key_usage), f"any of these: {' '.join(KEY_USAGES)}"),
    (
        "ext-key-usage",
        WordListType("extended key usage", _ext_key_usage),
        f"any of these: {' '.join(EXT_KEY_USAGES)}, or numbers in quotes",
    ),
)


def _check(bound: Bound, report: Report) -> None:
    given = [keyword for keyword, _, _ in _CONDITIONS if keyword in bound.places]
    if "none" in bound.places and given:
        report.error(bound.place("none"), f"`none` and `{given[0]}` exclude each other")
    if "any" in bound.places and given:
        report.warning(bound.place("any"), f"`any` adds nothing to `{given[0]}`")
    if not bound.places and not bound.partial:
        text = f"`ssl-cert-match {bound.name}` says nothing: name a condition, `any;` or `none;`"
        report.error(bound.statement.keyword.span, text)


SSL_CERT_MATCH = Section(
    keyword="ssl-cert-match",
    help="conditions on a certificate; all that are present must hold, each by any of its values; a certificate that "
    "was not verified counts as none",
    page="ssl",
    named=True,
    repeatable=True,
    struct=CertMatch,
    exclusive=(("any", "none"),),
    check=_check,
    members=(
        *(Item(keyword=keyword, type=kind, help=text) for keyword, kind, text in _CONDITIONS),
        Item(keyword="any", type=KEY, help="some verified certificate"),
        Item(keyword="none", type=KEY, help="no certificate"),
    ),
)
