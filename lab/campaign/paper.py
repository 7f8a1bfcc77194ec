"""The campaign that re-measures the paper: its cells, and what each figure needs of them."""

from collections.abc import Callable
from dataclasses import dataclass

from .findings import Findings
from .lifetimes import (
    blank,
    fields,
    harmonics,
    heating,
    inertia,
    ladder,
    powers,
    temperatures,
    theory,
)
from .lines import energies, spectra, survey, sweep
from .scan import Value, Work

START: dict[str, Value] = {
    "rf.power": 0.0,
    "rf.output": "On",
    "rf.modulation": "On",
    "laser.energy": 1.824,
    "laser.shutter": "Open",
    "cryostat.temperature": 1.6,
    "lockin.time_constant": 0.01,
    "lockin.filter_slope": 24,
    "lockin.sensitivity": 1e-3,
    "lockin.phase": 0.0,
}
"""Settings of every run that does not say otherwise."""

SAFE: dict[str, Value] = {"rf.output": "Off", "laser.shutter": "Closed"}
"""How the bench is left."""


@dataclass(frozen=True)
class Cell:
    """One step of the campaign.

    Attributes:
        work: Does it: yields its scans and series, and leaves what they found.
        needs: Cells that must have been measured before.
    """

    work: Callable[[Findings], Work]
    needs: tuple[str, ...] = ()


CELLS = {
    "survey": Cell(survey),
    "spectra": Cell(spectra, ("survey",)),
    "sweep": Cell(sweep, ("survey",)),
    "blank": Cell(blank),
    "inertia": Cell(inertia, ("survey", "blank")),
    "powers": Cell(powers, ("survey", "blank")),
    "fields": Cell(fields, ("survey", "blank", "spectra")),
    "temperatures": Cell(temperatures, ("survey", "blank")),
    "ladder": Cell(ladder, ("survey", "blank")),
    "harmonics": Cell(harmonics, ("ladder",)),
    "heating": Cell(heating, ("powers", "temperatures")),  # what light does besides pumping
    "theory": Cell(theory, ("temperatures",)),
    "energies": Cell(energies),
}

FIGURES = {
    "fig1a": ("spectra", "sweep"),
    "fig1b": ("spectra",),
    "fig1c": ("spectra",),
    "fig2a": ("energies",),
    "fig2b": ("energies",),
    "fig2c": ("energies",),
    "fig3a": ("inertia",),
    "fig3a_inset": ("powers",),
    "fig3b": ("fields",),
    "fig3c": ("temperatures",),
    "theory": ("theory",),
    "systematics": ("ladder", "harmonics", "heating"),
}


def cells_of(figures: list[str]) -> list[str]:
    """Return the cells that figures need, in the order in which they are measured."""
    wanted = {name for figure in figures for name in FIGURES[figure]}
    while more := {needed for name in wanted for needed in CELLS[name].needs} - wanted:
        wanted |= more
    return [name for name in CELLS if name in wanted]
