"""A RunEngine and the road of its documents, without instruments: what is disturbed is the road."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.utils import MsgGenerator
from ophyd.sim import SynAxis

from odmrlab.lab.keeping import KeepingEngine
from odmrlab.lab.record import catalogue
from odmrlab.lab.record.journal import Journal, read
from odmrlab.lab.record.recorded import journals
from odmrlab.lab.record.replay import bring_again
from odmrlab.lab.record.road import Road
from odmrlab.lab.settings import Settings

POINTS = 40
LONGEST = 120.0  # s for the catalogue to be complete
NO_ROOM = -1.0  # MB, so that the disk itself says that it is full


class Desk:
    """Scans into the journal of a home.

    Args:
        home: Where everything is kept.
        room: Free space without which no run begins [MB].

    Attributes:
        seen: Every document that a callback got.
    """

    def __init__(self, home: Path, room: float = NO_ROOM):
        self.settings = Settings(home=home)
        self.journal = Journal(self.settings.journal, room=room)
        self.road = Road(self.journal)
        self.RE = KeepingEngine(self.road, call_returns_result=True, attended=False)
        self.seen: list[tuple[str, dict]] = []
        self.RE.subscribe(lambda *document: self.seen.append(document))

    def scan(
        self,
        at: Callable[[int], object] = lambda number: None,
        points: int = POINTS,
        pace: float = 0.0,
        **md: Any,
    ) -> str:
        """Run a scan; return why it failed, or nothing.

        Args:
            at: Called with the number of each point before it is read.
            points: How many.
            pace: Time of a point [s].
            md: Metadata.
        """
        try:
            self.RE(plan(at, points, pace), **md)
        except Exception as error:  # noqa: BLE001  whatever ends a scan is an outcome
            return f"{type(error).__name__}: {error}"
        finally:
            self.road.settle(10)
        return ""

    def close(self) -> None:
        """End."""
        self.road.close()
        self.journal.close()

    def kept(self) -> dict[str, list[tuple[str, dict]]]:
        """Return what the journal holds, by run."""
        paths = journals(self.settings.journal)
        return {path.stem: list(read(path, go_on=True)) for path in paths}

    def lost(self) -> int:
        """Return the number of documents that a callback has seen and that the journal has not."""
        there = {doc["uid"] for documents in self.kept().values() for _, doc in documents}
        return sum(doc["uid"] not in there for _, doc in self.seen)

    def wrong(self, points: int = POINTS) -> str:
        """Return what is wrong with the journal: success without all points, or no end."""
        for run, documents in self.kept().items():
            stops = [doc for name, doc in documents if name == "stop"]
            number = sum(name == "event" for name, _ in documents)
            if not stops:
                return f"run {run} has no end"
            if stops[0]["exit_status"] == "success" and number != points:
                return f"run {run} says success and has {number} of {points} points"
            if stops[0]["exit_status"] != "success" and not stops[0].get("reason"):
                return f"run {run} failed and does not say why"
        return ""


def plan(at: Callable[[int], object], points: int, pace: float) -> MsgGenerator[None]:
    """Move and read, and call something before each point."""
    motor = SynAxis(name="motor")

    @bpp.run_decorator()
    def inner() -> MsgGenerator[None]:
        for number in range(points):
            yield from bps.checkpoint()
            at(number)
            yield from bps.mv(motor, number / 7)
            yield from bps.trigger_and_read([motor])
            if pace:
                yield from bps.sleep(pace)

    yield from inner()


@contextmanager
def client_of(settings: Settings) -> Iterator[Any]:
    """Give a client of the catalogue."""
    catalogue.create(settings)
    client = catalogue.connect(settings)
    try:
        yield client
    finally:
        client.context.close()


def shipped(settings: Settings) -> str:
    """Ship everything that is in the journal; return what is not as it was measured."""
    bring_again(settings, time.monotonic() + LONGEST)
    return differences(settings)


def differences(settings: Settings) -> str:
    """Compare the catalogue with every journal, row by row, and return what is not the same."""
    with client_of(settings) as client:
        there = list(client)
        for path in journals(settings.journal):
            if there.count(path.stem) != 1:
                return f"run {path.stem} is {there.count(path.stem)} times in the catalogue"
            found = catalogue.differences(catalogue.find_run(client, path.stem), read(path))
            if (first := next(found, None)) is not None:
                return f"run {path.stem}: {first}"
    return ""


def wait_for(condition: Callable[[], object], timeout: float = LONGEST) -> float:
    """Wait until something holds; return how long that took [s].

    Raises:
        TimeoutError: It does not.
    """
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > timeout:
            raise TimeoutError(f"faults: not so after {timeout:g} s")
        time.sleep(0.05)
    return time.monotonic() - began
