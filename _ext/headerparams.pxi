# Parameters of Content-Type and Content-Disposition (RFC 2045 section 5.1, RFC 2231), joined as Dovecot 2.3 joins them.

from libc.stdlib cimport qsort

cdef enum:
    MAX_PARAMS = 128          # of one field; Dovecot's limit as well
    PARAMS_TOO_MANY = 1
    PARAMS_BROKEN = 2
    PARAMS_TWICE = 4          # a name without RFC 2231 that stands more than once


cdef struct Param:
    Py_ssize_t key            # offsets into Params.text; each of the two ends in a NUL
    Py_ssize_t value
    const uint8_t* name       # the key once the text no longer moves
    uint32_t index            # RFC 2231 section 3
    int order
    bint extended             # RFC 2231 section 4
    bint pieced               # has an asterisk that RFC 2231 allows


cdef struct Params:
    Buf text
    Param* items
    int count
    int room
    int faults


cdef void params_drop(Params* params) noexcept:
    buf_drop(&params.text)
    free(params.items)
    params.items = NULL
    params.room = 0


cdef Param* _new_param(Params* params) except NULL:
    cdef Param* grown
    cdef int room = params.room * 2 if params.room else 8
    if params.count == params.room:
        grown = <Param*>realloc(params.items, room * sizeof(Param))
        if grown == NULL:
            raise MemoryError
        params.items = grown
        params.room = room
    params.count += 1
    memset(&params.items[params.count - 1], 0, sizeof(Param))
    return &params.items[params.count - 1]


cdef int _read_value(Cursor* c, Buf* out) except -2:
    cdef int more = skip_lwsp(c)
    cdef const uint8_t* start
    if more <= 0:
        return more
    if c.p[0] == c'"':
        return read_quoted(c, out)
    if c.p[0] != c"=":
        return read_token(c, out)
    # As in name==?utf-8?b?...?=
    start = c.p
    while c.p < c.end and c.p[0] != c";" and not (is_lwsp(c.p[0]) or c.p[0] == c"\r" or c.p[0] == c"\n"):
        c.p += 1
    buf_add(out, start, until_nul(start, c.p - start))
    return 1


cdef int _read_param(Cursor* c, Buf* text, Py_ssize_t* key, Py_ssize_t* value) except -2:
    """One parameter into text, both parts with a NUL behind. 0: no more, -1: broken, at the cursor."""
    if c.p >= c.end:
        return 0
    if c.p[0] != c";":
        return -1
    c.p += 1
    if skip_lwsp(c) <= 0:
        return -1
    key[0] = text.size
    if read_token(c, text) <= 0 or c.p[0] != c"=":
        text.size = key[0]
        return -1
    c.p += 1
    put_char(text, 0)
    value[0] = text.size
    if _read_value(c, text) < 0:
        text.size = key[0]
        return -1
    put_char(text, 0)
    return 1


cdef void _find_index(Params* params, Param* one, uint32_t* last) noexcept:
    """Whether the key is that of a piece, as `name*1*`; if so it becomes the name. As in Dovecot `name*` takes the
    index that was read last.
    """
    cdef uint8_t* key = params.text.data + one.key
    cdef uint8_t* star = <uint8_t*>memchr(key, c"*", one.value - 1 - one.key) if one.value - 1 > one.key else NULL
    cdef uint8_t* p = star
    if star == NULL:
        return
    if p[1]:
        p += 1
        last[0] = 0
        while 48 <= p[0] <= 57:
            last[0] = last[0] * 10 + (p[0] - 48)
            p += 1
    one.index = last[0]
    if p[0] == c"*":
        one.extended = True
        p += 1
    if p[0] == 0:
        one.pieced = True
        star[0] = 0


cdef int params_read(Cursor* c, Params* params) except -1:
    """All parameters that follow the main value; what is broken is passed over."""
    cdef Py_ssize_t key = 0, value = 0
    cdef Param* one
    cdef uint32_t last = 0
    cdef int i, more, seen = 0
    params.text.size = 0
    params.count = params.faults = 0
    c.nuls = True
    while True:
        more = _read_param(c, &params.text, &key, &value)
        if more == 0:
            break
        seen += 1
        if seen > MAX_PARAMS:
            params.faults |= PARAMS_TOO_MANY
            break
        if more < 0:
            params.faults |= PARAMS_BROKEN
            if c.p >= c.end:
                break
            c.p += 1
            continue
        one = _new_param(params)
        one.key = key
        one.value = value
        one.order = params.count
        _find_index(params, one, &last)
    for i in range(params.count):
        params.items[i].name = params.text.data + params.items[i].key
    return 0


cdef int _by_name(const void* a, const void* b) noexcept nogil:
    """Whole ones first, in their order; pieces by name and index."""
    cdef const Param* one = <const Param*>a
    cdef const Param* other = <const Param*>b
    cdef Py_ssize_t i = 0
    if one.pieced != other.pieced:
        return 1 if one.pieced else -1
    if one.pieced:
        while one.name[i] and one.name[i] == other.name[i]:
            i += 1
        if one.name[i] != other.name[i]:
            return 1 if one.name[i] > other.name[i] else -1
        if one.index != other.index:
            return 1 if one.index > other.index else -1
    return 1 if one.order > other.order else -1


cdef inline const uint8_t* param_value(Params* params, int i) noexcept:
    return params.text.data + params.items[i].value


cdef inline bint param_named(Params* params, int i, const char* name) noexcept:
    cdef const uint8_t* key = params.items[i].name
    return same_word(key, strlen(<const char*>key), <const uint8_t*>name, strlen(name))


cdef int _join(Params* params, int first, int stop, bint extended, Buf* out) except -1:
    """The value of the pieces from first to stop. Where one of them is percent-encoded the others become so."""
    cdef const uint8_t* p
    cdef int i
    if extended and not params.items[first].extended:
        put_text(out, "''")
    for i in range(first, stop):
        p = param_value(params, i)
        if not extended or params.items[i].extended:
            put_text(out, <const char*>p)
            continue
        while p[0]:
            if p[0] == c"%":
                put_text(out, "%25")
            else:
                put_char(out, p[0])
            p += 1
    return 0


cdef int _joined_at(Params* params, int first, bint* extended, bint* whole) noexcept:
    """Where the pieces of the parameter at `first` end; whether one is percent-encoded, and none is missing."""
    cdef const uint8_t* name = params.items[first].name
    cdef int stop = first
    extended[0] = False
    whole[0] = True
    while stop < params.count and param_named(params, stop, <const char*>name):
        if params.items[stop].index != <uint32_t>(stop - first):
            whole[0] = False
        if params.items[stop].extended:
            extended[0] = True
        stop += 1
    return stop


cdef bint _named_twice(Params* params) noexcept:
    """Whether a name stands more than once, or stands both whole and in pieces."""
    cdef int i, k
    for i in range(params.count):
        for k in range(i):
            if param_named(params, i, <const char*>params.items[k].name):
                if not (params.items[i].pieced and params.items[k].pieced):
                    return True
    return False


cdef int params_merge(Params* params, Buf* names, Buf* values) except -1:
    """Name and value of each parameter, with a NUL behind each, into the two; how many. Those without RFC 2231 come
    first. Pieces of which one is missing or stands twice are no pieces.
    """
    cdef int i = 0, stop, k, count = 0
    cdef bint extended = False, whole = False
    names.size = values.size = 0
    if params.count:
        qsort(params.items, params.count, sizeof(Param), _by_name)
        if _named_twice(params):
            params.faults |= PARAMS_TWICE
    while i < params.count:
        if not params.items[i].pieced:
            stop = i + 1
            extended, whole = False, True
        else:
            stop = _joined_at(params, i, &extended, &whole)
        if whole:
            put_text(names, <const char*>params.items[i].name)
            put_text(names, "*" if extended else "")
            put_char(names, 0)
            _join(params, i, stop, extended, values)
            put_char(values, 0)
            count += 1
        else:
            for k in range(i, stop):
                put_text(names, <const char*>params.items[k].name)
                put_char(names, c"*")
                put_size(names, params.items[k].index)
                put_text(names, "*" if params.items[k].extended else "")
                put_char(names, 0)
                put_text(values, <const char*>param_value(params, k))
                put_char(values, 0)
            count += stop - i
        i = stop
    return count


def parameters(bytes value not None):
    """The main value of a Content-Type or Content-Disposition, comments aside, and (name, value) of its parameters as
    BODYSTRUCTURE has them: pieces (RFC 2231 section 3) are joined; where one of them is percent-encoded the name ends
    in an asterisk, and charset, language and percent signs stay. At most 128. Of a type that cannot be read the main
    value is b"", and its parameters begin at the first semicolon.
    """
    cdef Cursor c
    cdef Params params
    cdef Buf main, names, values
    cdef Field field
    cdef Buf room
    cdef Py_ssize_t size = 0
    memset(&params, 0, sizeof(Params))
    memset(&main, 0, sizeof(Buf))
    memset(&names, 0, sizeof(Buf))
    memset(&values, 0, sizeof(Buf))
    memset(&room, 0, sizeof(Buf))
    memset(&c, 0, sizeof(Cursor))
    field.value = 0
    field.value_end = len(value)
    field.folded = True
    try:
        full_value(<const uint8_t*>value, &field, &room, &c.p, &size)
        c.end = c.p + size
        _read_main(&c, &main)
        params_read(&c, &params)
        count = params_merge(&params, &names, &values)
        return _bytes_of(&main), _pairs(count, &names, &values)
    finally:
        params_drop(&params)
        buf_drop(&main)
        buf_drop(&names)
        buf_drop(&values)
        buf_drop(&room)


cdef int _read_main(Cursor* c, Buf* main) except -1:
    cdef const uint8_t* start = c.p
    skip_lwsp(c)
    if read_token(c, main) >= 0 and (c.p >= c.end or c.p[0] == c";"):
        return 0
    c.p = start
    main.size = 0
    if read_content_type(c, main) < 0:
        main.size = 0
        c.p = <const uint8_t*>memchr(start, c";", c.end - start) if c.end > start else c.end
        if c.p == NULL:
            c.p = c.end
    return 0


cdef bytes _bytes_of(const Buf* out):
    return PyBytes_FromStringAndSize(<const char*>out.data, out.size)


cdef list _pairs(int count, const Buf* names, const Buf* values):
    cdef list found = []
    cdef const char* name = <const char*>names.data
    cdef const char* value = <const char*>values.data
    cdef int i
    for i in range(count):
        found.append((<bytes>name, <bytes>value))
        name += strlen(name) + 1
        value += strlen(value) + 1
    return found
