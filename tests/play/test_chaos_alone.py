"""Both ends say anything in any order to a proxy that begins alone, with STARTTLS: see test_chaos."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imap4fast.log import imap as entries
from tests.play.stage import Stage
from tests.play.test_chaos import CLIENT, SERVER
from tests.play.test_starttls import session_acl

WORD = st.one_of(
    st.tuples(st.just(True), st.sampled_from(CLIENT)),
    st.tuples(st.just(False), st.sampled_from(SERVER)),
    st.tuples(st.booleans(), st.text('a* "(){}+[]\\0\r\n\x00', max_size=12)),
)
"""False: the server, once there is one."""


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.booleans(),
    st.sampled_from([6, 9]),
    st.lists(WORD, max_size=25),
    st.lists(st.sampled_from([1, 3, 1000]), min_size=1, max_size=4),
)
def test_anything(required: bool, level: int, talk: list[tuple[bool, str]], sizes: list[int]) -> None:
    """No rule of our own is broken, and no server sees what it must not."""
    stage = Stage(session=session_acl(required), unconnected=True, level=level)
    turn, connected = 0, False
    for by_client, line in talk:
        if stage.connecting and not connected and not stage.is_closed:
            connected = True
            stage.connected()
        if not by_client and not connected:
            continue
        said = line.translate({0x2400: 0, 0x240A: 10, 0x241B: 27}).encode() + b"\r\n"
        feed = stage.relay.client_data if by_client else stage.relay.server_data
        while said and not stage.tls_began:
            size, turn = sizes[turn % len(sizes)], turn + 1
            feed(said[:size])
            said = said[size:]
        stage.wait(1)
    sent = stage.server.taken()
    assert stage.logged(entries.INTERNAL_ERROR) == []
    assert stage.client.taken().count(b"* BYE") <= 1
    assert not (required and (sent or stage.connecting))
    assert b"STARTTLS" not in sent.upper()
    stage.session.shut_down()
    assert len(stage.logged(entries.SESSION_END)) == len(stage.logged(entries.PROXY_EVENT)) == 1
