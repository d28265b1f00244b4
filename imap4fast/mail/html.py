from __future__ import annotations
class HtmlRules: ...
def filtered(octets: bytes, charset: str | None, rules: HtmlRules) -> tuple[bytes, bool]:
    return (octets.replace(b"<script>", b""), b"<script>" in octets)
