"""Reading journals while they grow, and closing those whose process has died."""

import fcntl
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from .frame import Document, decode, encode, salvage
from .journal import SUFFIX, damage, is_finished, run_of, writers

CHUNK = 2**18  # bytes

logger = logging.getLogger(__name__)


class Consumer(Protocol):
    """Takes the documents of one run: the catalogue, the bus, whoever comes next."""

    def __call__(self, name: str, document: dict[str, Any]) -> object:
        """Take the next document, in the order of the journal."""

    def flush(self) -> object:
        """Everything that is in the journal at this moment has come."""


class Tail:
    """Reads one journal as it grows, also when it is moved to another folder meanwhile.

    A line that is not whole yet is left for later; a damaged one is left out and told.

    Attributes:
        size: Of the whole lines read so far [bytes].
        lines: Number of whole lines read so far, damaged ones too.
        damage: What was wrong with damaged lines, with file and line number.
        finished: Whether the stop document was read.
    """

    def __init__(self, path: Path):
        self.path, self.run = path, run_of(path)
        self.lines = 0
        self.damage: list[str] = []
        self.finished = False
        self.size = 0
        self._file = path.open("rb", buffering=0)

    def news(self) -> Iterator[Document]:
        """Yield the documents that have come since the last time."""
        rest = b""
        while not self.finished and (more := self._read(self.size + len(rest))):
            *lines, rest = (rest + more).split(b"\n")
            for line in lines:
                self.size += len(line) + 1
                self.lines += 1
                for name, document in self._documents(line):
                    self.finished = name == "stop"
                    yield name, document

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _documents(self, line: bytes) -> Iterator[Document]:
        try:
            yield decode(line)
        except ValueError as error:
            self.damage.append(damage(self.path, self.lines, error))
            logger.error(self.damage[-1])
            yield from salvage(line)

    def _read(self, offset: int) -> bytes:
        return os.pread(self._file.fileno(), CHUNK, offset)


class Follower:
    """Finds the journals of some folders and follows each to its stop.

    Args:
        folders: In the order in which they are looked through.
        again: Follow a finished journal once more when it comes back into its folder.
        since: Leave out what ended before this time [s since 1970].
    """

    def __init__(self, *folders: Path, again: bool = False, since: float = 0.0):
        self._folders, self._again, self._since = folders, again, since
        self._tails: dict[str, Tail] = {}
        self._done: set[str] = set()

    @property
    def running(self) -> int:
        """Number of journals without a stop, at the last look."""
        return len(self._tails)

    def tails(self) -> Iterator[Tail]:
        """Yield every journal that may have news, those that are new here with the oldest first."""
        for tail in chain(list(self._tails.values()), self._new()):
            yield tail
            if tail.finished:
                tail.close()
                del self._tails[tail.run]
                if tail.path.exists() or not self._again:
                    self._done.add(tail.run)

    def close(self) -> None:
        """Close every file."""
        for tail in self._tails.values():
            tail.close()
        self._tails.clear()

    def _new(self) -> Iterator[Tail]:
        for age, path in sorted(self._unseen()):
            if self._knows(path):
                continue  # it was moved during this look
            try:
                if age < self._since and is_finished(path):
                    self._done.add(run_of(path))
                    continue
                tail = Tail(path)
            except FileNotFoundError:
                continue  # it was moved this moment; the next look finds it
            self._tails[tail.run] = tail
            yield tail

    def _unseen(self) -> Iterator[tuple[float, Path]]:
        for folder in self._folders:
            for path in folder.glob(f"*{SUFFIX}"):
                if not self._knows(path):
                    with suppress(FileNotFoundError):
                        yield path.stat().st_mtime, path

    def _knows(self, path: Path) -> bool:
        return (run := run_of(path)) in self._tails or run in self._done


def feed(follower: Follower, consumer_of: Callable[[Tail], Consumer]) -> Callable[[], None]:
    """Return a function that looks once, and hands what is new to a consumer for each run."""
    consumers: dict[Tail, Consumer] = {}

    def look() -> None:
        for tail in follower.tails():
            consumer = consumers.get(tail) or consumers.setdefault(tail, consumer_of(tail))
            for name, document in tail.news():
                consumer(name, document)
            consumer.flush()
            if tail.finished:
                del consumers[tail]

    return look


def close_dead(path: Path) -> bool:
    """Close the run of a process that died, with a stop document that says so.

    A last line that the process did not finish is cut off: nobody has seen its document.

    Returns:
        Whether there was such a run. While its process lives, nothing is touched.
    """
    with path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        tail = Tail(path)
        counts = count_events(tail.news())
        tail.close()
        if tail.finished or not os.fstat(file.fileno()).st_size:
            return False  # an empty one: its process has not come to write yet, or never will
        stop = {
            "uid": str(uuid.uuid4()),
            "time": time.time(),
            "run_start": tail.run,
            "exit_status": "fail",
            "reason": f"journal: {why_open(path)}",
            "num_events": counts,
        }
        file.truncate(tail.size)
        file.seek(tail.size)
        file.write(encode("stop", stop))
        file.flush()
        os.fsync(file.fileno())
    logger.warning("%s: closed, %s", path.name, stop["reason"])
    return True


def why_open(path: Path) -> str:
    """Say why a journal that nobody holds has no stop."""
    (process,) = writers(path) or ["of unknown number"]
    if isinstance(process, int) and Path(f"/proc/{process}").exists():
        return f"process {process} left the run without an end"
    return f"process {process} died before the end of the run"


def count_events(documents: Iterable[Document]) -> dict[str, int]:
    """Return the number of events of every stream; events of an unknown stream do not count."""
    streams: dict[str, str] = {}
    counts: dict[str, int] = {}
    for name, document in documents:
        if name == "descriptor":
            streams[document["uid"]] = document["name"]
            counts.setdefault(document["name"], 0)
        elif name in ("event", "event_page") and document["descriptor"] in streams:
            counts[streams[document["descriptor"]]] += (
                1 if name == "event" else len(document["seq_num"])
            )
    return counts
