"""The road of documents: journal first, then whoever wants them, off the RunEngine's thread."""

import logging
import threading
import time
from functools import partial
from itertools import count
from typing import Any

from event_model import sanitize_doc

from ...analysis.fit_run import FitRun
from ...analysis.fit_series import FitSeries
from .door import strange
from .journal import Journal
from .lane import Consumer, Lane
from .recorded import rows_before
from .runfile import UnkeptError

PATIENCE = 10.0  # s for which nobody takes a document, after which the rest is given up at the end
LONGEST = 60.0  # s, at most, for the end

log = logging.getLogger(__name__)


class Road:
    """Takes every document of a RunEngine.

    A document is on disk before the call returns. Fits and other consumers get it afterwards, in
    order, each on a thread of its own; the documents of a fit go the same road. A consumer that
    fails or hangs is reported in the log, and hurts neither the scan nor the other consumers.

    Args:
        journal: Where every document is kept.
        consumers: Each called with the name and the document, fits included.
    """

    def __init__(self, journal: Journal, *consumers: Consumer):
        self._journal = journal
        self._moved = threading.Condition()
        self._tokens = count()
        before = partial(rows_before, journal.folder)
        ours = [FitRun(self, before), FitSeries(self), *consumers]
        self._lanes = {next(self._tokens): Lane(each, self._moved) for each in ours}
        self._leaving: list[Lane] = []

    def __call__(self, name: str, doc: dict[str, Any], *, measured: bool = False) -> None:
        """Keep a document, and hand it on; numpy's numbers and arrays become plain ones.

        Args:
            name: ``start``, ``descriptor``, ``event`` or ``stop``, say.
            doc: The document.
            measured: Whether a RunEngine emitted it; a fit is nothing that was measured.

        Raises:
            JournalError: It is no document that can be kept.
            UnkeptError: It cannot be written. A run that lost a document is on record as failed.
        """
        if name != "event" or strange(doc):  # most events are plain; a copy costs half of the road
            doc = sanitize_doc(doc)
        try:
            run = self._journal.append(name, doc)
        except UnkeptError as error:
            if doc.get("exit_status") == "success":
                failed = {"exit_status": "fail", "reason": str(error)}
                self(name, doc | failed, measured=measured)
            raise
        with self._moved:
            for lane in self._lanes.values():
                if measured or lane.fits:
                    lane.put(run, name, doc)

    def subscribe(self, callback: Consumer, name: str = "all", *, fits: bool = True) -> int:
        """Let a callback have documents; returns the token to end that with.

        Args:
            callback: Called with the name and the document.
            name: Of the only documents it wants, or ``all``.
            fits: Whether it wants the runs that fits are kept in, which come a moment after the
                run that is fitted, perhaps in the middle of the next one.
        """
        with self._moved:
            token = next(self._tokens)
            self._lanes[token] = Lane(callback, self._moved, name, guest=True, fits=fits)
        return token

    def unsubscribe(self, token: int) -> None:
        """Let a callback have no more than what waits for it; nothing, if there is none."""
        with self._moved:
            if (lane := self._lanes.pop(token, None)) is not None:
                lane.end()
                self._leaving = [lane, *(each for each in self._leaving if each.waiting)]

    def drain(self, timeout: float = 60.0) -> None:
        """Wait until every document that came so far, and every fit of it, is delivered.

        Raises:
            TimeoutError: When that takes longer than ``timeout`` [s].
        """
        with self._moved:
            if not self._moved.wait_for(lambda: not self._behind(), timeout):
                raise TimeoutError(f"road: {self._told()} after {timeout:g} s")

    def settle(self, timeout: float) -> None:
        """Give callbacks some time [s] to see the end of a plan, and say who did not."""
        with self._moved:
            if not self._moved.wait_for(
                lambda: not any(lane.guest for lane in self._behind()), timeout
            ):
                log.warning("road: %s; the callback goes on alone", self._told())

    def close(self) -> None:
        """Deliver what is left, fits too, and end; who takes nothing any more is left behind."""
        deadline = time.monotonic() + LONGEST
        with self._moved:
            while self._behind() and time.monotonic() < deadline:
                taken = self._taken()
                if not self._moved.wait_for(lambda: self._taken() > taken, PATIENCE):  # noqa: B023
                    break
            if self._behind():
                log.error("road: %s at the end; the journal has them", self._told())
            for lane in self._lanes.values():
                lane.end()

    def _behind(self) -> list[Lane]:
        return [lane for lane in (*self._lanes.values(), *self._leaving) if lane.waiting]

    def _taken(self) -> int:
        return sum(lane.taken for lane in (*self._lanes.values(), *self._leaving))

    def _told(self) -> str:
        late = [f"{lane.waiting} by {lane.name}" for lane in self._behind()]
        return f"documents not taken, {', '.join(late)}"
