"""Client vectors of real clients (protocol.md section 4.1): what they say goes on byte for byte."""

from __future__ import annotations

from tests.wire.server import Script
from tests.wire.vectors import ClientVector as V

PLUS = Script(forms=2)
SEEN = Script(data=b"* 1 FETCH (FLAGS (\\Seen))\r\n")
HEADERS = b"From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To"
APPLE = (
    b"date subject from to cc message-id in-reply-to references x-priority x-uniform-type-identifier"
    b" x-universally-unique-identifier"
)

CLIENTS = [
    V(
        "4.1 Thunderbird list",
        b"5 UID FETCH 1:200 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (" + HEADERS + b")])\r\n",
    ),
    V(
        "4.1 Thunderbird body",
        b"6 UID fetch 7 (UID RFC822.SIZE BODY.PEEK[]<0.65536>)\r\n7 UID fetch 7 (UID RFC822.SIZE BODY.PEEK[]<65536.65536>)\r\n",
    ),
    V("4.1 Thunderbird far chunk", b"8 UID fetch 7 (UID RFC822.SIZE BODY.PEEK[]<99614720.65536>)\r\n"),
    V("4.1 Thunderbird namespace", b'2 NAMESPACE\r\n3 LIST (SUBSCRIBED) "" "*" RETURN (SPECIAL-USE)\r\n'),
    V(
        "4.1 Thunderbird select",
        b'4 SELECT "INBOX" (CONDSTORE)\r\n5 UID FETCH 1:* (FLAGS)\r\n6 IDLE\r\nDONE\r\n7 NOOP\r\n',
    ),
    V("4.1 Thunderbird store", b"9 UID STORE 4:6,9 +FLAGS (\\Seen $label1 Junk)\r\n"),
    V("4.1 Thunderbird upload", b'10 APPEND "Sent" (\\Seen) {5+}\r\nA: b\n\r\n', script=PLUS),
    V(
        "4.1 K-9 list",
        b"7 UID FETCH 5,6,7 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (date subject from content-type to cc list-unsubscribe)])\r\n",
    ),
    V(
        "4.1 K-9 chunk",
        b"8 UID FETCH 5 (UID BODY.PEEK[]<0.131072>)\r\n9 UID FETCH 5 (UID BODY.PEEK[TEXT]<0.32768>)\r\n",
    ),
    V(
        "4.1 K-9 structure",
        b"10 UID FETCH 5 (UID BODYSTRUCTURE)\r\n11 UID FETCH 5 (UID BODY.PEEK[1.2] BODY.PEEK[1.2.MIME])\r\n",
    ),
    V("4.1 K-9 search", b"12 UID SEARCH 1:* NOT DELETED\r\n13 UID SEARCH UID 5:* SINCE 1-Jan-2026 NOT DELETED\r\n"),
    V("4.1 Outlook", b"a UID fetch 39 (UID RFC822.SIZE RFC822.peek)\r\n"),
    V(
        "4.1 Apple Mail",
        b"12.1 FETCH 1:25 (INTERNALDATE UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (" + APPLE + b")] MODSEQ)\r\n",
    ),
    V("4.1 Apple Mail structure", b"13.1 UID FETCH 7 (BODYSTRUCTURE BODY.PEEK[HEADER])\r\n"),
    V(
        "4.1 iOS",
        b"a UID FETCH 7840 (UID BODY.PEEK[1]<0.393216>)\r\nb UID FETCH 7840 (UID BODY.PEEK[1]<393216.393216>)\r\n",
    ),
    V("4.1 iOS sync", b"a UID FETCH 1:* (FLAGS) (CHANGEDSINCE 0)\r\n", script=SEEN),
    V(
        "4.1 mutt",
        b"a0004 FETCH 1:9 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE FROM X-ORIGINAL-TO)])\r\na0005 UID FETCH 5 BODY.PEEK[]\r\n",
    ),
    V("4.1 NeoMutt", b"".join(b"a%04d UID FETCH %d BODY.PEEK[]\r\n" % (n, n) for n in range(1, 16))),
    V("4.1 mbsync list", b"7 UID FETCH 1:500 (UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (X-TUID)])\r\n"),
    V("4.1 mbsync", b"".join(b"%d UID FETCH %d (BODY.PEEK[])\r\n" % (n + 8, n) for n in range(1, 200))),
    V(
        "4.1 mbsync uploads",
        b"".join(b'%d APPEND "box" (\\Seen) {6+}\r\nA: %d\r\n\r\n' % (n, n) for n in range(1, 10)),
        script=PLUS,
    ),
    V("4.1 mbsync expunge", b"9 UID STORE 3 +FLAGS.SILENT (\\Deleted)\r\n10 CLOSE\r\n"),
    V("4.1 OfflineIMAP", b"JGKD5 UID FETCH 5 (BODY.PEEK[])\r\nJGKD6 UID FETCH 5 (RFC822.HEADER)\r\nJGKD7 NOOP\r\n"),
    V("4.1 imapsync", b"6 FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE)\r\n7 FETCH 1 (BODY.PEEK[])\r\n"),
    V("4.1 imaplib", b"ICJM2 SELECT INBOX\r\nICJM3 FETCH 1 (RFC822)\r\nICJM4 SEARCH NIL ALL\r\n"),
    V("4.1 curl", b'A003 LIST "" *\r\nA004 SELECT INBOX\r\nA005 FETCH 1 BODY[]\r\n'),
    V("4.1 email-oauth2-proxy: two commands in one packet", b'a LIST "" %\r\nb LSUB "" %\r\n'),
    V(
        "4.4 STORE, SEARCH, FETCH pipelined",
        b"a STORE 1 FLAGS (\\Seen)\r\nb SEARCH UNSEEN\r\nc FETCH 1 FLAGS\r\nd NOOP\r\n",
    ),
]

COMMANDS = [
    V(f"1.2 {line.decode()[:40]}", b"a " + line + b"\r\n")
    for line in (
        b"CAPABILITY",
        b"NOOP",
        b"CHECK",
        b"EXPUNGE",
        b"NAMESPACE",
        b"CREATE Archive/2026",
        b'CREATE "a b"',
        b"CREATE x (USE (\\Archive))",
        b"RENAME a b",
        b"SUBSCRIBE INBOX",
        b"UNSUBSCRIBE INBOX",
        b'LIST "" %',
        b'LIST "~/Mail/" "foo.*"',
        b'LSUB "" *',
        b'XLIST "" "*"',
        b'LIST (SUBSCRIBED REMOTE) "" (INBOX "Sent*") RETURN (STATUS (MESSAGES UNSEEN) CHILDREN)',
        b"STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN SIZE)",
        b"SEARCH ALL",
        b'SEARCH CHARSET UTF-8 OR FROM a (NOT SUBJECT "b c")',
        b"SEARCH RETURN (MIN MAX COUNT SAVE) 1:* UNDELETED",
        b"UID SEARCH UID 1:* SMALLER 4",
        b"SEARCH LARGER 18446744073709551615",
        b"SORT (REVERSE DATE SUBJECT) UTF-8 ALL",
        b"THREAD REFERENCES UTF-8 ALL",
        b"UID SORT (ARRIVAL) UTF-8 ALL",
        b"UID THREAD REFS US-ASCII ALL",
        b"STORE 1 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Seen)",
        b"STORE 1:* FLAGS ()",
        b"COPY 1 INBOX",
        b'MOVE 1:4,6 "a\\\\b"',
        b"UID COPY 1 x",
        b"UID MOVE 1 x",
        b'GETQUOTA ""',
        b"GETQUOTAROOT INBOX",
        b'SETQUOTA "" (STORAGE 512)',
        b"GETACL INBOX",
        b"MYRIGHTS INBOX",
        b"LISTRIGHTS INBOX u",
        b"DELETEACL x u",
        b'GETMETADATA (MAXSIZE 1024) "" (/shared/comment)',
        b"FETCH 1 FAST",
        b"FETCH 1 (FLAGS)",
        b"SELECT INBOX (QRESYNC (67890007 20050715194045000 41,43:211,214:541))",
        b"FETCH 1 (X-GM-MSGID X-GM-LABELS X-GM-THRID)",
        b"UID FETCH 1:* (FLAGS MODSEQ) (CHANGEDSINCE 12345)",
        b"STORE 1 +X-GM-LABELS (foo \\Inbox)",
        b'SEARCH X-GM-RAW "has:attachment in:unread"',
        b"FETCH 1 (UID PREVIEW (LAZY) EMAILID THREADID SAVEDATE)",
        b"CREATE a]b",
        b"SEARCH $",
        b"SUBSCRIBE ~peter/mail",
    )
]

DIALOGUES = [*CLIENTS, *COMMANDS]
