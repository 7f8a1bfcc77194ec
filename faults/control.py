"""The same scans, as stock ophyd and bluesky do them with the devices of the handbook.

They must go wrong, or the trials would prove nothing. One in ten meets no fault at all.
"""

from collections.abc import Iterator

from rack import Rack
from scans import scans
from scoreboard import Case

NAME = "The same with the stock stack"
NUMBER = 20
CONTROL = True


def run(number: int, seed: int) -> Iterator[Case]:
    """Yield so many scans of the stock stack."""
    rack = Rack()  # before the clients, which read its address once
    from stock import Stock

    yield from scans(Stock, rack, number, seed, undisturbed_first=number // 10)
