"""The worker's own record of the last plan: what became of it, whoever is dead."""

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from .keys import write_private

COMPLETED, STOPPED, INTERRUPTED = "completed", "stopped", "interrupted"
HALTED = "halted"


@dataclass(frozen=True)
class Fate:
    """What became of a plan.

    Attributes:
        status: ``completed``, ``stopped``, ``failed``, ``aborted``, ``halted`` or ``interrupted``.
        reason: In words; empty when it completed.
        runs: Uids of the runs that it began.
        scans: Their scan ids.
        begun: Time of its first message [s since 1970]; 0 when it never came to that.
    """

    status: str = INTERRUPTED
    reason: str = ""
    runs: list[str] = field(default_factory=list)
    scans: list[int] = field(default_factory=list)
    begun: float = 0.0


class Ledger:
    """The fate of the last plan, in a file that is whole at any moment.

    Args:
        folder: Of the queue.
    """

    def __init__(self, folder: Path):
        self._path = folder / "last_plan.json"

    def last(self) -> Fate:
        """Return the fate of the last plan that was begun."""
        if not self._path.exists():
            return Fate()
        return Fate(**json.loads(self._path.read_text()))

    def of(self, time_start: float) -> Fate:
        """Return the fate of the item that the manager began at a time [s since 1970]."""
        last = self.last()
        return last if last.begun >= time_start else Fate()

    def open(self) -> None:
        """Note that a worker starts, which has begun nothing."""
        self._keep(Fate())

    def begin(self) -> None:
        """Note that a plan begins."""
        self._keep(Fate(begun=time.time()))

    def run(self, uid: str, scan: int) -> None:
        """Note that the plan began a run."""
        last = self.last()
        self._keep(replace(last, runs=[*last.runs, uid], scans=[*last.scans, scan]))

    def end(self, status: str, reason: str = "") -> None:
        """Note how the plan ended."""
        self._keep(replace(self.last(), status=status, reason=reason))

    def _keep(self, fate: Fate) -> None:
        write_private(self._path, json.dumps(asdict(fate)))


class Presence:
    """Tells whether the worker lives: it holds a lock that the kernel opens when it dies.

    Args:
        folder: Of the queue.
    """

    def __init__(self, folder: Path):
        self._path = folder / "worker.lock"

    def take(self) -> None:
        """Hold the lock until this process ends.

        Raises:
            BlockingIOError: When another worker of this laboratory lives.
        """
        self._file = self._path.open("a+")
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def leave(self) -> None:
        """Let it go."""
        self._file.close()

    def held(self) -> bool:
        """Whether a worker lives."""
        with self._open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the worker, if it lives."""
        if self.held():
            os.kill(int(self._path.read_text()), number)

    @contextmanager
    def _open(self) -> Iterator:
        self._path.touch()
        with self._path.open() as file:
            yield file
