# One leg's TLS: ciphertext in, plain bytes out, and back.
#
# There is no memory BIO. OpenSSL reads from the chunk that the leg was fed, and writes into one buffer that all legs of
# the process share; whoever calls a leg takes that output before any leg is called again. So an idle leg holds the SSL
# object alone: SSL_MODE_RELEASE_BUFFERS frees OpenSSL's own record buffers whenever no part of a record is in them.
#
#     leg.feed(p, n)                       a chunk from the socket, borrowed until settle()
#     leg.handshake()                      until it says TLS_DONE; then
#     leg.read(out, room)                  until it says 0, TLS_EOF or TLS_FAULT
#     leg.output(&p, &n); send; leg.sent() after each of handshake, read, write, shutdown
#     leg.settle()                         keeps what was not read of the chunk; usually nothing
#
# The beginning of a record whose end has not come is in OpenSSL's read buffer (16.5 KiB while it lasts).

cdef enum:
    TLS_WANTS = 0            # more bytes of the other side
    TLS_DONE = 1
    TLS_EOF = -1             # close_notify
    TLS_FAULT = -2
    TLS_PLAIN = 65536        # room of the plain buffer of the process: what some records hold
    MAX_UNREAD = 1048576     # ciphertext that waits in a leg

cdef uint8_t tls_plain[TLS_PLAIN]
cdef bint tls_plain_taken = False


cdef inline int plain_take() except -1:
    """What is in the buffer is a leg's until it is done with it: nobody else may write there."""
    global tls_plain_taken
    if tls_plain_taken:
        raise RuntimeError("plain octets of another leg are in use")
    tls_plain_taken = True
    return 0


cdef inline void plain_leave() noexcept:
    global tls_plain_taken
    tls_plain_taken = False


cdef inline void tls_clean() noexcept nogil:
    """An error that somebody left would be taken for one of the next call. To look is cheap, to clean is not."""
    if ERR_peek_error():
        ERR_clear_error()


@cython.final
@cython.no_gc_clear          # OpenSSL's callbacks see the context for as long as the leg lives
cdef class Tls:
    """TLS of one leg, in the role that its context says. A fault is final; what it still has to say is in the output.

    A leg connected to a server has a name set before its first handshake: what it verifies, and which session it
    resumes. In TLS 1.3 such a leg is done before the server has judged its certificate: the refusal comes by `read`.
    """

    cdef SSL* ssl
    cdef readonly TlsContext context
    cdef TlsIo io
    cdef Buf unread                    # what waits of earlier chunks
    cdef const char* own_reason
    cdef unsigned long reason
    cdef readonly bint handshake_done
    cdef readonly bint faulted
    cdef readonly bint closed          # the other side has said close_notify
    cdef readonly bint closing         # this side has
    cdef readonly bint ended           # the connection has ended below

    def __init__(self, TlsContext context not None):
        if self.ssl != NULL:
            raise TypeError("a leg is made once")
        cdef BIO* bio = BIO_new(leg_bio)
        ERR_clear_error()
        self.ssl = SSL_new(context.shared.ctx) if bio != NULL else NULL
        if self.ssl == NULL:
            if bio != NULL:
                BIO_free(bio)
            raise MemoryError
        self.context = context
        self.io.shared = context.shared
        BIO_set_data(bio, &self.io)
        BIO_set_init(bio, 1)
        SSL_set_bio(self.ssl, bio, bio)
        SSL_set_app_data(self.ssl, &self.io)
        if context.server:
            SSL_set_accept_state(self.ssl)
        else:
            SSL_set_connect_state(self.ssl)

    def __dealloc__(self):
        if self.ssl != NULL:
            if not self.faulted:
                # A connection cut short is no reason against its session: lengths are the protocol's above.
                SSL_set_shutdown(self.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
            SSL_free(self.ssl)
            ERR_clear_error()
            if self.io.offered and not self.handshake_done:
                # A server may not bear the session that was to go on: the next leg begins anew.
                session_forget(&self.io)
        if tls_out.owner == &self.io:
            tls_out.owner = NULL
            tls_out.size = 0
        buf_drop(&self.unread)
        free(self.io.to)
        if self.io.shown != NULL:
            X509_free(self.io.shown)

    def set_server_name(self, bytes name not None, bint verify=True):
        """The server that this leg is connected to, a name or an address: sent (names only), verified where the
        context verifies at all, and whose session is resumed."""
        cdef uint8_t ip[16]
        cdef size_t ip_size
        if self.context.server or not name or b"\0" in name or len(name) > MAX_SNI:
            raise ValueError("no name of a server")
        ip_size = 4 if inet_pton(AF_INET, name, ip) == 1 else 16 if inet_pton(AF_INET6, name, ip) == 1 else 0
        if ip_size == 0 and not SSL_set_tlsext_host_name(self.ssl, name):
            raise MemoryError
        if verify:
            self._expect(name, ip, ip_size)
        self._remember(name, verify)

    cdef int _expect(self, bytes name, const uint8_t* ip, size_t ip_size) except -1:
        """RFC 9525: names stand in the alternative names, a wildcard is a whole label, the subject is no name."""
        cdef X509_VERIFY_PARAM* param = SSL_get0_param(self.ssl)
        X509_VERIFY_PARAM_set_hostflags(
            param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
        if ip_size:
            taken = X509_VERIFY_PARAM_set1_ip(param, ip, ip_size)
        else:
            taken = X509_VERIFY_PARAM_set1_host(param, name, len(name))
        if not taken:
            raise MemoryError
        return 0

    cdef int _remember(self, bytes name, bint verify) except -1:
        """A session that was not verified is never resumed where it must be: the key says which."""
        cdef SSL_SESSION* session
        key = (b"+" if verify else b"-") + name.lower()
        free(self.io.to)
        self.io.to = <uint8_t*>malloc(len(key))
        if self.io.to == NULL:
            raise MemoryError
        memcpy(self.io.to, <const char*>key, len(key))
        self.io.to_size = len(key)
        session = session_for(&self.io)
        if session != NULL:
            SSL_set_session(self.ssl, session)
            self.io.offered = True
        return 0

    # --- for the relay ---------------------------------------------------------------------------------------

    cdef int feed(self, const uint8_t* p, Py_ssize_t n) except -1:
        """Ciphertext, borrowed until `settle`. What waits stands before it; after the end nothing is looked at."""
        if self.closed or self.faulted:
            return 0
        if self.io.left == 0:
            self.io.at = p
            self.io.left = n
            return 0
        self.settle()
        if self.io.left + n > MAX_UNREAD:
            self._fail(b"too much unread")
            return 0
        buf_add(&self.unread, p, n)
        self.io.at = self.unread.data
        self.io.left += n
        return 0

    cdef int settle(self) except -1:
        """The chunk that was fed goes away: keep what was not taken of it."""
        if self.closed or self.faulted:
            self.io.left = 0
        if self.io.left == 0:
            self.io.at = NULL
            buf_drop(&self.unread)
            return 0
        if self.unread.size == 0:
            buf_add(&self.unread, self.io.at, self.io.left)
        else:
            memmove(self.unread.data, self.io.at, self.io.left)
            self.unread.size = self.io.left
        self.io.at = self.unread.data
        return 0

    cdef int handshake(self) noexcept:
        """One flight further: TLS_DONE, TLS_WANTS or TLS_FAULT."""
        cdef int result
        if self.handshake_done:
            return TLS_DONE
        if not self._begin():
            return TLS_FAULT
        tls_clean()
        result = SSL_do_handshake(self.ssl)
        if result == 1:
            self.handshake_done = True
            self.io.dull = 0
            return TLS_DONE
        result = SSL_get_error(self.ssl, result)
        if result == SSL_ERROR_WANT_READ:
            return TLS_WANTS
        return self._fail(NULL)

    cdef int flight(self, bytes data) except -1:
        """A chunk, and the flight that it brings into the output. What stands behind the handshake waits."""
        self.feed(<const uint8_t*><const char*>data, len(data))
        self.handshake()
        return self.settle()

    cdef Py_ssize_t read(self, uint8_t* out, Py_ssize_t room) noexcept:
        """Plain bytes, of as many records as are here and fit; 0: nothing yet, TLS_EOF, TLS_FAULT. What a record
        demands (a key update, an alert) is in the output."""
        cdef Py_ssize_t got = 0
        cdef size_t n
        cdef int error
        if self.faulted or self.closed:
            return TLS_FAULT if self.faulted else TLS_EOF
        if not self.handshake_done or not self._waiting():
            return 0
        if not self._begin():
            return TLS_FAULT
        while got < room and self._waiting():
            tls_clean()
            if SSL_read_ex(self.ssl, out + got, room - got, &n):
                self.io.dull = 0
                got += n
                continue
            error = SSL_get_error(self.ssl, 0)
            if error == SSL_ERROR_ZERO_RETURN:
                self.closed = True
            elif error != SSL_ERROR_WANT_READ:
                self._fail(NULL)
            elif got == 0 or self.io.fresh:
                self._tidy()
            break
        if got == 0 and (self.closed or self.faulted):
            return TLS_EOF if self.closed else TLS_FAULT
        return got

    cdef bint _waiting(self) noexcept:
        return self.io.left > 0 or SSL_pending(self.ssl) > 0

    cdef void _tidy(self) noexcept:
        """OpenSSL makes a write buffer for each handshake message, a ticket too, and frees it when something is
        written: nothing is. A key update that was asked for goes out."""
        cdef size_t put
        self.io.fresh = False
        if not self.closing and not self.closed and not self.faulted:
            tls_clean()
            if not SSL_write_ex(self.ssl, <const void*>b"", 0, &put):
                self._fail(NULL)

    cdef int write(self, const uint8_t* p, Py_ssize_t n) noexcept:
        """All n bytes into the output, as records. 0, or TLS_FAULT: not done, closing, or broken."""
        cdef size_t put
        if self.faulted or not self.handshake_done or self.closing:
            return TLS_FAULT
        if n <= 0:
            return 0
        if not self._begin():
            return TLS_FAULT
        tls_clean()
        if SSL_write_ex(self.ssl, p, n, &put):
            return 0
        return self._fail(NULL)

    cdef int shutdown(self) noexcept:
        """close_notify into the output, once. What the other side still says can be read."""
        if self.closing or self.faulted or not self.handshake_done or not self._begin():
            return 0
        self.closing = True
        tls_clean()
        if SSL_shutdown(self.ssl) < 0:
            return self._fail(NULL)
        return 0

    cdef void end(self) noexcept:
        """The other side has ended the connection; feed nothing more."""
        self.ended = True

    cdef bint output(self, const uint8_t** p, Py_ssize_t* n) noexcept:
        """The ciphertext that this leg has made since `sent`. Valid until a leg is called again."""
        if tls_out.owner != &self.io:
            n[0] = 0
            return False
        p[0] = tls_out.data
        n[0] = tls_out.size
        return tls_out.size > 0

    cdef void sent(self) noexcept:
        """The output is taken; the room that much of it needed is given back."""
        cdef uint8_t* less
        if tls_out.owner != &self.io:
            return
        tls_out.owner = NULL
        tls_out.size = 0
        if tls_out.room > MAX_OUT_KEPT:
            less = <uint8_t*>realloc(tls_out.data, MAX_OUT_KEPT)
            if less != NULL:
                tls_out.data = less
                tls_out.room = MAX_OUT_KEPT

    cdef bint _begin(self) noexcept:
        """The output is this leg's. Another's that was not taken would go to the wrong end: the leg breaks instead."""
        if tls_out.owner != &self.io:
            if tls_out.size:
                self._fail(b"the output of another leg was not taken")
                return False
            tls_out.owner = &self.io
        return True

    cdef int _fail(self, const char* reason) noexcept:
        """Remember why; `reason` NULL: what OpenSSL says."""
        if not self.faulted:
            self.faulted = True
            if reason == NULL and self.io.over:
                reason = b"too much without a plain octet"
            self.own_reason = reason
            self.reason = tls_cause()
        return TLS_FAULT

    # --- for session and logs --------------------------------------------------------------------------------

    @property
    def truncated(self):
        """Has the connection ended without close_notify?"""
        return self.ended and not self.closed

    @property
    def fault_reason(self):
        """Why the leg broke, in OpenSSL's words where it was OpenSSL; None: it did not."""
        if not self.faulted:
            return None
        if self.own_reason != NULL:
            return (<bytes>self.own_reason).decode("ascii")
        return tls_text(self.reason)

    @property
    def version(self):
        """As "TLSv1.3"; None before the handshake is done."""
        return (<bytes>SSL_get_version(self.ssl)).decode("ascii") if self.handshake_done else None

    @property
    def cipher(self):
        """OpenSSL's name of the cipher; None before the handshake is done."""
        return (<bytes>SSL_get_cipher_name(self.ssl)).decode("ascii") if self.handshake_done else None

    @property
    def resumed(self):
        return SSL_session_reused(self.ssl) == 1

    @property
    def asked(self):
        """Has the server asked for a certificate?"""
        return bool(self.io.asked)

    @property
    def sni(self):
        """The name that the client asked for, as it stands there, or None."""
        cdef const char* name = SSL_get_servername(self.ssl, TLSEXT_NAMETYPE_host_name)
        return None if name == NULL else <bytes>name

    @property
    def alpn(self):
        """The protocol that was chosen, or None."""
        cdef const uint8_t* p = NULL
        cdef unsigned int n = 0
        SSL_get0_alpn_selected(self.ssl, &p, &n)
        return PyBytes_FromStringAndSize(<const char*>p, n) if n else None

    @property
    def verify_error(self):
        """What is wrong with the certificate of the other side, the first finding; None: nothing, there is none, or
        the context verifies nothing."""
        cdef long code
        if self.context.verify == TLS_NONE:
            return None
        code = self.io.wrong or SSL_get_verify_result(self.ssl)
        return None if code == X509_V_OK else (<bytes>X509_verify_cert_error_string(code)).decode("ascii")

    @property
    def peer_certificate(self):
        """The other side's certificate in DER, verified or not, or None. Also of a handshake that failed for it."""
        cdef X509* found = SSL_get1_peer_certificate(self.ssl)
        if found == NULL:
            return None if self.io.shown == NULL else tls_der(self.io.shown)
        try:
            return tls_der(found)
        finally:
            X509_free(found)

    @property
    def peer_chain(self):
        """The other side's certificates as it sent them, its own first. Of a resumed client only its own is known."""
        cdef X509_STACK* chain = SSL_get_peer_cert_chain(self.ssl)
        cdef int at
        leaf = self.peer_certificate
        found = [leaf] if leaf is not None else []
        if chain != NULL:
            found += [tls_der(sk_X509_value(chain, at)) for at in range(sk_X509_num(chain))]
            # A client's view of the chain has the leaf in it, a server's has not.
            if found[:1] == found[1:2]:
                del found[0]
        return tuple(found)

    # --- from Python, for the handshake and for tests ------------------------------------------------------------------------------

    def shake(self, bytes data not None):
        """Feed a chunk to the handshake; the ciphertext for the other side. What stands behind the handshake waits."""
        self.flight(data)
        return self._take()

    def pump(self, bytes data not None, Py_ssize_t most=-1):
        """Feed a chunk, go on with the handshake, read, but no more than `most` octets where it is not negative:
        (plain bytes, ciphertext for the other side)."""
        cdef Py_ssize_t n
        plain = []
        plain_take()
        try:
            self.feed(<const uint8_t*><const char*>data, len(data))
            while self.handshake() == TLS_DONE and most != 0:
                n = self.read(tls_plain, min(TLS_PLAIN, most) if most > 0 else TLS_PLAIN)
                if n <= 0:
                    break
                if most > 0:
                    most -= n
                plain.append(PyBytes_FromStringAndSize(<const char*>tls_plain, n))
        finally:
            plain_leave()
            self.settle()
        return b"".join(plain), self._take()

    def seal(self, bytes plain not None):
        """The ciphertext of plain bytes; empty from a leg that can send none."""
        self.write(<const uint8_t*><const char*>plain, len(plain))
        return self._take()

    def close(self):
        """The ciphertext that says close_notify."""
        self.shutdown()
        return self._take()

    def lose(self):
        """The connection has ended."""
        self.end()

    cdef bytes _take(self):
        cdef const uint8_t* p = NULL
        cdef Py_ssize_t n = 0
        if not self.output(&p, &n):
            return b""
        data = PyBytes_FromStringAndSize(<const char*>p, n)
        self.sent()
        return data
