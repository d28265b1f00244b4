"""Section numbers of an index, and what is to be asked about each."""

from __future__ import annotations

from imap4fast._wire import MailIndex


def numbers(index: MailIndex) -> dict[str, int]:
    """IMAP's section number of each part that has one, by number; the part that each is of."""
    found: dict[str, int] = {}
    todo: list[tuple[int, str]] = [(0, "")]
    while todo:
        part, prefix = todo.pop()
        kind = index.part(part).kind
        children = index.part(part).children
        if kind == "multipart":
            todo += [
                (child, _inside(index, child, f"{prefix}{number}", found)) for number, child in enumerate(children, 1)
            ]
        elif kind == "message":
            if not prefix:
                found["1"] = part
                prefix = "1."
            if index.part(children[0]).kind == "multipart":
                todo.append((children[0], prefix))
            else:
                todo.append((children[0], _inside(index, children[0], f"{prefix}1", found)))
        elif not prefix:
            found["1"] = part
    return found


def _inside(index: MailIndex, part: int, number: str, found: dict[str, int]) -> str:
    found[number] = part
    return number + "."


def questions(index: MailIndex, most: int = 40) -> list[str]:
    """Sections as in BODY[...]: of the whole mail, of each part (the first `most`), and of some that are none."""
    asked = ["", "HEADER", "TEXT", "1.1", "1.1.1", "2.1", "1.2", "99", "99.MIME", "1.99.TEXT"]
    for number in list(numbers(index))[:most]:
        asked += [number, f"{number}.MIME", f"{number}.HEADER", f"{number}.TEXT"]
    return list(dict.fromkeys(asked))
