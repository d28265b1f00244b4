"""Tests of the core once more, with mail processing on: what it does not concern stays as it is in pass mode."""

# ruff: noqa: F401 (pytest collects what is imported)

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.dovecot import Dovecot
from tests.e2e.fakeserver import FakeServer
from tests.e2e.lab import Lab, Proxies
from tests.e2e.mailproxy import Processing
from tests.e2e.proxy import Proxy
from tests.e2e.saw import Saw
from tests.e2e.tap import Tap
from tests.e2e.test_rows_framing import (
    test_T_F01_bare_lf,
    test_T_F02_bare_cr,
    test_T_F03_nul_in_command,
    test_T_F04_nul_in_literal,
    test_T_F10_malformed_marker,
    test_T_F11_marker_then_lf,
    test_T_F14_tag_abuse,
    test_T_F15_long_line,
)
from tests.e2e.test_rows_grammar import (
    test_T_F17_illegal_set,
    test_T_F18_nested_parentheses,
    test_T_F24_idle_escape,
    test_T_F25_done_outside_idle,
    test_T_F29_8bit_name_before_enable,
    test_T_F30_pipelining_across_states,
)
from tests.e2e.test_rows_limits import (
    test_T_L01_huge_append,
    test_T_L03_many_literals_in_search,
    test_T_L05_slow_line_after_login,
    test_T_L10_mail_far_above_the_limit,
    test_T_L16_bad_commands,
)
from tests.e2e.test_rows_server import (
    test_T_R11_long_line,
    test_T_R12_bare_lf,
    test_T_R12_control_bytes,
    test_T_R12_cr_and_nul,
    test_T_R13_unexpected_plus,
    test_T_R14_forged_capability,
    test_T_R15_enabled_unasked,
    test_T_R16_endless_bye,
    test_T_R21_line_end_in_a_name,
)
from tests.e2e.test_rows_session import (
    test_T_C01_failed_select_leaves_none_selected,
    test_T_C07_change_of_user,
    test_T_S04_data_before_login,
    test_T_S07_answered_twice,
    test_T_S07_predicted_tag,
    test_T_S16_id_spoof,
)
from tests.e2e.test_transfer import test_id, test_idle_updates, test_logout


class ProcessingLab(Lab):
    """As Lab, with mail processed by the built-in engines."""

    def proxy(self, **config: object) -> Proxy:
        if "acls" not in config:
            words = {name: str(config.pop(name, "")) for name in ("command", "proxy", "session")}
            config = {**Processing(**words).config(), **config}
        return super().proxy(**config)


@pytest.fixture
def lab(dovecot: Dovecot, tap: Tap, fake: FakeServer, proxies: Proxies, saw: Saw) -> Iterator[Lab]:
    """In place of the one in pass mode."""
    bench = ProcessingLab(dovecot, tap, fake, proxies)
    yield bench
    saw.ends(bench)
    bench.close()
