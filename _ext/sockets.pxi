# Questions to a connected socket that would cost a Python socket object each: its two ends, its options.

cdef extern from "<sys/socket.h>" nogil:
    struct sockaddr:
        unsigned short sa_family
    struct sockaddr_storage:
        unsigned short ss_family
    int getsockname(int fd, sockaddr* name, unsigned int* size)
    int getpeername(int fd, sockaddr* name, unsigned int* size)
    int setsockopt(int fd, int level, int name, const void* value, unsigned int size)
    int AF_INET
    int AF_INET6

cdef extern from "<netinet/in.h>" nogil:
    struct in_addr:
        uint32_t s_addr
    struct sockaddr_in:
        unsigned short sin_port
        in_addr sin_addr
    struct in6_addr:
        uint8_t s6_addr[16]
    struct sockaddr_in6:
        unsigned short sin6_port
        in6_addr sin6_addr
    unsigned short ntohs(unsigned short value)


def end_of(int fd, bint peer):
    """(octets of the address, port) of the far end of a TCP socket, or of the near one; an IPv4-mapped address gives
    4 octets. None where the socket is not connected any more.
    """
    cdef sockaddr_storage name
    cdef unsigned int size = sizeof(name)
    cdef int rc
    cdef sockaddr_in* four = <sockaddr_in*>&name
    cdef sockaddr_in6* six = <sockaddr_in6*>&name
    cdef const uint8_t* octets
    cdef int i
    memset(&name, 0, sizeof(name))
    if peer:
        rc = getpeername(fd, <sockaddr*>&name, &size)
    else:
        rc = getsockname(fd, <sockaddr*>&name, &size)
    if rc < 0:
        return None
    if name.ss_family == AF_INET:
        return PyBytes_FromStringAndSize(<const char*>&four.sin_addr.s_addr, 4), ntohs(four.sin_port)
    if name.ss_family != AF_INET6:
        return None
    octets = six.sin6_addr.s6_addr
    for i in range(12):
        if octets[i] != (0xff if i >= 10 else 0):
            return PyBytes_FromStringAndSize(<const char*>octets, 16), ntohs(six.sin6_port)
    return PyBytes_FromStringAndSize(<const char*>octets + 12, 4), ntohs(six.sin6_port)


def set_options(int fd, tuple rows not None):
    """setsockopt for each (level, name, value). The number of those that the kernel refused."""
    cdef int level, name, value, refused = 0
    for level, name, value in rows:
        if setsockopt(fd, level, name, &value, sizeof(value)) < 0:
            refused += 1
    return refused
