"""Catalogue of component MSPA: antispam engines."""

from __future__ import annotations

from imap4fast.log.entry import Component

MSPA = Component("MSPA", "antispam engines")

SCORED = MSPA.entry(
    701,
    "D",
    "SCORED ENGINE=%s SIZE=%u SCORE=%s TIME=%s",
    "What score an engine gave a mail, times 1000, after TIME seconds.",
)
NONSENSE = MSPA.entry(
    710,
    "C",
    "Antispam state: %s, read line: %s",
    "An engine's answer cannot be understood, so that there is no score. The state is the engine's name. Something "
    "else may listen there, or the score came before the engine had the whole mail.",
    unnamed=("State", "Line"),
)
FAILED = MSPA.entry(
    711,
    "E",
    "CHECK-FAILED ENGINE=%s REASON=%s",
    "An engine could not be reached, closed the connection, took too long, or said that it gives no score. The score "
    "is UNKNOWN.",
)
DOWN = MSPA.entry(
    712,
    "E",
    "ENGINE-DOWN ENGINE=%s FAILURES=%u SECONDS=%s",
    "So many requests in a row failed. For SECONDS the engine is not asked, and the score is UNKNOWN at once; then one "
    "request tries it again. Item `breaker` says how many and how long.",
)
UP = MSPA.entry(713, "N", "ENGINE-UP ENGINE=%s", "An engine that was left alone answered again and is in use.")
VERSION = MSPA.entry(
    714,
    "K",
    "VERSION ENGINE=%s VERSION=%s",
    "An engine is of another version than before. Mails are checked anew when they are asked for.",
)
