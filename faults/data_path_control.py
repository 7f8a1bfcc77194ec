"""The same with the stock road: a RunEngine whose TiledWriter writes to a Tiled server.

It must lose documents, hold up scans and miss damage, or the suite above would prove nothing.
"""

import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rack import free_port
from scoreboard import Case

NAME = "The same with the stock road"
NUMBER = 5
CONTROL = True
POINTS, AT = 60, 20  # of a scan; of which one meets the fault
PACE = 0.02  # s a point
SLOWER = 1.10

SCAN = """\
import os, sys, time
import bluesky.plan_stubs as bps, bluesky.preprocessors as bpp
from bluesky import RunEngine
from bluesky_tiled_plugins import TiledWriter
from ophyd.sim import motor
uri, key, batch, points, at, pace = sys.argv[1:]
RE, times = RunEngine(), []
if batch == "callback":
    def broken(name, document):
        if document["seq_num"] == int(at):
            raise RuntimeError("broken callback")
    RE.subscribe(broken, "event")
else:
    from tiled.client import from_uri
    RE.subscribe(TiledWriter(from_uri(uri, api_key=key), batch_size=int(batch)))
RE.subscribe(lambda name, document: (times.append(time.monotonic()), print(name, flush=True)))
@bpp.run_decorator()
def plan():
    for number in range(int(points)):
        yield from bps.mv(motor, number)
        yield from bps.trigger_and_read([motor])
        yield from bps.sleep(float(pace))
try:
    RE(plan())
finally:
    print("longest", max(b - a for a, b in zip(times, times[1:])), flush=True)
"""


@contextmanager
def server(home: Path) -> Iterator[tuple[subprocess.Popen, str, str]]:
    """Run a stock Tiled server; give its process, address and key."""
    port, key = free_port(), secrets.token_hex(16)
    words = [sys.executable, "-m", "tiled", "serve", "catalog", str(home / "catalog.db"), "--init"]
    words += ["--write", str(home / "data"), "--write", f"sqlite:///{home / 'tables.db'}"]
    words += ["--port", str(port), "--api-key", key]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)  # noqa: S603
    try:
        deadline = time.monotonic() + 120
        while "running on" not in (home / "log").read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"faults: Tiled did not start\n{(home / 'log').read_text()}")
            time.sleep(0.1)
        yield process, f"http://127.0.0.1:{port}/api/v1", key
    finally:
        process.kill()
        process.wait(10)


def rows(uri: str, key: str) -> int:
    """Return the number of rows in the catalogue."""
    from tiled.client import from_uri

    total = 0
    for run in from_uri(uri, api_key=key).values():
        for stream in run.values():
            try:
                total += len(stream.read()["seq_num"])
            except (KeyError, ValueError, TypeError):
                continue  # no event of it has come
    return total


def scan(
    uri: str, key: str, batch: str, victim: subprocess.Popen | None = None
) -> tuple[int, float]:
    """Run a scan, and kill a process, its own if there is none, at one of its points.

    Returns:
        The number of events that a callback saw, and the longest time between two documents [s].
    """
    words = [sys.executable, "-c", SCAN, uri, key, batch, str(POINTS), str(AT), str(PACE)]
    process = subprocess.Popen(  # noqa: S603
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    seen, longest, killed = 0, 0.0, False
    for line in process.stdout:
        seen += line == "event\n"
        if line.startswith("longest"):
            longest = float(line.split()[1])
        if seen == AT and not killed and batch != "callback":
            killed = True
            os.kill((victim or process).pid, signal.SIGKILL)
    process.wait(300)
    return seen, longest


def acquisition_killed(home: Path) -> Case:
    """Kill the process that measures."""
    with server(home) as (_, uri, key):
        seen, _ = scan(uri, key, "10000")
        return Case("acquisition: killed in a scan", lost=max(seen - rows(uri, key), 0))


def catalogue_killed(home: Path, batch: str) -> Case:
    """Kill the server for good; what it had is read from its files by another one."""
    with server(home) as (process, uri, key):
        seen, longest = scan(uri, key, batch, process)
    with server(home) as (_, uri, key):
        lost = max(POINTS - rows(uri, key), 0)
    wrong = f"the scan stood still for {longest:.0f} s" if longest > 1 else ""
    message = f"{seen} of {POINTS} points were measured"
    return Case(f"catalogue: killed, batch_size={batch}", lost, wrong, message=message)


def callback_raises(home: Path) -> Case:
    """Let a callback raise."""
    seen, _ = scan("", "", "callback")
    wrong = f"the scan ended at point {AT} of {POINTS}" if seen < POINTS else ""
    return Case("callback: raises", lost=int(seen < AT), wrong=wrong)


def flipped(home: Path) -> Case:
    """Flip single bits in a file of the stock JSONLinesWriter."""
    from bluesky.callbacks.json_writer import JSONLinesWriter
    from event_model import compose_run

    run, writer = compose_run(), JSONLinesWriter(home)
    keys = {"x": {"source": "test", "dtype": "number", "shape": []}}
    stream = run.compose_descriptor(name="primary", data_keys=keys)
    writer("start", run.start_doc)
    writer("descriptor", stream.descriptor_doc)
    for number in range(3):
        writer("event", stream.compose_event(data={"x": number / 7}, timestamps={"x": 0.0}))
    writer("stop", run.compose_stop())
    (path,) = home.glob("*.jsonl")
    whole, chance, missed = path.read_bytes(), random.Random(1), 0  # noqa: S311
    for _ in range(1000):
        place = chance.randrange(len(whole))
        bit = bytes([whole[place] ^ 1 << chance.randrange(8)])
        try:
            for line in (whole[:place] + bit + whole[place + 1 :]).splitlines():
                json.loads(line)
            missed += 1
        except ValueError:
            continue
    wrong = f"{missed} of 1000 were not noticed" if missed else ""
    return Case("journal: 1000 bits flipped", wrong=wrong)


def run(number: int, seed: int) -> Iterator[Case]:
    """Yield so many cases."""
    cases = (
        acquisition_killed,
        lambda home: catalogue_killed(home, "1"),
        lambda home: catalogue_killed(home, "10000"),
        callback_raises,
        flipped,
    )
    for case in cases[:number]:
        with tempfile.TemporaryDirectory(prefix="faults-") as home:
            yield case(Path(home))
