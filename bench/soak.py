"""Endurance: many events from a RunEngine through the journal into the catalogue; does anything grow?

``python bench/soak.py --events 1000000`` prints memory, open files, threads and pace of the process
that measures and of the shipper while it goes on. Afterwards the last tenth is compared with the
first one, and with what was promised; the exit status says whether it holds. Journals of verified
runs are deleted as they come, so that the disk holds the catalogue only. ``--events-per-run`` makes
it many short runs or one long one.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from bluesky import Msg
from bluesky.utils import MsgGenerator

from odmrlab.lab.keeping import KeepingEngine
from odmrlab.lab.record.journal import Journal
from odmrlab.lab.record.road import Road
from odmrlab.lab.record.shipper import Shipper, finished
from odmrlab.lab.settings import Settings

COLUMNS = tuple(f"column_{n}" for n in range(15))
LEAD = 3  # runs that the journal may be ahead of the catalogue
GROWTH = 20.0  # MB of a process, from the first tenth on
SLOWER = 1.2  # last tenth against first


class Reader:
    """A detector of fifteen numbers, as a step of `odmr` reads them."""

    name, parent = "soak", None

    def __init__(self):
        self.number = 0

    def describe(self) -> dict[str, Any]:
        """Return what `read` gives."""
        return {name: {"source": "soak", "dtype": "number", "shape": []} for name in COLUMNS}

    def describe_configuration(self) -> dict[str, Any]:
        """Return nothing: there is no configuration."""
        return {}

    def read(self) -> dict[str, Any]:
        """Return the next reading."""
        self.number += 1
        now = time.time()
        return {name: {"value": self.number / 7, "timestamp": now} for name in COLUMNS}

    def read_configuration(self) -> dict[str, Any]:
        """Return nothing: there is no configuration."""
        return {}


class TimedRoad(Road):
    """A road, and the time spent on it [s]."""

    spent = 0.0

    def __call__(self, name: str, doc: dict[str, Any], *, measured: bool = False) -> None:
        began = time.perf_counter()
        super().__call__(name, doc, measured=measured)
        self.spent += time.perf_counter() - began


def lean(reader: Reader, events: int) -> MsgGenerator:
    """Take so many readings; nothing moves and nothing is waited for."""
    yield Msg("open_run")
    for _ in range(events):
        yield Msg("checkpoint")
        yield Msg("create", name="primary")
        yield Msg("read", reader)
        yield Msg("save")
    yield Msg("close_run")


@dataclass(frozen=True)
class Tenth:
    """What one tenth of the events has cost.

    Attributes:
        events: Number of all events so far.
        road: Time of an event on the RunEngine's thread, journal and all [us].
        pace: Events that came through to the catalogue [1/s].
        measuring: CPU time of an event in the process that measures [ms].
        shipping: The same in the shipper [ms].
        memory: Of both [MB].
        files: Open in both.
        threads: Of both.
    """

    events: int
    road: float
    pace: float
    measuring: float
    shipping: float
    memory: tuple[float, float]
    files: tuple[int, int]
    threads: tuple[int, int]


def tenths(settings: Settings, events: int, per_run: int) -> Iterator[Tenth]:
    """Measure so many events and ship them; give account after each tenth."""
    road, reader = TimedRoad(Journal(settings.journal)), Reader()
    RE = KeepingEngine(road)
    with Shipper(settings) as shipper:
        both = psutil.Process(), psutil.Process(shipper._process.pid)
        RE(lean(reader, 10))
        shipper.drain(120)  # warm
        runs = max(events // per_run, 1)
        every, done, reader.number = max(runs // 10, 1), 0, 0
        began, spent, used = time.monotonic(), road.spent, [cpu(each) for each in both]
        for number in range(1, runs + 1):
            RE(lean(reader, per_run))
            while len(finished(settings.journal)) > LEAD:
                time.sleep(0.05)
            if number % every:
                continue
            shipper.drain(3600)
            clear(settings.journal)
            new, done = reader.number - done, reader.number
            now, cost, use = time.monotonic(), road.spent, [cpu(each) for each in both]
            yield Tenth(
                done,
                1e6 * (cost - spent) / new,
                new / (now - began),
                *(1e3 * (after - before) / new for after, before in zip(use, used, strict=True)),
                tuple(each.memory_info().rss / 1e6 for each in both),
                tuple(each.num_fds() for each in both),
                tuple(each.num_threads() for each in both),
            )
            began, spent, used = now, cost, use


def clear(folder: Path) -> None:
    """Delete the journals that were shipped, which means verified."""
    for path in (folder / "shipped").glob("*"):
        path.unlink()


def cpu(process: psutil.Process) -> float:
    """Return the time that a process has used [s]."""
    return sum(process.cpu_times()[:2])


def broken(told: list[Tenth]) -> Iterator[str]:
    """Yield the promises that were not kept."""
    first, last = told[0], told[-1]
    for number, who in enumerate(("who measures", "shipper")):
        grown = max(each.memory[number] for each in told) - first.memory[number]
        if grown > GROWTH:
            yield f"{who}: {grown:.1f} MB more than after the first tenth; needs {GROWTH:g} at most"
        for what in ("files", "threads"):
            before, after = getattr(first, what)[number], getattr(last, what)[number]
            if after > before:
                yield f"{who}: {after} {what}; needs the {before} of the first tenth"
    slower = (last.measuring + last.shipping) / (first.measuring + first.shipping)
    if slower > SLOWER:
        yield f"CPU time of an event: {slower:.2f} times the first tenth's; needs {SLOWER:g}"


def main() -> None:
    """Run, and print a line for each tenth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--events-per-run", type=int, default=2000)
    parser.add_argument("--out", type=Path, help="file for the numbers, as JSON")
    words = parser.parse_args()
    home, told = Path(tempfile.mkdtemp(prefix="soak-")), []
    print(
        "  events |    on the road |    through | CPU [ms/event] |  memory [MB] | files | threads"
    )
    print("         | [us/RE's event]| [events/s] | of the process that measures, of the shipper")
    try:
        for one in tenths(Settings(home=home), words.events, words.events_per_run):
            told.append(one)
            print(
                f"{one.events:8d} | {one.road:14.1f} | {one.pace:10.0f} | "
                f"{one.measuring:6.3f} {one.shipping:6.3f}  | {one.memory[0]:5.1f} "
                f"{one.memory[1]:6.1f} | {one.files[0]:2d} {one.files[1]:2d} | "
                f"{one.threads[0]:3d} {one.threads[1]:3d}",
                flush=True,
            )
    finally:
        shutil.rmtree(home)
    wrong = list(broken(told))
    print(*wrong or ["nothing grows, nothing slows down"], sep="\n")
    if words.out:
        words.out.write_text(json.dumps({"tenths": list(map(asdict, told)), "broken": wrong}))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
