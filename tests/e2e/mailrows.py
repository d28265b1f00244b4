"""What the tests of processed mail share: mailboxes with given mails, sessions on them, what a client may see."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.e2e.carriers import EICAR, HEAD, traces
from tests.e2e.corpus import Sample
from tests.e2e.imapanswers import Fetched, all_fetched
from tests.e2e.lab import PASSWORD, Lab
from tests.e2e.mailproxy import BLOCKING, Processing
from tests.e2e.mailserver import MailServer
from tests.e2e.oracle import fill
from tests.e2e.wire import Reply, Wire

SECRET = b"SECRET-OCTETS-THAT-NOBODY-MAY-SEE"


def stored(lab: Lab, mails: Sequence[bytes], mailbox: bytes = b"INBOX", user: str | None = None) -> str:
    """A user of Dovecot whose mailbox holds the mails."""
    user = user or lab.user()
    with lab.dovecot.login(user) as direct:
        if mailbox != b"INBOX":
            direct.command(b"CREATE " + mailbox)
        fill(direct, mailbox, [Sample(str(number), mail) for number, mail in enumerate(mails)])
    return user


def opened(lab: Lab, mails: Sequence[bytes], processing: Processing = BLOCKING, verb: bytes = b"SELECT") -> Wire:
    """A session through the proxy on a new mailbox of Dovecot with these mails."""
    wire = lab.login(stored(lab, mails), **processing.config())
    wire.wait_s = 20.0
    wire.ok(verb + b" INBOX")
    return wire


def entered(lab: Lab, user: str, processing: Processing, verb: bytes = b"EXAMINE") -> Wire:
    """A session of a user whose mailbox is there already."""
    wire = lab.login(user, **processing.config())
    wire.wait_s = 30.0
    wire.ok(verb + b" INBOX")
    return wire


def faced(lab: Lab, server: MailServer, processing: Processing = BLOCKING, user: bytes = b"joe") -> Wire:
    """A session through the proxy with the scripted server, a mailbox selected."""
    proxy = lab.before_fake(server, **processing.config())
    wire = lab.keep(proxy.wire()).greet()
    wire.wait_s = 20.0
    wire.ok(b"LOGIN %s %s" % (user, PASSWORD))
    wire.ok(b"SELECT INBOX")
    return wire


def seen(reply: Reply) -> bytes:
    """All that an answer showed."""
    return b"\r\n".join([*reply.untagged, reply.tagged])


def clean(reply: Reply) -> Reply:
    """The answer, after a look that nothing of the virus or of SECRET is in it."""
    data = seen(reply)
    assert not traces(data), data[:2000]
    assert SECRET not in data, data[:2000]
    return reply


def body(reply: Reply, name: str = "BODY[]") -> bytes:
    """The item of the only mail that was answered."""
    return mails_of(reply, name)[0].octets(name)


def mails_of(reply: Reply, name: str = "BODY[]") -> list[Fetched]:
    """Those FETCH responses that have the item."""
    return [one for one in all_fetched(reply) if name in one.items]


def whole(wire: Wire, number: int = 1) -> bytes:
    """The processed mail, after a look that its sections, ranges and size are of it and nothing else is shown.

    The pieces are asked for first, so that none of them profits from the whole.
    """
    sections = ("HEADER", "TEXT", "1", "2", "1.MIME", "1.1")
    items = b" ".join(b"BODY.PEEK[%s]" % name.encode() for name in sections)
    (pieces,) = all_fetched(wire.ok(b"FETCH %d (%s RFC822.SIZE)" % (number, items)))
    size = pieces.integer("RFC822.SIZE")
    ranges = range(0, size, max(1, size // 3))
    cuts = [wire.ok(b"FETCH %d BODY.PEEK[]<%d.%d>" % (number, at, ranges.step)) for at in ranges]
    mail = body(wire.ok(b"FETCH %d BODY.PEEK[]" % number))
    assert len(mail) == size
    assert b"".join(body(cut, f"BODY[]<{at}>") for at, cut in zip(ranges, cuts, strict=True)) == mail
    assert pieces.octets("BODY[HEADER]") + pieces.octets("BODY[TEXT]") == mail
    for name in sections:
        octets = pieces.items[f"BODY[{name}]"]
        assert octets is None or (isinstance(octets, bytes) and octets in mail), name
    return mail


def reason(mail: bytes) -> str:
    """Why a mail of the proxy's own stands in the place of another."""
    found = re.search(rb"X-Imap4fast-Replaced: mail; reason\*=utf-8''([a-z-]*)", mail)
    assert found, mail
    return found[1].decode()


def is_replacement(mail: bytes, original: bytes) -> bool:
    """A mail of the proxy's own: canonical, small, without the original's body."""
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", mail)
    header, blank, text = mail.partition(b"\r\n\r\n")
    return bool(blank and text) and b"X-Imap4fast-Replaced:" in header and mail != original and EICAR not in mail


def plain(text: bytes, subject: bytes = b"plain") -> bytes:
    """A mail of one line."""
    return HEAD + b"Subject: " + subject + b"\r\nContent-Type: text/plain\r\n\r\n" + text + b"\r\n"


def unavailable(reply: Reply) -> Reply:
    """NO [UNAVAILABLE], and no content."""
    assert reply.tagged.startswith(b"NO [UNAVAILABLE]"), reply
    assert not mails_of(reply)
    return reply
