"""A running rack of soft IOCs, private to this test session, and the laboratory around it."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest
from laboratory import PORT, PREFIX, SEED, SPEED, devices, ioc
from virtual_time import VirtualWall

# a shell that runs tests in its background has them ignore Ctrl-C; those of Ctrl-C need it
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def rack() -> Iterator[str]:
    """Start every soft IOC on the loopback; give its PV prefix."""
    options = ("--prefix", PREFIX, "--speed", SPEED, "--seed", SEED)
    with ioc(*options, port=PORT):
        yield PREFIX


@pytest.fixture(scope="session")
def instruments(rack) -> SimpleNamespace:
    """Give the five connected devices."""
    return devices(rack)


@pytest.fixture
def bench(instruments) -> SimpleNamespace:
    """Give the devices in a known state: electron resonance at 1 GHz, 0.5 mW, everything on."""
    for setting, value in (
        (instruments.rf.frequency, 1.0),
        (instruments.rf.power, 0.0),
        (instruments.rf.output, "On"),
        (instruments.rf.modulation, "On"),
        (instruments.rf.modulation_frequency, 600.0),
        (instruments.laser.power, 0.5),
        (instruments.laser.shutter, "Open"),
        (instruments.magnet.ramp_rate, 5.0),
        (instruments.lockin.time_constant, 0.01),
        (instruments.lockin.filter_slope, 24),
        (instruments.lockin.integration_time, 0.3),
        (instruments.lockin.sensitivity, 1e-3),
        (instruments.lockin.phase, 0.0),
        (instruments.magnet, 42.5),
    ):
        setting.set(value).wait(10)
    return instruments


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Give a folder whose path leaves room for the names of sockets."""
    with TemporaryDirectory(prefix="odmrlab-") as folder:
        yield Path(folder)


@pytest.fixture
def virtual_time(monkeypatch) -> VirtualWall:
    """Let instruments in this process live in a time that passes only while all of them wait."""
    wall = VirtualWall()
    monkeypatch.setattr("odmrlab.ioc.clock.time", wall)
    monkeypatch.setattr(asyncio, "run", wall.run)
    return wall


@pytest.fixture
def documents() -> list:
    """Collect documents: subscribe ``lambda *pair: documents.append(pair)``."""
    return []


@pytest.fixture
def RE(documents):
    """Give a RunEngine whose documents are collected and whose plans' results are returned."""
    from bluesky import RunEngine

    engine = RunEngine(call_returns_result=True)
    engine.subscribe(lambda *pair: documents.append(pair))
    return engine


@pytest.fixture
def root() -> Path:
    """Give the root of the repository."""
    return Path(__file__).parent.parent
