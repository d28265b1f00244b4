"""Catalogue of component CFGP: the configuration."""

from __future__ import annotations

from imap4fast.log.entry import Component

CFGP = Component("CFGP", "reading and checking the configuration")

CONFIG_WARNING = CFGP.entry(
    102,
    "W",
    "Configuration warning: %s",
    "The configuration can be used, though it probably does not do what was meant.",
    unnamed=("WARNING",),
)
CONFIG_READ = CFGP.entry(
    110,
    "K",
    "Configuration %s read, hash %s",
    "The hash is the one that show-hash of test-imap4 prints.",
    unnamed=("FILE", "HASH"),
)
