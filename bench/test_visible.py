"""How soon a row that was measured can be read from the catalogue, by somebody else, while a scan runs."""

import os
import threading
import time

import numpy as np
import pytest
from event_model import compose_run

from odmrlab.lab.record import catalogue
from odmrlab.lab.record.journal import Journal
from odmrlab.lab.record.shipper import Shipper
from odmrlab.lab.settings import Settings

COLUMNS = {f"column_{n}": {"source": "bench", "dtype": "number", "shape": []} for n in range(15)}
PACE, ROWS = 0.05, 400  # s, of a fast scan
SOON = 2.0  # s


def rows_of(client, uid: str) -> int:
    """Return the number of rows that can be read."""
    try:
        return max(catalogue.count_rows(client[uid]).get("primary", {0}), default=0)
    except Exception:  # noqa: BLE001  it is just being written
        return 0


def measure(journal: Journal, run, written: list[float]) -> None:
    """Write a run in the pace of a scan."""
    stream = run.compose_descriptor(name="primary", data_keys=COLUMNS)
    journal("start", run.start_doc)
    journal("descriptor", stream.descriptor_doc)
    for number in range(ROWS):
        data = dict.fromkeys(COLUMNS, number / 7)
        journal("event", stream.compose_event(data=data, timestamps=data, validate=False))
        written.append(time.monotonic())
        time.sleep(PACE)
    journal("stop", run.compose_stop())


@pytest.mark.timeout(300)
@pytest.mark.benchmark(group="row of a scan that goes on, until it can be read in the catalogue")
def test_rows_are_visible_within_two_seconds(benchmark, tmp_path):
    settings, run = Settings(home=tmp_path), compose_run()
    catalogue.create(settings)
    written: list[float] = []
    visible: list[float] = []

    def scan() -> None:
        thread = threading.Thread(target=measure, args=(Journal(settings.journal), run, written))
        thread.start()
        while len(visible) < ROWS:
            before, there = time.monotonic(), rows_of(client, run.start_doc["uid"])
            # it could be read when the reading of it began
            visible.extend([before] * (there - len(visible)))
            time.sleep(0.02)
        thread.join()

    with Shipper(settings) as shipper, catalogue.connect(settings).context as context:
        client = catalogue.from_context(context)
        while "ships from" not in shipper.log.read_text():
            time.sleep(0.05)
        benchmark.pedantic(scan, rounds=1)
    late = np.subtract(visible, written)
    median, most = np.percentile(late, [50, 99])
    print(
        f"\nvisible after {median:.2f} s (median), {most:.2f} s (99 %), load {os.getloadavg()[0]:.1f}"
    )
    benchmark.extra_info |= {"median [s]": median, "99 % [s]": most, "load": os.getloadavg()[0]}
    assert median < SOON
