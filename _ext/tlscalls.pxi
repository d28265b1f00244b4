# What OpenSSL calls back: tickets, ALPN, server names, certificates, sessions with servers. C alone: no Python object is
# touched, nothing is raised.

cdef enum:
    TLS_NONE = 0
    TLS_REQUEST = 1
    TLS_REQUIRE = 2
    TICKET_KEYS = 4          # the first encrypts, all decrypt
    TICKET_KEY = 80          # 16 octets of name, 32 for AES-256, 32 for HMAC
    TICKET_NAME = 16
    TICKET_SECRET = 32
    MAX_SERVER_SESSIONS = 64
    MAX_SNI = 255
    MAX_ALPN = 255

cdef struct TlsName:
    uint8_t text[MAX_SNI]
    Py_ssize_t size
    TlsPair pair

cdef struct TlsKept:         # a session with a server, for the next leg to it
    uint8_t* to
    Py_ssize_t size
    SSL_SESSION* session
    uint64_t used

cdef struct TlsShared:
    SSL_CTX* ctx
    uint8_t keys[TICKET_KEYS * TICKET_KEY]
    int n_keys
    uint8_t alpn[MAX_ALPN]
    unsigned int n_alpn
    TlsName* names
    Py_ssize_t n_names
    TlsKept kept[MAX_SERVER_SESSIONS]
    uint64_t uses
    bint lenient             # verify request: what is wrong is noted, the handshake goes on

cdef struct TlsIo:           # what OpenSSL's callbacks see of a leg
    TlsShared* shared
    const uint8_t* at        # ciphertext that waits
    Py_ssize_t left
    Py_ssize_t dull          # octets taken since the last plain one
    bint over                # too many of them
    uint8_t* to              # the server, as the table of sessions names it
    Py_ssize_t to_size
    bint fresh               # a session with the server has just come
    bint offered             # an earlier session is to go on
    bint asked               # the server wants a certificate
    int wrong                # the first thing wrong with the other side's certificate
    X509* shown              # that certificate: OpenSSL forgets one that it does not take

cdef EVP_CIPHER* ticket_cipher = EVP_CIPHER_fetch(NULL, b"AES-256-CBC", NULL)
if ticket_cipher == NULL:
    raise ImportError("OpenSSL has no AES-256-CBC")


cdef inline TlsShared* shared_of(SSL* ssl) noexcept nogil:
    return <TlsShared*>SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl))


cdef int on_ticket(SSL* ssl, uint8_t* name, uint8_t* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                   int encrypt) noexcept nogil:
    """Chooses the key of a session ticket. 1: use it, 2: and make a new ticket, 0: unknown, -1: failed."""
    cdef TlsShared* shared = shared_of(ssl)
    cdef uint8_t* key
    cdef int at
    if encrypt:
        key = shared.keys
        memcpy(name, key, TICKET_NAME)
        if RAND_bytes(iv, 16) != 1:
            return -1
        return 1 if ticket_start(key, iv, cipher, mac, True) else -1
    for at in range(shared.n_keys):
        key = shared.keys + at * TICKET_KEY
        if memcmp(name, key, TICKET_NAME) == 0:
            if not ticket_start(key, iv, cipher, mac, False):
                return -1
            # RFC 8446, appendix C.4: a client uses a ticket once, so it gets another.
            return 2 if at or SSL_version(ssl) == TLS1_3_VERSION else 1
    return 0


cdef bint ticket_start(uint8_t* key, uint8_t* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                       bint encrypt) noexcept nogil:
    cdef OSSL_PARAM params[3]
    cdef uint8_t* secret = key + TICKET_NAME
    params[0] = OSSL_PARAM_construct_octet_string(b"key", secret + TICKET_SECRET, TICKET_SECRET)
    params[1] = OSSL_PARAM_construct_utf8_string(b"digest", <char*>b"sha256", 0)
    params[2] = OSSL_PARAM_construct_end()
    if not EVP_MAC_CTX_set_params(mac, params):
        return False
    if encrypt:
        return EVP_EncryptInit_ex(cipher, ticket_cipher, NULL, secret, iv) == 1
    return EVP_DecryptInit_ex(cipher, ticket_cipher, NULL, secret, iv) == 1


cdef int on_alpn(SSL* ssl, const uint8_t** out, uint8_t* n, const uint8_t* theirs, unsigned int n_theirs,
                 void* given) noexcept nogil:
    """A client that names protocols must name ours: it may take us for a server of another one (ALPACA)."""
    cdef TlsShared* shared = <TlsShared*>given
    if SSL_select_next_proto(<uint8_t**>out, n, shared.alpn, shared.n_alpn, theirs, n_theirs) == OPENSSL_NPN_NEGOTIATED:
        return SSL_TLSEXT_ERR_OK
    return SSL_TLSEXT_ERR_ALERT_FATAL


cdef int on_server_name(SSL* ssl, int* alert, void* given) noexcept nogil:
    """Every name is taken, so that OpenSSL keeps it with the session."""
    return SSL_TLSEXT_ERR_OK


cdef bint name_fits(const TlsName* entry, const uint8_t* name, Py_ssize_t size) noexcept nogil:
    """The same name, or `*.` for its first label."""
    cdef const uint8_t* dot
    if entry.size == size and memcmp(entry.text, name, size) == 0:
        return True
    if entry.size < 2 or entry.text[0] != c"*":
        return False
    dot = <const uint8_t*>memchr(name, c".", size)
    if dot == NULL or dot == name or entry.size - 1 != size - (dot - name):
        return False
    return memcmp(entry.text + 1, dot, entry.size - 1) == 0


cdef TlsPair* pair_for(TlsShared* shared, const char* asked) noexcept nogil:
    """The pair of the first entry that is the name itself, else of the first with a wildcard; NULL: the usual one."""
    cdef uint8_t name[MAX_SNI]
    cdef TlsPair* wild = NULL
    cdef Py_ssize_t size, at
    size = <Py_ssize_t>strlen(asked)
    if size > MAX_SNI:
        return NULL
    for at in range(size):
        name[at] = asked[at] | 0x20 if c"A" <= asked[at] <= c"Z" else asked[at]
    for at in range(shared.n_names):
        if name_fits(&shared.names[at], name, size):
            if shared.names[at].text[0] != c"*":
                return &shared.names[at].pair
            if wild == NULL:
                wild = &shared.names[at].pair
    return wild


cdef int on_certificate(SSL* ssl, void* given) noexcept nogil:
    """The certificate that the client's server name asks for, in place of the usual one."""
    cdef const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
    cdef TlsPair* pair
    if asked == NULL:
        return 1
    pair = pair_for(<TlsShared*>given, asked)
    if pair == NULL:
        return 1
    # The usual one may be of another kind: OpenSSL would choose between both.
    SSL_certs_clear(ssl)
    return SSL_use_cert_and_key(ssl, pair.leaf, pair.key, pair.chain, 1)


cdef int on_verify(int good, X509_STORE_CTX* store) noexcept nogil:
    """Keeps the first thing wrong; where certificates are only asked for, nothing wrong ends the handshake."""
    cdef SSL* ssl = <SSL*>X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
    cdef TlsIo* io = <TlsIo*>SSL_get_app_data(ssl)
    if not good and io.wrong == 0:
        io.wrong = X509_STORE_CTX_get_error(store)
        io.shown = X509_STORE_CTX_get0_cert(store)
        if io.shown != NULL:
            X509_up_ref(io.shown)
    if io.wrong:
        X509_STORE_CTX_set_error(store, io.wrong)
    return 1 if io.shared.lenient else good


cdef int on_unverified(X509_STORE_CTX* store, void* given) noexcept nogil:
    """A client verifies always, only to forget the result where it need not: that work is saved."""
    return 1


cdef void kept_drop(TlsKept* kept) noexcept nogil:
    if kept.session != NULL:
        SSL_SESSION_free(kept.session)
    free(kept.to)
    memset(kept, 0, sizeof(TlsKept))


cdef TlsKept* kept_for(TlsIo* io) noexcept nogil:
    """The session of this server, or NULL."""
    cdef int at
    cdef TlsKept* kept
    for at in range(MAX_SERVER_SESSIONS):
        kept = &io.shared.kept[at]
        if kept.session != NULL and kept.size == io.to_size and memcmp(kept.to, io.to, io.to_size) == 0:
            return kept
    return NULL


cdef TlsKept* kept_oldest(TlsShared* shared) noexcept nogil:
    """A free place, else the one that was used longest ago."""
    cdef int at
    cdef TlsKept* oldest = &shared.kept[0]
    for at in range(MAX_SERVER_SESSIONS):
        if shared.kept[at].session == NULL:
            return &shared.kept[at]
        if shared.kept[at].used < oldest.used:
            oldest = &shared.kept[at]
    return oldest


cdef int on_certificate_asked(SSL* ssl, void* given) noexcept nogil:
    """A server wants our certificate."""
    (<TlsIo*>SSL_get_app_data(ssl)).asked = True
    return 1


cdef int on_session(SSL* ssl, SSL_SESSION* session) noexcept nogil:
    """Keeps the last session of a server. 1: OpenSSL leaves us its reference.

    None of a server that asked for a certificate: some (Dovecot 2.3) give sessions and then end the connection in which
    one is to go on, since they never gave theirs a context.
    """
    cdef TlsIo* io = <TlsIo*>SSL_get_app_data(ssl)
    cdef TlsKept* kept
    io.fresh = True
    if io.to == NULL or io.asked or not SSL_SESSION_is_resumable(session):
        return 0
    kept = kept_for(io)
    if kept == NULL:
        kept = kept_oldest(io.shared)
    kept_drop(kept)
    kept.to = <uint8_t*>malloc(io.to_size)
    if kept.to == NULL:
        return 0
    memcpy(kept.to, io.to, io.to_size)
    kept.size = io.to_size
    kept.session = session
    io.shared.uses += 1
    kept.used = io.shared.uses
    return 1


cdef SSL_SESSION* session_for(TlsIo* io) noexcept nogil:
    """A session of this server that has not run out, or NULL."""
    cdef TlsKept* kept = kept_for(io)
    if kept == NULL:
        return NULL
    if SSL_SESSION_get_time(kept.session) + SSL_SESSION_get_timeout(kept.session) < seconds_now(NULL):
        kept_drop(kept)
        return NULL
    io.shared.uses += 1
    kept.used = io.shared.uses
    return kept.session


cdef void session_forget(TlsIo* io) noexcept nogil:
    """No session of this server is to go on."""
    cdef TlsKept* kept = kept_for(io)
    if kept != NULL:
        kept_drop(kept)
