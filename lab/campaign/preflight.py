"""Before a campaign starts: how long each cell takes, and how precise it will be."""

import tempfile
import time
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from .benches import rehearsed_samples
from .findings import Findings
from .paper import CELLS
from .rehearsal import Rehearsal
from .results import Quantity, quantities
from .scan import perform

FITS = 2  # times that each run is fitted: for the record, and for the campaign


@dataclass(frozen=True)
class Foreseen:
    """What one cell will be like, if the sample is that of the paper.

    Attributes:
        cell: Its name.
        runs: Their number.
        readings: Of all of them.
        laboratory_time: That they take [s].
        fitting_time: Of this computer as busy as it is, for all its fits [s].
        quantities: That it brings, with their errors.
    """

    cell: str
    runs: int
    readings: int
    laboratory_time: float
    fitting_time: float
    quantities: list[Quantity]


@dataclass(frozen=True)
class Pace:
    """What the computers take beside the laboratory's time.

    Attributes:
        speed: Laboratory seconds per second.
        reading: Time of one reading [s].
        run: Time of one run without its readings [s].
    """

    speed: float
    reading: float = 0.0
    run: float = 0.0

    def duration(self, cell: Foreseen) -> float:
        """Return how long a cell takes [s]."""
        computers = cell.readings * self.reading + cell.runs * self.run
        fits = FITS * cell.fitting_time
        return cell.laboratory_time / self.speed + computers + fits


def preflight(cells: Sequence[str], measured: Container[str] = ()) -> list[Foreseen]:
    """Rehearse the cells without noise on the sample of the paper.

    Args:
        cells: Their names.
        measured: Labels of runs that are there already, and take no time.
    """
    with tempfile.TemporaryDirectory() as folder:
        lab = Rehearsal(rehearsed_samples(Path(folder)), None)
    found, foreseen = Findings(), []
    for name in cells:
        known, done = {item.quantity for item in quantities(found)}, len(lab.runs)
        began = time.monotonic()  # not of the processor alone: others may want it as well
        perform(CELLS[name].work(found), lab)
        fitting = time.monotonic() - began
        runs = [run for run in lab.runs[done:] if run.label not in measured]
        new = [item for item in quantities(found) if item.quantity not in known]
        readings = sum(run.readings for run in runs)
        taken = sum(run.duration for run in runs)
        foreseen.append(Foreseen(name, len(runs), readings, taken, fitting, new))
    return foreseen


def table(foreseen: Sequence[Foreseen], pace: Pace) -> Table:
    """Return what is foreseen as a table for the terminal."""
    made = Table(title="Preflight, for the sample of the paper")
    made.add_column("cell")
    for name in ("runs", "readings", "laboratory", "here"):
        made.add_column(name, justify="right")
    made.add_column("standard errors")
    for cell in foreseen:
        errors = ", ".join(
            f"{item.quantity} {percent(item.error / abs(item.value))}" for item in cell.quantities
        )
        times = told_time(cell.laboratory_time), told_time(pace.duration(cell))
        made.add_row(cell.cell, str(cell.runs), str(cell.readings), *times, errors)
    made.add_section()
    runs, readings = sum(cell.runs for cell in foreseen), sum(cell.readings for cell in foreseen)
    laboratory = told_time(sum(cell.laboratory_time for cell in foreseen))
    here = told_time(sum(pace.duration(cell) for cell in foreseen))
    made.add_row("all", str(runs), str(readings), laboratory, here, "")
    return made


def percent(share: float) -> str:
    """Return a share in per cent."""
    return f"{100 * share:.2g} %"


def told_time(seconds: float) -> str:
    """Return a duration for people."""
    if seconds < 300:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
