"""Turns of client and server: what depends on when an answer comes (architecture.md section 6)."""

from __future__ import annotations

import pytest

from imap4fast._wire import AUTHENTICATED, SELECTED
from tests.wire.play import ANSWER, Play, gate
from tests.wire.server import Script

PASS, DROP, REPLACE, CLOSE = (ANSWER[name] for name in ("PASS", "DROP", "REPLACE", "CLOSE"))


def test_a_gathered_command_is_asked_though_an_answer_came_between_its_lines() -> None:
    play = Play(state="not")
    play.client(b"b NOOP\r\na LOGIN {1}\r\n")
    play.says(b"b OK done\r\n")
    play.client(b"x y\r\n")
    assert ("COMMAND", b"LOGIN", b"a", b"a LOGIN {1}\r\nx y\r\n") in play.events
    play.says(b"+ OK\r\n")
    play.says(b"a OK done\r\n")
    assert "COMPLETED" in play.questions
    assert play.relay.state == AUTHENTICATED


def test_a_gathered_select_changes_the_state_though_an_answer_came_between() -> None:
    play = Play(state="auth")
    play.client(b"b NOOP\r\na SELECT {5}\r\n")
    play.says(b"b OK done\r\n")
    play.client(b"INBOX\r\nc FETCH 1 FLAGS\r\n")
    play.says(b"+ OK\r\n")
    play.says(b"a OK done\r\n")
    assert play.relay.state == SELECTED
    assert play.sent.endswith(b"c FETCH 1 FLAGS\r\n")


def test_the_answer_of_an_upload_does_not_end_the_hold_of_idle() -> None:
    play = Play()
    play.client(b"a APPEND x {3}\r\n")
    play.says(b"+ OK\r\n")
    play.client(b"abc\r\nb IDLE\r\n")
    play.says(b"a OK done\r\n")
    play.client(b"c NOOP\r\n")
    assert play.sent == b"a APPEND x {3}\r\nabc\r\nb IDLE\r\n"
    play.says(b"+ idling\r\n")
    assert play.faults == ["EXPECTED_DONE"]


def test_the_answer_of_idle_does_not_end_the_hold_of_select() -> None:
    play = Play(state="auth")
    play.client(b"a IDLE\r\n")
    play.says(b"+ idling\r\n")
    play.client(b"DONE\r\nb SELECT x\r\nc FETCH 1 FLAGS\r\n")
    play.says(b"a OK done\r\n")
    assert play.questions == []
    play.says(b"b OK done\r\n")
    assert play.questions == []
    assert play.sent.endswith(b"c FETCH 1 FLAGS\r\n")


def test_idle_again_before_the_first_is_answered() -> None:
    play = Play()
    play.client(b"a IDLE\r\n")
    play.says(b"+ idling\r\n")
    play.client(b"DONE\r\nb IDLE\r\n")
    play.says(b"a OK done\r\n")
    play.says(b"+ idling\r\n")
    play.client(b"DONE\r\n")
    assert play.sent == b"a IDLE\r\nDONE\r\nb IDLE\r\nDONE\r\n"
    assert play.faults == []


@pytest.mark.parametrize("plus", [b"", b"+"])
def test_uploads_in_a_row(plus: bytes) -> None:
    play = Play()
    play.client(b"a APPEND x {3" + plus + b"}\r\n")
    play.says(b"+ OK\r\n")
    play.client(b"abc\r\nb APPEND x {5000" + plus + b"}\r\n")
    play.says(b"a OK done\r\n")
    play.says(b"+ OK\r\n")
    play.client(b"x" * 5000 + b"\r\nc NOOP\r\n")
    assert play.faults == []
    assert play.sent == b"a APPEND x {3}\r\nabc\r\nb APPEND x {5000}\r\n" + b"x" * 5000 + b"\r\nc NOOP\r\n"
    go_on = b"" if plus else b"+ OK\r\n"
    assert play.shown == go_on + b"a OK done\r\n" + go_on


def test_an_earlier_answer_sets_no_octets_of_an_upload_free() -> None:
    """The octets of b would be commands to the relay and a literal to the server."""
    play = Play(script=Script(forms=2))
    play.client(b"a APPEND x {1+}\r\nA\r\nb APPEND x {20}\r\n")
    play.says(b"+ OK\r\n")
    play.says(b"a OK done\r\n")
    play.client(b"c CREATE {24+}\r\naaaa\r\nz DELETE INBOX\r\nbb\r\n")
    play.read()
    assert [name for _, name in play.server.seen] == [b"APPEND", b"APPEND"]


def test_a_tagged_no_in_the_midst_of_an_upload_leaves_its_octets_octets() -> None:
    play = Play()
    play.client(b"a APPEND x {21+}\r\nabc")
    play.says(b"+ OK\r\n")
    play.says(b"a NO full\r\n")
    play.client(b"d\r\nb DELETE x\r\n123\r\nc NOOP\r\n")
    assert play.sent == b"a APPEND x {21}\r\nabcd\r\nb DELETE x\r\n123\r\nc NOOP\r\n"
    assert play.faults == []


ENDED_EARLY = {
    "in the octets": (b"ab", b"c"),
    "behind the octets": (b"abc", b""),
    "in the tail": (b"abc (", b""),
    "before the line's end": (b"abc\r", b""),
}


@pytest.mark.parametrize("answer", [b"NO full", b"BAD no", b"OK done"])
@pytest.mark.parametrize("upload", [b"a APPEND x {3%b}\r\n", b"a APPEND {1%b}\r\nx {3%b}\r\n"])
@pytest.mark.parametrize("plus", [b"", b"+"])
@pytest.mark.parametrize("where", ["in the octets", "behind the octets", "in the tail"])
def test_no_mail_behind_an_answer_in_the_midst_of_an_upload(
    where: str, plus: bytes, upload: bytes, answer: bytes
) -> None:
    """R3: the server waits for no octets any more; those announced would be commands to it."""
    before, rest = ENDED_EARLY[where]
    tail = b"\\Seen) " if where == "in the tail" else b" "
    play = begun(upload, plus)
    play.client(before)
    play.says(b"a " + answer + b"\r\n")
    sent = play.sent
    assert play.relay.pending_count == 0
    play.client(rest + tail + b"{16" + plus + b"}\r\n")
    play.client(b"b DELETE INBOX\r\n\r\nc NOOP\r\n")
    assert play.faults == ["BAD_TAIL"]
    assert play.relay.stopped
    assert play.sent == sent + rest


@pytest.mark.parametrize("upload", [b"a APPEND x {3%b}\r\n", b"a APPEND {1%b}\r\nx {3%b}\r\n"])
@pytest.mark.parametrize("plus", [b"", b"+"])
@pytest.mark.parametrize("where", ["in the octets", "behind the octets", "before the line's end"])
def test_an_upload_answered_in_its_midst_ends_as_it_began(where: str, plus: bytes, upload: bytes) -> None:
    """The server has still to read the octets that it asked for, and the end of the line."""
    before, rest = ENDED_EARLY[where]
    play = begun(upload, plus)
    head = play.sent
    play.client(before)
    play.says(b"a NO full\r\n")
    play.client(rest + (b"\n" if before.endswith(b"\r") else b"\r\n") + b"a NOOP\r\n")
    assert play.sent == head + b"abc\r\na NOOP\r\n"
    assert play.faults == []
    assert play.relay.pending_count == 1


def test_a_second_mail_refused_before_its_plus_is_eaten() -> None:
    """The announcement went on while the first mail's answer was under way."""
    play = begun(b"a APPEND x {3%b}\r\n", b"+")
    play.client(b"abc {16+}\r\nb DELETE INBOX\r\n\r\nc NOOP\r\n")
    play.says(b"a NO full\r\n")
    assert play.sent == b"a APPEND x {3}\r\nabc {16}\r\nc NOOP\r\n"
    assert play.faults == []


def begun(upload: bytes, plus: bytes) -> Play:
    """An upload whose announced octets the server has asked for."""
    play = Play()
    first, *more = upload.replace(b"%b", plus).splitlines(keepends=True)
    play.client(first)
    for line in more:
        play.client(line)
        play.says(b"+ OK\r\n")
    play.says(b"+ OK\r\n")
    return play


def test_an_answer_while_done_is_half_there() -> None:
    play = Play()
    play.client(b"a IDLE\r\n")
    play.says(b"+ idling\r\n")
    play.client(b"DO")
    play.says(b"a OK timed out\r\n")
    play.client(b"NE\r\n")
    assert play.faults == ["BAD_TAG"]
    assert play.sent == b"a IDLE\r\n"


def test_pending_is_capped_and_goes_on() -> None:
    play = Play(max_pending=4)
    play.client(b"".join(b"t%d NOOP\r\n" % n for n in range(9)))
    assert play.client_pipe.reading
    play.client(b"t9 NOOP\r\n")
    assert play.sent.count(b"\r\n") == 4
    assert not play.client_pipe.reading
    play.says(b"t2 OK x\r\n")
    assert play.sent.count(b"\r\n") == 5
    for n in (0, 1, 3, 4, 5, 6, 7, 8, 9):
        play.says(b"t%d OK x\r\n" % n)
    assert play.sent.count(b"\r\n") == 10
    assert play.client_pipe.reading
    assert play.relay.pending_count == 0


@pytest.mark.parametrize("upload", [b"t%d APPEND x {1+}\r\nA\r\n", b"t%d APPEND {1+}\r\nx {1+}\r\nA\r\n"])
def test_uploads_are_capped_as_well(upload: bytes) -> None:
    play = Play(max_pending=4)
    for n in range(40):
        play.client(upload % n)
        while play.sent.endswith(b"}\r\n"):
            play.says(b"+ OK\r\n")
    assert play.relay.pending_count == 4
    assert play.faults == []


def test_uploads_that_are_waited_for_are_capped() -> None:
    play = Play(max_pending=4)
    for n in range(40):
        play.client(b"t%d APPEND x {1}\r\n" % n)
        if b"t%d APPEND" % n not in play.sent:
            break
        play.says(b"+ OK\r\n")
        play.client(b"A\r\n")
    assert play.relay.pending_count <= 4


def test_client_waits_for_the_greeting() -> None:
    play = Play(greet=False)
    play.client(b"a NOOP\r\n")
    assert play.sent == b""
    play.says(b"* OK hi\r\n")
    assert play.sent == b"a NOOP\r\n"


def test_nothing_goes_on_after_a_framing_fault_whatever_the_answer() -> None:
    """R3: after it nobody can say where the next command begins."""
    for answer in (PASS, DROP, REPLACE):
        play = Play(answers={"CLIENT_FAULT": answer})
        play.client(b'a CREATE "x\rb"\r\nc NOOP\r\n')
        play.client(b"d NOOP\r\n")
        assert play.sent == b""


def test_octets_that_cannot_be_eaten_are_never_commands_whatever_the_answer() -> None:
    play = Play(answers={"CLIENT_FAULT": DROP})
    play.client(b"a CREATE {1048577+}\r\nb NOOP\r\n")
    assert play.sent == b""


@pytest.mark.parametrize("name", [b"APPEND", b"REPLACE", b"UID-REPLACE"])
def test_no_gate_asks_about_uploads(name: bytes) -> None:
    """A mail streams: there is no whole command to ask about."""
    with pytest.raises(ValueError, match="uploads"):
        gate(asked=(name,))


def test_replace_of_a_command() -> None:
    def answer(play: Play) -> int:
        play.relay.replacement = b"a EXAMINE x\r\n"
        return REPLACE

    play = Play(gate=gate(asked=(b"SELECT",)), answers={"COMMAND": answer}, state="auth")
    play.client(b"a SELECT x\r\nb NOOP\r\n")
    assert play.sent == b"a EXAMINE x\r\n"
    play.says(b"a OK x\r\n")
    assert play.relay.state == SELECTED
    assert play.sent == b"a EXAMINE x\r\nb NOOP\r\n"


def test_replace_of_a_gathered_command() -> None:
    def answer(play: Play) -> int:
        play.relay.replacement = b"a EXAMINE x\r\n"
        return REPLACE

    play = Play(gate=gate(asked=(b"SELECT",)), answers={"COMMAND": answer}, state="auth")
    play.client(b"a SELECT {1+}\r\nx\r\nb NOOP\r\n")
    assert play.sent == b"a EXAMINE x\r\n"
    play.says(b"a OK x\r\n")
    assert play.relay.state == SELECTED
    assert play.sent == b"a EXAMINE x\r\nb NOOP\r\n"


def test_replace_of_a_challenge() -> None:
    def answer(play: Play) -> int:
        play.relay.replacement = b"+ other\r\n"
        return REPLACE

    play = Play(state="not", answers={"CONTINUE": answer})
    play.client(b"a AUTHENTICATE X\r\n")
    play.says(b"+ secret\r\n")
    assert play.shown == b"+ other\r\n"


def test_replace_of_a_sasl_line() -> None:
    def answer(play: Play) -> int:
        play.relay.replacement = b"*\r\n"
        return REPLACE

    play = Play(state="not", answers={"SASL": answer})
    play.client(b"a AUTHENTICATE X\r\n")
    play.says(b"+ \r\n")
    play.client(b"not base64\r\nb NOOP\r\n")
    assert play.sent == b"a AUTHENTICATE X\r\n*\r\n"
    play.says(b"a BAD cancelled\r\n")
    assert play.sent == b"a AUTHENTICATE X\r\n*\r\nb NOOP\r\n"


def test_dropped_command_is_not_pending() -> None:
    play = Play(gate=gate(asked=(b"NOOP",)), answers={"COMMAND": DROP})
    play.client(b"a NOOP\r\n")
    assert play.relay.pending_count == 0
    play.says(b"a OK x\r\n")
    assert play.faults == ["UNKNOWN_TAG"]


def test_replace_and_drop_of_responses() -> None:
    def answer(play: Play) -> int:
        play.relay.replacement = b"* CAPABILITY IMAP4rev1\r\n"
        return REPLACE

    play = Play(answers={"CAPABILITY": answer, "STATUS": DROP})
    play.says(b"* 1 RECENT\r\n* CAPABILITY X\r\n* OK [XYZZY] x\r\n* 2 RECENT\r\n")
    assert play.shown == b"* 1 RECENT\r\n* CAPABILITY IMAP4rev1\r\n* 2 RECENT\r\n"


def test_reply_waits_for_the_end_of_a_unit() -> None:
    play = Play()
    play.says(b"* 1 FETCH (BODY[] {5}\r\nhe")
    assert not play.relay.between_units
    play.relay.reply(b"* OK own\r\n")
    play.client(b"bad\r\n")
    assert play.shown == b"* 1 FETCH (BODY[] {5}\r\nhe"
    play.says(b"llo)")
    play.says(b"\r\n* 1 RECENT\r\n")
    assert play.shown == b"* 1 FETCH (BODY[] {5}\r\nhello)\r\n* OK own\r\n* BAD syntax\r\n* 1 RECENT\r\n"
    assert play.relay.between_units


def test_reply_to_a_literal_waits_as_well() -> None:
    play = Play()
    play.says(b"* 1 FETCH (BODY[] {5}\r\nhe")
    play.client(b"a CREATE {5}\r\n")
    assert b"+" not in play.shown
    play.says(b"llo)\r\n")
    assert play.shown.endswith(b")\r\n+ OK\r\n")


def test_untouched_bytes_leave_as_the_object_that_came() -> None:
    play = Play()
    client, server = b"a NOOP\r\nb CHECK\r\n", b"* 1 RECENT\r\n* 1 FETCH (BODY[] {5}\r\nhel"
    play.client(client)
    play.says(server)
    assert play.server_pipe.written[0] is client
    assert play.client_pipe.written[0] is server


def test_a_session_that_raises_is_ended() -> None:
    def raises(play: Play) -> int:
        raise ValueError("mine")

    play = Play(answers={"CAPABILITY": raises})
    play.says(b"* CAPABILITY X\r\n* 1 EXISTS\r\n")
    assert play.relay.stopped
    assert len(play.errors) == 1
    assert play.shown == b""


class Hopeless(Play):
    """Cannot even end its session."""

    def broken(self, exc: BaseException) -> None:
        raise RuntimeError("its end") from exc


@pytest.mark.parametrize("before", [(), (b"a SELECT x\r\n",), (b"a SELECT x\r\n", b"a1 NOOP\r\n")])
def test_what_broke_off_a_chunk_of_the_client_ends_all(before: tuple[bytes, ...]) -> None:
    """In the chunk in hand, in one that waited, and in what waited behind it: no octet passes any more."""
    play = Hopeless(answers={"COMMAND": lambda play: 1 // 0})
    for data in before:
        play.client(data)
    broken = b"b NOOP\r\nc ENABLE X\r\n" + b"d NOOP\r\n" * 1000
    if before:
        play.client(broken)
        broken = b""
    with pytest.raises(RuntimeError):
        play.says(b"a OK x\r\n") if before else play.client(broken)
    sent, shown = play.sent, play.shown
    play.client(b"e NOOP\r\n" * 1000)
    play.says(b"* 1 EXISTS\r\n" * 1000)
    play.relay.resume()
    play.relay.stop()
    assert play.sent == sent == b"".join(before)
    assert play.shown == shown


def test_what_broke_off_a_chunk_of_the_server_ends_all() -> None:
    play = Hopeless(answers={"CAPABILITY": lambda play: 1 // 0})
    with pytest.raises(RuntimeError):
        play.says(b"* 1 EXISTS\r\n* CAPABILITY X\r\n* 2 EXISTS\r\n")
    play.client(b"e NOOP\r\n")
    play.says(b"* 3 EXISTS\r\n")
    play.relay.stop()
    assert (play.sent, play.shown) == (b"", b"")


@pytest.mark.parametrize("answer", [-1, 4, 99, "x"])
def test_an_answer_that_is_none_never_passes(answer: object) -> None:
    play = Play(answers={"STATUS": lambda _: answer, "COMMAND": lambda _: answer})  # type: ignore[dict-item, return-value]
    play.says(b"* OK [XYZZY] x\r\n")
    assert b"XYZZY" not in play.shown


def test_after_stop_nothing_moves() -> None:
    play = Play()
    play.client(b"a CREATE {10}\r\nabc")
    play.says(b"* 1 FETCH (BODY[] {5}\r\nhe")
    play.relay.stop()
    shown, sent = play.shown, play.sent
    play.client(b"b NOOP\r\n")
    play.says(b"llo)\r\n* 1 EXISTS\r\n")
    play.relay.resume()
    assert (play.shown, play.sent) == (shown, sent)


def test_answering_inside_a_question_with_stop() -> None:
    def stops(play: Play) -> int:
        play.relay.stop()
        return PASS

    for question, client, server in (
        ("COMMAND", b"a LOGIN {1+}\r\nx y\r\n", b""),
        ("COMMAND", b"a ID NIL\r\n", b""),
        ("CLIENT_FAULT", b"bad\r\n", b""),
        ("REFUSED", b"a DELETE {1+}\r\nx\r\n", b""),
        ("STATUS", b"", b"* OK x\r\n"),
        ("CAPABILITY", b"", b"* CAPABILITY x\r\n"),
        ("UNLISTED", b"", b"* XYZZY {3}\r\nabc\r\n"),
    ):
        for chunked in (False, True):
            play = Play(state="not", answers={question: stops})
            play.client(client, (lambda data: [data[i : i + 1] for i in range(len(data))]) if chunked else None)
            play.says(server, (lambda data: [data[i : i + 1] for i in range(len(data))]) if chunked else None)
            assert play.questions == [question]
            assert play.sent == b""
            assert play.shown in (b"", b"+ OK\r\n")


@pytest.mark.parametrize("forms", [0, 1, 2])
@pytest.mark.parametrize(
    "line",
    [
        b"LANGUAGE",
        b"UIDBATCHES",
        b"ESEARCH",
        b"CREATE x",
        b"COPY 1 x",
        b"UID MOVE 1 x",
        b"REPLACE 1 x",
        b'APPEND x "bad date"',
    ],
)
def test_no_server_is_sent_octets_that_a_rejecting_server_would_run(line: bytes, forms: int) -> None:
    """Measured with Dovecot: where it rejects a command before its `{n+}`, it runs the octets as commands."""
    play = Play(script=Script(forms=forms))
    play.client(b"a " + line + b" {21+}\r\nzz SUBSCRIBE SMUGGLED\r\n")
    play.settle()
    assert b"SUBSCRIBE" not in [name for _, name in play.server.seen]
