"""The numbers of the paper once more, by an analysis that knows of what the paper's leaves out.

Rf of any strength, a scatter of T1, pick-up and delay of the detector, nuclear fields of all directions
at every field, T1 that changes across a line, pairs of phonons, a lattice that the light warms. What
has to be known for that is measured by the ladder: a blank run, one curve in depth, and a series over
the rf power. Then lines and lifetimes of the electron are fitted together. Each known number is moved
by its error and everything is analysed again; what the results move by is their systematic error.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from functools import cached_property
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ...analysis import Fit, FitError, Points, fit
from ...analysis.forward.electron import (
    HOLE,
    HOLE_SPREAD,
    HoleRelaxation,
    Lifetimes,
    Lit,
    fit_electron,
    relaxation,
)
from ...analysis.forward.line import Spins
from ...analysis.forward.spectra import Found, Spectrum, fit_spectra
from ...analysis.series import MAGNETON
from .findings import Findings
from .ladder import Known, height_per_flip, ladder_of, refit
from .lifetimes import COLD, INERTIA_FIELD, LOW_POWER, WARM_POWER
from .lines import (
    ENERGY_FREQUENCY,
    REFERENCE_ENERGY,
    SPECTRUM,
    SURVEY_FREQUENCIES,
    strongest_line,
)
from .results import MICRO, PER_MICRO, Corrected
from .scan import Measurement

SURVEY_POWER, SURVEY_MODULATION = 2.0, 3000.0  # mW, Hz
NEEDS = (
    "survey",
    "spectra",
    "blank",
    "inertia",
    "powers",
    "fields",
    "temperatures",
    "ladder",
    "harmonics",
    "heating",
    "energies",
)
"""Cells without which there is no corrected analysis."""

NUCLEAR_PART = 0.9  # of the width of a line of holes, roughly
SEEN_FROM = 3.0  # widths below its centre, from which on a line bends what is below it
Holes = Callable[[float], tuple[float, float]]
ROUNDS = 2  # of T1 and the rate of flips in turn; each needs what the other finds


def corrected(found: Findings) -> dict[str, Corrected]:
    """Return every number of the paper that was measured, by its name, in the units of the results."""
    known, errors = ladder_of(found)
    here = Analysis(found, known)
    nominal, moved = here.numbers(), []
    for item in fields(Known):
        if error := getattr(errors, item.name):
            other = replace(known, **{item.name: getattr(known, item.name) + error})
            moved.append(Analysis(found, other, here).numbers())
    return {
        name: Corrected(
            value, error, sqrt(sum((numbers[name][0] - value) ** 2 for numbers in moved))
        )
        for name, (value, error) in nominal.items()
    }


class Analysis:
    """Everything that was measured, analysed with the same knowledge.

    Args:
        found: The measurements.
        known: Of the bench and of the spins.
        near: An analysis with nearly the same knowledge, to begin from.
    """

    def __init__(self, found: Findings, known: Known, near: "Analysis | None" = None):
        self.found, self.known, self._near = found, known, near
        self.flips: dict[str, float] = {}  # while the rf is on [1/s], by label of the run
        weakest = found.ladder[min(found.ladder)]
        refitted = refit(weakest, known.variance, known.flip_rate, known.delay)
        self._height = height_per_flip(refitted, known, known.flip_rate)
        self._fields = {at: self._flipped(one) for at, one in found.fields.items()}
        self.electron = fit_electron(
            [*self._spectra()],
            self._lifetimes(),
            near.electron.values if near else self._start(),
            self._hole_relaxation,
            known.variance,
        )

    def numbers(self) -> dict[str, tuple[float, float]]:
        """Return values and statistical errors."""
        told, slope = self.electron.told, self._energy_series()
        at_2mw = self._t1(self.found.inertia["electron"])
        return {
            "g_electron": told(lambda values: values["g"]),
            "g_hole": told(lambda values: values["hole_g"]),
            "g_spread": told(lambda values: values["g_spread"]),
            "overhauser_field": told(lambda values: values["overhauser_field"]),
            "t1_electron_2mW": scaled(at_2mw, MICRO),
            "t1_hole_2mW": scaled(self._hole, MICRO),
            "t1_zero_power": told(lambda values: MICRO / rate(values, INERTIA_FIELD, 0.0)),
            "pump_rate": told(lambda values: values["pump_rate"]),
            "tau_s": told(lambda values: MICRO / rate(values, np.inf, LOW_POWER)),
            "tau_c": told(lambda values: MICRO / values["nuclear_rate"]),
            "phonon_energy": told(lambda values: values["phonon_energy"]),
            "phonon_rate": told(lambda values: PER_MICRO * values["phonon_rate"]),
            "g_slope": pair(slope, "g_slope"),
        }

    def _t1(self, measured: Measurement) -> tuple[float, float]:
        """Return T1 [s] of a run with 0 dBm on resonance at 100 mT, and its error."""
        known = self.known
        return pair(refit(measured, known.variance, known.flip_rate, known.delay), "t1")

    @cached_property
    def _hole(self) -> tuple[float, float]:
        """T1 [s] of the hole at 2 mW, and its error."""
        return self._t1(self.found.inertia["hole"])

    @cached_property
    def _hole_relaxation(self) -> HoleRelaxation:
        """What is known of the hole's relaxation."""
        assumed = self.known.hole_pumping, self.known.hole_nuclei
        return HoleRelaxation(1 / self._hole[0], INERTIA_FIELD, SURVEY_POWER, *assumed)

    def _flipped(
        self, measured: Measurement, laser_power: float = LOW_POWER
    ) -> tuple[float, tuple[float, float]]:
        """Return the rate of flips [1/s] of a run, and T1 [s] with its error.

        The height of the signal, set against that of the ladder's weakest rf, tells the flips at any rf
        power, rf frequency, field and temperature. It grows with the square of the laser power [mW],
        which polarises as well as it reads.
        """
        known, near, label = self.known, self._near, measured.label
        flips = near.flips[label] if near else known.flip_rate
        for _ in range(1 if near else ROUNDS):
            refitted = refit(measured, known.variance, flips, known.delay)
            shown = height_per_flip(refitted, known, flips)
            flips = known.flip_rate * shown / self._height * (LOW_POWER / laser_power) ** 2
        self.flips[label] = flips
        return flips, pair(refit(measured, known.variance, flips, known.delay), "t1")

    def _lifetimes(self) -> Lifetimes:
        """Return T1 of the electron under all conditions."""
        found = self.found
        here = (INERTIA_FIELD, LOW_POWER, COLD)
        rows = [(at, LOW_POWER, COLD, *t1) for at, (_, t1) in self._fields.items()]
        rows += [(INERTIA_FIELD, at, COLD, *self._t1(one)) for at, one in found.powers.items()]
        rows += [(INERTIA_FIELD, 2.0, COLD, *self._t1(found.inertia["electron"]))]
        rows += [(*here, *self._flipped(one)[1]) for one in found.ladder.values()]
        for power, runs in ((LOW_POWER, found.temperatures), (WARM_POWER, found.warm)):
            rows += [(INERTIA_FIELD, power, *one) for one in self._warmed(runs, power)]
        return Lifetimes(*np.transpose(rows))

    def _warmed(
        self, runs: Mapping[float, Measurement], laser_power: float
    ) -> Iterator[tuple[float, float, float]]:
        """Return every temperature with T1 [s] of its run and the error, where that leaves a T1.

        The highest may not: a background and a scatter of T1 ask more of weak signals than Eq. (3).
        """
        for temperature, measured in runs.items():
            if self._near and measured.label not in self._near.flips:
                continue
            with suppress(FitError):
                yield temperature, *self._flipped(measured, laser_power)[1]

    def _start(self) -> Mapping[str, float]:
        """Return the electron as the paper's analysis sees it."""
        series = {name: one.fit.values for name, one in self.found.series.items()}
        line, relaxed, warm = series["width"], series["power"], series["temperature"]
        nuclear_rate = 1 / series["field"]["tau_c"]
        share = (line["overhauser_field"] / INERTIA_FIELD) ** 2
        dark = relaxed["dark_rate"] - share * nuclear_rate
        return {
            "g": self.found.electron.g,
            "g_spread": line["g_spread"],
            "overhauser_field": line["overhauser_field"],
            "dark_rate": max(dark, 0.3 * relaxed["dark_rate"]),
            "pump_rate": relaxed["pump_rate"],
            "nuclear_rate": nuclear_rate,
            "phonon_rate": warm["phonon_rate"],
            "phonon_energy": warm["phonon_energy"],
            "hole_g": self.found.hole.g,
            "hole_g_spread": HOLE_SPREAD * self.found.hole.g,
            "hole_overhauser_field": NUCLEAR_PART * sqrt(2) * self.found.hole.width,
            "heating": 0.0,
        }

    def _flips_at(self, frequency: float) -> float:
        """Return the rate of flips [1/s] at the peak of the electron's line at an rf frequency [GHz]."""
        at = [self.found.electron.frequency(field) for field in self._fields]
        return float(np.interp(frequency, at, [flips for flips, _ in self._fields.values()]))

    def _spectra(self) -> Iterator[Lit]:
        """Return the spectra, the hole's line in each that reaches it, whether it stands out or not."""
        hole, modulation = self.found.hole, SPECTRUM["rf.modulation_frequency"]
        for frequency, measured in self.found.spectra.items():
            begins = hole.field(frequency) - SEEN_FROM * hole.reach(frequency)
            both, flips = begins < measured.curve.axis.max(), self._flips_at(frequency)
            spectrum = Spectrum(measured.curve, frequency, modulation, (), flips)
            yield Lit(spectrum, SPECTRUM["laser.power"], both)
        for frequency, measured in zip(SURVEY_FREQUENCIES, self.found.survey, strict=True):
            flips = self._flips_at(frequency)
            spectrum = Spectrum(measured.curve, frequency, SURVEY_MODULATION, (), flips)
            yield Lit(spectrum, SURVEY_POWER, both=True)

    def _second(self, g: float, width: float, laser_power: float) -> Spins:
        """Return carriers of another kind, of the hole's T1, from the width [mT] of their line."""
        line = (g, HOLE_SPREAD * g, NUCLEAR_PART * sqrt(2) * width)
        values = self.electron.values | dict(zip(HOLE, line, strict=True))
        return self._hole_relaxation.spins(values, laser_power, self.known.variance)

    def _energy_series(self) -> Fit:
        """Fit the line at every photon energy, its spread of g taken from the spectra."""
        measured = [pair for by in self.found.energies.values() for pair in by.items()]
        holes = holes_of(measured)
        points = [
            (energy, *pair(self._line_at(energy, one, holes), "g")) for energy, one in measured
        ]
        return fit("g_energy", Points(*np.transpose(points)), at=REFERENCE_ENERGY)

    def _line_at(self, energy: float, measured: Measurement, holes: Holes | None) -> Found:
        main, values = strongest_line(measured), measured.fit.values
        others = ()
        if hole := second_line(measured) or (holes and holes(energy)):
            others = (self._second(*hole, SPECTRUM["laser.power"]),)
        start = self.electron.spins(SPECTRUM["laser.power"], self.known.variance)
        g = ENERGY_FREQUENCY / (values[f"field{main}"] * MAGNETON)
        start = replace(
            start, g=g, overhauser_field=NUCLEAR_PART * sqrt(2) * values[f"width{main}"]
        )
        modulation, flips = SPECTRUM["rf.modulation_frequency"], self._flips_at(ENERGY_FREQUENCY)
        spectrum = Spectrum(measured.curve, ENERGY_FREQUENCY, modulation, others, flips)
        return fit_spectra([spectrum], start, ("g", "overhauser_field"))


def second_line(measured: Measurement) -> tuple[float, float] | None:
    """Return g and width [mT] of the weaker line of a run of Fig. 2; None where it is not seen."""
    values = measured.fit.values
    if "field_2" not in values:
        return None
    suffix = "" if strongest_line(measured) else "_2"
    return ENERGY_FREQUENCY / (values[f"field{suffix}"] * MAGNETON), values[f"width{suffix}"]


def holes_of(measured: Sequence[tuple[float, Measurement]]) -> Holes | None:
    """Return g and width [mT] of the weaker line at a photon energy [eV], where it is not seen either.

    A parabola and a straight line through those that are seen; None where there are none.
    """
    lines = {energy: line for energy, one in measured if (line := second_line(one))}
    if not lines:
        return None
    energies, (g, width) = np.array(list(lines)), np.transpose(list(lines.values()))
    by_g, by_width = polynomial(energies, g, 2), polynomial(energies, width, 1)
    return lambda energy: (float(by_g(energy)), float(by_width(energy)))


def polynomial(x: NDArray, y: NDArray, degree: int) -> np.polynomial.Polynomial:
    """Return a polynomial through points, of a lower degree where they are few."""
    return np.polynomial.Polynomial.fit(x, y, min(degree, len(x) - 1))


def rate(values: Mapping[str, float], field: float, laser_power: float) -> float:
    """Return 1/T1 [1/s] of the electron in the cold; infinite fields leave no part to nuclei."""
    at = np.array([min(field, 1e9)])  # mT
    return float(relaxation(values, at, laser_power, COLD)[0])


def pair(result: Fit | Found, name: str) -> tuple[float, float]:
    """Return one parameter and its error."""
    return result.values[name], result.errors[name]


def scaled(numbers: tuple[float, float], scale: float) -> tuple[float, float]:
    """Return a number and its error in another unit."""
    value, error = numbers
    return scale * value, scale * error
