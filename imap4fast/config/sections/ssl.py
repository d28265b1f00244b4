"""ssl(5): `ssl-params`, `ssl-cert-match`, `ssl-session-cache`."""

from __future__ import annotations

from imap4fast.config.composite import Seq
from imap4fast.config.schema import Item, Section
from imap4fast.config.types import DIRECTORY, DURATION, FILE, INTEGER, KEY, STR, YES_NO, words
from imap4fast.config.wordlist import STRINGS, WordListType

_VERSIONS = words("TLSv1", "TLSv1-1", "TLSv1-2", "TLSv1-3")
_KEY_USAGE = WordListType("key usage")

SSL_PARAMS = Section(
    keyword="ssl-params",
    help="TLS of a leg",
    page="ssl",
    named=True,
    repeatable=True,
    supported=False,
    members=(
        Item(
            keyword="certificate", type=FILE, default="none", help="PEM, a chain allowed; obligatory on the client leg"
        ),
        Item(keyword="private-key", type=FILE, default="none", help="PEM; obligatory on the client leg"),
        Item(keyword="key-passphrase", type=FILE, default="none", help="file with the passphrase of the key"),
        Item(
            keyword="sni",
            type=Seq(STR, FILE, FILE),
            repeatable=True,
            default="none",
            help="name, certificate and key for clients that ask for that name",
        ),
        Item(keyword="ca-file", type=FILE, default="the system's on the server leg", help="authorities"),
        Item(keyword="ca-dir", type=DIRECTORY, default="the system's on the server leg", help="authorities"),
        Item(keyword="crl", type=FILE, repeatable=True, default="none", help="revoked certificates"),
        Item(
            keyword="verify",
            type=words("none", "request", "require"),
            default="none on the client leg, require on the server leg",
            help="the certificate of the other end",
        ),
        Item(keyword="min-version", type=_VERSIONS, default="TLSv1-2", help="lowest version"),
        Item(keyword="max-version", type=_VERSIONS, default="TLSv1-3", help="highest version"),
        Item(keyword="ciphers", type=STR, default="Mozilla intermediate", help="ciphers up to TLS 1.2, as OpenSSL"),
        Item(keyword="ciphersuites", type=STR, default="Mozilla intermediate", help="ciphers of TLS 1.3, as OpenSSL"),
        Item(keyword="curves", type=STR, default="Mozilla intermediate", help="groups, as OpenSSL"),
        Item(keyword="weak-tls", type=YES_NO, default="no", help="permits TLS below 1.2 and weak ciphers to be named"),
        Item(keyword="session-tickets", type=YES_NO, default="yes", help="tickets, with keys shared by the workers"),
        Item(
            keyword="require-tls",
            type=YES_NO,
            default="no",
            help="client leg with STARTTLS: no LOGIN before it; server leg: no STARTTLS offered ends the session",
        ),
        Item(
            keyword="server-name",
            type=STR,
            default="plug-to's host as written; transparent: the client's SNI",
            help="server leg: name to send and to verify",
        ),
    ),
)

SSL_CERT_MATCH = Section(
    keyword="ssl-cert-match",
    help="conditions on a certificate; all that are present must hold, each by any of its values",
    page="ssl",
    named=True,
    repeatable=True,
    supported=False,
    exclusive=(("any", "none"),),
    members=(
        *(
            Item(keyword=keyword, type=STRINGS, default="none", help=text)
            for keyword, text in (
                ("subject", "RFC 4514 string"),
                ("issuer", "RFC 4514 string"),
                ("common-name", "CN of the subject"),
                ("organization", "O of the subject"),
                ("organizational-unit", "OU of the subject"),
                ("email", "e-mail address"),
                ("dns-name", "DNS name"),
                ("serial", "serial number in hex, with any separators"),
                ("fingerprint", "`sha256:hex`, separators are ignored"),
            )
        ),
        Item(keyword="valid-days", type=INTEGER, default="none", help="at least so many days left"),
        Item(keyword="key-usage", type=_KEY_USAGE, default="none", help="key usages"),
        Item(keyword="ext-key-usage", type=_KEY_USAGE, default="none", help="extended key usages"),
        Item(keyword="any", type=KEY, default="none", help="some verified certificate"),
        Item(keyword="none", type=KEY, default="none", help="no certificate"),
    ),
)

SSL_SESSION_CACHE = Section(
    keyword="ssl-session-cache",
    help="cache of TLS sessions",
    page="ssl",
    supported=False,
    members=(
        Item(keyword="capacity", type=INTEGER, default="20000", help="sessions kept"),
        Item(keyword="timeout", type=DURATION, default="300", help="longest life of a session"),
    ),
)
