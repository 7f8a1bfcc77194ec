"""Documents on their way from a scan into the journal, the catalogue and to whoever listens.

Disks are filled, files deleted, bits flipped; the catalogue and the bus are out for a minute; callbacks
raise and hang; the shipper is killed while it appends rows. Lost are documents that a callback has seen and that
are not in the journal or, in the end, in the catalogue. Wrong is a run that says success and is not whole, a
catalogue that is not row by row the journal, a scan that is slowed down, and a sentence that does not say what happened.
"""

import logging
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rack import Rack
from scoreboard import Case

NAME = "The road of documents"
NUMBER = 199


def faults() -> dict[str, tuple[int, Callable[[random.Random, Path], Case]]]:
    """Return every fault, by name: how often it happens, and what does it."""
    import disks
    import guests
    import outages
    import papers

    return {
        "full before": (3, disks.full_before),
        "full within": (20, disks.full_within),
        "low within": (20, disks.low_within),
        "limited within": (20, disks.limited_within),
        "deleted within": (20, disks.deleted_within),
        "unwritable": (5, disks.unwritable),
        "no handles": (5, disks.no_handles),
        "flipped": (10, papers.flipped),
        "replayed": (3, papers.replayed),
        "odd": (3, papers.odd),
        "not finite": (5, papers.not_finite),
        "unknown": (2, papers.unknown),
        "clock jumps": (6, papers.clock_jumps),
        "raises": (20, guests.raises),
        "blocks": (1, guests.blocks),
        "torn append": (50, guests.torn_append),
        "subscriber": (2, outages.subscriber),
    } | {kind: (1, outages.outage(kind)) for kind in outages.OUTAGES}


def run(number: int, seed: int) -> Iterator[Case]:
    """Yield so many cases: each fault once, then again those that happen more often."""
    for name in ("bluesky", "odmrlab"):
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False  # what is told is looked at, not shown
    rack = Rack()  # before the clients, which read its address once
    table = faults()
    chance = random.Random(seed)  # noqa: S311
    order = [
        (name, case) for turn in range(50) for name, (times, case) in table.items() if turn < times
    ]
    rack.start()
    try:
        for _, case in order[:number]:
            with tempfile.TemporaryDirectory(prefix="faults-") as home:
                yield case(chance, Path(home))
    finally:
        rack.kill()
