# A context: what all legs of one ssl-params section have in common. Made before privileges are dropped, from memory.
# OpenSSL's callbacks see its `TlsShared`; a leg keeps its context alive.


@cython.final
cdef class TlsContext:
    """One ssl-params section on one side. All texts are PEM or OpenSSL's own words, in bytes; nothing is read later.

    `server`: is this side the one that is connected to? `sni`: (name or `*.`domain, chain, key). `passphrase` is for
    every key. `ca_dir` is read whole now: a chroot has none. `ca_default`: trust what the machine's OpenSSL trusts.
    `verify`: 0 none, 1 request (what is wrong is told by `Tls.verify_error`, the handshake goes on), 2 require. With
    `crl` every certificate of a chain needs the list of its issuer. `tickets`: how many a client gets in TLS 1.3;
    0: nothing is resumed. Sessions resume only where `session_context` is the same. Raises TlsError.
    """

    cdef TlsShared* shared
    cdef readonly bint server
    cdef readonly int verify

    def __cinit__(self, *args, **kwargs):
        self.shared = <TlsShared*>calloc(1, sizeof(TlsShared))
        if self.shared == NULL:
            raise MemoryError

    def __init__(self, *, bint server, bytes certificate=None, bytes private_key=None, bytes passphrase=None, sni=(),
                 ca=(), str ca_dir=None, bint ca_default=False, crl=(), int verify=0, int depth=10,
                 int min_version=0x0303, int max_version=0x0304, bytes ciphers=None, bytes ciphersuites=None,
                 bytes groups=None, int security_level=2, int tickets=2, int lifetime_s=7200,
                 bytes session_context not None=b"", alpn=(b"imap",)):
        if self.shared.ctx != NULL:
            raise TypeError("a context is made once")
        self.server = server
        self.verify = verify
        self._make(min_version, max_version, security_level)
        self._strength(ciphers, ciphersuites, groups)
        self._identity(certificate, private_key, passphrase)
        self._names(sni, passphrase)
        self._trust(ca, ca_dir, ca_default, crl)
        self._verification(depth)
        self._sessions(tickets, lifetime_s, session_context)
        self._protocols(alpn)

    def __dealloc__(self):
        cdef Py_ssize_t at
        if self.shared == NULL:
            return
        for at in range(MAX_SERVER_SESSIONS):
            kept_drop(&self.shared.kept[at])
        for at in range(self.shared.n_names):
            pair_drop(&self.shared.names[at].pair)
        free(self.shared.names)
        if self.shared.ctx != NULL:
            SSL_CTX_free(self.shared.ctx)
        OPENSSL_cleanse(self.shared, sizeof(TlsShared))
        free(self.shared)

    def set_ticket_keys(self, tuple keys not None):
        """1 to 4 keys of 80 octets: the first encrypts tickets, all decrypt. Until then a random one is used."""
        cdef Py_ssize_t at
        if not 1 <= len(keys) <= TICKET_KEYS or any(type(key) is not bytes or len(key) != TICKET_KEY for key in keys):
            raise ValueError(f"1 to {TICKET_KEYS} ticket keys of {TICKET_KEY} octets are wanted")
        OPENSSL_cleanse(self.shared.keys, sizeof(self.shared.keys))
        for at in range(len(keys)):
            memcpy(self.shared.keys + at * TICKET_KEY, <const char*><bytes>keys[at], TICKET_KEY)
        self.shared.n_keys = len(keys)

    cdef int _make(self, int min_version, int max_version, int security_level) except -1:
        cdef SSL_CTX* ctx
        ERR_clear_error()
        ctx = SSL_CTX_new(TLS_server_method() if self.server else TLS_client_method())
        if ctx == NULL:
            raise TlsError("tls", tls_reason())
        self.shared.ctx = ctx
        SSL_CTX_set_app_data(ctx, self.shared)
        SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION)
        # The machine's openssl.cnf may have said otherwise.
        SSL_CTX_clear_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF)
        # Chains are sent as given: OpenSSL would build them from what is trusted, anew for each handshake.
        SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN)
        SSL_CTX_set_security_level(ctx, security_level)
        if min_version > max_version:
            raise TlsError("min-version", "it is above max-version")
        if not SSL_CTX_set_min_proto_version(ctx, min_version):
            raise TlsError("min-version", "not supported by this OpenSSL")
        if not SSL_CTX_set_max_proto_version(ctx, max_version):
            raise TlsError("max-version", "not supported by this OpenSSL")
        return 0

    cdef int _strength(self, bytes ciphers, bytes ciphersuites, bytes groups) except -1:
        cdef SSL_CTX* ctx = self.shared.ctx
        SSL_CTX_set_dh_auto(ctx, 1)
        ERR_clear_error()
        if ciphers is not None and not SSL_CTX_set_cipher_list(ctx, ciphers):
            raise TlsError("ciphers", tls_reason())
        if ciphersuites is not None and not SSL_CTX_set_ciphersuites(ctx, ciphersuites):
            raise TlsError("ciphersuites", tls_reason())
        if groups is not None and not SSL_CTX_set1_groups_list(ctx, groups):
            raise TlsError("curves", f"unknown or empty ({tls_reason()})")
        return 0

    cdef int _identity(self, bytes certificate, bytes private_key, bytes passphrase) except -1:
        cdef TlsPair pair
        if certificate is None or private_key is None:
            if certificate is not None or private_key is not None or self.server:
                raise TlsError("private-key" if private_key is None else "certificate", "missing")
            return 0
        memset(&pair, 0, sizeof(pair))
        try:
            pair_read(&pair, certificate, private_key, passphrase, None)
            if not SSL_CTX_use_cert_and_key(self.shared.ctx, pair.leaf, pair.key, pair.chain, 1):
                raise TlsError("certificate", tls_reason())
            if self.server:
                self._usable(&pair)
        finally:
            pair_drop(&pair)
        return 0

    cdef int _usable(self, TlsPair* pair) except -1:
        """Is there a cipher for this kind of key, within versions and security level? Suites of TLS 1.3 fit all."""
        cdef bint rsa = EVP_PKEY_is_a(pair.key, b"RSA") or EVP_PKEY_is_a(pair.key, b"RSA-PSS")
        cdef int wanted = NID_auth_rsa if rsa else NID_auth_ecdsa
        cdef SSL* trial = self._trial()
        cdef CIPHER_STACK* ciphers = SSL_get1_supported_ciphers(trial)
        cdef bint found = False
        cdef int at, nid
        SSL_free(trial)
        if ciphers != NULL:
            for at in range(sk_SSL_CIPHER_num(ciphers)):
                nid = SSL_CIPHER_get_auth_nid(sk_SSL_CIPHER_value(ciphers, at))
                found = found or nid == wanted or nid == NID_auth_any
            sk_SSL_CIPHER_free(ciphers)
        if not found:
            raise TlsError("ciphers", f"none fits the certificate's {'RSA' if rsa else 'ECDSA'} key")
        return 0

    cdef SSL* _trial(self) except NULL:
        """A leg that never opens, to see what OpenSSL makes of the context."""
        cdef SSL* trial = SSL_new(self.shared.ctx)
        if trial == NULL:
            raise TlsError("tls", tls_reason())
        return trial

    cdef int _names(self, sni, bytes passphrase) except -1:
        cdef TlsName* entry
        entries = list(sni)
        if not entries:
            return 0
        self.shared.names = <TlsName*>calloc(len(entries), sizeof(TlsName))
        if self.shared.names == NULL:
            raise MemoryError
        for name, chain, key in entries:
            entry = &self.shared.names[self.shared.n_names]
            self.shared.n_names += 1
            self._name(entry, name, chain, key, passphrase)
        SSL_CTX_set_cert_cb(self.shared.ctx, on_certificate, self.shared)
        return 0

    cdef int _name(self, TlsName* entry, bytes name, bytes chain, bytes key, bytes passphrase) except -1:
        """Read an entry, and see that OpenSSL takes the pair: on a leg made for that."""
        cdef SSL* trial
        cdef bint taken
        text = name.decode("ascii", "replace")
        if not 1 <= len(name) <= MAX_SNI:
            raise TlsError(f"sni {text}", "no name of a host")
        name = name.lower()
        memcpy(entry.text, <const char*>name, len(name))
        entry.size = len(name)
        pair_read(&entry.pair, chain, key, passphrase, text)
        trial = self._trial()
        taken = SSL_use_cert_and_key(trial, entry.pair.leaf, entry.pair.key, entry.pair.chain, 1) == 1
        SSL_free(trial)
        if not taken:
            raise TlsError(f"sni {text} certificate", tls_reason())
        return 0

    cdef int _trust(self, ca, str ca_dir, bint ca_default, crl) except -1:
        cdef SSL_CTX* ctx = self.shared.ctx
        cdef int count = 0
        cdef bint offered = self.server and self.verify != TLS_NONE
        for pem in ca:
            if not store_certificates(ctx, pem, "ca-file", offered):
                raise TlsError("ca-file", "no certificate in it")
            count += 1
        if ca_dir is not None:
            found = sum(store_certificates(ctx, pem, "ca-dir", offered) for pem in tls_folder(ca_dir))
            if not found:
                raise TlsError("ca-dir", "no certificate in it")
            count += found
        if ca_default:
            count += sum(store_certificates(ctx, pem, "ca-file", False) for pem in tls_system())
        if self.verify == TLS_REQUIRE and count == 0:
            raise TlsError("ca-file", "certificates shall be verified, and there is none to trust")
        for pem in crl:
            if not store_crls(ctx, pem):
                raise TlsError("crl", "no revocation list in it")
            X509_VERIFY_PARAM_set_flags(X509_STORE_get0_param(SSL_CTX_get_cert_store(ctx)),
                                        X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL)
        return 0

    cdef int _verification(self, int depth) except -1:
        cdef SSL_CTX* ctx = self.shared.ctx
        cdef int mode = SSL_VERIFY_PEER
        if self.verify == TLS_NONE:
            SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL)
            SSL_CTX_set_cert_verify_callback(ctx, on_unverified, NULL)
            return 0
        if self.verify == TLS_REQUIRE:
            mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT
        elif self.verify != TLS_REQUEST:
            raise ValueError("verify is 0, 1 or 2")
        self.shared.lenient = self.verify == TLS_REQUEST
        SSL_CTX_set_verify(ctx, mode, on_verify)
        SSL_CTX_set_verify_depth(ctx, depth)
        return 0

    cdef int _sessions(self, int tickets, int lifetime_s, bytes session_context) except -1:
        """OpenSSL keeps no session itself: clients keep theirs as tickets, those with servers are in our table."""
        cdef SSL_CTX* ctx = self.shared.ctx
        cdef uint8_t digest[32]
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF)
        SSL_CTX_set_timeout(ctx, lifetime_s)
        if not tickets:
            SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET)
        elif not self.server:
            SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL)
            SSL_CTX_sess_set_new_cb(ctx, on_session)
            SSL_CTX_set_cert_cb(ctx, on_certificate_asked, NULL)
        if not self.server:
            return 0
        SSL_CTX_set_num_tickets(ctx, tickets)
        if RAND_bytes(self.shared.keys, TICKET_KEY) != 1:
            raise TlsError("session-tickets", tls_reason())
        self.shared.n_keys = 1
        SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket)
        SHA256(session_context, len(session_context), digest)
        SSL_CTX_set_session_id_context(ctx, digest, sizeof(digest))
        return 0

    cdef int _protocols(self, alpn) except -1:
        cdef SSL_CTX* ctx = self.shared.ctx
        wire = b"".join(bytes((len(name),)) + name for name in alpn)
        if len(wire) > MAX_ALPN:
            raise ValueError("too many protocols")
        memcpy(self.shared.alpn, <const char*><bytes>wire, len(wire))
        self.shared.n_alpn = len(wire)
        if self.server:
            SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name)
            if wire:
                SSL_CTX_set_alpn_select_cb(ctx, on_alpn, self.shared)
        elif wire:
            SSL_CTX_set_alpn_protos(ctx, self.shared.alpn, self.shared.n_alpn)
        return 0
