"""Processes and devices that the tests share."""

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace

PREFIX = "T:"
SPEED = 500
SEED = 7


# below those that systems give to clients: one that is free now would not stay so until it is used
_unused = random.SystemRandom().sample(range(10_000, 20_000), 10_000)


def free_port() -> int:
    """Give a port that is free and was not given before."""
    while True:
        port = _unused.pop()
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


PORT = free_port()
SPARE_PORT = free_port()  # known to the clients, for an IOC that a test starts and kills
OTHER_PORT = free_port()  # likewise

# Channel Access reads its environment once, when ophyd is first imported: set it before any test.
os.environ |= {
    "EPICS_CA_AUTO_ADDR_LIST": "NO",
    "EPICS_CA_ADDR_LIST": f"127.0.0.1:{PORT} 127.0.0.1:{SPARE_PORT} 127.0.0.1:{OTHER_PORT}",
    "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
}


@contextmanager
def ioc(*arguments: object, port: int, env: dict[str, str] | None = None) -> Iterator:
    """Run an IOC process until the end of the block; ready when the block begins."""
    command = [sys.executable, "-m", "odmrlab.ioc", "--port", port, *arguments]
    process = subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.PIPE, text=True, env=env
    )
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.terminate()
        assert process.wait(timeout=10) in (0, -9)  # ended by us, or killed by the test
        process.stdout.close()


def devices(prefix: str) -> SimpleNamespace:
    from odmrlab.devices import Cryostat, Laser, Lockin, Magnet, Rf, wait_for_all

    kinds = (Magnet, Rf, Laser, Cryostat, Lockin)
    made = {kind.__name__.lower(): kind for kind in kinds}
    bench = {name: kind(f"{prefix}{kind.__name__}:", name=name) for name, kind in made.items()}
    wait_for_all(bench.values(), timeout=10)
    return SimpleNamespace(**bench)


def drop_circuits(fault, lost) -> None:
    """Drop every circuit of an IOC; return when a signal has lost its own, if only for a moment.

    Args:
        fault: The PV of the fault.
        lost: The signal.
    """
    losses, deadline = lost.losses, time.monotonic() + 10
    fault.put("dropped circuits", wait=False)
    while lost.losses == losses:
        assert time.monotonic() < deadline, f"{lost.pvname} was not lost"
        time.sleep(0.001)
