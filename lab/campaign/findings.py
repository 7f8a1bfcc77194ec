"""What the cells of a campaign have found so far; each reads what the ones before it have left."""

from dataclasses import dataclass, field
from math import hypot

import numpy as np
from numpy.typing import NDArray

from ...analysis import Points
from ...analysis.series import MAGNETON
from .scan import Measurement, Series

TYPICAL_SPREAD = 0.09  # Delta g / g, only to choose the range of a scan


@dataclass(frozen=True)
class Line:
    """A carrier as the survey sees it."""

    g: float
    width: float  # mT

    def field(self, frequency: float) -> float:
        """Return the resonance field [mT] at an rf frequency [GHz]."""
        return frequency / (self.g * MAGNETON)

    def frequency(self, field: float) -> float:
        """Return the rf frequency [GHz] of the resonance at a field [mT]."""
        return field * self.g * MAGNETON

    def reach(self, frequency: float) -> float:
        """Return a width [mT] that the line will hardly exceed at an rf frequency [GHz]."""
        return hypot(self.width, TYPICAL_SPREAD * self.field(frequency))


@dataclass
class Findings:
    """Everything that was measured, by the cell that did, and every series by its name."""

    electron: Line | None = None
    hole: Line | None = None
    survey: list[Measurement] = field(default_factory=list)
    spectra: dict[float, Measurement] = field(default_factory=dict)  # by rf frequency [GHz]
    sweep: Measurement | None = None  # downwards
    energies: dict[str, dict[float, Measurement]] = field(default_factory=dict)  # sample, [eV]
    blank: Measurement | None = None
    scatter: Measurement | None = None
    ladder: dict[float, Measurement] = field(default_factory=dict)  # by rf power [dBm]
    harmonics: Measurement | None = None
    warm: dict[float, Measurement] = field(default_factory=dict)  # in much light, [K]
    inertia: dict[str, Measurement] = field(default_factory=dict)  # by carrier
    powers: dict[float, Measurement] = field(default_factory=dict)  # by laser power [mW]
    fields: dict[float, Measurement] = field(default_factory=dict)  # by field [mT]
    temperatures: dict[float, Measurement] = field(default_factory=dict)  # [K]
    series: dict[str, Series] = field(default_factory=dict)


def column(
    measured: list[Measurement], name: str, suffixes: list[str] | None = None
) -> tuple[NDArray, NDArray]:
    """Return one parameter of every fit, and its standard error."""
    names = [name + suffix for suffix in suffixes or [""] * len(measured)]
    pairs = [(m.fit.values[n], m.fit.errors[n]) for m, n in zip(measured, names, strict=True)]
    values, errors = np.transpose(pairs)
    return values, errors


def against(
    measured: dict[float, Measurement], name: str, suffixes: list[str] | None = None
) -> Points:
    """Return one parameter of every fit against what was changed between the runs."""
    return Points(np.array(list(measured)), *column(list(measured.values()), name, suffixes))
