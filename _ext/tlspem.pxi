# Certificates and keys from PEM in memory, and what is said of those that will not do.

cdef struct TlsPair:         # a certificate, those above it, and its key
    X509* leaf
    X509_STACK* chain
    EVP_PKEY* key

cdef struct TlsPhrase:
    const char* text
    Py_ssize_t size
    bint given
    bint asked


class TlsError(Exception):
    """`what` (certificate, private-key, sni NAME, ca-file, ca-dir, crl, ciphers, ...) cannot be used because of `why`."""

    def __init__(self, what, why):
        super().__init__(f"{what}: {why}")
        self.what = what
        self.why = why


cdef int tls_phrase(char* to, int room, int writing, void* given) noexcept nogil:
    """Gives OpenSSL the pass phrase. It cleans its own copy."""
    cdef TlsPhrase* phrase = <TlsPhrase*>given
    phrase.asked = True
    if not phrase.given or phrase.size > room:
        return -1
    memcpy(to, phrase.text, phrase.size)
    return <int>phrase.size


cdef BIO* tls_source(bytes pem) except NULL:
    """Reads the bytes where they are: they must outlive it."""
    cdef BIO* source = BIO_new_mem_buf(<const char*>pem, <int>len(pem))
    if source == NULL:
        raise MemoryError
    return source


cdef bint tls_at_end() noexcept:
    """Is the error in the queue no more than that there is no further block?"""
    cdef unsigned long code = ERR_peek_error()
    if ERR_GET_LIB(code) == ERR_LIB_PEM and ERR_GET_REASON(code) == PEM_R_NO_START_LINE:
        ERR_clear_error()
        return True
    return False


cdef X509* tls_next_certificate(BIO* source, str what) except? NULL:
    """The next certificate; NULL, without an exception, after the last."""
    cdef X509* found
    ERR_clear_error()
    found = PEM_read_bio_X509(source, NULL, tls_phrase, NULL)
    if found == NULL and not tls_at_end():
        raise TlsError(what, tls_reason())
    return found


cdef void pair_drop(TlsPair* pair) noexcept:
    if pair.leaf != NULL:
        X509_free(pair.leaf)
    if pair.chain != NULL:
        sk_X509_pop_free(pair.chain, X509_free)
    if pair.key != NULL:
        EVP_PKEY_free(pair.key)
    memset(pair, 0, sizeof(TlsPair))


cdef int pair_certificates(TlsPair* pair, bytes pem, str what) except -1:
    """The first certificate is the leaf, the others are sent behind it."""
    cdef BIO* source = tls_source(pem)
    cdef X509* found
    try:
        pair.leaf = tls_next_certificate(source, what)
        if pair.leaf == NULL:
            raise TlsError(what, "no certificate in it")
        pair.chain = sk_X509_new_null()
        if pair.chain == NULL:
            raise MemoryError
        while True:
            found = tls_next_certificate(source, what)
            if found == NULL:
                return 0
            if not sk_X509_push(pair.chain, found):
                X509_free(found)
                raise MemoryError
    finally:
        BIO_free(source)


cdef int pair_key(TlsPair* pair, bytes pem, bytes passphrase, str what) except -1:
    cdef TlsPhrase phrase
    cdef BIO* source = tls_source(pem)
    memset(&phrase, 0, sizeof(phrase))
    if passphrase is not None:
        phrase.text = <const char*>passphrase
        phrase.size = len(passphrase)
        phrase.given = True
    ERR_clear_error()
    pair.key = PEM_read_bio_PrivateKey(source, NULL, tls_phrase, &phrase)
    BIO_free(source)
    if pair.key != NULL:
        ERR_clear_error()
        return 0
    reason = tls_reason()
    if phrase.asked and not phrase.given:
        raise TlsError(what, "it is encrypted, and there is no pass phrase")
    if phrase.asked:
        raise TlsError(what, f"wrong pass phrase ({reason})")
    raise TlsError(what, f"no private key can be read from it ({reason})")


cdef int pair_read(TlsPair* pair, bytes chain, bytes key, bytes passphrase, str name) except -1:
    """Fill an empty pair. `name`: of the sni entry, or None."""
    prefix = "" if name is None else f"sni {name} "
    pair_certificates(pair, chain, f"{prefix}certificate")
    pair_key(pair, key, passphrase, f"{prefix}private-key")
    if not X509_check_private_key(pair.leaf, pair.key):
        raise TlsError(f"{prefix}private-key", f"it does not fit the certificate ({tls_reason()})")
    return 0


cdef bytes tls_der(X509* certificate):
    cdef uint8_t* to
    cdef int size = i2d_X509(certificate, NULL)
    if size <= 0:
        ERR_clear_error()
        return None
    der = PyBytes_FromStringAndSize(NULL, size)
    to = <uint8_t*><char*>der
    i2d_X509(certificate, &to)
    return der


cdef int store_certificates(SSL_CTX* ctx, bytes pem, str what, bint offered) except -1:
    """Trust these; `offered`: name them to clients that are asked for a certificate. Returns how many they were."""
    cdef BIO* source = tls_source(pem)
    cdef X509* found
    cdef int count = 0
    cdef bint taken
    try:
        while True:
            found = tls_next_certificate(source, what)
            if found == NULL:
                return count
            taken = X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), found)
            if taken and offered:
                taken = SSL_CTX_add_client_CA(ctx, found)
            X509_free(found)
            if not taken:
                raise TlsError(what, tls_reason())
            count += 1
    finally:
        BIO_free(source)


cdef int store_crls(SSL_CTX* ctx, bytes pem) except -1:
    """Go by these revocation lists. Returns how many they were."""
    cdef BIO* source = tls_source(pem)
    cdef X509_CRL* found
    cdef int count = 0
    cdef bint taken
    try:
        while True:
            ERR_clear_error()
            found = PEM_read_bio_X509_CRL(source, NULL, tls_phrase, NULL)
            if found == NULL:
                if tls_at_end():
                    return count
                raise TlsError("crl", tls_reason())
            taken = X509_STORE_add_crl(SSL_CTX_get_cert_store(ctx), found)
            X509_CRL_free(found)
            if not taken:
                raise TlsError("crl", tls_reason())
            count += 1
    finally:
        BIO_free(source)


def tls_folder(str folder not None):
    """What the files of a folder hold, each content once: every certificate has a link by its hash beside it."""
    contents = {}
    try:
        for entry in sorted(_os.scandir(folder), key=lambda entry: entry.name):
            if entry.is_file():
                with open(entry.path, "rb") as file:
                    contents[file.read()] = True
    except OSError as exc:
        raise TlsError("ca-dir", f"{exc.filename or folder}: {exc.strerror}") from None
    return list(contents)


def tls_system():
    """OpenSSL's own certificates on this machine: its file, else its folder. SSL_CERT_FILE and SSL_CERT_DIR count."""
    file_name = _os.environ.get(X509_get_default_cert_file_env().decode()) or X509_get_default_cert_file().decode()
    if _os.path.exists(file_name):
        with open(file_name, "rb") as file:
            return [file.read()]
    return tls_folder(_os.environ.get(X509_get_default_cert_dir_env().decode()) or X509_get_default_cert_dir().decode())
