"""clamd's protocol: what is sent, and what each answer comes to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail.work import ERROR, FOUND, FREE, SKIPPED, Scan
from imap4fast.scan.clamd import MOST_FRAME, MOST_REPLY, Instream, ScanFile, Stats, Version
from tests.unit.scan.feeding import EICAR, answered, flooded, give_all, same_at_every_split, survives

MAIL = b"Subject: x\r\n\r\n" + EICAR
PATH = b"/var/comm dir/imap4fast-scan.00"


def frames(sent: bytes) -> tuple[bytes, int]:
    """The octets in frames, and the number of frames; the last must be the empty one."""
    octets, count = b"", 0
    while size := int.from_bytes(sent[:4], "big"):
        octets += sent[4 : 4 + size]
        sent = sent[4 + size :]
        count += 1
    assert sent == bytes(4)
    return octets, count


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_a_mail_goes_in_frames(piece: int) -> None:
    talk = Instream(len(MAIL))
    assert talk.begin() == [b"zIDSESSION\0zINSTREAM\0"]
    assert frames(give_all(talk, MAIL, piece))[0] == MAIL
    assert talk.wants == 0


def test_large_gifts_are_cut_into_frames() -> None:
    mail = bytes(2 * MOST_FRAME + 5)
    talk = Instream(len(mail))
    assert frames(give_all(talk, mail, len(mail))) == (mail, 3)


def test_an_empty_mail_is_one_empty_frame() -> None:
    talk = Instream(0)
    assert talk.begin() == [b"zIDSESSION\0zINSTREAM\0\0\0\0\0"]
    talk.receive(b"1: stream: OK\0")
    assert talk.result == Scan(FREE)


def test_later_turns_go_on_in_the_session() -> None:
    talk = Instream(len(MAIL), turn=4)
    assert talk.begin() == [b"zINSTREAM\0"]
    give_all(talk, MAIL)
    talk.receive(b"5: stream: OK\0")
    assert (talk.result, talk.reusable) == (Scan(FREE), True)


REPLIES = [
    (b"1: stream: OK\0", Scan(FREE), True),
    (b"1: stream: Eicar-Test-Signature FOUND\0", Scan(FOUND, "Eicar-Test-Signature"), True),
    (b"1: stream: Two Words: Three FOUND\0", Scan(FOUND, "Two Words: Three"), True),
    (b"1: stream:  FOUND\0", Scan(FOUND, "unnamed"), True),
    (b"1: stream: Heuristics.Limits.Exceeded.MaxScanSize FOUND\0", None, True),
    (b"1: stream: OK FOUND\0", Scan(FOUND, "OK"), True),
    (b"1: INSTREAM size limit exceeded. ERROR\0", Scan(SKIPPED, "larger than the engine takes"), False),
    (b"INSTREAM size limit exceeded. ERROR\0", Scan(SKIPPED, "larger than the engine takes"), False),
    (b"1: stream: Can't allocate memory ERROR\0", Scan(ERROR, "Can_t allocate memory ERROR"), False),
    (b"1: Can't write to temporary file ERROR\0", Scan(ERROR, "Can_t write to temporary file ERROR"), False),
]


@pytest.mark.parametrize(("reply", "scan", "reusable"), REPLIES)
def test_replies(reply: bytes, scan: Scan | None, reusable: bool) -> None:
    talk = same_at_every_split(lambda: Instream(len(MAIL)), MAIL, reply)
    # T-A03: what a limit stopped is not clean.
    assert talk.result == (scan or Scan(FOUND, "Heuristics.Limits.Exceeded.MaxScanSize"))
    assert (talk.nonsense, talk.cut, talk.reusable) == (None, None, reusable)


@pytest.mark.parametrize(
    "reply",
    [
        b"stream: OK\0",
        b"2: stream: OK\0",
        b"0: stream: OK\0",
        b"1: stream: ok\0",
        b"1: stream: OK \0",
        b"1: stream: OK\n\0",
        b"1: OK\0",
        b"1: \0",
        b"\0",
        b"1: fd[10]: OK\0",
        b"1: stream: X FOUND OK\0",
        b"UNKNOWN COMMAND\0",
        b"1: UNKNOWN COMMAND\0",
        b"* OK [CAPABILITY IMAP4rev1] ready\r\n\0",
        b"HTTP/1.1 200 OK\r\n\r\n\0",
        b"\xff\xfe\0",
        b"x" * (MOST_REPLY + 1),
    ],
)
def test_t_a04_nonsense_is_never_free(reply: bytes) -> None:
    talk = answered(Instream(len(MAIL)), MAIL, [reply])
    assert (talk.result, talk.cut, talk.reusable) == (None, None, False)
    assert talk.nonsense is not None


@pytest.mark.parametrize("given_octets", [0, 1, len(MAIL) - 1])
def test_t_a04_ok_for_a_part_of_the_mail_is_nonsense(given_octets: int) -> None:
    talk = Instream(len(MAIL))
    talk.begin()
    if given_octets:
        talk.give(MAIL[:given_octets])
    talk.receive(b"1: stream: OK\0")
    assert talk.result is None
    assert talk.nonsense == "stream: OK"
    assert talk.wants == 0


def test_what_was_found_before_the_end_was_found() -> None:
    talk = Instream(len(MAIL))
    talk.begin()
    talk.give(MAIL[:5])
    talk.receive(b"1: stream: Early FOUND\0")
    assert (talk.result, talk.reusable, talk.wants) == (Scan(FOUND, "Early"), False, 0)


@pytest.mark.parametrize("reply", [b"", b"1: stream: OK", b"1: stre", b"COMMAND READ TIMED OUT\0"])
def test_t_a04_a_connection_that_closes_gave_no_answer(reply: bytes) -> None:
    talk = answered(Instream(len(MAIL)), MAIL, [reply])
    talk.end()
    assert (talk.result, talk.nonsense) == (None, None)
    assert talk.cut


def test_octets_behind_the_answer_spoil_the_connection() -> None:
    for more in (b"\0", b"2: stream: X FOUND\0"):
        talk = same_at_every_split(lambda: Instream(len(MAIL)), MAIL, b"1: stream: OK\0" + more)
        assert (talk.result, talk.reusable) == (Scan(FREE), False)


@pytest.mark.parametrize(
    ("reply", "scan"),
    [
        (b"1: %s: OK\0", Scan(FREE)),
        (b"1: %s: Eicar FOUND\0", Scan(FOUND, "Eicar")),
        (b"1: %s: Access denied. ERROR\0", Scan(ERROR, "Access denied. ERROR")),
        (b"1: %s: File path check failure: No such file or directory. ERROR\0", None),
    ],
)
def test_files_by_their_path(reply: bytes, scan: Scan | None) -> None:
    talk = same_at_every_split(lambda: ScanFile(PATH), b"", reply % PATH)
    assert talk.result == (scan or Scan(ERROR, "File path check failure: No such file or directory. ERROR"))


@pytest.mark.parametrize("reply", [b"1: /other: OK\0", b"1: stream: OK\0", b"1: %s: \0" % PATH, b"1: %sx: OK\0" % PATH])
def test_an_answer_about_another_file_is_nonsense(reply: bytes) -> None:
    talk = answered(ScanFile(PATH), b"", [reply])
    assert talk.result is None
    assert talk.nonsense is not None


def test_the_command_names_the_path() -> None:
    assert ScanFile(PATH).begin() == [b"zIDSESSION\0zSCAN " + PATH + b"\0"]
    assert ScanFile(PATH, 3).begin() == [b"zSCAN " + PATH + b"\0"]


@pytest.mark.parametrize("path", [b"/a\0b", b"/a\nb"])
def test_t_a06_a_path_cannot_hold_another_command(path: bytes) -> None:
    with pytest.raises(ValueError, match="path"):
        ScanFile(path)


def test_version() -> None:
    talk = same_at_every_split(lambda: Version(0), b"", b"1: ClamAV 1.4.6/27000/Sun Nov 22 10:00:00 2026\0")
    assert (talk.result, talk.reusable) == ("ClamAV 1.4.6/27000/Sun Nov 22 10:00:00 2026", True)


@pytest.mark.parametrize("reply", [b"1: PONG\0", b"ClamAV 1\0", b"1: stream: OK\0", b"1: x ERROR\0", b"x ERROR\0"])
def test_no_version(reply: bytes) -> None:
    talk = answered(Version(0), b"", [reply])
    assert talk.result is None
    assert talk.nonsense is not None


STATS = (
    b"POOLS: 1\n\nSTATE: VALID PRIMARY\nTHREADS: live 1  idle 0 max 10 idle-timeout 30\nQUEUE: 0 items\n\t"
    b"STATS 0.000005 \n\nMEMSTATS: heap N/A mmap N/A used N/A free N/A releasable N/A pools %d pools_used 5.882M "
    b"pools_total 5.964M\nEND"
)


@pytest.mark.parametrize(("pools", "told"), [(1, "5.882M"), (2, "")])
def test_stats_tell_signatures_apart_once_they_are_loaded(pools: int, told: str) -> None:
    assert same_at_every_split(lambda: Stats(0), b"", b"1: " + STATS % pools + b"\0").result == told


@pytest.mark.parametrize("reply", [b"1: COMMAND UNAVAILABLE\0", b"COMMAND UNAVAILABLE\0", b"1: \0"])
def test_no_stats(reply: bytes) -> None:
    assert answered(Stats(0), b"", [reply]).nonsense is not None


def test_an_endless_answer_is_not_kept() -> None:
    talk = flooded(Instream(0), b"1: stream: ", b"x" * 65536)
    assert talk.nonsense is not None


PIECES = st.binary(max_size=30) | st.sampled_from([b"1: ", b"stream: ", b"OK", b" FOUND", b" ERROR", b"\0", PATH])


@given(st.lists(PIECES, max_size=20), st.integers(0, 5))
def test_any_answer(pieces: list[bytes], give_after: int) -> None:
    talk = survives(lambda: Instream(40), bytes(40), pieces, give_after)
    if talk.result is not None and talk.result.status == FREE:
        assert b"".join(pieces).startswith(b"1: stream: OK\0")
        assert give_after == 0 or b"".join(pieces[:give_after]) in b"1: stream: OK\0"
    survives(lambda: ScanFile(PATH), b"", pieces, 0)
    survives(lambda: Version(0), b"", pieces, 0)
    survives(lambda: Stats(0), b"", pieces, 0)
