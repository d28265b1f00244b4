"""The compiled command-acl: which command passes, which is asked, which capability is shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import imap4fast._wire as wire
from imap4fast.config.settings import CommandAcl
from imap4fast.config.values import WordMember
from imap4fast.policy import gate
from imap4fast.policy.gate import Powers
from tests.play.stage import accepting, words

LOGINS = {b"LOGIN", b"AUTHENTICATE", b"ENABLE", b"ID"}
CHANGES = {
    b"CREATE", b"DELETE", b"RENAME", b"SUBSCRIBE", b"UNSUBSCRIBE", b"APPEND", b"STORE", b"COPY", b"MOVE", b"EXPUNGE",
    b"REPLACE", b"UID-STORE", b"UID-COPY", b"UID-MOVE", b"UID-EXPUNGE", b"UID-REPLACE", b"SETACL", b"DELETEACL",
    b"SETQUOTA", b"SETMETADATA",
}  # fmt: skip


def scanning(**items: Any) -> CommandAcl:
    return CommandAcl("SCANNING", True, **items)


def actions(acl: CommandAcl) -> dict[int, set[bytes]]:
    """action: names"""
    compiled = Powers(acl).gate
    found: dict[int, set[bytes]] = {wire.PASS: set(), wire.ASK: set(), wire.DENY: set()}
    for code, name in enumerate(wire.COMMANDS):
        found[compiled.action(code)].add(name)
    return found


class TestCommands:
    def test_default(self) -> None:
        """configuration.md section 4: all but these; STARTTLS is the proxy's own."""
        found = actions(accepting())
        assert found[wire.DENY] == {b"COMPRESS", b"UNAUTHENTICATE", b"PROXYAUTH", b"UNKNOWN", b"STARTTLS"}
        assert found[wire.ASK] == LOGINS

    def test_everything(self) -> None:
        """COMPRESS is never forwarded in either mode."""
        assert actions(accepting(commands=words("*")))[wire.DENY] == {b"COMPRESS", b"STARTTLS"}

    def test_nothing(self) -> None:
        assert actions(accepting(commands=words("!*")))[wire.DENY] == set(wire.COMMANDS)

    def test_a_list(self) -> None:
        found = actions(accepting(commands=words("LOGIN", "NOOP", "UID-FETCH")))
        assert (found[wire.ASK], found[wire.PASS]) == ({b"LOGIN"}, {b"NOOP", b"UID-FETCH"})

    def test_the_first_that_fits(self) -> None:
        found = actions(accepting(commands=words("!UID-FETCH", "*")))
        assert b"UID-FETCH" in found[wire.DENY]
        assert b"FETCH" in found[wire.PASS]

    def test_unknown(self) -> None:
        assert b"UNKNOWN" in actions(accepting(commands=words("UNKNOWN", "NOOP")))[wire.PASS]
        assert b"UNKNOWN" in actions(accepting(commands=words("!UNKNOWN", "*")))[wire.DENY]

    def test_read_only(self) -> None:
        found = actions(accepting(read_only=True))
        assert found[wire.DENY] >= CHANGES
        assert found[wire.ASK] == LOGINS | {b"SELECT"}
        assert {b"EXAMINE", b"FETCH", b"SEARCH"} <= found[wire.PASS]

    def test_names_exist(self) -> None:
        known = set(wire.COMMANDS)
        assert known >= gate.CHANGING == CHANGES
        assert known >= gate.ASKED | gate.NOT_BY_DEFAULT | gate.NEVER_FORWARDED


class TestScanning:
    """What passes where mails are processed (configuration.md section 4, protocol.md 1.6)."""

    def test_commands(self) -> None:
        found = actions(scanning())
        assert found[wire.DENY] >= gate.NEVER_SCANNED | {
            b"GETMETADATA",
            b"SETACL",
            b"ESEARCH",
            b"LANGUAGE",
            b"STARTTLS",
        }
        assert found[wire.DENY] == set(wire.COMMANDS) - gate.SCANNED | {b"STARTTLS"}
        assert set(wire.COMMANDS) >= gate.SCANNED | gate.NEVER_SCANNED

    def test_no_list_permits_what_carries_content_past_the_proxy(self) -> None:
        found = actions(scanning(commands=words("*")))
        assert found[wire.DENY] == gate.NEVER_SCANNED | {b"STARTTLS"}
        assert b"GETMETADATA" in found[wire.PASS]

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            (b"IMAP4REV1", True), (b"MULTIAPPEND", True), (b"BINARY", True), (b"PREVIEW", True), (b"REPLACE", True),
            (b"AUTH=PLAIN", True), (b"AUTH=NTLM", False), (b"THREAD=REFS", True), (b"QUOTA=RES-STORAGE", True),
            (b"CATENATE", False), (b"URLAUTH", False), (b"URLAUTH=BINARY", False), (b"CONTEXT=SEARCH", False),
            (b"IMAP4REV2", False), (b"UIDONLY", False), (b"METADATA", False), (b"NOTIFY", False), (b"X-NEW", False),
            (b"ANNOTATE-EXPERIMENT-1", False), (b"COMPRESS=DEFLATE", False), (b"SNIPPET=FUZZY", False),
        ],
    )  # fmt: skip
    def test_capabilities(self, name: bytes, shown: bool) -> None:
        assert Powers(scanning()).offers(name) is shown

    def test_listed_capabilities(self) -> None:
        powers = Powers(scanning(commands=words("*"), capabilities=words("*", "UNKNOWN")))
        assert powers.offers(b"METADATA")
        assert not powers.offers(b"CATENATE")
        assert not powers.offers(b"X-NEW")
        assert not powers.unknown_capabilities
        assert not powers.code_passes(b"X-NEW", True)

    def test_who_scans(self) -> None:
        assert Powers(scanning()).scanning
        assert not Powers(accepting()).scanning
        assert not gate.scans(CommandAcl("C", False))


class TestWordLists:
    def test_sublists(self) -> None:
        """A name that is excluded inside a negated sublist is not thereby included."""
        inner = (WordMember("IDLE", negate=True), WordMember(None))
        listing = (WordMember(None, negate=True, sublist=inner), WordMember("NOOP"))
        assert not gate.listed(listing, "NOOP")
        assert not gate.listed(listing, "IDLE")

    @pytest.mark.parametrize(
        ("pattern", "name", "fits"),
        [
            ("AUTH=*", "AUTH=PLAIN", True), ("auth=plain", "AUTH=PLAIN", True), ("AUTH=PLAIN", "AUTH=PLAINX", False),
            ("AUTH=*", "XAUTH=PLAIN", False), ("IDLE", "IDLE", True),
        ],
    )  # fmt: skip
    def test_words(self, pattern: str, name: str, fits: bool) -> None:
        assert gate.listed((WordMember(pattern),), name) is fits

    def test_a_family_may_be_named_without_its_star(self) -> None:
        """As config.words.word_covers has it, so that an exclusion of `AUTH=` excludes."""
        powers = Powers(accepting(capabilities=words("!AUTH=", "*")))
        assert not powers.mechanism(b"PLAIN")

    def test_unknown_is_a_word_in_any_case(self) -> None:
        powers = Powers(accepting(capabilities=words("!unknown", "*")))
        assert not powers.offers(b"XNEVERHEARDOF")
        assert not powers.unknown_capabilities

    def test_unknown_stands_for_what_is_not_known(self) -> None:
        assert gate.listed(words("UNKNOWN"), "XNEW", known=False)
        assert not gate.listed(words("UNKNOWN"), "IDLE", known=True)
        assert not gate.listed(words("!UNKNOWN", "*"), "XNEW", known=False)


class TestCapabilities:
    @pytest.mark.parametrize("name", [b"IDLE", b"MOVE", b"IMAP4REV1", b"AUTH=PLAIN", b"X-GM-EXT-1", b"THREAD=REFS"])
    def test_offered_by_default(self, name: bytes) -> None:
        assert Powers(accepting()).offers(name)

    @pytest.mark.parametrize(
        "name",
        [
            b"STARTTLS", b"LOGINDISABLED", b"LITERAL-", b"COMPRESS=DEFLATE", b"COMPRESS=ZSTD", b"XNEW",
            b"LOGIN-REFERRALS", b"MAILBOX-REFERRALS", b"AUTH=GSSAPI", b"AUTH=SCRAM-SHA-1-PLUS", b"AUTH=EXTERNAL",
            b"UNAUTHENTICATE", b"X-UNAUTHENTICATE", b"AUTH=ATOKEN", b"AUTH=",
        ],
    )  # fmt: skip
    def test_not_offered_by_default(self, name: bytes) -> None:
        assert not Powers(accepting()).offers(name)

    @pytest.mark.parametrize(
        "name", [b"STARTTLS", b"LOGINDISABLED", b"COMPRESS=DEFLATE", b"AUTH=GSSAPI", b"AUTH=SCRAM-SHA-1-PLUS"]
    )
    def test_never_offered(self, name: bytes) -> None:
        assert not Powers(accepting(capabilities=words("*", "UNKNOWN"))).offers(name)

    def test_a_list(self) -> None:
        powers = Powers(accepting(capabilities=words("IDLE", "!AUTH=LOGIN", "AUTH=*")))
        assert [name for name in (b"IDLE", b"MOVE", b"AUTH=PLAIN", b"AUTH=LOGIN") if powers.offers(name)] == [
            b"IDLE",
            b"AUTH=PLAIN",
        ]

    def test_imap4rev1_cannot_be_taken_away(self) -> None:
        """Without it no client begins."""
        assert Powers(accepting(capabilities=words("!*"))).offers(b"IMAP4REV1")

    def test_a_refused_command(self) -> None:
        powers = Powers(accepting(commands=words("!THREAD", "!GETQUOTA", "*")))
        assert not powers.offers(b"THREAD=REFERENCES")
        assert not powers.offers(b"QUOTA")
        assert powers.offers(b"IDLE")

    def test_mechanisms(self) -> None:
        powers = Powers(accepting(capabilities=words("!AUTH=PLAIN", "AUTH=*")))
        assert powers.mechanism(b"LOGIN")
        assert not powers.mechanism(b"PLAIN")
        assert not powers.mechanism(b"EXTERNAL")
        assert Powers(accepting(sasl_external=True)).mechanism(b"EXTERNAL")

    def test_rewriting_keeps_order_and_spelling(self) -> None:
        powers = Powers(accepting())
        assert powers.rewrite(b"IMAP4rev1 idle STARTTLS Move idle", False) == (
            b"IMAP4rev1", b"idle", b"Move", b"SASL-IR", b"LITERAL+",
        )  # fmt: skip
        assert powers.rewrite(b"SASL-IR LITERAL+ IDLE", True) == (b"SASL-IR", b"LITERAL+", b"IDLE")
        assert powers.rewrite(b"IDLE", True) == (b"IDLE", b"LITERAL+")

    def test_own_names_can_be_taken_away(self) -> None:
        powers = Powers(accepting(capabilities=words("IDLE")))
        assert powers.rewrite(b"IMAP4rev1 IDLE LITERAL+ SASL-IR", False) == (b"IMAP4rev1", b"IDLE")

    @pytest.mark.parametrize(
        ("offered", "shown"),
        [(b"APPENDLIMIT=9", b"APPENDLIMIT=5"), (b"APPENDLIMIT=3", b"APPENDLIMIT=3"), (b"APPENDLIMIT", b"APPENDLIMIT=5"),
         (b"APPENDLIMIT=x", b"APPENDLIMIT=5"), (b"APPENDLIMIT=" + b"1" * 5000, b"APPENDLIMIT=5")],
    )  # fmt: skip
    def test_appendlimit(self, offered: bytes, shown: bytes) -> None:
        powers = Powers(accepting(max_mail_out=5))
        assert powers.rewrite(offered, True) == (shown, b"LITERAL+")
        assert b"APPENDLIMIT=" + powers.append_limit(offered.partition(b"=")[2]) == shown

    @pytest.mark.parametrize("offered", [b"APPENDLIMIT", b"APPENDLIMIT=9"])
    def test_appendlimit_without_a_limit(self, offered: bytes) -> None:
        powers = Powers(accepting())
        assert powers.rewrite(offered, True) == (offered, b"LITERAL+")
        assert powers.append_limit(b"9") == b"9"

    @given(st.lists(st.sampled_from(["IMAP4rev1", "STARTTLS", "COMPRESS=X", "IDLE", "XNEW", "AUTH=PLAIN", "LITERAL-"])))
    def test_rewriting_never_shows_what_is_not_offered(self, names: list[str]) -> None:
        shown = _POWERS.rewrite(" ".join(names).encode(), False)
        assert set(shown) <= {b"IMAP4rev1", b"IDLE", b"AUTH=PLAIN", b"SASL-IR", b"LITERAL+"}
        assert len(shown) == len(set(shown))

    def test_what_is_remembered_is_bounded(self) -> None:
        powers = Powers(accepting())
        for number in range(1500):
            powers.rewrite(b"IDLE X%d" % number, True)
        powers.rewrite(b"IDLE " + b"Y" * 100_000, True)
        assert len(powers._cache) <= 100
        assert len(powers._offered) <= 1000
        assert max(map(len, powers._offered)) <= 100


class TestCodes:
    def test_before_login(self) -> None:
        powers = Powers(accepting())
        assert not powers.code_passes(b"ALERT", False)
        assert powers.code_passes(b"ALERT", True)
        assert powers.code_passes(b"UNAVAILABLE", False)

    def test_unknown_ones(self) -> None:
        assert not Powers(accepting()).code_passes(b"XNEW", True)
        powers = Powers(accepting(capabilities=words("UNKNOWN")))
        assert powers.code_passes(b"XNEW", True)
        assert not powers.code_passes(b"REFERRAL", True)


_POWERS = Powers(accepting())


@pytest.mark.parametrize("login", [True, False])
def test_before_a_server(login: bool) -> None:
    """Nothing passes. Without `login` no literal of one is asked for."""
    compiled = gate.powers_before_server(login=login).gate
    asked = {name for code, name in enumerate(wire.COMMANDS) if compiled.action(code) == wire.ASK}
    assert asked == gate.BEFORE_SERVER - (frozenset() if login else gate.LOGINS)
    assert not any(compiled.action(code) == wire.PASS for code in range(len(wire.COMMANDS)))
