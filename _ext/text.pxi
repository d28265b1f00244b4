# A log line's text for arguments that need no escaping: what the log writes thousands of times a second.

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    void* PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    object PyUnicode_DecodeASCII(const char* data, Py_ssize_t size, const char* errors)

cdef enum:
    MAX_FILLED = 2048


cdef Py_ssize_t _fill(char* out, bytes template, tuple args, Py_ssize_t limit) except -2:
    """The octets written to out (MAX_FILLED), or -1 where an argument needs a rule of log/escape.py."""
    cdef const char* t = template
    cdef Py_ssize_t n = len(template), i = 0, used = 0, at = 0, size
    cdef int64_t number
    cdef const uint8_t* text
    while i < n:
        if used + 24 > MAX_FILLED:
            return -1
        if t[i] != c"%":
            out[used] = t[i]
            used += 1
            i += 1
            continue
        if at == len(args):
            return -1
        arg = args[at]
        at += 1
        i += 2
        if t[i - 1] == c"s" and type(arg) is str:
            if not PyUnicode_IS_COMPACT_ASCII(arg):
                return -1
            size = PyUnicode_GET_LENGTH(arg)
            text = <const uint8_t*>PyUnicode_DATA(arg)
            if size == 0 or (limit and size > limit) or used + size + 24 > MAX_FILLED:
                return -1
            while size:
                if text[0] <= 0x20 or text[0] >= 0x7f or text[0] in b'"\\=<':
                    return -1
                out[used] = text[0]
                used += 1
                text += 1
                size -= 1
        elif type(arg) is int:
            try:
                number = arg
            except OverflowError:
                return -1
            used += snprintf(out + used, 24, "%lld", <long long>number)
        elif arg is None and t[i - 1] == c"s":
            memcpy(out + used, "<NULL>", 6)
            used += 6
        else:
            return -1
    return used if at == len(args) else -1


def fill(bytes template not None, tuple args not None, Py_ssize_t limit):
    """`template` with `%s`, `%u`, `%d` filled in, or None where an argument needs a rule of log/escape.py: anything but
    a printable ASCII word (not empty, at most `limit` long, none of `" \\ = <`), None at `%s`, or an int.
    """
    cdef char out[MAX_FILLED]
    cdef Py_ssize_t used = _fill(out, template, args, limit)
    return None if used < 0 else PyUnicode_DecodeASCII(out, used, NULL)
