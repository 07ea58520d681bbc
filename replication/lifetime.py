"""The life of a daemon: it runs until a stop signal, closes its parts in order, and tells how it ended.

The first signal cancels the program, whose parts then close in the reverse of the order in which they opened. A second
signal ends the process at once, as does a clean-up that takes longer than its deadline: a village PC that shuts down
must not wait for us.
"""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from typing import Any

import structlog

STOP_DEADLINE_S = 10.0
"""Seconds that closing may take; everything promised is on disk before that."""

COLLECT_AFTER_OBJECTS = 50_000
"""New objects after which the garbage collector looks at the young ones: about one batch of an import."""

TURN_S = 0.0005
"""Seconds that a thread computes before another that waits has its turn: a switch costs a hundredth of that."""

EXIT_OK = 0
EXIT_OVERDUE = 3

log = structlog.get_logger(__name__)


def run_until_stopped(program: Coroutine[Any, Any, None], stop_deadline_s: float = STOP_DEADLINE_S) -> int:
    """Run a daemon's program to its end or to a stop signal and return the process's exit code.

    An unexpected error is raised, after everything was closed: the service manager restarts the daemon.
    """
    spare_the_collector()
    # An import is one thread that computes for minutes; the database's threads ask for their turn at every row that
    # they read or write, so at the usual 5 ms an answer of twenty rows waited a tenth of a second beside it.
    sys.setswitchinterval(TURN_S)
    return asyncio.run(_run(program, stop_deadline_s))


def spare_the_collector() -> None:
    """Let the garbage collector look less often, and not at what the imports made.

    Imports and batches make many small values that live on: looking through them again and again costs a daemon a
    tenth of its time during a large import and finds nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_OBJECTS, 20, 100)


async def _run(program: Coroutine[Any, Any, None], stop_deadline_s: float) -> int:
    root = asyncio.ensure_future(program)
    stopping = _stop_on_signals(root, stop_deadline_s)
    try:
        await root
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise
        log.info("stopped")
    return EXIT_OK


def _stop_on_signals(root: "asyncio.Future[None]", stop_deadline_s: float) -> threading.Event:
    """Let the first stop signal cancel the program; a second one, or the deadline, ends the process."""
    loop = asyncio.get_running_loop()
    stopping = threading.Event()

    def stop() -> None:
        if stopping.is_set():
            os._exit(EXIT_OVERDUE)
        stopping.set()
        log.info("stopping")
        watchdog = threading.Timer(stop_deadline_s, os._exit, (EXIT_OVERDUE,))
        watchdog.daemon = True
        watchdog.start()
        root.add_done_callback(lambda _done: watchdog.cancel())
        root.cancel()

    for name in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(name, stop)
        except NotImplementedError:
            # Windows: the loop cannot be woken by a signal handler directly.
            signal.signal(name, lambda _number, _frame: loop.call_soon_threadsafe(stop))
    return stopping
