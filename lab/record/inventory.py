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
        size: Of its file [bytes].
        damage: What is wrong with damaged lines, with file and line number.
    """

    path: Path
    run: str
    state: str
    start: dict[str, Any]
    events: int
    size: int
    damage: list[str]


def inventory(folder: Path) -> Iterator[Journalled]:
    """Yield the runs of a journal folder, those that were shipped first."""
    places = (folder, folder / QUARANTINE, folder / SHIPPED)  # as they move, so that none is missed
    listed = {path.name: path for place in places for path in place.glob(f"*{SUFFIX}")}
    order = {SHIPPED: 0, QUARANTINE: 1}
    times = {path: where_now(path).stat().st_mtime for path in listed.values()}
    for path in sorted(times, key=lambda path: (order.get(path.parent.name, 2), times[path])):
        try:
            yield journalled(folder, path)
        except FileNotFoundError:  # it was shipped this moment
            yield journalled(folder, where_now(path))


def journalled(folder: Path, path: Path) -> Journalled:
    """Look at one journal of a folder."""
    tail = Tail(path)
    try:
        documents = tail.news()
        first = list(islice(documents, 1))
        start = next((doc for name, doc in first if name == "start"), {})
        events = sum(count_events(chain(first, documents)).values())
        state = path.parent.name
        if path.parent == folder:
            state = "finished" if tail.finished else "running" if is_locked(path) else "died"
        size = path.stat().st_size
    finally:
        tail.close()
    return Journalled(path, tail.run, state, start, events, size, tail.damage)


def where_now(path: Path) -> Path:
    """Return where a journal is by now; the shipper may have set it aside since it was listed."""
    aside = (path.parent / place / path.name for place in (SHIPPED, QUARANTINE))
    return next((place for place in (path, *aside) if place.exists()), path)


def is_locked(path: Path) -> bool:
    """Tell whether the process that writes a journal lives."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
