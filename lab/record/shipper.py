"""The shipper: a process of its own that carries runs from the journal to the catalogue.

``python -m odmrlab.lab.record.shipper`` is started by a session (`Shipper`), or as a service of the
laboratory. It lives as long as its standard input stays open and no SIGTERM comes, so it ends with
its session however that dies. One process at a time ships, the holder of the lock on the journal
folder; others wait for their turn. It also publishes the hints of the bus. A catalogue that cannot
be written is waited for.
"""

import fcntl
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from ..settings import Settings, writable_folder
from .bus import publishing
from .journal import SUFFIX, is_finished

POLL = 0.1  # s between two looks into the journal folder
RETRY = 2.0  # s between two attempts to open a catalogue that is out
LAST_LOOKS = 1.0  # s after the end of the session
FIRST_PAUSE, LONGEST_PAUSE = (
    0.5,
    8.0,
)  # s before a process that died is started anew, doubled each time
HEALTHY = 30.0  # s; who lives longer has not died of the start
MOST = 5  # deaths one after the other, after which there is no other start
# its memory would grow by 30 MB in a million events, if each of Tiled's threads had an arena of malloc
# for itself and Arrow kept what it has freed
ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system"}
# of Tiled's client: the catalogue is in this process, so waiting for long makes nothing better
PATIENCE = {"TILED_RETRY_ATTEMPTS": "2", "TILED_RETRY_TIMEOUT": "2"}

logger = logging.getLogger(__name__)


class ShipperError(RuntimeError):
    """A shipper that has died."""


class Shipper:
    """The shipper of a session; as a context manager it ends with its block.

    A process that dies is started anew.

    Args:
        settings: Whose journal and catalogue.
    """

    def __init__(self, settings: Settings):
        self.folder = writable_folder(settings.journal, "journal")
        self.log = writable_folder(settings.logs, "shipper") / "shipper.log"
        self._environment = os.environ | ENVIRONMENT | {"ODMRLAB_HOME": str(settings.home)}
        self._closing, self._change = threading.Event(), threading.Lock()
        self._process, self._given_up = self._start(), False
        self._watch = threading.Thread(target=self._keep_alive, name="shipper", daemon=True)
        self._watch.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def drain(
        self, timeout: float = 60.0, tell: Callable[[int], object] = lambda left: None
    ) -> None:
        """Wait until no finished run is left to ship.

        Args:
            timeout: For all of them [s].
            tell: Called now and then with the number of runs that are left.

        Raises:
            ShipperError: When the process has ended.
            TimeoutError: When runs are left after that time.
        """
        deadline = time.monotonic() + timeout
        while left := finished(self.folder):
            if self._given_up:
                raise ShipperError(
                    f"shipper: has died {MOST} times, {len(left)} runs left; see {self.log}"
                )
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"shipper: {len(left)} runs left after {timeout} s; see {self.log}"
                )
            tell(len(left))
            time.sleep(POLL / 5)

    def close(self, timeout: float = 60.0) -> None:
        """Let it ship what is finished and end.

        Args:
            timeout: For all of it [s].

        Raises:
            TimeoutError: When it still ships after that time; it ends by itself when it is through.
        """
        with self._change:
            self._closing.set()
            self._process.stdin.close()
        self._watch.join(timeout)
        if self._watch.is_alive():
            raise TimeoutError(f"shipper: still at work after {timeout} s; see {self.log}")

    def _start(self) -> subprocess.Popen:
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._environment,
                # Ctrl-C at the prompt stops a plan, not the shipper
                start_new_session=True,
            )

    def _keep_alive(self) -> None:
        deaths, pause = 0, FIRST_PAUSE
        while not self._closing.is_set():
            began = time.monotonic()
            status = self._process.wait()
            if time.monotonic() - began > HEALTHY:
                deaths, pause = 0, FIRST_PAUSE
            deaths += 1
            if deaths == MOST:
                self._given_up = True
                logger.error("shipper: died %d times; see %s", deaths, self.log)
                return
            if not self._closing.is_set():
                logger.warning("shipper: died with status %d, is started anew", status)
            if not self._closing.wait(pause):
                self._again()
            pause = min(2 * pause, LONGEST_PAUSE)

    def _again(self) -> None:
        with self._change:
            if not self._closing.is_set():
                self._process.stdin.close()
                self._process = self._start()


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
    os.environ.update(PATIENCE)
    settings = Settings()
    signal.signal(signal.SIGTERM, end_of_session)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    logging.getLogger("httpx").setLevel(
        logging.WARNING
    )  # one line for each of thirty requests a run
    with exclusive(settings.journal, session_lives) as mine:
        if mine:
            _serve(settings)


@contextmanager
def exclusive(folder: Path, wait: Callable[[float], bool]) -> Iterator[bool]:
    """Hold the lock on a folder; give False when waiting ended before it was free.

    Args:
        folder: Of the journals.
        wait: Waits some time [s]; tells whether to try again.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        mine = _try_lock(descriptor)
        while not mine and wait(POLL):
            mine = _try_lock(descriptor)
        yield mine
    finally:
        os.close(descriptor)


def session_lives(wait: float) -> bool:
    """Wait [s] for the end of standard input; tell whether it is still open."""
    readable, _, _ = select.select([sys.stdin], [], [], wait)
    return not readable or os.read(sys.stdin.fileno(), 1) != b""


def end_of_session(*_: object) -> None:
    """Let standard input be at its end: a supervisor asks by a signal, and holds the other end."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())


def _serve(settings: Settings) -> None:
    lives = True
    with publishing(settings):
        while lives:
            try:
                lives = _carry(settings)
            except OSError as error:
                logger.error("%s", error)  # nothing is lost meanwhile
                lives = session_lives(RETRY)
    logger.info("session ended")


def _carry(settings: Settings) -> bool:
    """Carry until the session has gone, or the catalogue."""
    # here, because a session imports this module too and needs no Tiled for it: 4 s
    from .shipment import carrying

    with carrying(settings) as carry:
        logger.info("ships from %s", settings.journal)
        while session_lives(POLL):
            carry()
        # what the session leaves behind when it was killed is unlocked within an instant
        end = time.monotonic() + LAST_LOOKS
        # a look may take its time, and what it closed as dead is shipped by the next one
        while (carry() and time.monotonic() < end) or finished(settings.journal):
            time.sleep(POLL)
    return False


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    main()
    # all is closed; to take an interpreter apart that has loaded Tiled can take seconds
    logging.shutdown()
    os._exit(0)
