"""The words of replacement mails, in English and Czech."""

from __future__ import annotations

from imap4fast.mail.template import Values, in_text

REASONS: dict[str, tuple[str, str]] = {
    "virus": ("It holds a virus.", "Obsahuje virus."),
    "policy": ("The rules of this system do not permit it.", "Pravidla tohoto systému ji nedovolují."),
    "spam": ("It was taken for spam.", "Byla vyhodnocena jako spam."),
    "unavailable": ("It could not be checked for viruses.", "Nebylo možné ji zkontrolovat na viry."),
    "skipped": ("It was not checked for viruses.", "Nebyla zkontrolována na viry."),
    "form": ("Its form is faulty.", "Má chybný formát."),
    "ambiguous": (
        "It can be read in several ways, and what it really holds is uncertain.",
        "Lze ji číst několika způsoby a není jisté, co opravdu obsahuje.",
    ),
    "size": ("It is too big.", "Je příliš velká."),
    "error": ("It could not be processed.", "Nebylo možné ji zpracovat."),
}
"""Why a mail is not shown: (English, Czech)."""

FRAMES = (
    "A mail was not let through, and this text stands in its place.",
    "Zpráva nebyla propuštěna a místo ní je zobrazen tento text.",
)
LABELS = {
    "detail": ("Detail", "Podrobnosti"),
    "virus": ("Virus", "Virus"),
    "rule": ("Rule", "Pravidlo"),
    "size": ("Size in bytes", "Velikost v bajtech"),
}
ENDS = (
    "The mail itself is still on the server, as it came. Ask your administrator about it.",
    "Zpráva sama zůstává na serveru tak, jak přišla. Obraťte se na svého správce.",
)

LANGUAGES = {
    "EN": (0, "us-ascii"),
    "CZ": (1, "utf-8"),
    "CZ-ASCII": (1, "us-ascii"),
    "CZ-ISO-8859-2": (1, "iso-8859-2"),
    "CZ-WINDOWS-1250": (1, "windows-1250"),
}
"""By word of `language`: which of the texts, and its charset."""
PREFIXES = {language: ("[Denied] ", "[Odmítnuto] ")[which] for language, (which, _) in LANGUAGES.items()}
PREFIXES["CZ-ASCII"] = "[Odmitnuto] "
WITHOUT_MARKS = str.maketrans("áčďéěíňóřšťúůýžÁČĎÉĚÍŇÓŘŠŤÚŮÝŽ", "acdeeinorstuuyzACDEEINORSTUUYZ")


def mail_text(reason: str, values: Values, detail: str, language: str) -> tuple[str, str]:
    """The text of a replacement mail with CRLF at each line's end, and its charset: UTF-8 where what is filled in does
    not fit into that of the language."""
    which, charset = LANGUAGES[language]
    lines = [FRAMES[which], "", REASONS[reason][which], *facts(values, detail, which), "", ENDS[which]]
    text = "".join(line + "\r\n" for line in lines)
    if language == "CZ-ASCII":
        text = text.translate(WITHOUT_MARKS)
    return text, charset if fits(text, charset) else "utf-8"


def facts(values: Values, detail: str, which: int) -> list[str]:
    """What is known, a line each."""
    known = {"detail": detail, "virus": values.virus, "rule": values.rule, "size": str(values.size or "")}
    said = {name: in_text(value) for name, value in known.items()}
    return [f"{LABELS[name][which]}: {value}" for name, value in said.items() if value]


def fits(text: str, charset: str) -> bool:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
