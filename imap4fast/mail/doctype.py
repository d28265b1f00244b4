from __future__ import annotations
class Catalogue:
    def __init__(self, mime_types: bytes = b"", magic: bytes = b"") -> None: ...
def identify(order: tuple[str, ...], declared: str, filenames: list[str], head: bytes, catalogue: Catalogue) -> str:
    for method in order:
        if method == "content-type" and declared: return declared
        if method == "magic" and head[:2] == b"MZ": return "application/x-dosexec"
        if method == "extension" and filenames and filenames[0].lower().endswith(".exe"): return "application/x-dosexec"
    return ""
