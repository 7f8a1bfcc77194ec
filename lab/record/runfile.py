"""The file of one run that is being written: no half lines, no lost lines, room for its end."""

import fcntl
import logging
import os
from pathlib import Path

CHUNK = 2**20  # bytes
ENOUGH = 0.1  # of the room that a run needs to begin; with less, one that goes on must end

logger = logging.getLogger(__name__)


class UnkeptError(OSError):
    """A disk on which nothing more can be kept."""


class RunFile:
    """Appends lines to a new file, which is locked as long as it is open.

    Args:
        path: Of the file.
        room: Free space without which no run begins [MB].

    Attributes:
        columns: Of the streams of the run, by the uid of their descriptors.
        lost: Why a document is not in it; empty as long as none is missing.
        over: Whether the end of the run was tried.

    Raises:
        UnkeptError: When there is less room, or the file cannot be made.
    """

    def __init__(self, path: Path, room: float):
        self.path, self._room = path, room
        self.columns: dict[str, frozenset[str]] = {}
        self.lost, self.over = "", False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._need(os.statvfs(path.parent), room, "begin")
            self._file = self._make()
        except UnkeptError:
            raise
        except OSError as error:
            raise UnkeptError(
                f"journal: {path} cannot be made ({error.strerror}); "
                "needs a folder that this user can write, and a free file handle"
            ) from error

    def append(self, line: bytes, *, last: bool, sync: bool) -> None:
        """Write one line, whole or not at all.

        Args:
            line: With its newline.
            last: Whether it ends the run; for this there is always room.
            sync: Bring it to the disk as well.

        Raises:
            UnkeptError: When it cannot be written.
        """
        if not last:
            self._need(os.fstatvfs(self._file), self._room * ENOUGH, "go on")
        try:
            end = self._end()
            try:
                rest = line
                while rest:  # what does not fit says why at its second attempt
                    rest = rest[os.write(self._file, rest) :]
                if sync:
                    os.fsync(self._file)
            except OSError:
                os.ftruncate(self._file, end)  # half a line would spoil the next one
                raise
        except OSError as error:
            raise UnkeptError(
                f"journal: {len(line)} bytes cannot be written into {self.path} "
                f"({error.strerror}); needs space on a disk that works"
            ) from error

    def sync(self) -> None:
        """Bring what is written to the disk; needs nobody to wait meanwhile."""
        os.fsync(self._file)

    def copy(self) -> int:
        """Return another descriptor of the same file."""
        return os.dup(self._file)

    def close(self) -> None:
        """Close the file; a run without its end counts as ended by the death of this process."""
        os.close(self._file)

    def _make(self) -> int:
        file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            # whoever looks for the dead lets an empty file go at once
            fcntl.flock(file, fcntl.LOCK_EX)
            _sync_folder(self.path.parent)
        except OSError:
            self.path.unlink()
            os.close(file)
            raise
        return file

    def _end(self) -> int:
        """Return the size of the file; one that was deleted is written once more before."""
        state = os.fstat(self._file)
        if not state.st_nlink:
            self._restore(state.st_size)
        return state.st_size

    def _restore(self, size: int) -> None:
        # what is open is still all there
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new, done = self._make(), 0
        while done < size:
            done += os.write(new, os.pread(self._file, CHUNK, done))
        os.dup2(new, self._file)
        os.close(new)
        logger.error("%s: was deleted while it was written; put back, %d bytes", self.path, size)

    def _need(self, disk: os.statvfs_result, room: float, what: str) -> None:
        if (free := disk.f_bavail * disk.f_frsize / 1e6) < room:
            raise UnkeptError(
                f"journal: {free:.3g} MB are free in {self.path.parent}; a run needs {room:.3g} MB "
                f"to {what} (ODMRLAB_JOURNAL_ROOM)"
            )


def _sync_folder(folder: Path) -> None:
    # without it a new file's name may be lost in a power failure
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
