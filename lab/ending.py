"""SIGTERM and SIGHUP end a session as an orderly abort does: safe, its run closed, nothing lost."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import bluesky.preprocessors as bpp
from bluesky import RunEngine
from bluesky.utils import DefaultDuringTask, Msg, MsgGenerator

ENDING = (signal.SIGTERM, signal.SIGHUP)
LOOK_PERIOD = 0.1  # s
LONGEST = 20.0  # s for a plan to clean up


class Attentive(DefaultDuringTask):
    """Waits for a plan with the eyes open.

    A signal that the kernel hands to another thread, one of the Channel Access client for example,
    does not wake the main thread; its handler runs when that looks up.
    """

    def block(self, blocking_event: threading.Event) -> None:
        """Wait for the end of the plan, and keep windows of Qt alive meanwhile."""
        super().block(Looking(blocking_event))


@dataclass(frozen=True)
class Looking:
    """An event whose waiter looks up now and then."""

    event: threading.Event

    def wait(self) -> None:
        """Wait for it."""
        while not self.event.wait(LOOK_PERIOD):
            pass


class Engine(RunEngine):
    """A RunEngine whose aborted runs say why."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, during_task=Attentive(), **kwargs)
        self._why = ""
        self.preprocessors.append(self._say_why)

    def abort(self, reason: str = ""):
        """Abort the plan for a reason that gets into the stop documents."""
        self._why = reason
        return super().abort(reason)

    def _say_why(self, plan: MsgGenerator) -> MsgGenerator:
        # the plan closes its run itself, and knows of the abort but not why
        def say(message: Msg) -> Msg:
            if message.command == "close_run" and message.kwargs.get("exit_status") == "abort":
                return message._replace(kwargs=message.kwargs | {"reason": self._why})
            return message

        return (yield from bpp.msg_mutator(plan, say))


def end_on_signals(engines: Sequence[RunEngine], leave: Callable[[], object] | None = None) -> None:
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
        status = 128 + number
        try:
            for engine in engines:
                abort(engine, f"ended by {signal.Signals(number).name}")
        finally:
            if leave:
                leave_now(leave, status)
        sys.exit(status)

    if threading.current_thread() is threading.main_thread():
        for number in ENDING:
            signal.signal(number, end)


def abort(RE: RunEngine, reason: str) -> None:
    """Abort a plan, running or paused, and wait until it has cleaned up; needs the main thread."""
    if RE.state == "idle":
        return
    RE.abort(reason)
    deadline = time.monotonic() + LONGEST
    while RE.state != "idle" and time.monotonic() < deadline:
        time.sleep(0.01)


def leave_now(leave: Callable[[], object], status: int) -> NoReturn:
    """Leave in order, and end the process whatever comes of it."""
    try:
        leave()
    finally:
        sys.stdout.flush()
        os._exit(status)
