"""Certificates that the other end of a leg presented, and the conditions of `ssl-cert-match` on them.

A certificate that was not verified counts as none: any statement in it could be anybody's. One that cannot be read
fits nothing. Texts are compared without case, as in configuration.md section 2.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import lru_cache

import msgspec
from cryptography import x509
from cryptography.x509.oid import NameOID

from imap4fast.config.sections.ssl_cert_match import EXT_KEY_USAGES, KEY_USAGES, SEPARATORS
from imap4fast.config.settings import CertMatch
from imap4fast.config.values import WordList
from imap4fast.policy.fit import CANNOT_TELL, DOES_NOT_FIT, FITS, Fit
from imap4fast.policy.syntax import word_list_text, word_text
from imap4fast.policy.trace import AclTrace, ConditionTrace, acl_trace
from imap4fast.policy.words import WordTest, without_case

MOST_SHOWN = 10
"""Values of a certificate that a trace shows."""

NO_CERTIFICATE = "no certificate"

_NAMES = {NameOID.EMAIL_ADDRESS: "emailAddress", NameOID.SERIAL_NUMBER: "serialNumber"}
"""What OpenSSL prints where `cryptography` prints numbers."""

_AFTER_COMMA = re.compile(r"(?<!\\)\s*,\s+(?=[A-Za-z0-9.]+=)")
_EXTENDED = {oid: name for name, oid in EXT_KEY_USAGES.items()}
_USAGE_FIELDS = {
    "digitalSignature": "digital_signature",
    "nonRepudiation": "content_commitment",
    "contentCommitment": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
}
_AGREEMENT_FIELDS = {"encipherOnly": "encipher_only", "decipherOnly": "decipher_only"}
"""These may be asked only of a key for agreement."""


class Values(msgspec.Struct, frozen=True):
    """What conditions look at. `serial` and `fingerprint` are in lower case hex; `until` is in UTC."""

    subject: str
    issuer: str
    common_name: tuple[str, ...]
    organization: tuple[str, ...]
    organizational_unit: tuple[str, ...]
    email: tuple[str, ...]
    dns_name: tuple[str, ...]
    serial: str
    fingerprint: str
    until: datetime.datetime
    key_usage: tuple[str, ...]
    ext_key_usage: tuple[str, ...]


class Presented:
    """One certificate as it came, in DER. `verified`: it leads to an authority that the leg trusts, and is in force.

    It is read when something is first asked of it.
    """

    __slots__ = ("_read", "_values", "der", "verified")

    def __init__(self, der: bytes, verified: bool) -> None:
        self.der = der
        self.verified = verified
        self._read = False
        self._values: Values | None = None

    @property
    def values(self) -> Values | None:
        """None: it cannot be read."""
        if not self._read:
            self._read = True
            self._values = _values_of(self.der)
        return self._values

    @property
    def subject(self) -> str:
        """The subject's name (RFC 4514), for logs."""
        return "unreadable" if self.values is None else self.values.subject

    @property
    def issuer(self) -> str:
        """The issuer's name (RFC 4514), for logs."""
        return "unreadable" if self.values is None else self.values.issuer

    @property
    def fingerprint(self) -> str:
        """`sha256:hex` of the whole, as item `fingerprint` takes it."""
        return f"sha256:{hashlib.sha256(self.der).hexdigest()}"


def explain(match: CertMatch, presented: Presented | None, today: datetime.datetime | None) -> AclTrace:
    """Judge a section `ssl-cert-match`: `matched`, each condition with what it saw, and the first that failed.

    `today` (local time where it has no zone) is for `valid-days`; without it that cannot be told.
    """
    return acl_trace(match.name, cert_test(match).explain(presented, today))


@lru_cache(maxsize=256)
def cert_test(match: CertMatch) -> CertTest:
    """The section compiled."""
    return CertTest(match)


class CertTest:
    """A compiled `ssl-cert-match`."""

    __slots__ = ("_conditions",)

    def __init__(self, match: CertMatch) -> None:
        self._conditions = tuple(_compile(match))

    def fits(self, presented: Presented | None, today: datetime.datetime | None) -> Fit:
        """As `explain`, the result alone."""
        for condition in self._conditions:
            fit = condition.judge(presented, today)[0]
            if fit is not FITS:
                return fit
        return FITS

    def explain(self, presented: Presented | None, today: datetime.datetime | None) -> tuple[ConditionTrace, ...]:
        """Each condition: how it stands in the configuration, what it saw, how it judged."""
        return tuple(condition.trace(presented, today) for condition in self._conditions)


class _CertCondition(ABC):
    """One condition. `text` is the item in configuration syntax."""

    __slots__ = ("item", "text")

    def __init__(self, item: str, text: str) -> None:
        self.item = item
        self.text = text

    @abstractmethod
    def judge(self, presented: Presented | None, today: datetime.datetime | None) -> tuple[Fit, str]:
        """Whether it fits, and the value that it saw."""

    def trace(self, presented: Presented | None, today: datetime.datetime | None) -> ConditionTrace:
        fit, seen = self.judge(presented, today)
        return ConditionTrace(self.item, self.text, seen, fit)


class _None(_CertCondition):
    __slots__ = ()

    def judge(self, presented: Presented | None, today: datetime.datetime | None) -> tuple[Fit, str]:
        if presented is None:
            return FITS, NO_CERTIFICATE
        if not presented.verified:
            return FITS, _not_verified(presented)
        return DOES_NOT_FIT, word_text(presented.subject)


class _OfVerified(_CertCondition):
    """A condition that only a verified certificate can fit, if it can be read."""

    __slots__ = ()

    def judge(self, presented: Presented | None, today: datetime.datetime | None) -> tuple[Fit, str]:
        if presented is None:
            return DOES_NOT_FIT, NO_CERTIFICATE
        if not presented.verified:
            return DOES_NOT_FIT, _not_verified(presented)
        if presented.values is None:
            return DOES_NOT_FIT, "a certificate that cannot be read"
        return self.judge_values(presented.values, today)

    @abstractmethod
    def judge_values(self, values: Values, today: datetime.datetime | None) -> tuple[Fit, str]:
        """As `judge`."""


class _Any(_OfVerified):
    __slots__ = ()

    def judge_values(self, values: Values, today: datetime.datetime | None) -> tuple[Fit, str]:
        return FITS, word_text(values.subject)


class _Days(_OfVerified):
    __slots__ = ("_least",)

    def __init__(self, days: int) -> None:
        super().__init__("valid-days", f"valid-days {days};")
        self._least = datetime.timedelta(days=min(days, datetime.timedelta.max.days))

    def judge_values(self, values: Values, today: datetime.datetime | None) -> tuple[Fit, str]:
        if today is None:
            return CANNOT_TELL, "unknown time"
        left = values.until - today.astimezone(datetime.UTC)
        seen = f"{left.days} days, until {values.until:%Y-%m-%d %H:%M} UTC"
        return (FITS if left >= self._least else DOES_NOT_FIT), seen


class _Texts(_OfVerified):
    """A condition by a list of words. `plain` gives the words of the configuration the form that values have."""

    __slots__ = ("_field", "_test")

    def __init__(self, item: str, members: WordList, plain: Callable[[str], str]) -> None:
        super().__init__(item, f"{item} {word_list_text(members)};")
        self._field = item.replace("-", "_")
        self._test = WordTest(without_case(_changed(members, plain)))

    def judge_values(self, values: Values, today: datetime.datetime | None) -> tuple[Fit, str]:
        found: str | tuple[str, ...] = getattr(values, self._field)
        words = (found,) if isinstance(found, str) else found
        fit = self._test.fits(tuple(word.casefold() for word in words))
        return fit, _shown(words)


def _shown(words: tuple[str, ...]) -> str:
    if not words:
        return "none"
    more = ", ..." if len(words) > MOST_SHOWN else ""
    return ", ".join(map(word_text, words[:MOST_SHOWN])) + more


def _not_verified(presented: Presented) -> str:
    return f"a certificate that was not verified ({word_text(presented.subject)})"


def _compile(match: CertMatch) -> Iterator[_CertCondition]:
    """The conditions that are given, in the order of the manual."""
    for item, plain in _PLAIN.items():
        members: WordList | None = getattr(match, item.replace("-", "_"))
        if members is not None:
            yield _Texts(item, members, plain)
    if match.valid_days is not None:
        yield _Days(match.valid_days)
    if match.any:
        yield _Any("any", "any;")
    if match.none:
        yield _None("none", "none;")


def _changed(members: WordList, plain: Callable[[str], str]) -> WordList:
    return tuple(
        msgspec.structs.replace(
            member,
            word=member.word if member.regex or member.word is None else plain(member.word),
            sublist=None if member.sublist is None else _changed(member.sublist, plain),
        )
        for member in members
    )


def _same(text: str) -> str:
    return text


def _plain_name(text: str) -> str:
    """RFC 4514 has no spaces after commas, people have."""
    return _AFTER_COMMA.sub(",", text)


def _plain_serial(text: str) -> str:
    return SEPARATORS.sub("", text).lower().removeprefix("0x").lstrip("0") or "0"


def _plain_fingerprint(text: str) -> str:
    return f"sha256:{SEPARATORS.sub('', text.partition(':')[2]).lower()}"


_PLAIN: dict[str, Callable[[str], str]] = {
    "subject": _plain_name,
    "issuer": _plain_name,
    "common-name": _same,
    "organization": _same,
    "organizational-unit": _same,
    "email": _same,
    "dns-name": _same,
    "serial": _plain_serial,
    "fingerprint": _plain_fingerprint,
    "key-usage": _same,
    "ext-key-usage": _same,
}
"""The items that are lists of words, in the order in which they are judged."""


def _values_of(der: bytes) -> Values | None:
    """None for whatever cannot be read: the other end made it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library's doubts about odd certificates are for nobody's eyes
            return _read(x509.load_der_x509_certificate(der), der)
    except Exception:
        return None


def _read(certificate: x509.Certificate, der: bytes) -> Values:
    subject = certificate.subject
    names = _names(certificate)
    return Values(
        subject=subject.rfc4514_string(_NAMES),
        issuer=certificate.issuer.rfc4514_string(_NAMES),
        common_name=_attributes(subject, NameOID.COMMON_NAME),
        organization=_attributes(subject, NameOID.ORGANIZATION_NAME),
        organizational_unit=_attributes(subject, NameOID.ORGANIZATIONAL_UNIT_NAME),
        email=_each_once(
            *names.get_values_for_type(x509.RFC822Name),
            *_attributes(subject, NameOID.EMAIL_ADDRESS),
        ),
        dns_name=tuple(names.get_values_for_type(x509.DNSName)),
        serial=f"{certificate.serial_number:x}",
        fingerprint=f"sha256:{hashlib.sha256(der).hexdigest()}",
        until=certificate.not_valid_after_utc,
        key_usage=_key_usages(certificate),
        ext_key_usage=_ext_key_usages(certificate),
    )


def _attributes(name: x509.Name, oid: x509.ObjectIdentifier) -> tuple[str, ...]:
    return tuple(value for one in name.get_attributes_for_oid(oid) if isinstance(value := one.value, str))


def _each_once(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _names(certificate: x509.Certificate) -> x509.GeneralNames:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.GeneralNames(())
    return x509.GeneralNames(found)


def _key_usages(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    fields = _USAGE_FIELDS | (_AGREEMENT_FIELDS if usage.key_agreement else {})
    return tuple(name for name in KEY_USAGES if name in fields and getattr(usage, fields[name]))


def _ext_key_usages(certificate: x509.Certificate) -> tuple[str, ...]:
    """Each under its name and its number."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    numbers = [oid.dotted_string for oid in usage]
    return _each_once(*(_EXTENDED[number] for number in numbers if number in _EXTENDED), *numbers)
