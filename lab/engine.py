"""A RunEngine that ends as it should: run closed, bench safe, idle, whenever it is interrupted."""

import asyncio
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any

import bluesky.preprocessors as bpp
from bluesky import RunEngine
from bluesky.utils import (
    DefaultDuringTask,
    Msg,
    MsgGenerator,
    RunEngineInterrupted,
    TransitionError,
)

from .interruptions import Interruptions

LOOK_PERIOD = 0.1  # s
LONGEST = 20.0  # s for a plan to clean up
ENDING = ("pausing", "aborting", "stopping", "halting")  # states that are over by themselves
OVER = ("idle", "panicked")
INTERRUPTED = "interrupted by Ctrl-C"
PAUSING = "odmrlab: pausing at the next point; Ctrl-C once more aborts the plan"
ABORTING = "odmrlab: aborting; the run is closed and the bench left safe"
PAUSED = """\
the plan is paused, its motions held; needs one of
    RE.resume()    go on from the last point
    RE.abort()     close the run and leave the bench safe
    RE.stop()      the same, and count the run as a success"""


class Attentive(DefaultDuringTask):
    """Waits for a plan with the eyes open.

    A signal that the kernel hands to another thread, one of the Channel Access client for example,
    does not wake the main thread; its handler runs when that looks up.

    Args:
        look: Called now and then.
    """

    def __init__(self, look: Callable[[], None]):
        super().__init__()
        self._look = look

    def block(self, blocking_event: threading.Event) -> None:
        """Wait for the end of the plan, and keep windows of Qt alive meanwhile."""
        super().block(Looking(blocking_event, self._look))


@dataclass(frozen=True)
class Looking:
    """An event whose waiter looks up now and then."""

    event: threading.Event
    look: Callable[[], None]

    def wait(self) -> None:
        """Wait for it."""
        while not self.event.wait(LOOK_PERIOD):
            self.look()


class Engine(RunEngine):
    """A RunEngine whose aborted runs say why, and that Ctrl-C leaves idle, closed and safe.

    Where somebody attends, the first Ctrl-C pauses the plan at its next point and the second aborts
    it; where nobody does, the first aborts it. While it cleans up, Ctrl-C changes nothing.

    Args:
        attended: Whether somebody is there to resume a plan that is paused.
    """

    def __init__(self, *args, attended: bool = True, **kwargs):
        look = Attentive(self._look)
        super().__init__(*args, during_task=look, context_managers=[], **kwargs)
        self.attended = attended
        self.pause_msg = PAUSED
        self._interruptions = Interruptions()
        self._why, self._asked_to_pause = "", False
        self.preprocessors.append(self._say_why)

    def __call__(self, *args, **kwargs):
        """Run a plan.

        Raises:
            RunEngineInterrupted: It was paused or aborted.
            KeyboardInterrupt: Ctrl-C came when the plan had no point left to pause at.
            TransitionError: Another plan is paused.
        """
        if self.state == "paused":
            raise TransitionError(
                "RE: another plan is paused; needs RE.resume(), RE.abort() or RE.stop() first"
            )
        return self._to_its_end(super().__call__, *args, **kwargs)

    def resume(self):
        """Go on with a paused plan."""
        return self._to_its_end(super().resume)

    def abort(self, reason: str = ""):
        """Abort the plan for a reason that gets into the stop documents."""
        with self.uninterrupted():
            return super().abort(reason)

    def stop(self):
        """End the plan, and count its run as a success."""
        with self.uninterrupted():
            return super().stop()

    def end(self, reason: str) -> None:
        """Abort what is under way, running or paused, and wait until it has cleaned up.

        Args:
            reason: Gets into the stop documents.
        """
        deadline = time.monotonic() + LONGEST
        with self.uninterrupted():
            while self.state not in OVER and time.monotonic() < deadline:
                if self.state in ("running", "paused"):
                    with suppress(TransitionError):  # it has just come to its end by itself
                        self.abort(reason)
                time.sleep(0.01)

    def close(self) -> None:
        """End its thread; it runs no plan any more."""
        if self._th.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._th.join()
            # later: a reading that was given up may still report to the loop
            weakref.finalize(self, self.loop.close).atexit = False

    def uninterrupted(self) -> AbstractContextManager:
        """Return a block during which Ctrl-C changes nothing."""
        return self._interruptions.held()

    def _to_its_end(self, go: Callable[..., Any], *args, **kwargs) -> Any:
        self._asked_to_pause, self._why = False, ""
        with self.uninterrupted():
            try:
                result = go(*args, **kwargs)
            except RunEngineInterrupted:
                if self._wants_abort and self.state == "paused":
                    self.abort(INTERRUPTED)  # it came while the plan was being paused
                if self.state == "paused":
                    raise
                why = self._why or "it was stopped, or had no point to pause at"
                raise RunEngineInterrupted(f"the plan has ended early: {why}") from None
        if self._interruptions.count:
            raise KeyboardInterrupt  # not for this plan, which is over, but for what follows
        return result

    @property
    def _wants_abort(self) -> bool:
        return self._interruptions.count > (1 if self.attended else 0)

    def _look(self) -> None:
        """Do what Ctrl-C asks for; called in the main thread while a plan runs."""
        if not self._interruptions.count or self.state != "running":
            return
        if self._wants_abort:
            print(ABORTING)
            self._try(self._abort_coro(INTERRUPTED))
        elif not self._asked_to_pause:
            print(PAUSING)
            self._asked_to_pause = True
            self._try(self._request_pause_coro(defer=True))

    def _try(self, coroutine: Coroutine) -> None:
        with suppress(TransitionError):  # the plan comes to its end by itself
            asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    async def _abort_coro(self, reason: str):
        self._refuse_at_the_end()
        self._why, self._deferred_pause_requested = reason, False
        return await super()._abort_coro(reason)

    async def _request_pause_coro(self, defer: bool = False):
        self._refuse_at_the_end()
        return await super()._request_pause_coro(defer)

    def _refuse_at_the_end(self) -> None:
        # bluesky cancels whatever its task is at: its own last clean-up too, and is never idle again
        if self.state in ENDING or self.state == "running" and not self._plan_stack:
            raise TransitionError(
                f"engine: the plan is {self.state} and at its end; needs one under way"
            )

    def _say_why(self, plan: MsgGenerator) -> MsgGenerator:
        # the plan closes its run itself, and knows of the abort but not why
        def say(message: Msg) -> Msg:
            if message.command == "close_run" and message.kwargs.get("exit_status") == "abort":
                return message._replace(kwargs=message.kwargs | {"reason": self._why})
            return message

        return (yield from bpp.msg_mutator(plan, say))
