# How this process keeps the memory that it freed.

cdef extern from "<malloc.h>" nogil:
    int mallopt(int name, int value)
    int M_MMAP_THRESHOLD
    int M_TRIM_THRESHOLD
    int M_TOP_PAD

cdef enum:
    KEPT_BLOCK = 1 << 20      # larger blocks are mapped, and given back when they are freed
    KEPT_TOP = 4 << 20        # as much free memory at the end of the heap stays


def keep_memory():
    """Let malloc keep what chunks of mails leave. By default it gives back the end of the heap as soon as 128 KiB
    there are free, so that chunks which wait for a server's "+" are pages to be made anew each time: a half of the
    cost of an APPEND of 64 KiB. Other libraries than glibc may do nothing. Costs a process 4 MiB at most.
    """
    mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK)
    mallopt(M_TRIM_THRESHOLD, KEPT_TOP)
    mallopt(M_TOP_PAD, KEPT_BLOCK // 2)
