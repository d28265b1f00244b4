# ENVELOPE (RFC 3501 section 7.4.2): gathered while a header is read, printed at its end.

cdef enum:  # Env
    ENV_DATE
    ENV_SUBJECT
    ENV_IN_REPLY_TO
    ENV_MESSAGE_ID
    ENV_TEXTS
    ENV_FROM = 4          # the first of the addresses
    ENV_SENDER
    ENV_REPLY_TO
    ENV_TO
    ENV_CC
    ENV_BCC
    ENV_FIELDS

cdef enum:
    ENV_LISTS = 6


cdef struct Envelope:
    Text texts[ENV_TEXTS]
    Buf lists[ENV_LISTS]


cdef void envelope_begin(Envelope* envelope) noexcept:
    cdef int i
    for i in range(ENV_TEXTS):
        envelope.texts[i].given = False
        envelope.texts[i].text.size = 0
    for i in range(ENV_LISTS):
        envelope.lists[i].size = 0


cdef int envelope_note(Envelope* envelope, Addresses* a, int field, const uint8_t* p, Py_ssize_t n) except -1:
    """A field of the header. Of a text that stands twice the last counts; addresses are added to those before."""
    cdef Text* text
    if field < ENV_TEXTS:
        text = &envelope.texts[field]
        text.given = True
        text.text.size = 0
        return buf_add(&text.text, p, n)
    return put_addresses(a, p, n, &envelope.lists[field - ENV_FROM])


cdef int _put_list(Buf* out, Buf* entries) except -1:
    put_char(out, c" ")
    if entries.size == 0:
        return put_text(out, "NIL")
    put_char(out, c"(")
    buf_add(out, entries.data, entries.size)
    return put_char(out, c")")


cdef int _put_line(Buf* out, Text* text, Buf* room) except -1:
    if not text.given:
        return put_text(out, "NIL")
    return put_unfolded(out, text.text.data, text.text.size, room)


cdef int put_subject(Buf* out, Text* text, Buf* clean, Buf* room) except -1:
    if not text.given:
        return put_text(out, "NIL")
    clean.size = 0
    add_clean(clean, text.text.data, text.text.size)
    return put_for_humans(out, clean.data, clean.size, room)


cdef int put_envelope(Buf* out, Envelope* envelope, Buf* clean, Buf* room) except -1:
    """Sender and Reply-To are those of From where they have none."""
    cdef Buf* lists = envelope.lists
    cdef int i
    put_char(out, c"(")
    _put_line(out, &envelope.texts[ENV_DATE], room)
    put_char(out, c" ")
    put_subject(out, &envelope.texts[ENV_SUBJECT], clean, room)
    for i in range(ENV_LISTS):
        if lists[i].size == 0 and (i == ENV_SENDER - ENV_FROM or i == ENV_REPLY_TO - ENV_FROM):
            _put_list(out, &lists[0])
        else:
            _put_list(out, &lists[i])
    put_char(out, c" ")
    _put_line(out, &envelope.texts[ENV_IN_REPLY_TO], room)
    put_char(out, c" ")
    _put_line(out, &envelope.texts[ENV_MESSAGE_ID], room)
    return put_char(out, c")")
