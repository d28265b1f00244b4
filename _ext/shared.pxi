# The table of counts as Python has it: its memory, its lock, and what processes ask of it.

@cython.final
cdef class CountTable:
    """Counts of sessions and connection attempts of the host, shared by `workers` processes.

    Make it before the fork. A process uses one column only, but for who clears the columns of the dead.
    `slots` is how many addresses (IPv4, or IPv6 /64) are known at once; those without sessions make room, the
    longest unused first. When all have sessions and a limit per address holds, further addresses are refused.
    """

    cdef CtTable t
    cdef void *memory
    cdef size_t size
    cdef list owed

    def __cinit__(self, int workers, int slots=65536):
        if workers < 1 or slots < 1 or slots > 1 << 26:
            raise ValueError("a table has at least one worker and one slot, and at most 2**26 slots")
        self.owed = []
        self._map(workers, slots)
        self._make_lock()

    cdef int _map(self, uint32_t workers, uint32_t slots) except -1:
        cdef size_t chains = 1
        cdef size_t at_columns, at_slots, at_chains, at_cells
        while chains < slots:
            chains <<= 1
        at_columns = ct_round(sizeof(CtHead))
        at_slots = at_columns + workers * sizeof(CtColumn)
        at_chains = at_slots + ct_round((<size_t>slots + 1) * sizeof(CtSlot))
        at_cells = at_chains + ct_round(chains * sizeof(uint32_t))
        self.size = at_cells + <size_t>workers * (<size_t>slots + 1) * sizeof(uint32_t)
        self.memory = mmap(NULL, self.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
        if self.memory == MAP_FAILED:
            self.memory = NULL
            raise MemoryError(f"no shared memory of {self.size} bytes for the table of counts")
        self.t.head = <CtHead *>self.memory
        self.t.columns = <CtColumn *>(<char *>self.memory + at_columns)
        self.t.slots = <CtSlot *>(<char *>self.memory + at_slots)
        self.t.chains = <uint32_t *>(<char *>self.memory + at_chains)
        self.t.cells = <uint32_t *>(<char *>self.memory + at_cells)
        self.t.n_slots = slots
        self.t.n_columns = workers
        self.t.chain_mask = <uint32_t>(chains - 1)
        self.t.seed = int.from_bytes(_os.urandom(8), "little")
        return 0

    cdef int _make_lock(self) except -1:
        cdef pthread_mutexattr_t attr
        cdef int rc = pthread_mutexattr_init(&attr)
        rc = rc or pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED)
        rc = rc or pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST)
        rc = rc or pthread_mutex_init(&self.t.head.lock, &attr)
        if rc:
            raise OSError(rc, "no robust process-shared mutex")
        pthread_mutexattr_destroy(&attr)
        return 0

    def __dealloc__(self):
        if self.memory != NULL:
            munmap(self.memory, self.size)

    cdef inline int _column(self, int column) except -1:
        if column < 0 or <uint32_t>column >= self.t.n_columns:
            raise IndexError("no such column")
        return column

    cdef int _lock_or_raise(self) except -1:
        if ct_lock(&self.t):
            raise TimeoutError("the table of counts is held by a stopped process")
        return 0

    cdef void _settle_locked(self) except *:
        for column, key in self.owed:
            ct_leave(&self.t, column, key)
        self.owed.clear()

    def set_limits(self, max_sessions, max_sessions_per_ip, conn_rate, conn_rate_per_ip) -> None:
        """Sets the four limits for all processes; 0: none. Sessions that exist stay."""
        cdef uint32_t sessions = ct_limit(max_sessions)
        cdef uint32_t sessions_ip = ct_limit(max_sessions_per_ip)
        cdef uint32_t rate = ct_limit(conn_rate)
        cdef uint32_t rate_ip = ct_limit(conn_rate_per_ip)
        CT_STORE(&self.t.head.max_sessions, sessions)
        CT_STORE(&self.t.head.max_sessions_per_ip, sessions_ip)
        CT_STORE(&self.t.head.conn_rate, rate)
        CT_STORE(&self.t.head.conn_rate_per_ip, rate_ip)

    def admit(self, int column, bytes packed not None, int64_t now_ms) -> int:
        """Counts an attempt from address `packed` (4 or 16 bytes) at monotonic time `now_ms`, and on OK a session.

        Rates are judged first: an attempt counts against both, but one that its address's own rate refuses
        does not count against the host's. The answer is OK or one of the OVER_ constants.
        """
        cdef uint64_t key = ct_key(packed)
        cdef int answer
        self._column(column)
        if ct_lock(&self.t):
            return CT_OVER_SESSIONS
        if self.owed:
            self._settle_locked()
        answer = ct_admit(&self.t, column, key, <uint32_t>(now_ms // 1000))
        pthread_mutex_unlock(&self.t.head.lock)
        return answer

    def leave(self, int column, bytes packed not None) -> bool:
        """Ends a session that `admit` answered with OK. False: this column has none from there."""
        cdef uint64_t key = ct_key(packed)
        cdef bint known
        self._column(column)
        if ct_lock(&self.t):
            self.owed.append((column, key))
            return True
        if self.owed:
            self._settle_locked()
        known = ct_leave(&self.t, column, key)
        pthread_mutex_unlock(&self.t.head.lock)
        return known

    def settle(self) -> bool:
        """Makes good what `leave` could not write because the table was held. False: it still is; ask again later."""
        if self.owed:
            if ct_lock(&self.t):
                return False
            self._settle_locked()
            pthread_mutex_unlock(&self.t.head.lock)
        return True

    def clear(self, int column) -> None:
        """Subtracts all sessions of a dead worker's column. Raises TimeoutError: ask again later."""
        self._column(column)
        self._lock_or_raise()
        ct_clear(&self.t, column)
        pthread_mutex_unlock(&self.t.head.lock)

    def sessions(self) -> int:
        """Sessions of the host."""
        return CT_LOAD(&self.t.head.total)

    def column_sessions(self, int column) -> int:
        """Sessions of one worker."""
        return CT_LOAD(&self.t.columns[self._column(column)].sessions)

    def sessions_of(self, bytes packed not None) -> int:
        """Sessions of one address (IPv6: of its /64). Raises TimeoutError."""
        cdef uint64_t key = ct_key(packed)
        cdef uint32_t slot
        cdef uint32_t sessions
        self._lock_or_raise()
        slot = ct_find(&self.t, key)
        sessions = self.t.slots[slot].sessions if slot else 0
        pthread_mutex_unlock(&self.t.head.lock)
        return sessions

    def admitted(self) -> int:
        """Sessions that were ever admitted."""
        return CT_LOAD_LONG(&self.t.head.admitted)

    def repairs(self) -> int:
        """How often the table was made good after a process was killed inside it."""
        return CT_LOAD(&self.t.head.repairs)

    def slots(self) -> int:
        """How many addresses have a place at one time."""
        return self.t.n_slots

    def full(self) -> bool:
        """Every slot has sessions: a further address finds no place (a hint, read without the lock)."""
        return CT_LOAD(&self.t.head.used) == self.t.n_slots and not CT_LOAD(&self.t.head.idle_first)
