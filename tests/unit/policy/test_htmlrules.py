"""Rules of the configuration as the sanitizer has them."""

from __future__ import annotations

import pytest

from imap4fast.config.load import load_text
from imap4fast.mail.html import HtmlRules, filtered, keeps
from imap4fast.policy.htmlrules import html_rules

TEXT = """version IMAP4FAST-1;
html-filter H {{ {} }}
imap4-proxy P {{ listen-on {{ non-transparent [::1] port 1; }} doc-acl D {{ accept; html-filter H; }} }}
"""


def rules(body: str) -> HtmlRules:
    given = load_text(TEXT.format(body)).settings.proxy.doc_acls[0].html_filter
    assert given is not None
    return html_rules(given)


@pytest.mark.parametrize(
    ("body", "kept", "gone"),
    [
        ("", "a b script", ""),
        ("tag deny script; tag accept *;", "a b", "script SCRIPT"),
        ("tag accept { a, b };", "a B", "script"),
        ("tag accept { ! script, * };", "a", "script"),
        ("tag deny { ! { a, b }, * }; tag accept *;", "a b", "script"),
        ("tag deny /^s/; tag accept *;", "a", "script STYLE"),
        ("tag accept { { ! a, * }, b };", "b c", "a"),
    ],
)
def test_of_tags(body: str, kept: str, gone: str) -> None:
    found = rules(body).tag
    assert all(keeps(found, (name,)) for name in kept.split())
    assert not any(keeps(found, (name,)) for name in gone.split())


def test_every_aspect_has_its_rules() -> None:
    aspects = {name for name in HtmlRules.__struct_fields__ if not name.startswith("replace_")}
    body = "".join(f"{name.replace('_', '-')} accept x-{name}; " for name in aspects)
    found = rules(body)
    assert {name: getattr(found, name)[0].values for name in aspects} == {name: (f"x-{name}",) for name in aspects}


def test_what_is_put_in_place() -> None:
    found = rules('replace-script-tags "a"; replace-style-tags b; replace-remote-images "[c]";')
    assert (found.replace_script_tags, found.replace_style_tags, found.replace_iframe_tags) == ("a", "b", "")
    assert found.replace_remote_images == "[c]"


def test_the_filter_goes_by_them() -> None:
    octets, changed = filtered(b"<p>a</p><script>b</script>", None, rules("script-tag-language deny *;"))
    assert changed
    assert b"script" not in octets
    assert b"<p>a</p>" in octets
