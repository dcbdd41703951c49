"""The network between a gateway and MySQL, as a TCP proxy on loopback that may be broken."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Self

CHUNK_BYTES = 64 * 1024
# Closed so, a connection ends with a reset, whatever is still under way on it.
AT_ONCE = struct.pack("ii", 1, 0)


class Proxy:
    """Passes on what it gets, unless it is told otherwise."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._flows, self._over = threading.Event(), threading.Event()
        self._delay_sec = 0.0
        self.port = 0
        self._flows.set()
        self._listen()

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        # A listening socket wakes whoever waits for a connection only when it is shut down.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        with self._lock:
            for connection in self._open:
                _reset(connection)

    def swallow(self) -> None:
        """Take connections and bytes and pass nothing on, as where packets vanish."""
        self._flows.clear()

    def slow_down(self, delay_sec: float) -> None:
        """Hold everything back for a while, in both directions."""
        self._delay_sec = delay_sec

    def mend(self) -> None:
        """Pass on again, what was held back included."""
        self._delay_sec = 0.0
        self._flows.set()
        if self._listener.fileno() < 0:
            self._listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.mend()
        self.cut()
        for thread in self._threads:
            thread.join()

    def _listen(self) -> None:
        """Listen, on the port it had before if there was one."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, args=(self._listener,))
        self._acceptor.start()

    def _accept(self, listener: socket.socket) -> None:
        """Connect each that comes with the target."""
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return  # It was cut.
            try:
                far = socket.create_connection(self._target)
            except OSError:
                _reset(near)
                near.close()
                continue
            with self._lock:
                self._open |= {near, far}
            both = threading.Thread(target=self._carry, args=(near, far))
            self._threads.append(both)
            both.start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        """Pass on in both directions, until one side ends."""
        back = threading.Thread(target=self._pump, args=(far, near))
        back.start()
        self._pump(near, far)
        back.join()
        with self._lock:
            self._open -= {near, far}
            near.close()
            far.close()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        """Pass on in one direction; where it ends, end the other one too."""
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK_BYTES):
                self._flows.wait()
                if self._delay_sec:
                    self._over.wait(self._delay_sec)
                sink.sendall(chunk)
        _wake(source)
        _wake(sink)


def _reset(connection: socket.socket) -> None:
    """Have a connection end without a farewell, now."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    _wake(connection)


def _wake(connection: socket.socket) -> None:
    """Have whoever waits for more on a connection find its end; the other side is told nothing."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RD)
