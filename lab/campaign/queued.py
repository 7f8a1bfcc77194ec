"""Cells of the campaign as items of the queue: the runs that a rehearsal on the paper's sample makes.

``odmrlab reproduce`` chooses each run by what the last one found; a queue is filled beforehand. So
its runs are those that the paper's numbers lead to, cell after cell in the order of their needs,
and the fits that follow are made of what they really show.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .benches import rehearsed_samples
from .findings import Findings
from .paper import CELLS, START
from .rehearsal import Rehearsal
from .scan import MAIN, Scan, Task, Value, perform

INSTRUMENTS = {  # of each plan, by name
    "odmr": ("lockin", "magnet"),
    "spin_inertia": ("lockin", "rf.modulation_frequency"),
    "harmonics": ("lockin", "lockin.harmonic", "rf.modulation_frequency"),
    "blank": ("lockin", "rf.modulation_frequency", "laser.shutter"),
}

Item = dict[str, Any]


def in_order(cells: Sequence[str]) -> list[str]:
    """Return cells with all that they need, in the order in which they are measured.

    Raises:
        ValueError: On a name of none.
    """
    if unknown := [name for name in cells if name not in CELLS]:
        raise ValueError(f"campaign: cell {unknown[0]!r}; needs one of: {', '.join(CELLS)}")
    wanted = set(cells)
    while more := {need for name in wanted for need in CELLS[name].needs} - wanted:
        wanted |= more
    return [name for name in CELLS if name in wanted]


def items_of(cells: Sequence[str], campaign: str) -> dict[str, list[Item]]:
    """Return the items of cells and of all that they need, by cell.

    Args:
        cells: Their names.
        campaign: Name under which the runs are found, in their start documents.

    Raises:
        ValueError: On a cell that is none, or is not measured on the main bench alone.
    """
    with tempfile.TemporaryDirectory() as folder:
        lab = Rehearsal(rehearsed_samples(Path(folder)), None)
    found, held, items = Findings(), {}, {}
    for name in in_order(cells):
        scans: list[Scan] = []
        perform(CELLS[name].work(found), lab, lambda task, scans=scans: note(task, scans))
        if any(scan.bench != MAIN for scan in scans):
            raise ValueError(f"campaign: cell {name!r} moves between benches; needs reproduce")
        md = {"campaign": campaign, "cell": name}
        items[name] = [item for scan in scans for item in items_of_scan(scan, held, md)]
    return items


def note(task: Task, scans: list[Scan]) -> None:
    """Note a task that is a run."""
    if isinstance(task, Scan):
        scans.append(task)


def items_of_scan(scan: Scan, held: dict[str, Value], md: dict[str, Any]) -> list[Item]:
    """Return what sets the bench up for a run, where it is not yet, and the run.

    Args:
        scan: The run.
        held: What the bench is set to; brought up to date.
        md: Metadata for the run.
    """
    wanted = START | scan.settings
    missing = {name: value for name, value in wanted.items() if held.get(name) != value}
    held |= missing
    run = {
        "item_type": "plan",
        "name": scan.plan,
        "args": list(INSTRUMENTS[scan.plan]),
        "kwargs": scan.arguments | {"md": md | {"label": scan.label}},
    }
    moved = {"lockin.harmonic", "magnet", "rf.modulation_frequency", "laser.shutter"}
    for name in moved & set(INSTRUMENTS[scan.plan]):
        held.pop("magnet.field" if name == "magnet" else name, None)
    if not missing:
        return [run]
    return [{"item_type": "plan", "name": "set_up", "kwargs": {"settings": missing}}, run]
