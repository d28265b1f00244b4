# The limits that a relay is given.

@cython.final
cdef class Limits:
    """The limits of a session as its ACLs have them: bytes, counts, seconds. 0 in `max_bytes_*`, `max_mail_*`,
    `login_s` and `time_s`: none. Shared by all sessions under the same ACLs.
    """

    cdef:
        public uint64_t max_bytes_in
        public uint64_t max_bytes_out
        public uint64_t max_mail_in
        public uint64_t max_mail_out
        public uint32_t max_line
        public uint32_t max_server_line
        public uint32_t max_literal
        public uint8_t max_pending
        public double idle_s
        public double login_s
        public double time_s
        public double client_recv_s
        public double server_recv_s
        public double reply_s
        public double client_send_s
        public double server_send_s
