"""Oracle 2: with a policy that changes mails, the processed mail is put into a second Dovecot mailbox.

Every FETCH item through the proxy equals what Dovecot says of that copy. So sizes, structures, sections and ranges all
come from one processed mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.e2e.carriers import EICAR, traces
from tests.e2e.corpus import Sample, whole
from tests.e2e.dovecot import Dovecot
from tests.e2e.imapanswers import all_fetched
from tests.e2e.lab import PASSWORD, Proxies
from tests.e2e.mailproxy import CHANGED
from tests.e2e.oracle import MACROS, Comparison, Plan, fill, report, structures, sweep, unexplained
from tests.e2e.proxy import Config, Proxy
from tests.e2e.test_oracle_unchanged import EXPLAINED, NO_REFERENCE
from tests.e2e.wire import Wire


class Copies:
    """The mails through the proxy, and their processed form in a mailbox of Dovecot."""

    def __init__(self, dovecot: Dovecot, proxy: Proxy, samples: tuple[Sample, ...]) -> None:
        self.proxy = proxy
        self.samples = samples
        user = "processed"
        with dovecot.login(user) as direct:
            fill(direct, b"INBOX", samples)
        self.got = proxy.wire().greet()
        self.got.ok(b"LOGIN %s %s" % (user.encode(), PASSWORD))
        self.got.ok(b"EXAMINE INBOX")
        self.mails = self._processed()
        self.right = dovecot.login(user)
        self.right.ok(b"CREATE copies")
        copies = [Sample(sample.name, mail) for sample, mail in zip(samples, self.mails, strict=True)]
        fill(self.right, b"copies", copies)
        self.right.ok(b"EXAMINE copies")
        self.plans: list[Plan] = structures(self.right)
        self.names = {number: sample.name for number, sample in enumerate(samples, 1)}
        self.comparison = Comparison()

    def _processed(self) -> list[bytes]:
        answers = sweep(self.got, dict.fromkeys(range(1, len(self.samples) + 1), b"BODY.PEEK[]"), b"FETCH")
        mails = []
        for answer in answers.values():
            mail = answer.items.get("BODY[]")
            assert isinstance(mail, bytes), answer
            mails.append(mail)
        return mails

    def compare(self, wanted: dict[int, bytes], form: bytes = b"UID FETCH") -> None:
        self.comparison.add_all(self.names, sweep(self.right, wanted, form), sweep(self.got, wanted, form))
        left = unexplained(self.comparison.differences, EXPLAINED)
        self.comparison.differences.clear()
        assert not left, report(left)

    def decodable(self) -> list[Plan]:
        return [one for one in self.plans if one.binary and not NO_REFERENCE.fullmatch(self.names[one.uid])]

    def mail(self, name: str) -> bytes:
        """The processed form of a sample."""
        return next(mail for sample, mail in zip(self.samples, self.mails, strict=True) if sample.name == name)

    def close(self) -> None:
        self.right.close()
        self.got.close()


@pytest.fixture(scope="module")
def copies(dovecot: Dovecot, proxies: Proxies) -> Iterator[Copies]:
    proxy = proxies.get(Config(plug=(dovecot.address,), **CHANGED.config()))
    both = Copies(dovecot, proxy, whole())
    yield both
    both.close()
    proxy.check()


def _listed(items: tuple[bytes, ...]) -> bytes:
    return b"(" + b" ".join(items) + b")"


def test_processed_mails_are_canonical(copies: Copies) -> None:
    for sample, mail in zip(copies.samples, copies.mails, strict=True):
        assert mail, sample.name
        assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", mail), sample.name


def test_every_item(copies: Copies) -> None:
    copies.compare({one.uid: _listed(one.items) for one in copies.plans})


def test_every_item_by_number(copies: Copies) -> None:
    copies.compare({one.uid: _listed(one.items) for one in copies.plans[1::3]}, b"FETCH")


def test_decoded_parts(copies: Copies) -> None:
    wanted = {one.uid: one.binary for one in copies.decodable()}
    right = sweep(copies.right, {uid: _listed(items) for uid, items in wanted.items()})
    copies.compare({uid: _listed(wanted[uid]) for uid, answer in right.items() if answer.status == "OK"})


def test_macros(copies: Copies) -> None:
    copies.compare({one.uid: MACROS[one.uid % 3] for one in copies.plans}, b"FETCH")


def test_listing_in_one_command(copies: Copies) -> None:
    """As a client does at its first sync: all at once, which is the same as one by one."""
    items = b"(UID RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (From To Subject)])"
    told = [all_fetched(wire.ok(b"UID FETCH 1:* " + items, 120)) for wire in (copies.right, copies.got)]
    assert told[0] == told[1]


def test_the_policy_changed_what_it_says(copies: Copies) -> None:
    """Of each action at least one mail, so that the comparison above is of changed mails."""
    changed = [sample.name for sample, mail in zip(copies.samples, copies.mails, strict=True) if mail != sample.octets]
    assert len(changed) > 80, changed
    assert b"Subject: [SPAM] " in copies.mail("spam-gtube")
    words = [mail for mail in copies.mails if b"X-Read: by the proxy\r\n" in mail]
    assert words
    assert all(b"Subject: [WORDS] " in mail or b"[WORDS] plain words" in mail for mail in words)
    assert any(b"had " in mail for mail in copies.mails)
    assert len(copies.mail("edge-large-attachment")) < 10_000
    # The first mail-acl that fits decides, so of mails with both the header's words count.
    long_ones = [
        mail
        for sample, mail in zip(copies.samples, copies.mails, strict=True)
        if b"\nX-Long: x" in _header(sample.octets) and b"plain words" not in _header(sample.octets)
    ]
    assert long_ones
    assert not any(b"\nX-Long:" in _header(mail) for mail in long_ones)


def _header(mail: bytes) -> bytes:
    return mail.partition(b"\r\n\r\n")[0]


def test_no_virus_is_in_any(copies: Copies) -> None:
    found = {
        sample.name: traces(mail)
        for sample, mail in zip(copies.samples, copies.mails, strict=True)
        if EICAR in mail or traces(mail)
    }
    assert found == {}


def test_second_session_sees_the_same(copies: Copies, dovecot: Dovecot) -> None:
    """Another session, with other commands before: the same octets."""
    with Wire(copies.proxy.address).greet() as wire:
        wire.ok(b"LOGIN processed %s" % PASSWORD)
        wire.ok(b"SELECT INBOX")
        answers = sweep(wire, {one.uid: b"(BODY.PEEK[TEXT] BODY.PEEK[HEADER])" for one in reversed(copies.plans)})
    for uid, answer in answers.items():
        header, body = answer.items["BODY[HEADER]"], answer.items["BODY[TEXT]"]
        assert isinstance(header, bytes)
        assert isinstance(body, bytes)
        assert header + body == copies.mails[uid - 1], copies.names[uid]


def test_numbers(copies: Copies) -> None:
    assert len(copies.comparison.mails) == len(copies.samples) >= 500
    print(f"{len(copies.comparison.mails)} mails, {copies.comparison.compared} comparisons")
