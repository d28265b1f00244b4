"""Catalogue of component NETC: connections to servers, and what flows on connections."""

from __future__ import annotations

from imap4fast.log.entry import Component

NETC = Component("NETC", "connections to servers, and what flows")

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

DATA = NETC.entry(
    120,
    "F",
    "DATA FROM=%s OFFSET=%u SIZE=%u BYTES=%s",
    "Octets as they came from the client or the server, before anything was decided about them. OFFSET is the place of "
    "the first in that side's stream, SIZE their number, BYTES the first of them, as many as log-limit of client-conn "
    "or server-conn says.",
)
DATA_WITHHELD = NETC.entry(
    121,
    "F",
    "DATA-WITHHELD FROM=%s OFFSET=%u SIZE=%u REASON=%s",
    "Octets came that are not shown, since there may be credentials in them. REASON is BEFORE-LOGIN (until a login has "
    "succeeded nothing of either side is shown), LOGIN-UNCLEAR (the client's first lines after it might still belong "
    "to it), PRIVATE (arguments of ID, or a URLAUTH token) or LOGIN-AGAIN (the client sent LOGIN or AUTHENTICATE as "
    "one of the first words of a line although a login had succeeded or was under way: nothing more of it is shown in "
    "this session).",
)
