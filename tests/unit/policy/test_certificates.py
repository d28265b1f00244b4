"""Every condition of ssl-cert-match, on certificates that fit, that do not, and that are none."""

from __future__ import annotations

import datetime
import hashlib
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.config.load import load_text
from imap4fast.config.settings import CertMatch
from imap4fast.policy.certificates import MOST_SHOWN, NO_CERTIFICATE, Presented, cert_test, explain
from imap4fast.policy.fit import CANNOT_TELL, DOES_NOT_FIT, FITS

from .certs import TODAY, certificate

SUBJECT = (("C", "CZ"), ("O", "Example, Inc."), ("OU", "Mail Staff"), ("OU", "Prague"), ("CN", "Jana Nov\u00e1"))
DER = certificate(
    *SUBJECT,
    ("E", "jana@old.example"),
    issuer=(("O", "Example"), ("CN", "Staff CA")),
    names=(x509.DNSName("jana.example.org"), x509.DNSName("*.pc.example.org"), x509.RFC822Name("Jana@example.org")),
    usage=("digital_signature", "key_agreement", "decipher_only", "content_commitment"),
    extended=("1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2"),
    serial=0x0A12B3,
    days=30,
)
FINGERPRINT = hashlib.sha256(DER).hexdigest()
JANA = Presented(DER, verified=True)
BARE = Presented(certificate(), verified=True)


def match(body: str) -> CertMatch:
    """The section as a configuration gives it."""
    text = f"""version IMAP4FAST-1; ssl-cert-match M {{ {body} }}
    imap4-proxy I {{
      listen-on {{ non-transparent [127.0.0.1] port 1143; }}
      command-acl C {{ accept; no-mail-scanning; client-cert-match M; }}
    }}"""
    found = load_text(text).settings.proxy.command_acls[0].client_cert_match
    assert found is not None
    return found


def judged(body: str, presented: Presented | None = JANA, today: Any = TODAY) -> bool:
    section = match(body)
    trace = explain(section, presented, today)
    fit = cert_test(section).fits(presented, today)
    assert trace.matched == (fit is FITS)
    assert trace.name == "M"
    return trace.matched


FITTING = [
    'subject "emailAddress=jana@old.example,CN=Jana Nov\u00e1,OU=Prague,OU=Mail Staff,O=Example\\\\, Inc.,C=CZ"',
    'subject "EMAILADDRESS=JANA@OLD.EXAMPLE, cn=jana nov\u00c1, OU=Prague,  OU=Mail Staff, O=Example\\\\, Inc., C=CZ"',
    "subject /CN=jana/",
    'issuer { "CN=Nobody", "CN=Staff CA,O=Example" }',
    "issuer /^CN=.* CA,O=Example$/",
    'common-name "jana nova\u0301"',
    "common-name { ! bob, * }",
    'organization "EXAMPLE, INC."',
    "organizational-unit prague",
    'organizational-unit { Sales, "Mail Staff" }',
    'email "jana@EXAMPLE.org"',
    'email "jana@old.example"',
    "email /@example\\.org$/",
    "dns-name JANA.example.org",
    'dns-name "*.pc.example.org"',
    'serial "0A:12:B3"',
    'serial "0x0a12b3"',
    'serial { "01", "00 00-0a.12 b3" }',
    f'fingerprint "sha256:{FINGERPRINT}"',
    f'fingerprint "SHA256:{":".join(FINGERPRINT[at : at + 2] for at in range(0, 64, 2)).upper()}"',
    "valid-days 30",
    "valid-days 0",
    "key-usage digitalSignature",
    "key-usage { keyCertSign, NONREPUDIATION }",
    "key-usage contentCommitment",
    "key-usage decipherOnly",
    "ext-key-usage CLIENTAUTH",
    'ext-key-usage { serverAuth, "1.3.6.1.4.1.311.20.2.2" }',
    'ext-key-usage "1.3.6.1.5.5.7.3.2"',
    "any",
    "common-name /jana/; organizational-unit Prague; valid-days 5; key-usage digitalSignature",
]
NOT_FITTING = [
    'subject "CN=Jana Nov\u00e1"',
    'subject "emailAddress=jana@old.example,CN=Jana Nov\u00e1,OU=Prague,OU=Mail Staff,O=Example, Inc.,C=CZ"',
    "subject /CN=bob/",
    'issuer "O=Example,CN=Staff CA"',
    "common-name jana",
    "common-name { ! /jana/, * }",
    "organization Example",
    "organizational-unit Sales",
    "organizational-unit { ! Prague, * }",
    'email "bob@example.org"',
    "dns-name pc.example.org",
    "dns-name x.pc.example.org",
    'serial "0A12"',
    'serial "0A12B300"',
    f'fingerprint "sha256:{"00" * 32}"',
    "valid-days 31",
    "key-usage keyCertSign",
    "key-usage encipherOnly",
    "key-usage { keyEncipherment, dataEncipherment, cRLSign }",
    "ext-key-usage serverAuth",
    "ext-key-usage anyExtendedKeyUsage",
    "none",
    "common-name /jana/; organizational-unit Sales",
]


def named(body: str) -> str:
    """A name that is the same on each run: the certificate is made anew for each."""
    return body.partition(" ")[0] + " of our own" if body.startswith("fingerprint") else body


@pytest.mark.parametrize("body", FITTING, ids=named)
def test_fits(body: str) -> None:
    assert judged(f"{body};")


@pytest.mark.parametrize("body", NOT_FITTING)
def test_does_not_fit(body: str) -> None:
    assert not judged(f"{body};")


POSITIVE = [body for body in FITTING if body != "none"]


@pytest.mark.parametrize("body", POSITIVE, ids=named)
def test_nothing_but_none_fits_what_is_not_there(body: str) -> None:
    assert not judged(f"{body};", None)
    assert not judged(f"{body};", Presented(DER, verified=False))
    assert not judged(f"{body};", Presented(b"\x30\x03\x02\x01\x05", verified=True))


@pytest.mark.parametrize(
    "body", [body for body in POSITIVE if body not in ("any", "valid-days 30", "valid-days 0")], ids=named
)
def test_a_certificate_that_says_nothing_fits_no_statement(body: str) -> None:
    assert not judged(f"{body};", BARE)


def test_none() -> None:
    assert judged("none;", None)
    assert judged("none;", Presented(DER, verified=False))
    assert not judged("none;", JANA)
    assert not judged("none;", Presented(b"", verified=True))


def test_exclusions_do_not_let_in_what_is_not_there() -> None:
    assert judged("common-name { ! bob, * };")
    assert not judged("common-name { ! bob, * };", Presented(DER, verified=False))
    assert not judged("common-name { ! bob, * };", BARE)


def test_days_by_local_time_and_without_a_time() -> None:
    assert judged("valid-days 29;", today=datetime.datetime(2025, 3, 4, 5, 6).astimezone().replace(tzinfo=None))
    assert not judged("valid-days 1;", today=TODAY + datetime.timedelta(days=29, hours=1))
    assert not judged("valid-days 4294967295;")
    section = match("valid-days 1;")
    assert cert_test(section).fits(JANA, None) is CANNOT_TELL
    trace = explain(section, JANA, None)
    assert (trace.matched, trace.conditions[0].fit, trace.seen) == (False, CANNOT_TELL, "unknown time")


def test_what_is_said() -> None:
    trace = explain(match('common-name /jana/; organizational-unit Sales; serial "01"; valid-days 99;'), JANA, TODAY)
    assert [(each.item, each.text, each.seen, each.fit) for each in trace.conditions] == [
        ("common-name", "common-name /jana/;", '"Jana Nov\u00e1"', FITS),
        ("organizational-unit", "organizational-unit Sales;", '"Mail Staff", Prague', DOES_NOT_FIT),
        ("serial", 'serial "01";', "a12b3", DOES_NOT_FIT),
        ("valid-days", "valid-days 99;", "30 days, until 2025-04-03 05:06 UTC", DOES_NOT_FIT),
    ]
    assert (trace.condition, trace.seen) == ("organizational-unit Sales;", '"Mail Staff", Prague')


@pytest.mark.parametrize(
    ("presented", "seen"),
    [
        (None, NO_CERTIFICATE),
        (Presented(certificate(("CN", "x")), verified=False), "a certificate that was not verified (CN=x)"),
        (Presented(b"junk", verified=True), "a certificate that cannot be read"),
        (Presented(b"junk", verified=False), "a certificate that was not verified (unreadable)"),
        (BARE, "none"),
    ],
)
def test_what_is_said_of_nothing(presented: Presented | None, seen: str) -> None:
    assert explain(match("dns-name x;"), presented, TODAY).seen == seen


def test_not_everything_is_shown() -> None:
    names = tuple(x509.DNSName(f"n{number}.example") for number in range(500))
    seen = explain(match("dns-name x;"), Presented(certificate(names=names), verified=True), TODAY).seen
    assert seen is not None
    assert seen.count(".example") == MOST_SHOWN
    assert seen.endswith(", ...")
    assert judged("dns-name n499.example;", Presented(certificate(names=names), verified=True))


def test_names_that_try_to_look_like_others() -> None:
    """Separators in a value are escaped in the string of the whole name."""
    liar = Presented(certificate(("CN", "x,OU=Mail Staff"), ("O", "a+CN=root")), verified=True)
    assert not judged('subject "O=a,CN=x,OU=Mail Staff";', liar)
    assert not judged('organizational-unit "Mail Staff";', liar)
    assert judged('subject "O=a\\\\+CN=root,CN=x\\\\,OU=Mail Staff";', liar)


def test_names_and_fingerprint() -> None:
    assert JANA.subject.startswith("emailAddress=jana@old.example,CN=")
    assert JANA.issuer == "CN=Staff CA,O=Example"
    assert JANA.fingerprint == f"sha256:{FINGERPRINT}"
    numbered = Presented(certificate(("SN", "7"), ("CN", "x")), verified=True)
    assert numbered.subject == "CN=x,serialNumber=7"
    junk = Presented(b"junk", verified=True)
    assert (junk.subject, junk.issuer, junk.values) == ("unreadable", "unreadable", None)


def test_an_odd_extension_makes_it_unreadable() -> None:
    """Twice the same extension: which one counts is anybody's guess."""
    good = certificate(("CN", "x"), usage=("digital_signature",), extended=("1.3.6.1.5.5.7.3.2",))
    twice = good.replace(bytes.fromhex("0603551d25"), bytes.fromhex("0603551d0f"))
    assert twice != good
    assert not judged("any;", Presented(twice, verified=True))
    assert judged("any;", Presented(good, verified=True))


@given(st.integers(0, len(DER) - 1), st.integers(0, 255), st.integers(0, 40))
def test_broken_certificates_never_raise(at: int, octet: int, lost: int) -> None:
    broken = DER[:at] + bytes((octet,)) + DER[at + 1 + lost :]
    presented = Presented(broken, verified=True)
    assert explain(match("none;"), presented, TODAY).matched is False
    explain(match("subject /x/; email x; key-usage digitalSignature; valid-days 3;"), presented, TODAY)
    assert isinstance(presented.subject, str)
