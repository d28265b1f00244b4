"""Catalogue of component TCPS: the master, its workers and the listening sockets."""

from __future__ import annotations

from imap4fast.log.entry import Component

TCPS = Component("TCPS", "processes, listening sockets and limits of connections")

STARTED = TCPS.entry(
    601,
    "K",
    "%s started, proxy %s, %u workers",
    "The master is ready: every socket is bound and the workers are being started.",
    unnamed=("VERSION", "PROXY", "WORKERS"),
)
LISTENING = TCPS.entry(602, "K", "Listening on %s", "A listening socket is bound.", unnamed=("SOCKET",))
SETUP_FAILED = TCPS.entry(
    604,
    "C",
    "Cannot start: %s: %s",
    "The machine does not allow what the configuration asks for; the program ends with exit status 1.",
    unnamed=("WHAT", "REASON"),
)
CONN_RATE = TCPS.entry(
    641,
    "W",
    "Connections refused due to too many connections (%u > %u) within last second",
    "conn-rate was exceeded; further connections of this second were closed without an answer. At most one line a "
    "second.",
    unnamed=("COUNT", "LIMIT"),
)
CONN_RATE_PER_IP = TCPS.entry(
    642,
    "W",
    "Client %s denied due to too many connections (%u > %u) within last second",
    "conn-rate-per-ip was exceeded by this IPv4 address or IPv6 /64; its connection was closed without an answer. At "
    "most one line a second is written, others under severity D.",
    others="D",
    unnamed=("CLIENT", "COUNT", "LIMIT"),
)
CONNECTION_ACCEPTED = TCPS.entry(
    706,
    "D",
    "Connection from %s to %s accepted",
    "A worker took a connection from a listening socket; the session's own lines follow.",
    unnamed=("FROM", "TO"),
)
CONNECTION_HANDLED = TCPS.entry(
    707, "D", "Connection from %s handled", "All of a connection is closed and forgotten.", unnamed=("FROM",)
)
GRACEFUL_END = TCPS.entry(
    710,
    "K",
    "Received SIGHUP, performing graceful termination (SIGRTMIN reloads the configuration)",
    "No new connections are taken; sessions may end by themselves within terminate-wait, then they get a BYE.",
)
IMMEDIATE_END = TCPS.entry(
    711, "K", "Received %s, terminating", "SIGTERM, SIGINT or SIGQUIT: the program ends at once.", unnamed=("SIGNAL",)
)
ENDED = TCPS.entry(712, "K", "Terminated", "The last line of the master.")
RELOAD_FAILED = TCPS.entry(
    714,
    "E",
    "Configuration not reloaded: %s",
    "The old configuration stays in force. As a notice where SIGRTMIN has the files of ssl-params read again: SSLE-120 "
    "or SSLE-121 follows and tells how that went.",
    others="N",
    unnamed=("REASON",),
)
LEVEL_CHANGED = TCPS.entry(
    715, "K", "Log level is now %u", "SIGUSR1 raised or SIGUSR2 lowered the log level.", unnamed=("LEVEL",)
)
LOGS_REOPENED = TCPS.entry(716, "K", "Log files opened anew", "SIGRTMIN+1, as sent after an outside rotation of logs.")
WORKER_STATISTICS = TCPS.entry(
    717,
    "I",
    "WORKERS COUNT=%u STARTED=%u DIED=%u SESSIONS-NOW=%u SESSIONS-MAX=%u SESSIONS-TOTAL=%u",
    "What the master counted since its start. SESSIONS-MAX is the most that lived at one time.",
)
SOCKETS_UNBOUND = TCPS.entry(
    722,
    "K",
    "Listening sockets unbound",
    "After this line a new instance may listen on the same addresses.",
)
SESSIONS_CUT = TCPS.entry(
    723,
    "W",
    "Worker %u closes %u sessions that did not end within terminate-wait (%u s)",
    "Graceful termination: the clients got a BYE.",
    unnamed=("WORKER", "SESSIONS", "SECONDS"),
)
WORKER_STARTED = TCPS.entry(
    731, "K", "Worker %u started, PID %u", "A worker runs and takes connections.", unnamed=("WORKER", "PID")
)
WORKER_ENDED = TCPS.entry(
    732, "K", "Worker %u with PID %u ended", "A worker ended because it was asked to.", unnamed=("WORKER", "PID")
)
WORKER_DIED = TCPS.entry(
    733,
    "E",
    "Worker %u with PID %u died: %s",
    "A worker ended without having been asked; its sessions are lost, those of other workers live.",
    unnamed=("WORKER", "PID", "REASON"),
)
WORKER_RESTARTED = TCPS.entry(
    734,
    "W",
    "Worker %u restarted, PID %u",
    "In place of a worker that died; it inherits the connections that wait at its sockets.",
    unnamed=("WORKER", "PID"),
)
RESTART_LIMIT = TCPS.entry(
    735,
    "C",
    "Too many terminated workers (%u within %u s), restarts are delayed by %u s",
    "Workers die faster than they may be replaced.",
    unnamed=("COUNT", "SECONDS", "DELAY"),
)
WORKER_OUT = TCPS.entry(
    736,
    "W",
    "Worker %u takes no connections: %s",
    "The worker's sockets were taken out of their groups so that no client waits for it.",
    unnamed=("WORKER", "REASON"),
)
WORKER_BACK = TCPS.entry(
    737, "N", "Worker %u takes connections again", "Its sockets are back in their groups.", unnamed=("WORKER",)
)
PRIVILEGES = TCPS.entry(
    740,
    "C",
    "Cannot drop privileges: %s",
    "The process refuses to go on with more rights than it needs.",
    unnamed=("REASON",),
)
STAYS_ROOT = TCPS.entry(
    741,
    "W",
    "Workers keep root's privileges: app-user is not set",
    "The master runs as root and nothing says who the workers should be.",
)
POOL_BEGAN = TCPS.entry(
    750,
    "K",
    "Mail processing began, at most %u helpers",
    "A worker can have mails made; its helper processes are started when there is work for them.",
    unnamed=("HELPERS",),
)
HELPER_DIED = TCPS.entry(
    751,
    "E",
    "Helper with PID %u died: %s",
    "A process that makes mails ended without having been asked, or a mail broke it. That mail gets the verdict error; "
    "no other mail and no session is touched.",
    unnamed=("PID", "REASON"),
)
HELPER_OVER = TCPS.entry(
    752,
    "W",
    "Helper with PID %u ended over a limit: %s",
    "A mail took more processor time, time, memory or room than a mail may. Its verdict is error.",
    unnamed=("PID", "LIMIT"),
)
HELPERS_DAMPED = TCPS.entry(
    753,
    "W",
    "Helpers die too fast, no more than %u a second are started",
    "Mails go on being processed, more slowly.",
    unnamed=("RATE",),
)
ZYGOTE_DIED = TCPS.entry(
    754,
    "E",
    "The process that starts helpers died",
    "The mails that were being processed in this worker get the verdict error; another such process is started.",
)
NURSERY_DIED = TCPS.entry(
    755,
    "E",
    "Nursery with PID %u died",
    "The process from which those that start helpers come. Mail processing goes on, and another one is started.",
    unnamed=("PID",),
)
SANDBOX_LACKS = TCPS.entry(
    756,
    "W",
    "Helpers have no network name space of their own: %s",
    "The machine, or the container, does not allow root to make one. The filter of system calls keeps helpers from the "
    "network all the same.",
    unnamed=("REASON",),
)
INTERNAL_ERROR = TCPS.entry(
    790,
    "E",
    "INTERNAL-ERROR WHERE=%s CAUSE=%s",
    "A rule of the program was broken outside a session. Please report it.",
)
MAX_SESSIONS = TCPS.entry(
    810,
    "W",
    "Client %s denied, max-sessions reached (%u)",
    "The limit of sessions of the whole host; the client got a BYE. At most one line a second is written, others under "
    "severity D.",
    others="D",
    unnamed=("CLIENT", "LIMIT"),
)
MAX_SESSIONS_PER_IP = TCPS.entry(
    811,
    "W",
    "Client %s denied, max-sessions-per-ip reached (%u)",
    "The limit of sessions of one IPv4 address or IPv6 /64; the client got a BYE. At most one line a second is "
    "written, others under severity D.",
    others="D",
    unnamed=("CLIENT", "LIMIT"),
)
TABLE_FULL = TCPS.entry(
    812,
    "W",
    "No place for further addresses: all %u have sessions",
    "The table in which sessions and connections of each IPv4 address or IPv6 /64 are counted is full. Where "
    "max-sessions-per-ip or conn-rate-per-ip is set, clients of further addresses are refused as with 811; else their "
    "sessions count against max-sessions only. At most one line a minute is written.",
    unnamed=("ADDRESSES",),
)
