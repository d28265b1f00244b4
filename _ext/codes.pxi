# Codes of commands, responses, faults and actions: the one source of those names.
#
# A command's code is its index in COMMANDS; configuration.md section 4 has the words.

COMMANDS = (
    b"UNKNOWN",
    # any state
    b"CAPABILITY", b"NOOP", b"LOGOUT", b"ID",
    # not authenticated
    b"STARTTLS", b"AUTHENTICATE", b"LOGIN",
    # authenticated
    b"ENABLE", b"SELECT", b"EXAMINE", b"CREATE", b"DELETE", b"RENAME", b"SUBSCRIBE", b"UNSUBSCRIBE",
    b"LIST", b"LSUB", b"XLIST", b"NAMESPACE", b"STATUS", b"APPEND", b"IDLE",
    b"GETQUOTA", b"GETQUOTAROOT", b"SETQUOTA", b"SETACL", b"DELETEACL", b"GETACL", b"LISTRIGHTS", b"MYRIGHTS",
    b"GETMETADATA", b"SETMETADATA", b"NOTIFY", b"COMPRESS", b"UNAUTHENTICATE", b"GENURLAUTH", b"RESETKEY",
    b"URLFETCH", b"CONVERSIONS", b"LANGUAGE", b"COMPARATOR", b"CANCELUPDATE", b"ESEARCH", b"GETJMAPACCESS",
    b"UIDBATCHES", b"PROXYAUTH",
    # selected
    b"CHECK", b"CLOSE", b"UNSELECT", b"EXPUNGE", b"SEARCH", b"SORT", b"THREAD", b"FETCH", b"STORE", b"COPY",
    b"MOVE", b"REPLACE", b"CONVERT",
    b"UID-EXPUNGE", b"UID-SEARCH", b"UID-SORT", b"UID-THREAD", b"UID-FETCH", b"UID-STORE", b"UID-COPY",
    b"UID-MOVE", b"UID-REPLACE", b"UID-CONVERT",
)

# States of a session, as bits.

cdef enum:
    N_COMMANDS = 70

cdef enum Command:
    CMD_UNKNOWN = 0
    CMD_CAPABILITY = 1
    CMD_NOOP = 2
    CMD_LOGOUT = 3
    CMD_ID = 4
    CMD_STARTTLS = 5
    CMD_AUTHENTICATE = 6
    CMD_LOGIN = 7
    CMD_ENABLE = 8
    CMD_SELECT = 9
    CMD_EXAMINE = 10
    CMD_DELETE = 12
    CMD_RENAME = 13
    CMD_LIST = 16
    CMD_XLIST = 18
    CMD_APPEND = 21
    CMD_IDLE = 22
    CMD_COMPRESS = 34
    CMD_FIRST_SELECTED = 47
    CMD_CLOSE = 48
    CMD_UNSELECT = 49

cdef enum State:
    STATE_NOT_AUTHENTICATED = 1
    STATE_AUTHENTICATED = 2
    STATE_SELECTED = 4

NOT_AUTHENTICATED = STATE_NOT_AUTHENTICATED
AUTHENTICATED = STATE_AUTHENTICATED
SELECTED = STATE_SELECTED

# What the gate says of a unit.
cdef enum GateAction:
    GATE_PASS = 0
    GATE_ASK = 1
    GATE_DROP = 2
    GATE_DENY = 3

PASS = GATE_PASS
ASK = GATE_ASK
DROP = GATE_DROP
DENY = GATE_DENY

# What `ask` answers.
cdef enum Answer:
    ANSWER_PASS = 0
    ANSWER_DROP = 1
    ANSWER_REPLACE = 2
    ANSWER_CLOSE = 3
    ANSWER_HOLD = 4          # a command waits for the server's greeting, and is judged again then

ANSWERS = ("PASS", "DROP", "REPLACE", "CLOSE", "HOLD")

# Questions: one name a line, index is the code.
QUESTIONS = (
    "NONE",
    "COMMAND",      # a whole command that the gate asks about
    "REFUSED",      # a command that the gate denies, or that its state forbids (`wrong_state`)
    "CLIENT_FAULT",
    "SASL",         # the client's line inside AUTHENTICATE
    "TOO_BIG",      # an upload above max_mail_out was announced
    "GREETING",
    "STATUS",       # OK NO BAD whose code or text must be looked at
    "CAPABILITY",   # untagged CAPABILITY
    "ENABLED",
    "BYE",
    "COMPLETED",    # the tagged answer that somebody waits for
    "CONTINUE",     # "+" while AUTHENTICATE is open
    "UNLISTED",     # an untagged response that no list names
    "SERVER_FAULT",
    "LIMIT",        # a limit in bytes was reached (`limit` says which)
    "APPENDLIMIT",  # data of STATUS that name it, where max_mail_out is set
    "CLIENT_TLS",   # TLS of the client's leg has said its end, or is broken
    "SERVER_TLS",
    # where mails are processed
    "OWN",          # the tagged answer to a command of the proxy's own (`answered`)
    "GO",           # "+" for such a command
    "FETCH",        # a whole FETCH response that may not pass as it is
    "FETCH_LITERAL",  # a literal in one is announced: PASS gathers it, REPLACE gives its octets to session, DROP forgets them
    "MAILBOX",      # EXISTS, EXPUNGE, VANISHED
    "UPLOAD",       # the line that announces a mail, or an upload without one: PASS takes its octets
    "UPLOADED",     # the end of the command behind the last mail
    "CLIENT_READY", # the client takes octets again
    "SERVER_READY",
)

cdef enum Question:
    Q_COMMAND = 1
    Q_REFUSED = 2
    Q_CLIENT_FAULT = 3
    Q_SASL = 4
    Q_TOO_BIG = 5
    Q_GREETING = 6
    Q_STATUS = 7
    Q_CAPABILITY = 8
    Q_ENABLED = 9
    Q_BYE = 10
    Q_COMPLETED = 11
    Q_CONTINUE = 12
    Q_UNLISTED = 13
    Q_SERVER_FAULT = 14
    Q_LIMIT = 15
    Q_APPENDLIMIT = 16
    Q_CLIENT_TLS = 17
    Q_SERVER_TLS = 18
    Q_OWN = 19
    Q_GO = 20
    Q_FETCH = 21
    Q_FETCH_LITERAL = 22
    Q_MAILBOX = 23
    Q_UPLOAD = 24
    Q_UPLOADED = 25
    Q_CLIENT_READY = 26
    Q_SERVER_READY = 27

# Faults: what an end did against the grammar. Those from FIRST_FRAMING on end the session: after them nobody can say
# where the next command begins (protocol.md R1-R3).
FAULTS = (
    "NONE",
    "BAD_TAG", "BAD_SYNTAX", "BAD_NAME", "BAD_SPACE", "BAD_QUOTED", "BAD_SET", "BAD_FETCH", "BAD_LITERAL_TEXT",
    "EIGHT_BIT", "BAD_UTF8", "TOO_DEEP", "TOO_MANY_ARGUMENTS", "TOO_MANY_LITERALS", "TOO_MANY_WILDCARDS",
    "LITERAL_TOO_LONG", "LITERAL_NOT_ALLOWED", "UNKNOWN_COMMAND", "EXPECTED_DONE", "BAD_SASL", "CONTROL_CHARACTER",
    # framing
    "BARE_LF", "BARE_CR", "NUL", "OPEN_QUOTED", "BAD_LITERAL", "LINE_TOO_LONG", "TAG_TOO_LONG", "BAD_TAIL",
    "LITERAL_OVERFLOW", "UNEATABLE_LITERAL",
    # server's
    "UNKNOWN_TAG", "UNEXPECTED_CONTINUE", "BAD_STATUS", "BAD_NUMBER", "BAD_RESPONSE", "SASL_TOO_LONG",
)

cdef enum Fault:
    F_NONE = 0
    F_BAD_TAG = 1
    F_BAD_SYNTAX = 2
    F_BAD_NAME = 3
    F_BAD_SPACE = 4
    F_BAD_QUOTED = 5
    F_BAD_SET = 6
    F_BAD_FETCH = 7
    F_BAD_LITERAL_TEXT = 8
    F_EIGHT_BIT = 9
    F_BAD_UTF8 = 10
    F_TOO_DEEP = 11
    F_TOO_MANY_ARGUMENTS = 12
    F_TOO_MANY_LITERALS = 13
    F_TOO_MANY_WILDCARDS = 14
    F_LITERAL_TOO_LONG = 15
    F_LITERAL_NOT_ALLOWED = 16
    F_UNKNOWN_COMMAND = 17
    F_EXPECTED_DONE = 18
    F_BAD_SASL = 19
    F_CONTROL = 20
    F_FIRST_FRAMING = 21
    F_BARE_LF = 21
    F_BARE_CR = 22
    F_NUL = 23
    F_OPEN_QUOTED = 24
    F_BAD_LITERAL = 25
    F_LINE_TOO_LONG = 26
    F_TAG_TOO_LONG = 27
    F_BAD_TAIL = 28
    F_LITERAL_OVERFLOW = 29
    F_UNEATABLE = 30
    F_UNKNOWN_TAG = 31
    F_UNEXPECTED_CONTINUE = 32
    F_BAD_STATUS = 33
    F_BAD_NUMBER = 34
    F_BAD_RESPONSE = 35
    F_SASL_TOO_LONG = 36

FIRST_FRAMING = F_FIRST_FRAMING

LIMITS = ("NONE", "MAX-BYTES-IN", "MAX-BYTES-OUT", "MAX-MAIL-IN")

cdef enum Limit:
    LIMIT_BYTES_IN = 1
    LIMIT_BYTES_OUT = 2
    LIMIT_MAIL_IN = 3

TIMEOUTS = (
    "NONE", "LOGIN-TIMEOUT", "MAX-TIME", "IDLE-TIMEOUT", "CLIENT-RECV", "SERVER-RECV", "REPLY-TIMEOUT",
    "CLIENT-SEND", "SERVER-SEND", "GREETING",
)

cdef enum Timeout:
    T_LOGIN = 1
    T_MAX_TIME = 2
    T_IDLE = 3
    T_CLIENT_RECV = 4
    T_SERVER_RECV = 5
    T_REPLY = 6
    T_CLIENT_SEND = 7
    T_SERVER_SEND = 8
    T_GREETING = 9

# Argument shape of a command, one letter a command of COMMANDS:
#   .  no argument    a  any arguments, at least one    o  any or none    s  sequence set first    f  FETCH
#   u  upload (literal streams)
cdef bytes SHAPES = (
    b"o"
    b"..." b"a"
    b"." b"a" b"a"
    b"a" b"a" b"a" b"a" b"a" b"a" b"a" b"a"
    b"a" b"a" b"a" b"." b"a" b"u" b"."
    b"a" b"a" b"a" b"a" b"a" b"a" b"a" b"a"
    b"a" b"a" b"a" b"a" b"." b"a" b"o"
    b"a" b"a" b"o" b"o" b"a" b"a" b"."
    b"o" b"a"
    b"." b"." b"." b"." b"a" b"a" b"a" b"f" b"s" b"s"
    b"s" b"u" b"s"
    b"s" b"a" b"a" b"a" b"f" b"s" b"s"
    b"s" b"u" b"s"
)
assert len(SHAPES) == len(COMMANDS) == N_COMMANDS
for _name, _code in ((b"LOGIN", CMD_LOGIN), (b"EXAMINE", CMD_EXAMINE), (b"APPEND", CMD_APPEND), (b"IDLE", CMD_IDLE),
                     (b"COMPRESS", CMD_COMPRESS), (b"CHECK", CMD_FIRST_SELECTED), (b"UNSELECT", CMD_UNSELECT),
                     (b"CLOSE", CMD_CLOSE), (b"LIST", CMD_LIST), (b"XLIST", CMD_XLIST), (b"NOOP", CMD_NOOP),
                     (b"DELETE", CMD_DELETE), (b"RENAME", CMD_RENAME)):
    assert COMMANDS[_code] == _name, _name
assert len(FAULTS) == F_SASL_TOO_LONG + 1 and FAULTS[F_BARE_LF] == "BARE_LF"


cdef inline int command_states(int code) noexcept:
    """States in which the command may stand (RFC 9051 section 6), as a bit set."""
    if code <= CMD_ID:
        return STATE_NOT_AUTHENTICATED | STATE_AUTHENTICATED | STATE_SELECTED
    if code <= CMD_LOGIN:
        return STATE_NOT_AUTHENTICATED
    if code < CMD_FIRST_SELECTED:
        return STATE_AUTHENTICATED | STATE_SELECTED
    return STATE_SELECTED
