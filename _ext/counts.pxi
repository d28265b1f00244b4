# The host's table of counts: sessions and connection attempts, of the host and of each address, over all workers.
#
# It lies in anonymous shared memory that the master maps before it forks. Each worker has a column; in it one cell
# an address holds that worker's sessions. The cells (with each slot's key) are the truth: sums, totals, chains and
# the idle list are derived from them and are made anew by `ct_rebuild`.
#
# One robust process-shared mutex guards the table for some tens of nanoseconds an operation. When a process is
# killed inside, the kernel marks the mutex, the next one that comes takes it with EOWNERDEAD, and rebuilds. What the
# dead one left half done can only be in its own column, and that column is cleared anyway (`clear`), so totals stay
# exact. Nobody waits longer than LOCK_WAIT_NS for a process that was stopped inside: an admission is
# refused, a leaving is owed and made good later.
#
# Trust: whoever shares the table can corrupt it, and the mutex holds pointers. So a privileged process never takes the
# lock: the master reads single counters and stores limits, and lets a process without privileges call `clear`.
#
# Links are slot numbers from 1; 0 is none, so fresh (zero) pages need no setting up and stay untouched until used.

from libc.stdint cimport uint8_t, uint32_t, uint64_t, int64_t
from libc.string cimport memcmp, memset
from posix.mman cimport mmap, munmap, MAP_FAILED, MAP_SHARED, MAP_ANONYMOUS, PROT_READ, PROT_WRITE
from posix.time cimport clock_gettime, timespec, CLOCK_REALTIME
cimport cython
import os as _os

cdef extern from "<pthread.h>" nogil:
    ctypedef struct pthread_mutex_t:
        pass
    ctypedef struct pthread_mutexattr_t:
        pass
    int PTHREAD_PROCESS_SHARED
    int PTHREAD_MUTEX_ROBUST
    int pthread_mutexattr_init(pthread_mutexattr_t *)
    int pthread_mutexattr_setpshared(pthread_mutexattr_t *, int)
    int pthread_mutexattr_setrobust(pthread_mutexattr_t *, int)
    int pthread_mutexattr_destroy(pthread_mutexattr_t *)
    int pthread_mutex_init(pthread_mutex_t *, pthread_mutexattr_t *)
    int pthread_mutex_trylock(pthread_mutex_t *)
    int pthread_mutex_timedlock(pthread_mutex_t *, const timespec *)
    int pthread_mutex_unlock(pthread_mutex_t *)
    int pthread_mutex_consistent(pthread_mutex_t *)

cdef extern from "<errno.h>" nogil:
    int EBUSY
    int EOWNERDEAD

cdef extern from *:
    """
    #define CT_LOAD(p) __atomic_load_n((p), __ATOMIC_RELAXED)
    #define CT_STORE(p, value) __atomic_store_n((p), (value), __ATOMIC_RELAXED)
    """
    uint32_t CT_LOAD(uint32_t *) noexcept nogil
    void CT_STORE(uint32_t *, uint32_t) noexcept nogil
    uint64_t CT_LOAD_LONG "CT_LOAD"(uint64_t *) noexcept nogil

OK = 0
OVER_SESSIONS = 1
OVER_SESSIONS_IP = 2
OVER_RATE = 3
OVER_RATE_IP = 4

cdef enum:
    CT_OK = 0
    CT_OVER_SESSIONS = 1
    CT_OVER_SESSIONS_IP = 2
    CT_OVER_RATE = 3
    CT_OVER_RATE_IP = 4
    CT_LOCK_WAIT_NS = 100000000  # 100 ms: an overloaded machine may keep a holder from running that long

cdef struct CtHead:
    pthread_mutex_t lock
    uint32_t max_sessions
    uint32_t max_sessions_per_ip
    uint32_t conn_rate
    uint32_t conn_rate_per_ip
    uint32_t total          # sessions of the host
    uint32_t second         # the newest second that any worker has named
    uint32_t rate_second
    uint32_t rate_count     # attempts in rate_second
    uint32_t used           # slots 1..used have had a key
    uint32_t idle_first     # slots without sessions, the longest unused first
    uint32_t idle_last
    uint64_t admitted       # sessions since the start
    uint32_t repairs        # how often the lock was taken over from a dead holder

cdef struct CtSlot:
    uint64_t key
    uint32_t sessions       # sum of the slot's cells
    uint32_t chain          # next slot of the same hash
    uint32_t idle_prev
    uint32_t idle_next
    uint32_t rate_second
    uint32_t rate_count     # attempts in rate_second
    uint32_t refused_until  # last second in which everything from here is refused
    uint32_t reserved

cdef struct CtColumn:
    uint32_t sessions
    uint32_t untracked      # sessions of addresses that found no slot (only where no limit per address holds)
    uint32_t padding[14]    # a cache line each

cdef struct CtTable:
    CtHead *head
    CtColumn *columns
    CtSlot *slots
    uint32_t *chains
    uint32_t *cells         # column-major: cells[column * (n_slots + 1) + slot]
    uint32_t n_slots
    uint32_t n_columns
    uint32_t chain_mask
    uint64_t seed


cdef inline uint32_t *ct_cell(CtTable *t, uint32_t column, uint32_t slot) noexcept nogil:
    return t.cells + <size_t>column * (t.n_slots + 1) + slot


cdef inline uint32_t *ct_chain_of(CtTable *t, uint64_t key) noexcept nogil:
    # Keyed mixing (splitmix64's finaliser): nobody outside can aim many addresses at one chain.
    cdef uint64_t h = key ^ t.seed
    h = (h ^ (h >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    h = (h ^ (h >> 27)) * <uint64_t>0x94D049BB133111EB
    return t.chains + ((h ^ (h >> 31)) & t.chain_mask)


cdef inline uint32_t ct_find(CtTable *t, uint64_t key) noexcept nogil:
    cdef uint32_t slot = ct_chain_of(t, key)[0]
    while slot and t.slots[slot].key != key:
        slot = t.slots[slot].chain
    return slot


cdef inline void ct_idle_remove(CtTable *t, uint32_t slot) noexcept nogil:
    cdef CtSlot *s = &t.slots[slot]
    if s.idle_prev:
        t.slots[s.idle_prev].idle_next = s.idle_next
    else:
        t.head.idle_first = s.idle_next
    if s.idle_next:
        t.slots[s.idle_next].idle_prev = s.idle_prev
    else:
        t.head.idle_last = s.idle_prev


cdef inline void ct_idle_append(CtTable *t, uint32_t slot) noexcept nogil:
    cdef CtSlot *s = &t.slots[slot]
    s.idle_prev = t.head.idle_last
    s.idle_next = 0
    if t.head.idle_last:
        t.slots[t.head.idle_last].idle_next = slot
    else:
        t.head.idle_first = slot
    t.head.idle_last = slot


cdef inline void ct_link(CtTable *t, uint32_t slot) noexcept nogil:
    cdef uint32_t *first = ct_chain_of(t, t.slots[slot].key)
    t.slots[slot].chain = first[0]
    first[0] = slot


cdef void ct_unlink(CtTable *t, uint32_t slot) noexcept nogil:
    cdef uint32_t *link = ct_chain_of(t, t.slots[slot].key)
    while link[0] and link[0] != slot:
        link = &t.slots[link[0]].chain
    if link[0]:
        link[0] = t.slots[slot].chain


cdef uint32_t ct_take(CtTable *t, uint64_t key) noexcept nogil:
    # A slot for a new address, at the end of the idle list; 0 when every slot has sessions.
    cdef uint32_t slot
    if t.head.used < t.n_slots:
        slot = t.head.used + 1
        t.slots[slot].key = key
        t.head.used = slot
    else:
        slot = t.head.idle_first
        if not slot:
            return 0
        ct_idle_remove(t, slot)
        ct_unlink(t, slot)
        t.slots[slot].key = key
        t.slots[slot].rate_count = 0
        t.slots[slot].refused_until = 0
    ct_link(t, slot)
    ct_idle_append(t, slot)
    return slot


cdef void ct_rebuild(CtTable *t) noexcept nogil:
    # Everything that is derived, anew from keys and cells. The order of the idle list is lost, nothing else.
    cdef uint32_t slot, column, sessions
    memset(t.chains, 0, (<size_t>t.chain_mask + 1) * sizeof(uint32_t))
    t.head.idle_first = t.head.idle_last = t.head.total = 0
    for column in range(t.n_columns):
        t.columns[column].sessions = t.columns[column].untracked
    for slot in range(1, t.head.used + 1):
        t.slots[slot].sessions = 0
        for column in range(t.n_columns):
            sessions = ct_cell(t, column, slot)[0]
            t.slots[slot].sessions += sessions
            t.columns[column].sessions += sessions
        ct_link(t, slot)
        if not t.slots[slot].sessions:
            ct_idle_append(t, slot)
    for column in range(t.n_columns):
        t.head.total += t.columns[column].sessions


cdef int ct_lock_slow(CtTable *t, int rc) noexcept nogil:
    cdef timespec until
    if rc == EBUSY:
        clock_gettime(CLOCK_REALTIME, &until)
        until.tv_nsec += CT_LOCK_WAIT_NS
        if until.tv_nsec >= 1000000000:
            until.tv_nsec -= 1000000000
            until.tv_sec += 1
        rc = pthread_mutex_timedlock(&t.head.lock, &until)
    if rc == EOWNERDEAD:
        ct_rebuild(t)
        t.head.repairs += 1
        rc = pthread_mutex_consistent(&t.head.lock)
    return rc


cdef inline int ct_lock(CtTable *t) noexcept nogil:
    cdef int rc = pthread_mutex_trylock(&t.head.lock)
    return ct_lock_slow(t, rc) if rc else 0


cdef bint ct_over_rate(CtHead *head, uint32_t limit) noexcept nogil:
    # Of the host: what is beyond the rate is refused, in this second only. (To refuse all of the next second too
    # would let one flood shut everybody out.)
    if head.rate_second != head.second:
        head.rate_second = head.second
        head.rate_count = 0
    head.rate_count += 1
    return limit and head.rate_count > limit


cdef bint ct_over_rate_ip(CtHead *head, CtSlot *s, uint32_t limit) noexcept nogil:
    # Of one address: over the rate once, it is refused for this second and the next (TCPS-642).
    if s.rate_second != head.second:
        s.rate_second = head.second
        s.rate_count = 0
    s.rate_count += 1
    if not limit:
        return False
    if s.rate_count > limit:
        s.refused_until = head.second + 1
    return s.refused_until >= head.second and s.refused_until


cdef int ct_admit(CtTable *t, uint32_t column, uint64_t key, uint32_t second) noexcept nogil:
    cdef CtHead *head = t.head
    cdef uint32_t max_sessions = CT_LOAD(&head.max_sessions)
    cdef uint32_t max_ip = CT_LOAD(&head.max_sessions_per_ip)
    cdef uint32_t rate_ip = CT_LOAD(&head.conn_rate_per_ip)
    cdef uint32_t slot
    cdef CtSlot *s = NULL
    if second > head.second:
        head.second = second
    slot = ct_find(t, key)
    if not slot:
        slot = ct_take(t, key)
    if slot:
        s = &t.slots[slot]
        if not s.sessions:
            ct_idle_remove(t, slot)
            ct_idle_append(t, slot)
        if ct_over_rate_ip(head, s, rate_ip):
            return CT_OVER_RATE_IP
    if ct_over_rate(head, CT_LOAD(&head.conn_rate)):
        return CT_OVER_RATE
    if max_sessions and head.total >= max_sessions:
        return CT_OVER_SESSIONS
    if not slot:
        if max_ip or rate_ip:
            return CT_OVER_SESSIONS_IP
        t.columns[column].untracked += 1
    else:
        if max_ip and s.sessions >= max_ip:
            return CT_OVER_SESSIONS_IP
        ct_cell(t, column, slot)[0] += 1
        if not s.sessions:
            ct_idle_remove(t, slot)
        s.sessions += 1
    t.columns[column].sessions += 1
    head.total += 1
    head.admitted += 1
    return CT_OK


cdef bint ct_leave(CtTable *t, uint32_t column, uint64_t key) noexcept nogil:
    # False: this column has no such session.
    cdef uint32_t slot = ct_find(t, key)
    cdef uint32_t *cell = ct_cell(t, column, slot)
    if slot and cell[0]:
        cell[0] -= 1
        t.slots[slot].sessions -= 1
        if not t.slots[slot].sessions:
            ct_idle_append(t, slot)
    elif t.columns[column].untracked:
        t.columns[column].untracked -= 1
    else:
        return False
    t.columns[column].sessions -= 1
    t.head.total -= 1
    return True


cdef void ct_clear(CtTable *t, uint32_t column) noexcept nogil:
    cdef uint32_t *cells = ct_cell(t, column, 0)
    cdef uint32_t slot
    for slot in range(1, t.head.used + 1):
        if cells[slot]:
            t.slots[slot].sessions -= cells[slot]
            cells[slot] = 0
            if not t.slots[slot].sessions:
                ct_idle_append(t, slot)
    t.head.total -= t.columns[column].sessions
    t.columns[column].sessions = t.columns[column].untracked = 0


cdef uint64_t ct_key(bytes packed) except 0:
    # IPv4 in full under a prefix that is no source's (multicast), IPv6 by its /64; never 0.
    cdef const uint8_t *p = packed
    cdef Py_ssize_t size = len(packed)
    cdef uint64_t key = 0
    cdef int i
    if size == 16 and memcmp(p, b"\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0:
        p += 12
        size = 4
    if size == 4:
        return (<uint64_t>0xFFFF << 48) | (<uint64_t>p[0] << 24) | (p[1] << 16) | (p[2] << 8) | p[3]
    if size != 16:
        raise ValueError("an address is 4 or 16 bytes")
    for i in range(8):
        key = (key << 8) | p[i]
    return key if key else <uint64_t>0xFFFE << 48


cdef uint32_t ct_limit(object value) except? 0xFFFFFFFF:
    if not 0 <= value < 0xFFFFFFFF:
        raise ValueError("a limit is 0 (none) or a positive number of 32 bits")
    return value


cdef inline size_t ct_round(size_t size) noexcept nogil:
    return (size + 63) & ~<size_t>63
