"""Instruments that a test kills, hangs and disturbs in a scan, and sessions that measure with them.

A module that imports the fixtures ``rack``, ``connected``, ``lab`` and ``undisturbed`` has them.
"""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from laboratory import SPARE_PORT, devices
from ophyd import EpicsSignal

from odmrlab.devices import wait_for_all
from odmrlab.lab.session import Instruments, Session
from odmrlab.lab.settings import Settings
from odmrlab.plans import odmr

PATIENCE = 20.0  # s
POINTS = 12
FIELDS = [20 + 5.0 * n for n in range(POINTS)]  # mT


class Rack:
    """An IOC process that can be killed and started anew."""

    def __init__(self):
        self.process = None

    def start(self) -> None:
        command = [sys.executable, "-m", "odmrlab.ioc", "--port", SPARE_PORT, "--prefix", "G:"]
        command += ["--speed", 500, "--seed", 7, "--faults"]
        self.process = subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self.process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()

    def restart(self, after: float) -> None:
        self.kill()
        time.sleep(after)
        self.start()

    def hang(self, seconds: float) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(self.process.pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def rack():
    made = Rack()
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def connected(rack):
    made = devices("G:")
    made.faults = {
        name: EpicsSignal(f"G:{name.capitalize()}:Fault", name=name, string=True)
        for name in ("magnet", "rf", "laser", "cryostat", "lockin")
    }
    return made


@pytest.fixture
def lab(rack, connected, tmp_path):
    """Give instruments in good order, and functions to make sessions and to do things in time."""
    if rack.process.poll() is not None:
        rack.start()
    instruments = Instruments(**{name: getattr(connected, name) for name in connected.faults})
    wait_for_all(instruments, timeout=20)
    connected.open = []

    def fault(name: str, what: str) -> None:
        connected.faults[name].wait_for_connection(timeout=10)
        connected.faults[name].put(what, wait=False)

    def session(at: int | None = None, do=None, patience: float = PATIENCE, **more) -> Session:
        made = Session(
            Settings(home=tmp_path, patience=patience), instruments, Meanwhile(at, do), **more
        )
        made.documents = []
        made.RE.subscribe(lambda *pair: made.documents.append(pair))
        connected.open.append(made)
        return made

    connected.fault, connected.session = fault, session
    for name in connected.faults:
        fault(name, "none")
    deadline = time.monotonic() + 60  # on a busy machine
    while connected.magnet.quenched.get() and time.monotonic() < deadline:
        connected.magnet.reset.put(1)
        time.sleep(0.05)
    connected.cryostat.fill.put("Yes", wait=False)  # No again when it is full
    for setting, value in (
        (connected.rf.output, "On"),
        (connected.rf.modulation, "On"),
        (connected.laser.shutter, "Open"),
        (connected.magnet.ramp_rate, 16.7),
        (connected.lockin.time_constant, 0.01),
        (connected.lockin.filter_slope, 24),
        (connected.lockin.integration_time, 25.0),  # 50 ms of the wall
        (connected.lockin.sensitivity, 1e-3),
        (connected.cryostat, 1.6),
        (connected.magnet, FIELDS[0]),
    ):
        setting.set(value).wait(10)
    while not (connected.laser.mode_locked.get() and connected.cryostat.helium_level.get() > 20):
        assert time.monotonic() < deadline, (
            connected.laser.mode_locked.get(),
            connected.cryostat.helium_level.get(),
            connected.cryostat.fill.get(),
        )
        time.sleep(0.02)
    yield connected
    for made in connected.open:
        made.close()


class Meanwhile:
    """A consumer of documents that does something after so many points."""

    def __init__(self, at: int | None, do):
        self._left, self._do = at, do

    def __call__(self, name, doc):
        data = doc["data"] if name == "event" else {}
        if self._left is not None and "lockin_x" in data and "cryostat_stable" not in data:
            self._left -= 1
            if self._left == 0:
                threading.Thread(target=self._do, daemon=True).start()


def scan(lab):
    return odmr(lab.lockin, lab.magnet, FIELDS[0], FIELDS[-1], POINTS)


def events(session, stream: str) -> list[dict]:
    """Give the events of a stream of the scan; the fit of it is a run of its own."""
    run = next((doc["uid"] for name, doc in session.documents if name == "start"), None)
    wanted = {
        doc["uid"]
        for name, doc in session.documents
        if name == "descriptor" and doc["name"] == stream and doc["run_start"] == run
    }
    return [d for n, d in session.documents if n == "event" and d["descriptor"] in wanted]


def rows(session, column: str) -> list:
    return [event["data"][column] for event in events(session, "primary")]


def stop_of(session) -> dict:
    return next(doc for name, doc in session.documents if name == "stop")


@pytest.fixture
def undisturbed(lab):
    session = lab.session()
    session.RE(scan(lab))
    session.close()
    lab.open.clear()
    return rows(session, "lockin_x")


def all_points_are_good(session, undisturbed) -> bool:
    """Whether every point is there once, in order, at its field, with rf and light on."""
    assert rows(session, "magnet_field") == rows(session, "magnet_field_readback") == FIELDS
    assert [event["seq_num"] for event in events(session, "primary")] == list(range(1, POINTS + 1))
    pairs = zip(
        rows(session, "lockin_x"), undisturbed, rows(session, "lockin_x_error"), strict=True
    )
    return all(abs(x - before) < 6 * error for x, before, error in pairs)
