"""The twin as a process that is really killed, and a scan of it that is either right or not."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

PREFIX = "F:"
SPEED, SEED = 100, 7  # laboratory seconds per second; of the noise
START, STOP, NUMBER = 20.0, 75.0, 12  # mT, mT, points
STEP = (STOP - START) / (NUMBER - 1)  # mT
FIELDS = [START + STEP * n for n in range(NUMBER)]
SETTINGS = {  # of the bench before every scan
    "rf.output": "On",
    "rf.modulation": "On",
    "rf.frequency": 1.0,
    "rf.power": 0.0,
    "rf.modulation_frequency": 600.0,
    "laser.energy": 1.824,
    "laser.power": 0.5,
    "laser.shutter": "Open",
    "magnet.ramp_rate": 16.7,
    "lockin.time_constant": 0.01,
    "lockin.filter_slope": 24,
    "lockin.integration_time": 5.0,  # s, 50 ms of the wall
    "lockin.settling_limit": 1.0,  # s; a client waits as long for a reading, of the wall
    "lockin.sensitivity": 1e-3,
    "lockin.phase": 0.0,
    "lockin.harmonic": 1,
    "cryostat": 1.6,
    "magnet": START - STEP,  # so that even the first point is a move
}
ALIKE = 6.0  # standard errors within which two readings of one point agree


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class HungError(RuntimeError):
    """A scan that does not end."""


class Rack:
    """Instruments in a process that may be killed, hung and started anew.

    Channel Access clients of this process and of its children are told where they are as soon as
    the object is made, for they read that once.

    Args:
        names: Of the instruments; none for all five.
    """

    _addresses: ClassVar[list[str]] = []  # of every rack of this process

    def __init__(self, *names: str):
        self.names, self.port, self.process = names, free_port(), None
        self._addresses.append(f"127.0.0.1:{self.port}")
        os.environ |= {
            "EPICS_CA_ADDR_LIST": " ".join(self._addresses),
            "EPICS_CA_AUTO_ADDR_LIST": "NO",
            "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        }

    def start(self, *more: object) -> None:
        """Start it, with more words of its command line, and wait until it serves."""
        words = ["--port", self.port, "--prefix", PREFIX, "--speed", SPEED, "--seed", SEED]
        command = [sys.executable, "-m", "odmrlab.ioc", *self.names, *words, "--faults", *more]
        self.process = subprocess.Popen(  # noqa: S603
            [str(word) for word in (*command, "--tethered")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the session
        )
        if self.process.stdout.readline() != b"ready\n":
            raise RuntimeError("faults: the twin did not start")

    def kill(self) -> None:
        """Kill it at once."""
        self.process.kill()
        self.process.wait(10)
        self.process.stdin.close()
        self.process.stdout.close()

    def restart(self, after: float) -> None:
        """Kill it and start it anew after some time [s]."""
        self.kill()
        time.sleep(after)
        self.start()

    def hang(self, seconds: float) -> None:
        """Stop it for some time."""
        self.stop()
        time.sleep(seconds)
        self.go_on()

    def stop(self) -> None:
        """Stop it: its circuits stay, and it says nothing."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self.process.pid, signal.SIGCONT)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None


@dataclass(eq=False)
class Documents:
    """What a scan has put on record; the fit of it is a run of its own, and left out."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)  # of the rows, of the clock
    stop: dict[str, Any] = field(default_factory=dict)
    run: str = ""
    _streams: dict[str, str] = field(default_factory=dict)

    @property
    def started(self) -> bool:
        """Whether there is a run."""
        return bool(self.run)

    def __call__(self, name: str, doc: dict) -> None:
        if name == "start":
            self.run = self.run or doc["uid"]
        elif name == "descriptor" and doc["run_start"] == self.run:
            self._streams[doc["uid"]] = doc["name"]
        elif name == "event" and self._streams.get(doc["descriptor"]) == "primary":
            self.rows.append(dict(doc["data"]))
            self.times.append(doc["time"])
        elif name == "stop" and doc["run_start"] == self.run:
            self.stop = doc


def wrong(rows: list[dict], undisturbed: list[dict], whole: bool, points: int = NUMBER) -> str:
    """Return what is wrong with a scan; empty when every point is what it is said to be.

    Args:
        rows: Of its points.
        undisturbed: Of the same scan without a fault.
        whole: Whether no point may be missing.
        points: That a whole scan has.
    """
    if whole and len(rows) != points:
        return f"{len(rows)} points of {points}"
    for number, (row, before) in enumerate(zip(rows, undisturbed, strict=False)):
        if abs(row["magnet_field_readback"] - FIELDS[number]) > 0.05:
            return f"point {number} at {row['magnet_field_readback']:g} mT, not {FIELDS[number]:g}"
        for part in ("x", "y"):
            off = abs(row[f"lockin_{part}"] - before[f"lockin_{part}"])
            if not off < ALIKE * before["lockin_x_error"]:
                error = before["lockin_x_error"]
                return f"point {number}: {part} off by {off / error:.0f} standard errors"
    return ""
