"""Catalogue of component MAVI: antivirus engines."""

from __future__ import annotations

from imap4fast.log.entry import Component

MAVI = Component("MAVI", "antivirus engines")

SCANNED = MAVI.entry(
    701,
    "D",
    "SCANNED ENGINE=%s SIZE=%u STATUS=%s NAME=%s TIME=%s",
    "What an engine said of a mail or a part of it, after TIME seconds. STATUS is FOUND, FREE, SKIPPED, UNKNOWN or "
    "ERROR. NAME is of the virus, or why there is no result; whatever is not printable or means something in a log, in "
    "HTML or in a template stands as an underscore in it.",
)
NONSENSE = MAVI.entry(
    710,
    "C",
    "Antivirus state: %s, read line: %s",
    "An engine's answer cannot be understood, so that its result is UNKNOWN. The state is the engine's name. Something "
    "else may listen there, or the answer said that octets are free of viruses before the engine had all of them.",
    unnamed=("State", "Line"),
)
FAILED = MAVI.entry(
    711,
    "E",
    "SCAN-FAILED ENGINE=%s REASON=%s",
    "An engine could not be reached, closed the connection, took too long or said that it failed. Its result is ERROR.",
)
DOWN = MAVI.entry(
    712,
    "E",
    "ENGINE-DOWN ENGINE=%s FAILURES=%u SECONDS=%s",
    "So many requests in a row failed. For SECONDS the engine is not asked, and its result is ERROR at once; then one "
    "request tries it again. Item `breaker` says how many and how long.",
)
UP = MAVI.entry(713, "N", "ENGINE-UP ENGINE=%s", "An engine that was left alone answered again and is in use.")
VERSION = MAVI.entry(
    714,
    "K",
    "VERSION ENGINE=%s VERSION=%s",
    "An engine or its signatures are of another version than before. Mails are scanned anew when they are asked for.",
)
