"""Which runs the journal holds, and in what state."""

import fcntl
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from .journal import QUARANTINE, SHIPPED, SUFFIX
from .tail import Tail, count_events


@dataclass(frozen=True)
class Journalled:
    """One run in the journal.

    Attributes:
        path: Of its file.
        run: Its uid.
        state: running, died (without a stop), finished (not shipped yet), shipped, quarantine.
        start: Its start document; empty when that is damaged.
        events: Number of its events, those of damaged lines left out.
        damage: What is wrong with damaged lines, with file and line number.
    """

    path: Path
    run: str
    state: str
    start: dict[str, Any]
    events: int
    damage: list[str]


def inventory(folder: Path) -> Iterator[Journalled]:
    """Yield the runs of a journal folder, those that were shipped first."""
    for place in (folder / SHIPPED, folder / QUARANTINE, folder):
        for path in sorted(place.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime):
            tail = Tail(path)
            documents = tail.news()
            first = list(islice(documents, 1))
            start = next((doc for name, doc in first if name == "start"), {})
            events = sum(count_events(chain(first, documents)).values())
            tail.close()
            state = place.name
            if place == folder:
                state = "finished" if tail.finished else "running" if is_locked(path) else "died"
            yield Journalled(path, tail.run, state, start, events, tail.damage)


def is_locked(path: Path) -> bool:
    """Tell whether the process that writes a journal lives."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
