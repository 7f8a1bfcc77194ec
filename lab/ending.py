"""SIGTERM and SIGHUP end a session as an orderly abort does: safe, its run closed, nothing lost."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import NoReturn

from .engine import Engine

ENDING = (signal.SIGTERM, signal.SIGHUP)


def end_on_signals(engines: Sequence[Engine], leave: Callable[[], object] | None = None) -> None:
    """Have SIGTERM and SIGHUP abort the plan, wait for its clean-up, and end the process.

    The exit status is that of a shell, 128 and the number of the signal. Outside the main thread,
    where no signal can be taken, this does nothing.

    Args:
        engines: Whose plans are aborted.
        leave: Called at last, where the process would ignore a SystemExit, as IPython does; None
            to raise one.
    """

    def end(number: int, _frame: object) -> NoReturn:
        for ending in ENDING:
            signal.signal(ending, signal.SIG_IGN)  # once is enough
        if number == signal.SIGHUP:  # the terminal is gone: to print there would fail
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for descriptor in (1, 2):
                os.dup2(nowhere, descriptor)
        status = 128 + number
        try:
            for engine in engines:
                engine.end(f"ended by {signal.Signals(number).name}")
        finally:
            if leave:
                leave_now(leave, status)
        sys.exit(status)

    if threading.current_thread() is threading.main_thread():
        for number in ENDING:
            signal.signal(number, end)


def leave_now(leave: Callable[[], object], status: int) -> NoReturn:
    """Leave in order, and end the process whatever comes of it."""
    try:
        leave()
    finally:
        sys.stdout.flush()
        os._exit(status)
