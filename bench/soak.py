"""Endurance: many events through journal and shipper; does anything grow, does it slow down?

``python bench/soak.py --events 1000000`` prints memory, file handles and pace of both processes
while it goes on, and compares the first tenth with the last. The journals of verified runs are
deleted as they come, so that the disk holds the catalogue only.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import psutil
from event_model import compose_run

from odmrlab.lab.record.journal import Journal
from odmrlab.lab.record.shipper import Shipper, finished
from odmrlab.lab.settings import Settings

COLUMNS = {f"column_{n}": {"source": "soak", "dtype": "number", "shape": []} for n in range(15)}
LEAD = 3  # runs that the journal may be ahead of the catalogue


def a_run(journal: Journal, events: int) -> float:
    """Write one run; returns the mean time of an event in the journal [s]."""
    run = compose_run()
    stream = run.compose_descriptor(name="primary", data_keys=COLUMNS)
    journal("start", run.start_doc)
    journal("descriptor", stream.descriptor_doc)
    spent = 0.0
    for number in range(events):
        data = dict.fromkeys(COLUMNS, number / 7)
        event = stream.compose_event(data=data, timestamps=data, validate=False)
        began = time.perf_counter()
        journal("event", event)
        spent += time.perf_counter() - began
    journal("stop", run.compose_stop())
    return spent / events


def clear(folder: Path) -> None:
    """Delete the journals that were shipped, which means verified."""
    for path in (folder / "shipped").glob("*"):
        path.unlink()


def cpu_time(*processes: psutil.Process) -> float:
    """Return what processes have used [s]."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def main() -> None:
    """Run, and print a line for each tenth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--events-per-run", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=1e9, help="end after this time")
    words = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="soak-"))
    settings = Settings(home=home)
    journal, me = Journal(settings.journal), psutil.Process()
    runs = words.events // words.events_per_run
    every, deadline = max(runs // 10, 1), time.monotonic() + 60 * words.minutes
    try:
        with Shipper(settings) as shipper:
            process = psutil.Process(shipper._process.pid)
            a_run(journal, 10)
            shipper.drain(120)  # warm
            began, done, cost, used = time.monotonic(), 0, 0.0, cpu_time(me, process)
            print(
                "events | in the journal [us/event] | through [events/s] | CPU of both [ms/event]"
            )
            print("       | memory [MB] and open files of the writer, of the shipper")
            for number in range(1, runs + 1):
                cost += a_run(journal, words.events_per_run)
                while len(finished(settings.journal)) > LEAD:
                    time.sleep(0.05)
                if number % every == 0:
                    shipper.drain(600)
                    clear(settings.journal)
                    events, now = number * words.events_per_run, time.monotonic()
                    pace = (events - done) / (now - began)
                    spent, used = cpu_time(me, process) - used, cpu_time(me, process)
                    memory = [each.memory_info().rss / 1e6 for each in (me, process)]
                    files = [each.num_fds() for each in (me, process)]
                    print(
                        f"{events:9d}  {1e6 * cost / every:6.1f}  {pace:8.0f}  "
                        f"{1e3 * spent / (events - done):6.3f}  "
                        f"{memory[0]:6.1f} {files[0]:3d}  {memory[1]:6.1f} {files[1]:3d}",
                        flush=True,
                    )
                    began, done, cost = now, events, 0.0
                    if now > deadline:
                        break
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
