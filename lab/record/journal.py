"""The write-ahead journal: every document is written here before anything else sees it.

One file per run, ``<uid of the run>.jsonl``. A line is the CRC32 of what follows (8 hex digits), a
space, ``[name, document]`` as compact JSON, and a newline; the line of a start document has a third
member, who writes. The writing process holds a lock (flock) on the file until the stop document is
in it, so a file without lock and stop is of a process that died. The journal is the authority on
what was measured; catalogue and bus are made from it and can be made again.

A document that was written survives the death of its process at once; a power cut, when the file
was synchronised afterwards: at start and stop, and at most a second after every other document.
"""

import fcntl
import json
import logging
import os
import re
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..settings import Fsync, writable_folder

SUFFIX = ".jsonl"
SHIPPED, QUARANTINE = "shipped", "quarantine"  # folders in that of the journals
SYNC_PERIOD = 1.0  # s, of files that are being written
SAFE_UID = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
PLAIN = frozenset({str, int, float, bool, type(None)})
CRC_DIGITS = 8
STOP = b'["stop",'
TAIL = 2**20  # bytes; far more than a stop document has

Document = tuple[str, dict[str, Any]]  # its name, and itself

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


class JournalError(ValueError):
    """A document that cannot be written, or a line that cannot be read."""


class Journal:
    """Appends documents to the file of their run, durably.

    Subscribe it to the RunEngine before anything else. Documents that come from elsewhere, such as
    the runs of fits, may be appended from any thread. Runs may be interleaved.

    Args:
        folder: Where the files are kept; created if need be.
        fsync: Synchronise ``always``, after each document, or every ``second``.
    """

    def __init__(self, folder: Path, fsync: Fsync = "second"):
        self.folder = writable_folder(folder, "journal")
        self._always = fsync == "always"
        self._files: dict[str, int] = {}  # file descriptor by run
        self._runs: dict[str, str] = {}  # run by the uid of whatever later documents point to
        self._lock = threading.Lock()
        self._unsynced: set[str] = set()  # runs
        self._failed: dict[str, OSError] = {}  # what synchronising a run said
        self._timer: threading.Timer | None = None

    def __call__(self, name: str, document: dict[str, Any]) -> None:
        self.append(name, document)

    def append(self, name: str, document: dict[str, Any]) -> None:
        """Write one document; it outlives this process when the call returns.

        Raises:
            JournalError: When the document is not plain JSON, or belongs to no open run.
            OSError: When it cannot be written; nothing of it is left in the file then. Or when
                the documents of the last second cannot be brought to the disk.
        """
        writer = [{"pid": os.getpid()}] if name == "start" else []
        line = encode(name, document, *writer)
        with self._lock:
            run = self._open(document["uid"]) if name == "start" else self._run_of(name, document)
            if error := self._failed.pop(run, None):
                raise error
            at_once = self._always or name in ("start", "stop")
            _write(self._files[run], line, sync=at_once)
            if not at_once:
                self._sync_later(run)
            if name in ("start", "descriptor", "resource", "stream_resource"):
                self._runs[document["uid"]] = run
            elif name == "stop":
                self._close(run)

    def close(self) -> None:
        """Close every file; runs without a stop document count as died with this process."""
        with self._lock:
            for run, file in list(self._files.items()):
                os.fsync(file)
                self._close(run)

    def _open(self, run: str) -> str:
        if not SAFE_UID.fullmatch(run):
            raise JournalError(
                f"journal: a run has the uid {run!r}; needs letters, digits, '-', '_' and '.' only"
            )
        path = self.folder / f"{run}{SUFFIX}"
        for taken in (
            self.folder / SHIPPED / path.name,
            self.folder / QUARANTINE / path.name,
            path,
        ):
            if taken.exists():
                raise JournalError(
                    f"journal: run {run} is in {taken.parent} already; needs a new uid"
                )
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        # whoever looks for the dead lets an empty file go at once
        fcntl.flock(file, fcntl.LOCK_EX)
        self._files[run] = file
        _sync_folder(self.folder)
        return run

    def _run_of(self, name: str, document: dict[str, Any]) -> str:
        owner = document.get(OWNER.get(name, ""))
        if owner not in self._runs:
            raise JournalError(
                f"journal: {name} belongs to {owner}; needs a run that was started and not stopped"
            )
        return self._runs[owner]

    def _close(self, run: str) -> None:
        self._unsynced.discard(run)
        os.close(self._files.pop(run))
        self._runs = {uid: owner for uid, owner in self._runs.items() if owner != run}

    def _sync_later(self, run: str) -> None:
        self._unsynced.add(run)
        if self._timer is None:
            self._timer = threading.Timer(SYNC_PERIOD, self._sync)
            self._timer.daemon = True
            self._timer.start()

    def _sync(self) -> None:
        with self._lock:
            self._timer = None
            # copies, because the disk may take its time and nobody is to wait for the lock
            copies = {run: os.dup(self._files[run]) for run in self._unsynced}
            self._unsynced.clear()
        for run, file in copies.items():
            try:
                os.fsync(file)
            except OSError as error:
                self._failed[run] = error
                logger.error("run %s: not on disk, %s", run, error)
            finally:
                os.close(file)


def encode(name: str, document: dict[str, Any], *more: dict[str, Any]) -> bytes:
    """Return the line of one document.

    Raises:
        JournalError: When something in it is not plain JSON, naming its key.
    """
    if (alien := _alien(document)) is not None:
        raise JournalError(f"journal: {name} document holds {alien}; needs plain JSON")
    text = json.dumps([name, document, *more], separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode(line: bytes) -> Document:
    """Return name and document of one line.

    Raises:
        ValueError: When the line is not what was written.
    """
    name, document, *_ = _members(line)
    return name, document


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
            return [more["pid"] for more in _members(file.readline())[2:]]
        except ValueError:
            return []


def is_finished(path: Path) -> bool:
    """Tell whether the last line is a stop document; only `read` checks whether it is sound."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(end - TAIL, 0))
        *_, last = file.read().splitlines(keepends=True) or [b""]
    return last.endswith(b"\n") and last[CRC_DIGITS + 1 :].startswith(STOP)


def _alien(value: Any, key: str = "") -> str | None:
    """Describe the first thing that JSON would change, a float of numpy for one, or fail on."""
    kind = type(value)
    if kind in PLAIN:
        return None
    if isinstance(value, dict):
        if strange := next((name for name in value if type(name) is not str), None):
            return f"the key {strange!r} in {key or 'itself'}"
        members = value.items()
    elif kind in (list, tuple):
        members = enumerate(value)
    else:
        return f"{kind.__module__}.{kind.__qualname__} at {key}"
    inside = (_alien(item, f"{key}.{name}" if key else str(name)) for name, item in members)
    return next((alien for alien in inside if alien is not None), None)


def _members(line: bytes) -> list:
    crc, text = line[:CRC_DIGITS], line[CRC_DIGITS + 1 :].removesuffix(b"\n")
    if int(crc, 16) != zlib.crc32(text):
        raise ValueError(f"CRC32 of the text is {zlib.crc32(text):08x}")
    return json.loads(text)


def _write(file: int, line: bytes, *, sync: bool) -> None:
    end = os.fstat(file).st_size
    try:
        if os.write(file, line) != len(line):
            raise OSError(f"journal: no room for {len(line)} bytes; needs space on the disk")
        if sync:
            os.fsync(file)
    except OSError:
        # half a line would spoil the next one
        os.ftruncate(file, end)
        raise


def _sync_folder(folder: Path) -> None:
    # without it a new file's name may be lost in a power failure
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
