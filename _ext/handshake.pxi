# Handshakes: their steps are dear, so that only some of them are taken in each turn of the loop.

cdef enum:
    STEPS = 4                # a step is one flight, half a millisecond where it signs: others wait no longer than for these
    WAITING = 65536          # octets of one end that may wait for a step

STEPS_A_TURN = STEPS
MOST_WAITING = WAITING


@cython.final
cdef class Queue:
    """The handshakes of one worker that have something to do. `call_soon`: the loop's."""

    cdef object _call_soon
    cdef object _waiting
    cdef int _left
    cdef bint _running

    def __init__(self, call_soon):
        self._call_soon = call_soon
        self._waiting = _deque()
        self._left = STEPS

    def take(self, handshake):
        """Let it go a step further, now or in one of the next turns."""
        if not self._running:
            self._running = True
            self._call_soon(self._turn)
        if self._left > 0:
            self._left -= 1
            handshake.step()
        else:
            self._waiting.append(handshake)

    def _turn(self):
        cdef int steps = min(STEPS, len(self._waiting))
        self._left = STEPS - steps
        self._running = steps > 0
        if steps:
            self._call_soon(self._turn)
        for _ in range(steps):
            self._waiting.popleft().late_step()


@cython.final
cdef class Handshake:
    """One leg's. `done` is called once: with None, or with why there is no TLS. `broken` is called with what fails in a
    step that no chunk called for. `fd`: the transport's descriptor, where it may be written to.
    """

    cdef readonly Tls tls
    cdef readonly bint heard       # has the other end said anything?
    cdef Queue _queue
    cdef object _transport
    cdef object _done
    cdef object _broken
    cdef list _chunks
    cdef Py_ssize_t _size
    cdef int _fd

    def __init__(self, Queue queue not None, Tls tls not None, transport, done, broken, int fd=-1):
        self.tls = tls
        self._queue = queue
        self._transport = transport
        self._done = done
        self._broken = broken
        self._chunks = []
        self._fd = fd

    def data(self, bytes chunk not None):
        """Octets of the other end."""
        cdef bint waits
        if self._done is None:
            return
        self.heard = True
        waits = len(self._chunks) > 0
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > WAITING:
            self._finish("the other end says too much")
        elif not waits:
            self._queue.take(self)

    def late_step(self):
        """A step that no chunk called for: what fails in it ends this session alone."""
        broken = self._broken
        try:
            self.step()
        except Exception as exc:
            if broken is not None:
                broken(exc)

    def step(self):
        """One flight further."""
        cdef bytes data
        if self._done is None:
            return
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        self.tls.flight(data)
        self._send()
        if self.tls.faulted:
            self._finish(self.tls.fault_reason)
        elif self.tls.handshake_done:
            self._finish(None)

    def drop(self):
        """Nobody waits for the end any more. Nothing is held in a circle: workers run without the collector."""
        self._done = self._broken = None
        self._chunks.clear()

    cdef int _send(self) except -1:
        """To the descriptor first, unless the transport holds what was said before."""
        cdef const uint8_t* p = NULL
        cdef Py_ssize_t n = 0
        cdef ssize_t sent = 0
        if not self.tls.output(&p, &n):
            return 0
        try:
            if self._fd >= 0 and self._transport.get_write_buffer_size() == 0:
                sent = send(self._fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL)
            if sent < n:
                sent = max(sent, 0)
                self._transport.write(PyBytes_FromStringAndSize(<const char*>p + sent, n - sent))
        finally:
            self.tls.sent()
        return 0

    cdef int _finish(self, why) except -1:
        done = self._done
        self.drop()
        if done is not None:
            done(why)
        return 0
