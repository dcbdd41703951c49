"""Signals of this process, heard beside the handlers of whoever serves it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def subscribe(heard: Callable[[int], object]) -> None:
    """Have a function called with the number of each signal that Python handles.

    It runs in a thread of its own, at once, wherever the main thread is; those who subscribed
    before come first. To be called in the main thread.

    A server sets its handlers after the application is made, in place of any other. But Python also
    writes the number of each signal to a descriptor, which only the application asks for. Whoever
    asked for it before is passed the numbers on.
    """
    _subscribers().append(heard)


@cache
def _subscribers() -> list[Callable[[int], object]]:
    subscribers: list[Callable[[int], object]] = []
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def listen() -> None:
        while number := os.read(reading, 1):
            if before != -1:
                with suppress(OSError):
                    os.write(before, number)
            for heard in list(subscribers):
                heard(number[0])

    threading.Thread(target=listen, daemon=True).start()
    return subscribers
