"""The measurements of the paper, figure by figure; only what the lock-in shows is known here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import hypot

import numpy as np

from ...analysis import Points
from ...analysis.series import MAGNETON, rates
from ...plans import odmr, spin_inertia
from .measure import Campaign, Measurement, Series

SURVEY_FREQUENCIES = (1.1, 0.8)  # GHz, where both carriers respond; the first is Fig. 1(a)'s inset
SPECTRUM_FREQUENCIES = (0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)  # GHz
BOTH_SIGNS = 1.0  # GHz, measured at both signs of the field as in Fig. 1(a)
POWERS = (0.125, 0.25, 0.5, 1.0, 2.0)  # mW
INERTIA_FIELD = 100.0  # mT
TYPICAL_SPREAD = 0.09  # Delta g / g, only to choose the range of a scan
REACH = 4.5  # line widths to either side of the resonance


@dataclass(frozen=True)
class Line:
    """A carrier as the survey sees it."""

    g: float
    width: float  # mT

    def field(self, frequency: float) -> float:
        """Return the resonance field [mT] at an rf frequency [GHz]."""
        return frequency / (self.g * MAGNETON)

    def reach(self, frequency: float) -> float:
        """Return a width [mT] that the line will hardly exceed at an rf frequency [GHz]."""
        return hypot(self.width, TYPICAL_SPREAD * self.field(frequency))


@dataclass
class Findings:
    """What the cells have found so far; each reads what the ones before it have left."""

    electron: Line | None = None
    hole: Line | None = None
    survey: list[Measurement] = field(default_factory=list)
    spectra: dict[float, Measurement] = field(default_factory=dict)
    inertia: dict[str, Measurement] = field(default_factory=dict)
    powers: dict[float, Measurement] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)


def survey(lab: Campaign, found: Findings) -> None:
    """Find both resonances, and their g factors, in wide scans at 2 mW (inset of Fig. 1(a))."""
    bench = lab.instruments
    lab.configure(bench.laser.power, 2.0, bench.rf.modulation_frequency, 3000.0)
    lab.configure(bench.lockin.integration_time, 1.0)
    for frequency in SURVEY_FREQUENCIES:
        lab.configure(bench.rf.frequency, frequency)
        plan = odmr(bench.lockin, bench.magnet, 0, 250, 101, lines=2)
        found.survey.append(lab.measure(plan, f"both resonances at {frequency} GHz"))
    for name, suffixes in carriers(found.survey[0]).items():
        place, error = column(found.survey, f"field{suffixes}")
        points = Points(np.array(SURVEY_FREQUENCIES), place, error)
        found.series[f"g_{name}_survey"] = series = lab.series("g_factor", points, found.survey)
        width = found.survey[0].fit.values[f"width{suffixes}"]
        setattr(found, name, Line(series.fit.values["g"], width))


def carriers(both: Measurement) -> dict[str, str]:
    """Tell which line is whose, by the suffix of its parameters: the electron's is the stronger."""
    values = both.fit.values
    first_is_stronger = values["amplitude"] > values["amplitude_2"]
    return {"electron": "", "hole": "_2"} if first_is_stronger else {"electron": "_2", "hole": ""}


def spectra(lab: Campaign, found: Findings) -> None:
    """Measure the electron's line at many rf frequencies; places and widths give Figs. 1(b, c)."""
    bench = lab.instruments
    lab.configure(bench.laser.power, 0.5, bench.rf.modulation_frequency, 600.0)
    lab.configure(bench.lockin.integration_time, 0.5)
    for frequency in SPECTRUM_FREQUENCIES:
        lab.configure(bench.rf.frequency, frequency)
        low, high, lines = scan_range(found, frequency)
        both = frequency == BOTH_SIGNS
        start, num = (0.0, 41) if both else (low, 61)
        plan = odmr(bench.lockin, bench.magnet, start, high, num, both_signs=both, lines=lines)
        found.spectra[frequency] = lab.measure(plan, f"spectrum at {frequency} GHz")
    measured = list(found.spectra.values())
    suffix = [electron_line(found, f, m) for f, m in found.spectra.items()]
    place, place_error = column(measured, "field", suffix)
    width, width_error = column(measured, "width", suffix)
    frequencies = np.array(list(found.spectra))
    found.series["g"] = g = lab.series(
        "g_factor", Points(frequencies, place, place_error), measured
    )
    options = {"g": g.fit.values["g"], "g_error": g.fit.errors["g"]}
    points = Points(place, width, width_error)
    found.series["width"] = lab.series("line_width", points, measured, **options)


def scan_range(found: Findings, frequency: float) -> tuple[float, float, int]:
    """Return first and last field [mT] around the electron's line, and the lines to be seen there."""
    electron, hole = found.electron, found.hole
    centre, width = electron.field(frequency), electron.reach(frequency)
    low, high = max(centre - REACH * width, 0.0), centre + REACH * width
    away = abs(hole.field(frequency) - centre) - REACH * width
    if away > 3 * hole.reach(frequency):
        return low, high, 1
    far = hole.field(frequency) + 2 * hole.reach(frequency)
    return low, max(high, far), 2


def electron_line(found: Findings, frequency: float, measured: Measurement) -> str:
    """Return the suffix of the line that is where the survey expects the electron's."""
    expected, values = found.electron.field(frequency), measured.fit.values
    second = values.get("field_2", np.inf)
    return "" if abs(values["field"] - expected) <= abs(second - expected) else "_2"


def inertia(lab: Campaign, found: Findings) -> None:
    """Measure T1 of both carriers at 2 mW, each on its resonance at 100 mT (Fig. 3(a))."""
    bench = lab.instruments
    lab.configure(bench.laser.power, 2.0, bench.magnet, INERTIA_FIELD)
    lab.configure(bench.lockin.integration_time, 4.0)
    for name in ("electron", "hole"):
        line: Line = getattr(found, name)
        lab.configure(bench.rf.frequency, line.g * MAGNETON * INERTIA_FIELD)
        plan = spin_inertia(bench.lockin, bench.rf.modulation_frequency, 100, 100e3, 20)
        found.inertia[name] = lab.measure(plan, f"spin inertia of the {name}, 2 mW")


def powers(lab: Campaign, found: Findings) -> None:
    """Measure T1 of the electron against the laser power (inset of Fig. 3(a))."""
    bench = lab.instruments
    frequency = found.electron.g * MAGNETON * INERTIA_FIELD
    lab.configure(bench.magnet, INERTIA_FIELD, bench.rf.frequency, frequency)
    lab.configure(bench.lockin.integration_time, 4.0)
    for power in POWERS:
        lab.configure(bench.laser.power, power)
        plan = spin_inertia(bench.lockin, bench.rf.modulation_frequency, 30, 30e3, 20)
        found.powers[power] = lab.measure(plan, f"spin inertia at {power} mW")
    measured = list(found.powers.values())
    points = rates(np.array(POWERS), *column(measured, "t1"))
    found.series["power"] = lab.series("power", points, measured)


def column(
    measured: list[Measurement], name: str, suffixes: list[str] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return one parameter of every fit, and its standard error."""
    names = [name + suffix for suffix in suffixes or [""] * len(measured)]
    pairs = [(m.fit.values[n], m.fit.errors[n]) for m, n in zip(measured, names, strict=True)]
    values, errors = np.transpose(pairs)
    return values, errors


@dataclass(frozen=True)
class Cell:
    """One step of the campaign.

    Attributes:
        measure: Does it.
        points: Number of readings, for the time left.
        needs: Cells that must have been measured before.
    """

    measure: Callable[[Campaign, Findings], None]
    points: int
    needs: tuple[str, ...] = ()


CELLS = {
    "survey": Cell(survey, 101 * len(SURVEY_FREQUENCIES)),
    "spectra": Cell(spectra, 61 * (len(SPECTRUM_FREQUENCIES) - 1) + 81, ("survey",)),
    "inertia": Cell(inertia, 2 * 20, ("survey",)),
    "powers": Cell(powers, 20 * len(POWERS), ("survey",)),
}

FIGURES = {
    "fig1a": "spectra",
    "fig1b": "spectra",
    "fig1c": "spectra",
    "fig3a": "inertia",
    "fig3a_inset": "powers",
}


def cells_of(figures: list[str]) -> list[str]:
    """Return the cells that figures need, in the order in which they are measured."""
    wanted = {FIGURES[figure] for figure in figures}
    wanted |= {needed for name in wanted for needed in CELLS[name].needs}
    return [name for name in CELLS if name in wanted]
