"""The write-ahead journal: every document on disk before anything else sees it.

One file per run, ``<uid of the run>.jsonl``. A line is the CRC32 of what follows (8 hex digits), a
space, ``[name, document]`` as compact JSON, and a newline. The journal is the authority on what was
measured; catalogue and bus are made from it and can be made again.
"""

import json
import logging
import os
import re
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..settings import writable_folder

SUFFIX = ".jsonl"
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
    """

    def __init__(self, folder: Path):
        self.folder = writable_folder(folder, "journal")
        self._files: dict[str, int] = {}  # file descriptor by run
        self._runs: dict[str, str] = {}  # run by the uid of whatever later documents point to
        self._lock = threading.Lock()

    def __call__(self, name: str, document: dict[str, Any]) -> None:
        self.append(name, document)

    def append(self, name: str, document: dict[str, Any]) -> None:
        """Write one document and wait until it is on disk.

        Raises:
            JournalError: When the document is not plain JSON, or belongs to no open run.
            OSError: When it cannot be written; nothing of it is left in the file then.
        """
        line = encode(name, document)
        with self._lock:
            run = self._open(document["uid"]) if name == "start" else self._run_of(name, document)
            _write(self._files[run], line)
            if name in ("start", "descriptor", "resource", "stream_resource"):
                self._runs[document["uid"]] = run
            elif name == "stop":
                self._close(run)

    def close(self) -> None:
        """Close every file; runs without a stop document stay unfinished."""
        with self._lock:
            for run in list(self._files):
                self._close(run)

    def _open(self, run: str) -> str:
        if not SAFE_UID.fullmatch(run):
            raise JournalError(
                f"journal: a run has the uid {run!r}; needs letters, digits, '-', '_' and '.' only"
            )
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
            self._files[run] = os.open(self.folder / f"{run}{SUFFIX}", flags, 0o644)
        except FileExistsError:
            raise JournalError(
                f"journal: run {run} is in {self.folder} already; needs a new uid"
            ) from None
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
        os.close(self._files.pop(run))
        self._runs = {uid: owner for uid, owner in self._runs.items() if owner != run}


def encode(name: str, document: dict[str, Any]) -> bytes:
    """Return the line of one document.

    Raises:
        JournalError: When something in it is not plain JSON, naming its key.
    """
    if (alien := _alien(document)) is not None:
        raise JournalError(f"journal: {name} document holds {alien}; needs plain JSON")
    text = json.dumps([name, document], separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode(line: bytes) -> Document:
    """Return name and document of one line.

    Raises:
        ValueError: When the line is not what was written.
    """
    crc, text = line[:CRC_DIGITS], line[CRC_DIGITS + 1 :].removesuffix(b"\n")
    if int(crc, 16) != zlib.crc32(text):
        raise ValueError(f"CRC32 of the text is {zlib.crc32(text):08x}")
    name, document = json.loads(text)
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
                damage = f"{path}, line {number}: damaged ({error}); needs what was written"
                if not go_on:
                    raise JournalError(damage) from error
                logger.error(damage)


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


def _write(file: int, line: bytes) -> None:
    end = os.fstat(file).st_size
    try:
        if os.write(file, line) != len(line):
            raise OSError(f"journal: no room for {len(line)} bytes; needs space on the disk")
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
