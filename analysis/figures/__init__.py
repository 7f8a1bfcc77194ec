"""The figures of the paper, drawn from data and fits."""

from .drawing import save
from .lifetimes import fields, inertia, powers, systematics, temperatures, theory
from .lines import energies, energy_widths, heights, resonances, spectra, widths

__all__ = [
    "energies",
    "energy_widths",
    "fields",
    "heights",
    "inertia",
    "powers",
    "resonances",
    "save",
    "spectra",
    "systematics",
    "temperatures",
    "theory",
    "widths",
]
