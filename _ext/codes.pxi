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
