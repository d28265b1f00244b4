# A log line's text for arguments that need no escaping: what the log writes thousands of times a second.

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    void* PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    object PyUnicode_DecodeASCII(const char* data, Py_ssize_t size, const char* errors)

cdef enum:
    MAX_FILLED = 2048


def fill(bytes template not None, tuple args not None, Py_ssize_t limit):
    """`template` with `%s`, `%u`, `%d` filled in, or None where an argument needs a rule of log/escape.py: anything but
    a printable ASCII word (not empty, at most `limit` long, none of `" \\ = <`), None at `%s`, or an int.
    """
    cdef char out[MAX_FILLED]
    cdef const char* t = template
    cdef Py_ssize_t n = len(template), i = 0, used = 0, at = 0, size
    cdef int64_t number
    cdef const uint8_t* text
    while i < n:
        if used + 24 > MAX_FILLED:
            return None
        if t[i] != c"%":
            out[used] = t[i]
            used += 1
            i += 1
            continue
        if at == len(args):
            return None
        arg = args[at]
        at += 1
        i += 2
        if t[i - 1] == c"s" and type(arg) is str:
            if not PyUnicode_IS_COMPACT_ASCII(arg):
                return None
            size = PyUnicode_GET_LENGTH(arg)
            text = <const uint8_t*>PyUnicode_DATA(arg)
            if size == 0 or (limit and size > limit) or used + size + 24 > MAX_FILLED:
                return None
            while size:
                if text[0] <= 0x20 or text[0] >= 0x7f or text[0] in b'"\\=<':
                    return None
                out[used] = text[0]
                used += 1
                text += 1
                size -= 1
        elif type(arg) is int:
            try:
                number = arg
            except OverflowError:
                return None
            used += snprintf(out + used, 24, "%lld", <long long>number)
        elif arg is None and t[i - 1] == c"s":
            memcpy(out + used, "<NULL>", 6)
            used += 6
        else:
            return None
    if at != len(args):
        return None
    return PyUnicode_DecodeASCII(out, used, NULL)
