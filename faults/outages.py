"""A catalogue and a bus that are out for a minute while a scan of the twin goes on."""

import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, pairwise
from pathlib import Path
from typing import Self

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.utils import MsgGenerator
from desk import client_of, differences, wait_for
from rack import PREFIX, SETTINGS
from scoreboard import Case

from odmrlab.lab.record import catalogue, shipper
from odmrlab.lab.record.recorded import journals
from odmrlab.lab.session import Session, connect
from odmrlab.lab.settings import Settings

LASTING = 60.0  # s, of an outage
SLOWER = 1.10  # median time of a point with and without
SOON = 30.0  # s for the catalogue to be complete
FIELDS = (40.0, 41.0)  # mT
SUBSCRIBER = """\
import sys
from odmrlab.lab.record.bus import Subscription
from odmrlab.lab.settings import Settings
seen = 0
with Subscription(Settings(home=sys.argv[1])) as subscription:
    for name, document in subscription:
        seen += 1
        if name == "stop":
            print(seen, flush=True)
            break
"""


def points(session: Session, done: threading.Event) -> MsgGenerator[None]:
    """Move the magnet and read the lock-in until it is done."""
    lockin, magnet = session.instruments.lockin, session.instruments.magnet

    @bpp.run_decorator()
    def inner() -> MsgGenerator[None]:
        fields = cycle(FIELDS)
        while not done.is_set():
            yield from bps.checkpoint()
            yield from bps.mv(magnet, next(fields))
            yield from bps.trigger_and_read([lockin, magnet])

    yield from inner()


class Scan:
    """A scan of the twin on a thread of its own, beside a shipper.

    Args:
        home: Of journal and catalogue.

    Attributes:
        times: At which the points were on record [s, monotonic].
    """

    def __init__(self, home: Path):
        self.settings = Settings(home=home)
        self.bench = connect(PREFIX)
        for name, value in SETTINGS.items():
            device = self.bench
            for part in name.split("."):
                device = getattr(device, part)
            device.set(value).wait(30)
        self.session = Session(self.settings, self.bench, attended=False)
        self.times: list[float] = []
        self.session.RE.msg_hook = self._note
        self._done, self.failure = threading.Event(), ""
        self._thread = threading.Thread(target=self._run)

    def _note(self, message: object) -> None:
        if message.command == "checkpoint":
            self.times.append(time.monotonic())

    def _run(self) -> None:
        try:
            self.session.RE(points(self.session, self._done))
        except Exception as error:  # noqa: BLE001  whatever ends a scan is an outcome
            self.failure = f"{type(error).__name__}: {error}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self.session.close()

    def median(self, begin: float, end: float) -> float:
        """Return the median time of a point between two moments [s]."""
        inside = [moment for moment in self.times if begin <= moment <= end]
        return statistics.median(b - a for a, b in pairwise(inside))


Outage = Callable[["shipper.Shipper", Settings], Iterator[None]]


@contextmanager
def killed(ship: shipper.Shipper, settings: Settings) -> Iterator[None]:
    """Kill the process of the catalogue and of the bus; it is started anew at the end."""
    ship._process.kill()  # noqa: SLF001
    yield


@contextmanager
def hung(ship: shipper.Shipper, settings: Settings) -> Iterator[None]:
    """Stop it."""
    ship._process.send_signal(signal.SIGSTOP)  # noqa: SLF001
    yield
    ship._process.send_signal(signal.SIGCONT)  # noqa: SLF001


@contextmanager
def locked(ship: shipper.Shipper, settings: Settings) -> Iterator[None]:
    """Keep the database from being written."""
    other = sqlite3.connect(settings.catalogue / "catalog.db", isolation_level=None, timeout=60)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def moved(ship: shipper.Shipper, settings: Settings) -> Iterator[None]:
    """Take the folder of the catalogue away."""
    ship._process.kill()  # noqa: SLF001  its open files would go along
    away = settings.catalogue.rename(settings.home / "away")
    settings.catalogue.write_text("in the way")
    yield
    settings.catalogue.unlink()
    away.rename(settings.catalogue)


OUTAGES = {"killed": killed, "hung": hung, "database locked": locked, "folder gone": moved}


def outage(kind: str) -> Callable[[random.Random, Path], Case]:
    """Return a case of one kind of outage."""

    def case(chance: random.Random, home: Path) -> Case:
        pause = shipper.FIRST_PAUSE
        if kind == "killed":
            shipper.FIRST_PAUSE = LASTING
        try:
            return in_a_scan(kind, home)
        finally:
            shipper.FIRST_PAUSE = pause

    return case


def in_a_scan(kind: str, home: Path) -> Case:
    """Measure through an outage; compare its pace with before, and the catalogue with the journal."""
    scan = Scan(home)
    with shipper.Shipper(scan.settings) as ship, client_of(scan.settings) as client:
        wait_for(lambda: "ships from" in ship.log.read_text())
        with scan:
            began = time.monotonic()
            time.sleep(LASTING)
            out = time.monotonic()
            with OUTAGES[kind](ship, scan.settings):
                time.sleep(LASTING)
            back, number = time.monotonic(), len(scan.times) - 1
            caught_up = wait_for(lambda: rows(client) >= number)
        ship.drain()
        before, during = scan.median(began, out), scan.median(out, back)
    wrong = scan.failure or differences(scan.settings)
    if not wrong and during > SLOWER * before:
        wrong = f"{1e3 * during:.1f} ms a point, {1e3 * before:.1f} ms before"
    if not wrong and caught_up > SOON:
        wrong = f"complete {caught_up:.0f} s after its return"
    facts = {
        "points": number,
        "before [ms]": round(1e3 * before, 2),
        "during [ms]": round(1e3 * during, 2),
        "complete after [s]": round(caught_up, 1),
        "load": round(os.getloadavg()[0], 1),
    }
    message = f"{1e3 * before:.1f} ms a point before, {1e3 * during:.1f} ms during; complete {caught_up:.1f} s after its return"
    return Case(f"catalogue: {kind} for {LASTING:g} s", 0, wrong, message=message, facts=facts)


def rows(client) -> int:
    """Return the number of primary rows in the catalogue, as far as they can be read now."""
    try:
        return max(
            (max(catalogue.count_rows(run)["primary"]) for run in client.values()), default=0
        )
    except Exception:  # noqa: BLE001  it is out, or is being written
        return 0


def subscriber(chance: random.Random, home: Path) -> Case:
    """Kill a subscriber of the bus in a scan; another one gets everything."""
    scan = Scan(home)
    words = [sys.executable, "-c", SUBSCRIBER, str(home)]
    with shipper.Shipper(scan.settings):
        with scan:
            began = time.monotonic()
            with subprocess.Popen(words, stdout=subprocess.PIPE) as first:  # noqa: S603
                time.sleep(LASTING / 4 + chance.uniform(0, 1))
                first.kill()
            out = time.monotonic()
            second = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)  # noqa: S603
            time.sleep(LASTING / 4)
            back = time.monotonic()
        seen = int(second.communicate(timeout=60)[0])
    number = sum(1 for path in journals(scan.settings.journal) for _ in path.open())
    wrong = scan.failure or ("" if seen == number else f"{seen} documents of {number}")
    facts = {
        "before [ms]": round(1e3 * scan.median(began, out), 2),
        "during [ms]": round(1e3 * scan.median(out, back), 2),
    }
    return Case("bus: subscriber killed, another comes", number - seen, wrong, facts=facts)
