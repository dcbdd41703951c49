"""The application in a worker process of granian: `granian --factory gateway.worker:create_app`.

Two things that a worker owes to those who stop it, and one to those who wait for it, that granian
does not see to.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading

from flask import Flask

import gateway
from gateway import signals


def create_app() -> Flask:
    """Make the application in the main thread of a worker that ends when it is told to."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _wake_for_signals()
    app = gateway.create_app()
    _keep_for_good()
    return app


def _die_with_parent() -> None:
    """End with the parent: whoever kills that means the gateway, not the half without a socket."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)


def _wake_for_signals() -> None:
    """Let the main thread handle every signal, whichever thread the kernel gave it to.

    Python runs its handlers in the main thread, and granian's lies in a lock without a time-out. A
    signal that another thread took, as one that is being created does, would not wake it up: the
    gateway went on answering until it was killed, together with all that were under way.
    """
    main_thread = threading.get_ident()
    # Its handler has nothing to do but to be run in the main thread, after those of the others.
    signal.signal(signal.SIGUSR2, lambda number, frame: None)

    def wake(number: int) -> None:
        if number != signal.SIGUSR2:
            signal.pthread_kill(main_thread, signal.SIGUSR2)

    signals.subscribe(wake)


def _keep_for_good() -> None:
    """Spare the garbage collector what is here to stay: modules, routes, schemas.

    It looked through all of it every few thousand requests, and for 40 ms none of them went on.
    """
    gc.collect()
    gc.freeze()
