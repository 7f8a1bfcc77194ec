"""One session at the laboratory: the RunEngine, the instruments, and the road of their documents."""

import fcntl
import logging
from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bluesky import RunEngine
from bluesky.preprocessors import SupplementalData

from ..devices import Cryostat, Laser, Lockin, Magnet, Rf, wait_for_all
from .record.journal import Journal
from .record.road import Road
from .settings import Settings

RECORDED = ("odmrlab", "bluesky", "ophyd", "caproto", "event-model")


@dataclass(frozen=True)
class Instruments:
    """The five instruments, each under its name."""

    magnet: Magnet
    rf: Rf
    laser: Laser
    cryostat: Cryostat
    lockin: Lockin

    def __iter__(self):
        return (getattr(self, field.name) for field in fields(self))


def connect(prefix: str) -> Instruments:
    """Return the instruments behind a prefix, every PV answering.

    Raises:
        NotConnectedError: Within 5 s, naming the PVs that do not answer.
    """
    kinds = {field.name: field.type for field in fields(Instruments)}
    made = {name: kind(f"{prefix}{name.capitalize()}:", name=name) for name, kind in kinds.items()}
    instruments = Instruments(**made)
    wait_for_all(instruments)
    return instruments


class Session:
    """A RunEngine whose documents are kept in the journal before anything else sees them.

    Args:
        settings: Of this laboratory.
        instruments: Recorded in the baseline of every run.
        consumers: Called with every document, fits included, off the RunEngine's thread.
        md: Goes into every start document, such as ``sample`` and ``purpose``.
    """

    def __init__(
        self,
        settings: Settings,
        instruments: Instruments,
        *consumers: Callable[[str, dict], Any],
        md: dict[str, Any] | None = None,
    ):
        self.settings, self.instruments = settings, instruments
        self.journal = Journal(settings.journal, settings.journal_fsync)
        self.road = Road(self.journal, *consumers)
        versions = {name.replace("-", "_"): version(name) for name in RECORDED}
        counter = settings.home / "scan_id"
        self.RE = RunEngine(
            {"versions": versions} | (md or {}),
            call_returns_result=True,
            scan_id_source=lambda _: next_scan_id(counter),
        )
        self.RE.subscribe(self.road)
        logging.getLogger("bluesky").addFilter(not_twice)
        self.RE.preprocessors.append(SupplementalData(baseline=list(instruments)))

    def close(self) -> None:
        """Deliver every document that is under way, and close the journal."""
        self.road.close()
        self.journal.close()


def not_twice(record: logging.LogRecord) -> bool:
    """Drop the RunEngine's own report of a failed plan: whoever called it gets the exception."""
    return record.msg != "Run aborted"


def next_scan_id(counter: Path) -> int:
    """Return a number that no other session of this laboratory gets."""
    with counter.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        number = int(file.read() or 0) + 1
        file.truncate(0)
        file.write(str(number))
    return number
