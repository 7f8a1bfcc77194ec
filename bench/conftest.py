"""The rack of the tests, so fast that settling costs nothing."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from laboratory import PORT, PREFIX, devices, ioc


@pytest.fixture(scope="session")
def rack() -> Iterator[int]:
    """Run the five instruments; give the number of their process."""
    with ioc("--prefix", PREFIX, "--speed", 1e6, "--seed", 1, port=PORT) as process:
        yield process.pid


@pytest.fixture(scope="session")
def bench(rack) -> SimpleNamespace:
    """Give the five connected devices, rf and light on."""
    instruments = devices(PREFIX)
    instruments.rf.output.set("On").wait(5)
    instruments.laser.shutter.set("Open").wait(5)
    return instruments
