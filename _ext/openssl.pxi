# What is used of OpenSSL 3: its names, and how its reasons are read. No more of it is known elsewhere.

cdef extern from "<openssl/crypto.h>" nogil:
    void OPENSSL_cleanse(void* p, size_t n)

cdef extern from "<openssl/err.h>" nogil:
    unsigned long ERR_peek_error()
    unsigned long ERR_get_error()
    void ERR_clear_error()
    const char* ERR_reason_error_string(unsigned long code)
    int ERR_LIB_SSL
    int ERR_GET_LIB(unsigned long code)
    int ERR_GET_REASON(unsigned long code)

cdef extern from "<openssl/bio.h>" nogil:
    ctypedef struct BIO:
        pass
    ctypedef struct BIO_METHOD:
        pass
    int BIO_TYPE_SOURCE_SINK
    int BIO_CTRL_FLUSH
    int BIO_get_new_index()
    BIO_METHOD* BIO_meth_new(int kind, const char* name)
    int BIO_meth_set_read_ex(BIO_METHOD* m, int (*f)(BIO*, char*, size_t, size_t*) noexcept nogil)
    int BIO_meth_set_write_ex(BIO_METHOD* m, int (*f)(BIO*, const char*, size_t, size_t*) noexcept nogil)
    int BIO_meth_set_ctrl(BIO_METHOD* m, long (*f)(BIO*, int, long, void*) noexcept nogil)
    BIO* BIO_new(const BIO_METHOD* m)
    BIO* BIO_new_mem_buf(const void* p, int n)
    int BIO_free(BIO* b)
    void BIO_set_data(BIO* b, void* p)
    void* BIO_get_data(BIO* b)
    void BIO_set_init(BIO* b, int on)
    void BIO_clear_retry_flags(BIO* b)
    void BIO_set_retry_read(BIO* b)

cdef extern from "<openssl/evp.h>" nogil:
    ctypedef struct EVP_PKEY:
        pass
    ctypedef struct EVP_CIPHER:
        pass
    ctypedef struct EVP_CIPHER_CTX:
        pass
    ctypedef struct EVP_MAC_CTX:
        pass
    ctypedef struct OSSL_PARAM:
        pass
    ctypedef struct ENGINE:
        pass
    int EVP_PKEY_is_a(const EVP_PKEY* key, const char* name)
    int EVP_PKEY_up_ref(EVP_PKEY* key)
    void EVP_PKEY_free(EVP_PKEY* key)
    EVP_CIPHER* EVP_CIPHER_fetch(void* library, const char* name, const char* wanted)
    int EVP_EncryptInit_ex(EVP_CIPHER_CTX* c, const EVP_CIPHER* kind, ENGINE* e, const uint8_t* key, const uint8_t* iv)
    int EVP_DecryptInit_ex(EVP_CIPHER_CTX* c, const EVP_CIPHER* kind, ENGINE* e, const uint8_t* key, const uint8_t* iv)
    int EVP_MAC_CTX_set_params(EVP_MAC_CTX* c, const OSSL_PARAM* params)

cdef extern from "<openssl/params.h>" nogil:
    OSSL_PARAM OSSL_PARAM_construct_octet_string(const char* name, void* p, size_t n)
    OSSL_PARAM OSSL_PARAM_construct_utf8_string(const char* name, char* p, size_t n)
    OSSL_PARAM OSSL_PARAM_construct_end()

cdef extern from "<openssl/rand.h>" nogil:
    int RAND_bytes(uint8_t* p, int n)

cdef extern from "<openssl/sha.h>" nogil:
    uint8_t* SHA256(const uint8_t* p, size_t n, uint8_t* digest)

cdef extern from "<openssl/x509.h>" nogil:
    ctypedef struct X509:
        pass
    ctypedef struct X509_CRL:
        pass
    ctypedef struct X509_NAME:
        pass
    ctypedef struct X509_STORE:
        pass
    ctypedef struct X509_STORE_CTX:
        pass
    ctypedef struct X509_VERIFY_PARAM:
        pass
    # Functions on stacks are macros that look at the type.
    ctypedef struct X509_STACK "STACK_OF(X509)":
        pass
    ctypedef struct NAME_STACK "STACK_OF(X509_NAME)":
        pass
    X509_STACK* sk_X509_new_null()
    int sk_X509_push(X509_STACK* s, X509* x)
    int sk_X509_num(const X509_STACK* s)
    X509* sk_X509_value(const X509_STACK* s, int at)
    void sk_X509_pop_free(X509_STACK* s, void (*f)(X509*) noexcept nogil)
    void X509_free(X509* x) noexcept
    int X509_cmp(const X509* a, const X509* b)
    int X509_check_private_key(const X509* x, const EVP_PKEY* key)
    void X509_CRL_free(X509_CRL* x)
    int i2d_X509(const X509* x, uint8_t** out)
    const char* X509_verify_cert_error_string(long code)
    int X509_STORE_add_cert(X509_STORE* s, X509* x)
    int X509_STORE_add_crl(X509_STORE* s, X509_CRL* x)
    X509_VERIFY_PARAM* X509_STORE_get0_param(const X509_STORE* s)
    void* X509_STORE_CTX_get_ex_data(const X509_STORE_CTX* c, int at)
    X509* X509_STORE_CTX_get0_cert(const X509_STORE_CTX* c)
    int X509_up_ref(X509* x) noexcept
    int X509_STORE_CTX_get_error(const X509_STORE_CTX* c)
    void X509_STORE_CTX_set_error(X509_STORE_CTX* c, int code)
    int X509_VERIFY_PARAM_set_flags(X509_VERIFY_PARAM* p, unsigned long flags)
    void X509_VERIFY_PARAM_set_hostflags(X509_VERIFY_PARAM* p, unsigned int flags)
    int X509_VERIFY_PARAM_set1_host(X509_VERIFY_PARAM* p, const char* name, size_t n)
    int X509_VERIFY_PARAM_set1_ip(X509_VERIFY_PARAM* p, const uint8_t* ip, size_t n)
    const char* X509_get_default_cert_dir()
    const char* X509_get_default_cert_file()
    const char* X509_get_default_cert_dir_env()
    const char* X509_get_default_cert_file_env()
    long X509_V_OK
    unsigned long X509_V_FLAG_CRL_CHECK
    unsigned long X509_V_FLAG_CRL_CHECK_ALL

cdef extern from "<openssl/x509v3.h>" nogil:
    unsigned int X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS
    unsigned int X509_CHECK_FLAG_NEVER_CHECK_SUBJECT

cdef extern from "<openssl/pem.h>" nogil:
    X509* PEM_read_bio_X509(BIO* b, X509** x, int (*f)(char*, int, int, void*) noexcept nogil, void* u)
    X509_CRL* PEM_read_bio_X509_CRL(BIO* b, X509_CRL** x, int (*f)(char*, int, int, void*) noexcept nogil, void* u)
    EVP_PKEY* PEM_read_bio_PrivateKey(BIO* b, EVP_PKEY** x, int (*f)(char*, int, int, void*) noexcept nogil, void* u)
    int PEM_R_NO_START_LINE
    int ERR_LIB_PEM

cdef extern from "<openssl/ssl.h>" nogil:
    ctypedef struct SSL:
        pass
    ctypedef struct SSL_CTX:
        pass
    ctypedef struct SSL_METHOD:
        pass
    ctypedef struct SSL_SESSION:
        pass
    ctypedef struct SSL_CIPHER:
        pass
    ctypedef struct CIPHER_STACK "STACK_OF(SSL_CIPHER)":
        pass

    # contexts
    const SSL_METHOD* TLS_server_method()
    const SSL_METHOD* TLS_client_method()
    SSL_CTX* SSL_CTX_new(const SSL_METHOD* m)
    void SSL_CTX_free(SSL_CTX* c)
    int SSL_CTX_set_app_data(SSL_CTX* c, void* p)
    void* SSL_CTX_get_app_data(SSL_CTX* c)
    uint64_t SSL_CTX_set_options(SSL_CTX* c, uint64_t options)
    uint64_t SSL_CTX_clear_options(SSL_CTX* c, uint64_t options)
    long SSL_CTX_set_mode(SSL_CTX* c, long mode)
    int SSL_CTX_set_min_proto_version(SSL_CTX* c, int version)
    int SSL_CTX_set_max_proto_version(SSL_CTX* c, int version)
    void SSL_CTX_set_security_level(SSL_CTX* c, int level)
    int SSL_CTX_set_cipher_list(SSL_CTX* c, const char* text)
    int SSL_CTX_set_ciphersuites(SSL_CTX* c, const char* text)
    int SSL_CTX_set1_groups_list(SSL_CTX* c, const char* text)
    long SSL_CTX_set_dh_auto(SSL_CTX* c, int on)
    long SSL_CTX_set_session_cache_mode(SSL_CTX* c, long mode)
    long SSL_CTX_set_timeout(SSL_CTX* c, long seconds)
    int SSL_CTX_set_num_tickets(SSL_CTX* c, size_t n)
    int SSL_CTX_set_session_id_context(SSL_CTX* c, const uint8_t* p, unsigned int n)
    int SSL_CTX_use_cert_and_key(SSL_CTX* c, X509* leaf, EVP_PKEY* key, X509_STACK* chain, int replace)
    CIPHER_STACK* SSL_get1_supported_ciphers(SSL* s)
    void sk_SSL_CIPHER_free(CIPHER_STACK* s)
    int sk_SSL_CIPHER_num(const CIPHER_STACK* s)
    const SSL_CIPHER* sk_SSL_CIPHER_value(const CIPHER_STACK* s, int at)
    int SSL_CIPHER_get_auth_nid(const SSL_CIPHER* c)
    X509_STORE* SSL_CTX_get_cert_store(const SSL_CTX* c)
    int SSL_CTX_add_client_CA(SSL_CTX* c, X509* x)
    void SSL_CTX_set_verify(SSL_CTX* c, int mode, int (*f)(int, X509_STORE_CTX*) noexcept nogil)
    void SSL_CTX_set_verify_depth(SSL_CTX* c, int depth)
    void SSL_CTX_set_cert_verify_callback(SSL_CTX* c, int (*f)(X509_STORE_CTX*, void*) noexcept nogil, void* arg)
    void SSL_CTX_set_cert_cb(SSL_CTX* c, int (*f)(SSL*, void*) noexcept nogil, void* arg)
    void SSL_CTX_set_alpn_select_cb(
        SSL_CTX* c,
        int (*f)(SSL*, const uint8_t**, uint8_t*, const uint8_t*, unsigned int, void*) noexcept nogil, void* arg)
    int SSL_CTX_set_alpn_protos(SSL_CTX* c, const uint8_t* p, unsigned int n)
    int SSL_CTX_set_tlsext_servername_callback(SSL_CTX* c, int (*f)(SSL*, int*, void*) noexcept nogil)
    int SSL_CTX_set_tlsext_ticket_key_evp_cb(
        SSL_CTX* c, int (*f)(SSL*, uint8_t*, uint8_t*, EVP_CIPHER_CTX*, EVP_MAC_CTX*, int) noexcept nogil)
    void SSL_CTX_sess_set_new_cb(SSL_CTX* c, int (*f)(SSL*, SSL_SESSION*) noexcept nogil)

    # legs
    SSL* SSL_new(SSL_CTX* c)
    void SSL_free(SSL* s)
    void SSL_set_bio(SSL* s, BIO* r, BIO* w)
    int SSL_set_app_data(SSL* s, void* p)
    void* SSL_get_app_data(SSL* s)
    SSL_CTX* SSL_get_SSL_CTX(const SSL* s)
    int SSL_get_ex_data_X509_STORE_CTX_idx()
    void SSL_set_accept_state(SSL* s)
    void SSL_set_connect_state(SSL* s)
    int SSL_do_handshake(SSL* s)
    int SSL_read_ex(SSL* s, void* p, size_t n, size_t* got)
    int SSL_write_ex(SSL* s, const void* p, size_t n, size_t* put)
    int SSL_pending(const SSL* s)
    int SSL_shutdown(SSL* s)
    void SSL_set_shutdown(SSL* s, int mode)
    int SSL_get_error(const SSL* s, int result)
    int SSL_version(const SSL* s)
    const char* SSL_get_version(const SSL* s)
    const char* SSL_get_cipher_name(const SSL* s)
    int SSL_session_reused(const SSL* s)
    const char* SSL_get_servername(const SSL* s, int kind)
    int SSL_set_tlsext_host_name(SSL* s, const char* name)
    void SSL_get0_alpn_selected(const SSL* s, const uint8_t** p, unsigned int* n)
    int SSL_select_next_proto(uint8_t** out, uint8_t* n, const uint8_t* ours, unsigned int n_ours,
                              const uint8_t* theirs, unsigned int n_theirs)
    X509* SSL_get1_peer_certificate(const SSL* s)
    X509_STACK* SSL_get_peer_cert_chain(const SSL* s)
    long SSL_get_verify_result(const SSL* s)
    X509_VERIFY_PARAM* SSL_get0_param(SSL* s)
    void SSL_certs_clear(SSL* s)
    int SSL_use_cert_and_key(SSL* s, X509* leaf, EVP_PKEY* key, X509_STACK* chain, int replace)
    int SSL_set_session(SSL* s, SSL_SESSION* session)
    void SSL_SESSION_free(SSL_SESSION* s)
    int SSL_SESSION_is_resumable(const SSL_SESSION* s)
    long SSL_SESSION_get_time(const SSL_SESSION* s)
    long SSL_SESSION_get_timeout(const SSL_SESSION* s)

    uint64_t SSL_OP_NO_COMPRESSION
    uint64_t SSL_OP_NO_RENEGOTIATION
    uint64_t SSL_OP_IGNORE_UNEXPECTED_EOF
    uint64_t SSL_OP_NO_TICKET
    long SSL_MODE_RELEASE_BUFFERS
    long SSL_MODE_NO_AUTO_CHAIN
    long SSL_SESS_CACHE_OFF
    long SSL_SESS_CACHE_CLIENT
    long SSL_SESS_CACHE_NO_INTERNAL
    int SSL_VERIFY_NONE
    int SSL_VERIFY_PEER
    int SSL_VERIFY_FAIL_IF_NO_PEER_CERT
    int SSL_ERROR_WANT_READ
    int SSL_ERROR_ZERO_RETURN
    int SSL_SENT_SHUTDOWN
    int SSL_RECEIVED_SHUTDOWN
    int SSL_TLSEXT_ERR_OK
    int SSL_TLSEXT_ERR_ALERT_FATAL
    int OPENSSL_NPN_NEGOTIATED
    int TLSEXT_NAMETYPE_host_name
    int TLS1_3_VERSION

cdef extern from "<openssl/objects.h>" nogil:
    int NID_auth_rsa
    int NID_auth_ecdsa
    int NID_auth_any

cdef extern from "<arpa/inet.h>" nogil:
    int inet_pton(int family, const char* text, void* out)

cdef extern from "<time.h>" nogil:
    ctypedef long time_t
    time_t seconds_now "time"(time_t* out)


cdef str tls_text(unsigned long code):
    """OpenSSL's words for an error, or its number: for errors of the system it has none."""
    cdef const char* text = ERR_reason_error_string(code)
    if text == NULL:
        return f"error {code:#x}" if code else "unknown"
    return (<bytes>text).decode("ascii", "replace")


cdef unsigned long tls_cause() noexcept nogil:
    """The error that says most: the first of libssl's own, else the first. Empties the queue."""
    cdef unsigned long first = ERR_get_error()
    cdef unsigned long code = first
    while code and ERR_GET_LIB(code) != ERR_LIB_SSL:
        code = ERR_get_error()
    ERR_clear_error()
    return code or first


cdef str tls_reason():
    """The words for it. Empties the queue."""
    return tls_text(tls_cause())
