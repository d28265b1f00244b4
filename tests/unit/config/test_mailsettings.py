"""What of the settings of mail processing is no plain shape: the two directions differ in one default."""

from __future__ import annotations

from imap4fast.config.mailsettings import Processing, Upload


def test_a_denied_mail_is_replaced_on_its_way_in_and_refused_on_its_way_out() -> None:
    assert Processing().on_deny == "replace"
    assert Upload().on_deny == "error"
    assert Upload.__struct_fields__[-1] == "on_deny"
    assert set(Upload.__struct_fields__) == set(Processing.__struct_fields__)
