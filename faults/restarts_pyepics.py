"""The same with the other client, which looks for a lost instrument ever more rarely."""

import os
from collections.abc import Iterator

import restarts
from scoreboard import Case

NAME = "An instrument is lost in a scan, with pyepics beneath ophyd"
NUMBER = restarts.NUMBER
remarks = restarts.remarks


def run(number: int, seed: int) -> Iterator[Case]:
    """Yield so many scans in which one instrument is lost."""
    os.environ["OPHYD_CONTROL_LAYER"] = "pyepics"
    yield from restarts.run(number, seed)
