"""Bringing journals that were set aside into the catalogue once more."""

import time
from pathlib import Path

from ..settings import Settings
from .journal import QUARANTINE, SHIPPED, SUFFIX
from .shipment import carrying
from .shipper import exclusive, finished


def put_back(folder: Path) -> int:
    """Move every journal that was set aside back; returns the number of journals there then."""
    for place in (folder / SHIPPED, folder / QUARANTINE):
        for path in place.glob(f"*{SUFFIX}"):
            path.replace(folder / path.name)
            path.with_name(f"{path.name}.reason").unlink(missing_ok=True)
    return len(list(folder.glob(f"*{SUFFIX}")))


def bring_again(settings: Settings, deadline: float) -> None:
    """Ship what is in the journal, or wait until the shipper of a running session has done it.

    Args:
        settings: Whose journal and catalogue.
        deadline: Of the clock time.monotonic [s].

    Raises:
        TimeoutError: When runs are left at the deadline.
    """

    def more(wait: float) -> bool:
        left = len(finished(settings.journal))
        if left and time.monotonic() > deadline:
            raise TimeoutError(f"journal: {left} runs left to replay; needs a longer --timeout")
        time.sleep(wait)
        return left > 0

    with exclusive(settings.journal, more) as mine:
        if not mine:
            return
        with carrying(settings) as carry:
            carry()  # closes the runs whose process has died
            while more(0):
                carry()
