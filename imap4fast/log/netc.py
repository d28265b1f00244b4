"""Catalogue of component NETC: connecting to servers."""

from __future__ import annotations

from imap4fast.log.entry import Component

NETC = Component("NETC", "connecting to servers")

CONNECTING = NETC.entry(110, "D", "CONNECT SERVER=%s", "A connection to a server is being tried.")
CONNECTED = NETC.entry(111, "D", "CONNECTED SERVER=%s TIME=%s", "The server took the connection, after TIME seconds.")
CONNECT_FAILED = NETC.entry(
    112,
    "W",
    "CONNECT-FAILED SERVER=%s REASON=%s",
    "The server could not be reached; the next address of plug-to, if there is one, is tried.",
)
NO_SERVER = NETC.entry(
    113,
    "E",
    "NO-SERVER SERVER=%s REASON=%s",
    "None of the servers could be reached; the client got a BYE. SERVER and REASON are those of the last attempt.",
)
RESOLVE_FAILED = NETC.entry(114, "W", "RESOLVE-FAILED NAME=%s REASON=%s", "The name of a server could not be resolved.")
