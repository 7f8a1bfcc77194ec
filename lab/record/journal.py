"""The write-ahead journal: every document is written here before anything else sees it.

One file per run, ``<uid of the run>.jsonl``. A line is the CRC32 of what follows (8 hex digits), a
space, ``[name, document]`` as compact JSON, and a newline; the line of a start document has a third
member, who writes. The writing process holds a lock (flock) on the file until the stop document is
in it, so a file without lock and stop is of a process that died. The journal is the authority on
what was measured; catalogue and bus are made from it and can be made again.

A document that was written survives the death of its process at once; a power cut, when the file
was synchronised afterwards: at start and stop, and at most a second after every other document.
"""

import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..settings import Fsync, writable_folder
from .door import check, check_event
from .frame import DIGITS, Document, JournalError, decode, encode, members, salvage
from .runfile import RunFile, UnkeptError

SUFFIX = ".jsonl"
SHIPPED, QUARANTINE = "shipped", "quarantine"  # folders in that of the journals
SYNC_PERIOD = 1.0  # s, of files that are being written
SAFE_UID = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
STOP = b'["stop",'
TAIL = 2**20  # bytes; far more than a stop document has
ROOM = 100.0  # MB

# the key by which a document names its run, or a document of that run
OWNER = {
    "start": "uid",
    "descriptor": "run_start",
    "resource": "run_start",
    "stream_resource": "run_start",
    "stop": "run_start",
    "event": "descriptor",
    "event_page": "descriptor",
    "stream_datum": "descriptor",
    "datum": "resource",
    "datum_page": "resource",
}

logger = logging.getLogger(__name__)


class Journal:
    """Appends documents to the file of their run, durably.

    Subscribe it to the RunEngine before anything else. Documents that come from elsewhere, such as
    the runs of fits, may be appended from any thread. Runs may be interleaved. A run of which a
    document could not be kept takes no other document than a stop that says it failed.

    Args:
        folder: Where the files are kept; created if need be.
        fsync: Synchronise ``always``, after each document, or every ``second``.
        room: Free space without which no run begins [MB]; with a tenth of it, one must end.
    """

    def __init__(self, folder: Path, fsync: Fsync = "second", room: float = ROOM):
        self.folder = writable_folder(folder, "journal")
        self._always, self._room = fsync == "always", room
        self._runs: dict[str, RunFile] = {}  # by the uid of whatever later documents point to
        self._lock = threading.Lock()
        self._unsynced: set[RunFile] = set()
        self._timer: threading.Timer | None = None

    def __call__(self, name: str, document: dict[str, Any]) -> None:
        self.append(name, document)

    def append(self, name: str, document: dict[str, Any]) -> str:
        """Write one document; it outlives this process when the call returns.

        Returns:
            The uid of its run.

        Raises:
            JournalError: When the document is not plain JSON, is not what event-model says, or
                belongs to no open run.
            UnkeptError: When it cannot be written; nothing of it is left in the file then. Or when
                a document before it was not kept.
        """
        with self._lock:
            run = self._begin(document) if name == "start" else self._run_of(name, document)
            try:
                self._keep(run, name, document)
            except (OSError, JournalError) as error:
                run.lost = run.lost or str(error)
                raise
            if name == "stop":
                self._close(run)
        return run_of(run.path)

    def close(self) -> None:
        """Close every file; runs without a stop document count as died with this process."""
        with self._lock:
            for run in set(self._runs.values()):
                with suppress(OSError):  # they were told when they came to be
                    run.sync()
                self._close(run)

    def _begin(self, document: dict[str, Any]) -> RunFile:
        for run in set(self._runs.values()):
            if run.over:  # its end could not be written; the lock goes, so that others end it
                self._close(run)
        check("start", document)
        uid = document["uid"]
        if not SAFE_UID.fullmatch(uid):
            raise JournalError(
                f"journal: a run has the uid {uid!r}; needs letters, digits, '-', '_' and '.' only"
            )
        path = self.folder / f"{uid}{SUFFIX}"
        for place in (self.folder / SHIPPED, self.folder / QUARANTINE, self.folder):
            if (place / path.name).exists():
                raise JournalError(f"journal: run {uid} is in {place} already; needs a new uid")
        return self._runs.setdefault(uid, RunFile(path, self._room))

    def _run_of(self, name: str, document: dict[str, Any]) -> RunFile:
        owner = document.get(OWNER.get(name, ""))
        if owner not in self._runs:
            raise JournalError(
                f"journal: {name} belongs to {owner}; needs a run that was started and not stopped"
            )
        return self._runs[owner]

    def _keep(self, run: RunFile, name: str, document: dict[str, Any]) -> None:
        run.over = last = name == "stop"
        if run.lost and document.get("exit_status", "success") == "success":
            raise UnkeptError(f"{run.lost}; the run is not whole and must fail")
        check(name, document)
        if name == "event":
            check_event(document, run.columns.get(document["descriptor"], frozenset()))
        writer = [{"pid": os.getpid()}] if name == "start" else []
        at_once = self._always or name in ("start", "stop")
        run.append(encode(name, document, *writer), last=last, sync=at_once)
        if not at_once:
            self._sync_later(run)
        if name in ("descriptor", "resource", "stream_resource"):
            self._runs[document["uid"]] = run
        if name == "descriptor":
            run.columns[document["uid"]] = frozenset(document["data_keys"])

    def _close(self, run: RunFile) -> None:
        self._unsynced.discard(run)
        self._runs = {uid: owner for uid, owner in self._runs.items() if owner is not run}
        run.close()

    def _sync_later(self, run: RunFile) -> None:
        self._unsynced.add(run)
        if self._timer is None:
            self._timer = threading.Timer(SYNC_PERIOD, self._sync)
            self._timer.daemon = True
            self._timer.start()

    def _sync(self) -> None:
        with self._lock:
            self._timer = None
            # copies, because the disk may take its time and nobody is to wait for the lock
            copies = {run: run.copy() for run in self._unsynced}
            self._unsynced.clear()
        for run, file in copies.items():
            try:
                os.fsync(file)
            except OSError as error:
                run.lost = run.lost or f"journal: {run.path} is not on the disk ({error.strerror})"
                logger.error(run.lost)
            finally:
                os.close(file)


def read(path: Path, *, go_on: bool = False) -> Iterator[Document]:
    """Yield name and document of every line.

    A last line without its newline was torn by a crash before anyone saw its document: it is left
    out, and logged.

    Args:
        path: File of one run.
        go_on: Log damaged lines and leave them out, instead of stopping there.

    Raises:
        JournalError: At a damaged line, with file and line number.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                logger.warning("%s, line %d: torn; left out", path, number)
                return
            try:
                yield decode(line)
            except ValueError as error:
                if not go_on:
                    raise JournalError(damage(path, number, error)) from error
                logger.error(damage(path, number, error))
                yield from salvage(line)


class Anew:
    """Documents that are read anew by each who goes through them, because they may be many.

    Args:
        reading: Reads them.
    """

    def __init__(self, reading: Callable[[], Iterator[Document]]):
        self._reading = reading

    def __iter__(self) -> Iterator[Document]:
        return self._reading()


def run_of(path: Path) -> str:
    """Return the uid of the run in a journal."""
    return path.name.removesuffix(SUFFIX)


def damage(path: Path, number: int, error: ValueError) -> str:
    """Say where a journal is damaged and how."""
    return f"{path}, line {number}: damaged ({error}); needs what was written"


def first_line(error: Exception) -> str:
    """Return what an error says, without the particulars."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def writers(path: Path) -> list[int]:
    """Return the number of the process that wrote a journal, if its first line tells."""
    with path.open("rb") as file:
        try:
            return [more["pid"] for more in members(file.readline())[2:]]
        except ValueError:
            return []


def is_finished(path: Path) -> bool:
    """Tell whether the last line is a stop document; only `read` checks whether it is sound."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(end - TAIL, 0))
        *_, last = file.read().splitlines(keepends=True) or [b""]
    return last.endswith(b"\n") and last[DIGITS + 1 :].startswith(STOP)
