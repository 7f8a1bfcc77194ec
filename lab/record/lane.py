"""One consumer of documents on a thread of its own: what it does hurts nobody else."""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

from .frame import Document

LONGEST = 100_000  # documents that wait for one consumer

log = logging.getLogger(__name__)

Consumer = Callable[[str, dict[str, Any]], Any]


class Lane:
    """Hands documents to a consumer, in order; one that raises is told of once a run.

    Args:
        consumer: Called with the name and the document.
        moved: Notified whenever a document was taken; its lock guards the numbers below.
        kind: Name of the only documents it wants, or ``all``.
        guest: Whether the work of this laboratory can do without it.
        fits: Whether it wants the runs that fits are kept in.

    Attributes:
        name: Of the consumer.
        waiting: Number of documents that the consumer has not finished with.
        taken: Number of those that it has.
    """

    def __init__(
        self,
        consumer: Consumer,
        moved: threading.Condition,
        kind: str = "all",
        *,
        guest: bool = False,
        fits: bool = True,
    ):
        self.guest, self.fits = guest, fits
        self.name = getattr(consumer, "__qualname__", type(consumer).__name__)
        self._consumer = consumer
        self.waiting = self.taken = 0
        self._kind, self._moved = kind, moved
        self._failed: set[str] = set()  # runs
        self._full = False
        self._queue: queue.SimpleQueue[tuple[str, Document] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._deliver, name="lane", daemon=True)
        self._thread.start()

    def put(self, run: str, name: str, document: dict[str, Any]) -> None:
        """Take a document of a run; never waits."""
        if self._full or self._kind not in ("all", name):
            return
        if self.waiting >= LONGEST:
            self._full = True
            log.error("%s is %d documents behind; it gets no more", self.name, self.waiting)
            return
        with self._moved:
            self.waiting += 1
        self._queue.put((run, (name, document)))

    def end(self) -> None:
        """Let the thread end after what waits."""
        self._queue.put(None)

    def _deliver(self) -> None:
        while (item := self._queue.get()) is not None:
            self._hand(*item)
            del item  # a long wait must not keep it alive
            with self._moved:
                self.waiting -= 1
                self.taken += 1
                self._moved.notify_all()

    def _hand(self, run: str, document: Document) -> None:
        name, content = document
        try:
            self._consumer(name, content)
        except Exception:  # whatever a guest does, the house goes on
            if run not in self._failed:
                log.exception("%s failed on a document (%s) of run %s", self.name, name, run)
            self._failed.add(run)
        if name == "stop":
            self._failed.discard(run)
