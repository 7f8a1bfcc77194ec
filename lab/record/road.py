"""The road of documents: journal first, then whoever wants them, off the RunEngine's thread."""

import logging
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from event_model import sanitize_doc

from ...analysis.fit_run import FitRun
from ...analysis.fit_series import FitSeries
from .journal import Journal
from .recorded import rows_before

log = logging.getLogger(__name__)

Document = tuple[str, dict[str, Any]]


class Road:
    """Takes every document of a RunEngine: ``RE.subscribe(road)``.

    A document is on disk before the call returns. Fits and other consumers get it afterwards, in
    order, on a thread of their own; the documents of a fit go the same road. A consumer that fails
    is reported in the log and hurts neither the scan nor the other consumers.

    Args:
        journal: Where every document is kept.
        consumers: Each called with the name and the document, fits included.
    """

    def __init__(self, journal: Journal, *consumers: Callable[[str, dict], Any]):
        self._journal = journal
        self._queue: queue.SimpleQueue[Document | None] = queue.SimpleQueue()
        before = partial(rows_before, journal.folder)
        self._consumers = [FitRun(self, before), FitSeries(self), *consumers]
        self._idle = threading.Condition()
        self._failed: set[Callable] = set()
        self._open = 0
        self._thread = threading.Thread(target=self._deliver, name="road", daemon=True)
        self._thread.start()

    def __call__(self, name: str, doc: dict[str, Any]) -> None:
        """Keep a document, and hand it on; numpy's numbers and arrays become plain ones."""
        doc = sanitize_doc(doc)
        self._journal(name, doc)
        with self._idle:
            self._open += 1
        self._queue.put((name, doc))

    def drain(self, timeout: float = 60.0) -> None:
        """Wait until every document that came so far, and every fit of it, is delivered.

        Raises:
            TimeoutError: When that takes longer than ``timeout`` [s].
        """
        with self._idle:
            if not self._idle.wait_for(lambda: self._open == 0, timeout):
                raise TimeoutError(f"road: {self._open} documents not delivered in {timeout:g} s")

    def close(self) -> None:
        """Deliver what is left, fits too, and end."""
        self.drain()
        self._queue.put(None)
        self._thread.join()

    def _deliver(self) -> None:
        while (document := self._queue.get()) is not None:
            for consumer in self._consumers:
                self._hand(consumer, *document)
            with self._idle:
                self._open -= 1
                self._idle.notify_all()

    def _hand(self, consumer: Callable[[str, dict], Any], name: str, doc: dict) -> None:
        if name == "start":
            self._failed.discard(consumer)
        try:
            consumer(name, doc)
        except Exception:
            if consumer not in self._failed:  # told once a run
                log.exception("%r failed on a %s document %s", consumer, name, doc.get("uid"))
            self._failed.add(consumer)
