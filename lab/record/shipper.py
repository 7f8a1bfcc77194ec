"""The shipper: a process of its own that carries finished runs from the journal to the catalogue.

``python -m odmrlab.lab.record.shipper`` is started by a session (`Shipper`) and lives as long as its
standard input stays open, so it ends with its session however that dies. One process at a time
ships, the holder of the lock on the journal folder; others wait for their turn. Journals without a
stop document are left alone.
"""

import fcntl
import logging
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Self

from ..settings import Settings, writable_folder
from .journal import SUFFIX, Document, JournalError, is_finished, read

POLL = 0.1  # s between two looks into the journal folder
ATTEMPTS = 3  # a database may be busy once; three times is a refusal
SHIPPED = "shipped"
QUARANTINE = "quarantine"

logger = logging.getLogger(__name__)


class ShipperError(RuntimeError):
    """A shipper that has died."""


class Shipper:
    """The shipper of a session; as a context manager it ends with its block.

    Args:
        settings: Whose journal and catalogue.
    """

    def __init__(self, settings: Settings):
        self.folder = writable_folder(settings.journal, "journal")
        self.log = writable_folder(settings.logs, "shipper") / "shipper.log"
        environment = {"ODMRLAB_HOME": str(settings.home)}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=os.environ | environment,
                # Ctrl-C at the prompt stops a plan, not the shipper
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def drain(self, timeout: float = 60.0) -> None:
        """Wait until no finished run is left to ship.

        Args:
            timeout: For all of them [s].

        Raises:
            ShipperError: When the process has ended.
            TimeoutError: When runs are left after that time.
        """
        deadline = time.monotonic() + timeout
        while left := finished(self.folder):
            if (status := self._process.poll()) is not None:
                raise ShipperError(
                    f"shipper: ended with status {status}, {len(left)} runs left; see {self.log}"
                )
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"shipper: {len(left)} runs left after {timeout} s; see {self.log}"
                )
            time.sleep(POLL / 5)

    def close(self, timeout: float = 60.0) -> None:
        """Let it ship what is finished and end.

        Args:
            timeout: For all of it [s].

        Raises:
            TimeoutError: When it still ships after that time; it ends by itself when it is through.
        """
        self._process.stdin.close()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(
                f"shipper: still at work after {timeout} s; see {self.log}"
            ) from None


def finished(folder: Path) -> list[Path]:
    """Return the journals that end with a stop document, the oldest first."""
    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            if is_finished(path):
                found.append((path.stat().st_mtime_ns, path))
        except FileNotFoundError:
            continue  # another process has just shipped it
    return [path for _, path in sorted(found)]


def main() -> None:
    """Ship until the session is gone."""
    settings = Settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    logging.getLogger("httpx").setLevel(
        logging.WARNING
    )  # one line for each of thirty requests a run
    with exclusive(settings.journal) as mine:
        if mine:
            _serve(settings)


@contextmanager
def exclusive(folder: Path) -> Iterator[bool]:
    """Hold the lock on a folder; gives False when the session ended before it was free."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        mine = _try_lock(descriptor)
        while not mine and session_lives(POLL):
            mine = _try_lock(descriptor)
        yield mine
    finally:
        os.close(descriptor)


def session_lives(wait: float) -> bool:
    """Wait [s] for the end of standard input; tell whether it is still open."""
    readable, _, _ = select.select([sys.stdin], [], [], wait)
    return not readable or os.read(sys.stdin.fileno(), 1) != b""


def ship(path: Path, write: Callable[[list[Document]], None]) -> None:
    """Write one journal into the catalogue and set it aside, with the reason when that failed."""
    try:
        documents = list(read(path))
    except JournalError as error:
        quarantine(path, error)
        return
    for attempt in range(1, ATTEMPTS + 1):
        try:
            write(documents)
        except Exception as error:  # whatever is wrong with one run, the others go on
            logger.exception("%s: attempt %d of %d failed", path.name, attempt, ATTEMPTS)
            if attempt == ATTEMPTS:
                quarantine(path, error)
        else:
            logger.info("%s: shipped, %d documents", path.name, len(documents))
            path.replace(writable_folder(path.parent / SHIPPED, "shipper") / path.name)
            return


def quarantine(path: Path, error: Exception) -> None:
    """Move a journal out of the way and write the reason beside it."""
    folder = writable_folder(path.parent / QUARANTINE, "shipper")
    reason = f"{type(error).__name__}: {error}\nMove the journal back to have it tried again.\n"
    (folder / f"{path.name}.reason").write_text(reason)
    path.replace(folder / path.name)
    logger.error("%s: in quarantine, %s", path.name, error)


def _serve(settings: Settings) -> None:
    # here, because a session imports this module too and needs no Tiled for it: 4 s
    from . import catalogue

    catalogue.create(settings)
    client = catalogue.connect(settings)
    logger.info("ships from %s", settings.journal)
    lives = True
    while lives:
        lives = session_lives(POLL)
        for path in finished(settings.journal):
            ship(path, partial(catalogue.write_run, client))
    logger.info("session ended")


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    main()
