"""Documents that are odd, damaged, doubled or out of their time."""

import math
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from desk import POINTS, Desk, client_of, differences, shipped, wait_for
from event_model import compose_run
from ophyd import Signal
from scoreboard import Case

from odmrlab.analysis import FitError
from odmrlab.analysis.data import Curve
from odmrlab.analysis.models import fit
from odmrlab.lab.record import catalogue
from odmrlab.lab.record.journal import is_finished, read
from odmrlab.lab.record.shipper import Shipper

FLIPS = 1000
HOUR = 3600.0  # s
CLOCK = """\
import os, time
real = time.time
def now():
    with open(os.environ["FAULTS_CLOCK"]) as file:
        return real() + float(file.read() or 0)
time.time = now
"""


def flipped(chance: random.Random, home: Path) -> Case:
    """Flip single bits of a journal and cut off its end, very often."""
    desk = Desk(home)
    desk.scan(points=3)
    desk.close()
    ((_, documents),) = desk.kept().items()
    (path,) = desk.settings.journal.glob("*.jsonl")
    whole, missed, spoilt = path.read_bytes(), 0, 0
    lines = whole.splitlines(keepends=True)
    for _ in range(FLIPS):
        place = chance.randrange(len(whole))
        bit = bytes([whole[place] ^ 1 << chance.randrange(8)])
        cut = chance.random() < 0.2
        path.write_bytes(whole[:place] + (b"" if cut else bit + whole[place + 1 :]))
        try:
            missed += list(read(path)) is not None and is_finished(path)
        except ValueError:
            pass  # found
        left = list(read(path, go_on=True))
        hit = len(whole[:place].splitlines()) if cut else 1
        least = hit - 1 if cut else len(lines) - 1
        spoilt += any(document not in documents for document in left) or len(left) < least
    wrong = f"{missed} of {FLIPS} not found, {spoilt} spoilt others" if missed or spoilt else ""
    return Case(f"journal: {FLIPS} bits flipped or ends cut off", wrong=wrong)


def replayed(chance: random.Random, home: Path) -> Case:
    """Replay everything three times, a run that is half in the catalogue too; then a uid twice."""
    desk = Desk(home)
    desk.scan()
    desk.scan()
    desk.close()
    half = list(next(iter(desk.kept().values())))[: chance.randrange(2, POINTS)]
    with client_of(desk.settings) as client:
        writer = catalogue.RunWriter(client)
        for document in half:
            writer(*document)
        writer.flush()
    words = [sys.executable, "-c", "from odmrlab.lab.cli import main; main()", "journal"]
    env = os.environ | {"ODMRLAB_HOME": str(home)}
    told = ""
    for command in ("replay", "replay", "replay", "verify"):
        done = subprocess.run(  # noqa: S603
            [*words, command], env=env, capture_output=True, text=True, check=False
        )
        told = done.stdout.splitlines()[-1] if done.stdout else done.stderr
        if done.returncode:
            return Case("journal: replayed three times", wrong=told)
    wrong = differences(desk.settings)
    twice = next(iter(next(iter(desk.kept().values()))))[1]
    try:
        Desk(home).journal("start", twice)
        wrong = wrong or "a uid was taken twice"
    except ValueError as error:
        told = str(error)
    return Case("journal: replayed three times", lost=desk.lost(), wrong=wrong, message=told)


def odd(chance: random.Random, home: Path) -> Case:
    """Measure numbers of every kind under names of every language, with 10 MB of metadata."""
    desk = Desk(home)
    md = {
        "größe": "Δω µeV 試料 🧲 <b>'; DROP TABLE--</b> \u202e",
        "numbers": np.arange(5),
        "one": np.float32(chance.random()),
        "flag": np.bool_(True),
        "log": "x" * 10_000_000,
    }
    told = desk.scan(**md)
    desk.close()
    wrong = told or shipped(desk.settings) or desk.wrong()
    if not wrong:
        with client_of(desk.settings) as client:
            start = catalogue.find_run(client, next(iter(desk.kept()))).metadata["start"]
            if (start["größe"], len(start["log"])) != (md["größe"], len(md["log"])):
                wrong = "metadata did not come back"
    return Case("documents: odd metadata, 10 MB", lost=desk.lost(), wrong=wrong)


def not_finite(chance: random.Random, home: Path) -> Case:
    """Measure NaN and infinities; keep, ship and fit them."""
    desk, values = Desk(home), [1.0, math.nan, math.inf, -math.inf, 2.5]
    chance.shuffle(values)
    reading = Signal(name="reading", value=0.0)

    def plan():
        import bluesky.plan_stubs as bps

        yield from bps.open_run()
        for value in values:
            reading.put(value)
            yield from bps.trigger_and_read([reading])
        yield from bps.close_run()

    desk.RE(plan())
    desk.close()
    wrong, told = shipped(desk.settings), ""
    axis = np.geomspace(100, 1e4, 12)
    signal = 1e-5 / (1 + 2j * np.pi * axis * 1e-4)
    signal[chance.randrange(12)] = chance.choice([math.nan, math.inf])
    try:
        fit("spin_inertia", Curve(axis, signal, np.full(12, 1e-8 * (1 + 1j))))
        wrong = wrong or "a fit of NaN gave a number"
    except FitError as error:
        told = str(error)
    return Case("documents: NaN and infinite readings", desk.lost(), wrong, message=told)


def unknown(chance: random.Random, home: Path) -> Case:
    """Offer documents that break event-model's schema, each in a run of its own."""
    desk, keys = Desk(home), {"x": {"source": "test", "dtype": "number", "shape": []}}
    spoilt = (
        ("start", {"time": "now"}),
        ("start", {"a.b": 1}),
        ("descriptor", {"data_keys": {"x": {}}}),
        ("event", {"seq_num": 0}),
        ("event", {"data": {}}),
        ("event", {"timestamps": {"y": 1.0}}),
        ("stop", {"exit_status": "fine"}),
        ("gossip", {}),
    )
    taken, told = [], ""
    for kind, change in spoilt:
        run = compose_run()
        stream = run.compose_descriptor(name="primary", data_keys=keys)
        event = stream.compose_event(data={"x": 1.0}, timestamps={"x": 0.0})
        whole = {"start": run.start_doc, "descriptor": stream.descriptor_doc, "event": event}
        whole |= {"gossip": {"uid": "a"}, "stop": run.compose_stop()}
        for name, document in whole.items():
            if name == kind:
                try:
                    desk.road(name, document | change)
                    taken.append(name)
                except ValueError as error:
                    told = str(error)
                break
            if name != "gossip":
                desk.road(name, document)
    desk.close()
    wrong = f"took {', '.join(taken)}" if taken else ""
    return Case("documents: against the schema", wrong=wrong, message=told)


def clock_jumps(chance: random.Random, home: Path) -> Case:
    """Let the clock of both processes jump by an hour in the middle of a scan."""
    (home / "sitecustomize.py").write_text(CLOCK)
    (clock := home / "clock").write_text("0")
    jump, after = chance.choice([-HOUR, HOUR]), chance.randrange(5, POINTS)
    real, shift = time.time, [0.0]
    path = os.environ.get("PYTHONPATH", "")
    os.environ |= {"FAULTS_CLOCK": str(clock), "PYTHONPATH": f"{home}:{path}"}

    def leap(number: int) -> None:
        if number == after:
            clock.write_text(str(jump))
            shift[0] = jump

    try:
        time.time = lambda: real() + shift[0]
        desk = Desk(home / "home")
        with Shipper(desk.settings) as shipper:
            wait_for(lambda: "ships from" in shipper.log.read_text())
            began = time.monotonic()
            told = desk.scan(leap, pace=0.05)
            took = time.monotonic() - began
            shipper.drain()
        desk.close()
    finally:
        time.time = real
        os.environ["PYTHONPATH"] = path
    wrong = told or desk.wrong() or differences(desk.settings)
    if not wrong and took > 60:
        wrong = f"the scan took {took:.0f} s"
    return Case("clock: jumps by an hour", desk.lost(), wrong, facts={"jump": jump})
