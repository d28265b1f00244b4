"""Tests of the core once more, with TLS at once on both legs. What the tap and the scripted server keep is plain.

The dumps of level full show plain octets by the same rule; rows that TLS does not change hold inside of it too.
"""

# ruff: noqa: F401 (pytest collects what is imported)

from __future__ import annotations

import pytest

from tests.e2e.legs import LegLab, Over
from tests.e2e.test_dump import (
    test_a_client_that_logs_in_once_more,
    test_a_server_that_repeats_what_it_heard,
    test_limits,
    test_the_level_is_that_of_the_beginning,
    test_what_flows_is_shown_after_login,
)
from tests.e2e.test_log import (
    test_client_that_vanished,
    test_event_counts_bytes_of_both_sides,
    test_fault_line,
    test_json,
    test_lines_of_a_session,
    test_number_of_commands,
    test_order_of_lines,
)
from tests.e2e.test_rows_framing import (
    test_T_F01_bare_lf,
    test_T_F05_unknown_command_with_literal,
    test_T_F07_client_does_not_wait,
    test_T_F08_server_refuses_before_plus,
    test_T_F09_append_waits_for_plus,
    test_T_F15_long_line,
    test_T_F15_megabyte_without_end,
)
from tests.e2e.test_rows_grammar import (
    test_T_F26_append_tail,
    test_T_F30_pipelining_across_states,
    test_T_F33_opaque_append,
)
from tests.e2e.test_rows_limits import (
    test_T_L02_huge_before_login,
    test_T_L04_drip_in_a_literal,
    test_T_L04_silence_in_a_literal,
    test_T_L05_slow_line_before_login,
    test_T_L06_slow_reader,
    test_T_L10_mail_above_the_limit_is_eaten,
    test_T_L11_queue_is_bounded,
    test_T_L16_bad_commands_before_login,
)
from tests.e2e.test_rows_server import (
    test_T_R04_literal_beyond_the_limit,
    test_T_R05_literal_too_short,
    test_T_R11_long_line,
    test_T_R12_bare_lf,
    test_T_R14_forged_capability,
    test_T_R16_endless_bye,
    test_T_R23_client_segmentation,
    test_T_R23_segmentation,
)
from tests.e2e.test_rows_session import (
    test_T_P01_arguments_before_login,
    test_T_P02_sasl,
    test_T_S04_data_before_login,
    test_T_S04_data_during_login,
    test_T_S07_answered_twice,
    test_T_S07_predicted_tag,
    test_T_S08_referral_at_login,
    test_T_S08_referral_in_greeting,
    test_T_S11_starttls_after_login,
    test_T_S11_starttls_before_login,
    test_T_S12_line_after_a_refusal,
    test_T_S12_line_that_is_no_base64,
    test_T_S13_endless_challenge,
    test_T_S13_endless_rounds,
    test_T_S14_http,
    test_T_S15_security_layer,
    test_T_S16_id_spoof,
    test_T_S16_nothing_else_in_id,
)
from tests.e2e.test_transfer import (
    test_append,
    test_append_literal8,
    test_append_refused_by_the_server,
    test_append_ten_megabytes,
    test_canonical_form_is_all_that_the_server_sees,
    test_fetch_binary,
    test_fetch_list,
    test_fetch_ten_megabytes,
    test_id,
    test_idle_updates,
    test_idle_with_done_in_one_segment,
    test_logout,
    test_logout_before_login,
    test_multiappend,
)


@pytest.fixture
def lab(over: Over) -> LegLab:
    """In place of the one without TLS."""
    return over("session", "session")
