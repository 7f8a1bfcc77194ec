"""One run on its way from the journal into the catalogue: row by row, checked at its end."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tiled.client.container import Container

from ..settings import Settings, writable_folder
from . import catalogue
from .frame import Document, JournalError
from .journal import QUARANTINE, SHIPPED, Anew, read
from .rows import BATCH, RunWriter, differences
from .tail import Follower, Tail, close_dead, feed

FLUSH = 0.5  # s that rows of a running run wait for company
ATTEMPTS = 3  # a database may be busy once; three times is a refusal

logger = logging.getLogger(__name__)


class Shipment:
    """Consumes one journal: its rows are in the catalogue soon after they were measured.

    A run that ends at once is written in one piece. Whatever goes wrong with a running one, and
    whatever does not compare with the journal at its end, is written anew as a whole then. The
    journal is set aside afterwards, in quarantine when the catalogue refuses the run.

    Args:
        settings: Whose journal and catalogue.
        client: Of that catalogue.
        tail: Of the run.
    """

    def __init__(self, settings: Settings, client: Container, tail: Tail):
        self._settings, self._client, self._tail = settings, client, tail
        self._waiting: list[Document] = []
        self._since = 0.0  # when the first of these came
        self._writer: RunWriter | None = None
        self._left = False  # for the end

    def __call__(self, name: str, document: dict[str, Any]) -> None:
        """Take the next document."""
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append((name, document))
        if name == "stop":
            self._finish()
        elif len(self._waiting) >= BATCH:
            self._advance()

    def flush(self) -> None:
        """Write the rows that have waited; close the run when its process has died."""
        if self._tail.finished:
            return
        if self._waiting and time.monotonic() - self._since >= FLUSH:
            self._advance()
        with suppress(FileNotFoundError):  # somebody took it away
            close_dead(self._tail.path)

    def _advance(self) -> None:
        try:
            if self._writer is None and not self._left:
                self._begin()
            if not self._left:
                for document in self._waiting:
                    self._writer(*document)
                self._writer.flush()
        except Exception as error:  # whatever it is, the end of the run mends it
            catalogue.prove_writable(self._client, self._settings)
            name = self._tail.path.name
            logger.warning("%s: left for its end, %s", name, error, exc_info=True)
            self._left = True
        self._waiting.clear()

    def _begin(self) -> None:
        there = catalogue.find_run(self._client, self._tail.run)
        if self._tail.damage or (there is not None and "stop" in there.metadata):
            self._left = True
        else:
            # what a dead shipper left half written
            catalogue.delete_run(self._client, self._tail.run)
            self._writer = RunWriter(self._client)

    def _finish(self) -> None:
        path, damage = self._tail.path, self._tail.damage
        if damage:
            rest = Anew(lambda: salvaged(read(path, go_on=True), damage))
            reason = self._try(lambda: catalogue.write_run(self._client, rest))
            quarantine(path, JournalError("\n".join([*damage, *filter(None, [str(reason or "")])])))
        elif error := self._try(self._complete):
            quarantine(path, error)
        else:
            logger.info("%s: shipped, %d documents", path.name, self._tail.lines)
            path.replace(writable_folder(path.parent / SHIPPED, "shipper") / path.name)

    def _complete(self) -> None:
        path, whole = self._tail.path, None
        if self._writer is None and not self._left:
            whole = self._waiting
        elif not self._left:
            self._advance()
            run = catalogue.find_run(self._client, self._tail.run)
            if run is not None and next(differences(run, read(path)), None) is None:
                return
            logger.warning("%s: written anew, it was not what was measured", path.name)
            self._left = True
        catalogue.write_run(self._client, whole or Anew(lambda: read(path)))

    def _try(self, write: Callable[[], None]) -> Exception | None:
        """Return why a run cannot be written; a catalogue that is out raises."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                write()
            except Exception as error:  # whatever is wrong with one run, the others go on
                refusal = error
                catalogue.prove_writable(self._client, self._settings)
                name = self._tail.path.name
                logger.exception("%s: attempt %d of %d failed", name, attempt, ATTEMPTS)
            else:
                return None
        return refusal


def salvaged(documents: Iterable[Document], damage: list[str]) -> Iterator[Document]:
    """Yield what can be written of a damaged run; its stop says that it is not whole."""
    known = set()
    for name, document in documents:
        if name in ("event", "event_page") and document["descriptor"] not in known:
            continue
        if name == "descriptor":
            known.add(document["uid"])
        if name == "stop":
            document = document | {"exit_status": "fail", "reason": "; ".join(damage)}
        yield name, document


def quarantine(path: Path, error: Exception) -> None:
    """Move a journal out of the way and write the reason beside it."""
    folder = writable_folder(path.parent / QUARANTINE, "shipper")
    reason = f"{type(error).__name__}: {error}\nMove the journal back to have it tried again.\n"
    (folder / f"{path.name}.reason").write_text(reason)
    path.replace(folder / path.name)
    logger.error("%s: in quarantine, %s", path.name, error)


@contextmanager
def carrying(settings: Settings) -> Iterator[Callable[[], int]]:
    """Give a function that carries what is new, and returns the number of runs without a stop.

    Only the holder of the lock on the journal folder may call it.

    Raises:
        OutageError: When the catalogue cannot be opened or written, whatever the run.
        UnwritableError: When there is no place for it.
    """
    client = catalogue.open_writable(settings)
    follower = Follower(settings.journal, again=True)
    look = feed(follower, lambda tail: Shipment(settings, client, tail))

    def carry() -> int:
        look()
        return follower.running

    try:
        yield carry
    finally:
        follower.close()
        client.context.close()
