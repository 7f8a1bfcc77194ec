"""The numbers of the paper once more, by an analysis that knows of what the paper's leaves out.

Rf of any strength, a scatter of T1, pick-up and delay of the detector, nuclear fields of all directions
at every field, T1 that changes across a line, pairs of phonons. What has to be known for that is
measured by the ladder: a blank run, one curve in depth, and a series over the rf power. Each known
number is then moved by its error and everything is analysed again; what the results move by is
their systematic error.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from math import sqrt

import numpy as np

from ...analysis import Points, fit
from ...analysis.data import Fit
from ...analysis.forward.line import Spins
from ...analysis.forward.spectra import Found, Spectrum, fit_spectra
from ...analysis.series import MAGNETON, nuclear, rates
from .findings import Findings
from .ladder import Known, growth_of, ladder_of, refit
from .lifetimes import INERTIA_FIELD, LOW_POWER, TEMPERATURES
from .lines import (
    ENERGY_FREQUENCY,
    REFERENCE_ENERGY,
    SPECTRUM,
    SURVEY_FREQUENCIES,
    carriers,
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

ROUNDS = 3  # of lines and lifetimes in turn; each needs what the other finds


def corrected(found: Findings) -> dict[str, Corrected]:
    """Return every number of the paper that was measured, by its name, in the units of the results."""
    known, errors = ladder_of(found)
    nominal = Analysis(found, known).numbers()
    moved = []
    for item in fields(Known):
        if error := getattr(errors, item.name):
            other = replace(known, **{item.name: getattr(known, item.name) + error})
            moved.append(Analysis(found, other).numbers())
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
    """

    def __init__(self, found: Findings, known: Known):
        self.found, self.known = found, known
        self._power = self._power_series()
        self._width = found.series["width"].fit.values["overhauser_field"]
        self._width_error = 0.0
        for _ in range(ROUNDS):
            self._field = self._field_series()
            self._lines = self._line_fit()
            self._width = self._lines.values["overhauser_field"]
            self._width_error = self._lines.errors["overhauser_field"]

    def numbers(self) -> dict[str, tuple[float, float]]:
        """Return values and statistical errors."""
        line, power, field = self._lines, self._power, self._field
        warm, hole = self._temperature_series(), self._hole_line()
        electron = self._t1(self.found.inertia["electron"])
        other = self._t1(self.found.inertia["hole"])
        slope = self._energy_series()
        return {
            "g_electron": pair(line, "g"),
            "g_hole": pair(hole, "g"),
            "g_spread": pair(line, "g_spread"),
            "overhauser_field": pair(line, "overhauser_field"),
            "t1_electron_2mW": scaled(electron, MICRO),
            "t1_hole_2mW": scaled(other, MICRO),
            "t1_zero_power": pair(power, "t1_zero_power", MICRO),
            "pump_rate": pair(power, "pump_rate"),
            "tau_s": pair(field, "tau_s", MICRO),
            "tau_c": pair(field, "tau_c", MICRO),
            "phonon_energy": pair(warm, "phonon_energy"),
            "phonon_rate": pair(warm, "phonon_rate", PER_MICRO),
            "g_slope": pair(slope, "g_slope"),
        }

    def _t1(self, measured: Measurement, rf_power: float = 0.0) -> tuple[float, float]:
        """Return T1 [s] of a run at an rf power [dBm], and its error."""
        known = self.known
        flips = known.flip_rate * growth_of(self.found, rf_power)
        refitted = refit(measured, known.variance, flips, known.delay)
        return refitted.values["t1"], refitted.errors["t1"]

    def _rates(self, measured: dict[float, Measurement], rf_power: dict[float, float]) -> Points:
        t1 = [self._t1(one, rf_power.get(at, 0.0)) for at, one in measured.items()]
        return rates(np.array(list(measured)), *np.transpose(t1))

    def _power_series(self) -> Fit:
        return fit("power", self._rates(self.found.powers, {}))

    def _field_series(self) -> Fit:
        along = self._rates(self.found.fields, {})
        known = {
            "overhauser_field": self._width,
            "overhauser_field_error": self._width_error,
        }
        return fit("field", along, exact=True, **known)

    def _temperature_series(self) -> Fit:
        points = self._rates(self.found.temperatures, TEMPERATURES)
        lattice = points.x + self.known.heating * LOW_POWER
        return fit("temperature", Points(lattice, points.y, points.error), exact=True)

    def _electron(self, laser_power: float, line: Found | None = None) -> Spins:
        """Return the electron under a laser power [mW], with the line found, or that of the survey."""
        seen = self.found.electron
        start = {"g": seen.g, "g_spread": 0.09 * seen.g, "overhauser_field": self._width}
        return Spins(
            **(line.values if line else start),
            rate=self._rate(laser_power),
            nuclear_rate=1 / self._field.values["tau_c"],
            variance=self.known.variance,
            flip_rate=self.known.flip_rate,
        )

    def _rate(self, laser_power: float) -> float:
        """Return 1/T1 [1/s] of the electron without nuclei."""
        values = self._power.values
        share = float(nuclear(np.array([INERTIA_FIELD / self._width]), exact=True)[0])
        dark = values["dark_rate"] - share / self._field.values["tau_c"]
        return dark + values["pump_rate"] * laser_power

    def _line_fit(self) -> Found:
        return fit_spectra(list(self._spectra()), self._electron(SPECTRUM["laser.power"]))

    def _spectra(self) -> Iterator[Spectrum]:
        hole = self.found.hole
        for frequency, measured in self.found.spectra.items():
            others = ()
            if "field_2" in measured.fit.values:
                others = (self._second(hole.g, hole.width, SPECTRUM["laser.power"]),)
            yield Spectrum(measured.curve, frequency, SPECTRUM["rf.modulation_frequency"], others)

    def _second(self, g: float, width: float, laser_power: float) -> Spins:
        """Return carriers of another kind, of the hole's T1, from the width [mT] of their line."""
        at_field, _ = self._t1(self.found.inertia["hole"])
        overhauser_field, tau_c = 0.9 * sqrt(2) * width, self._field.values["tau_c"]
        share = float(nuclear(np.array([INERTIA_FIELD / overhauser_field]), exact=True)[0])
        pumped = self._power.values["pump_rate"] * (laser_power - SURVEY_POWER)
        rate = max(1 / at_field - share / tau_c + pumped, 1e3)
        return Spins(g, 0.09 * g, overhauser_field, rate, 1 / tau_c, self.known.variance)

    def _hole_line(self) -> Found:
        """Fit the survey for the hole's line, the electron's being known."""
        electron = self._electron(SURVEY_POWER, self._lines)
        surveyed = zip(SURVEY_FREQUENCIES, self.found.survey, strict=True)
        spectra = [
            Spectrum(measured.curve, frequency, SURVEY_MODULATION, (electron,))
            for frequency, measured in surveyed
        ]
        suffix = carriers(self.found.survey[0])["hole"]
        width = self.found.survey[0].fit.values[f"width{suffix}"]
        return fit_spectra(spectra, self._second(self.found.hole.g, width, SURVEY_POWER))

    def _energy_series(self) -> Fit:
        """Fit the line at every photon energy, its spread of g taken from the spectra."""
        points = [
            (energy, *pair(self._line_at(measured), "g"))
            for by_energy in self.found.energies.values()
            for energy, measured in by_energy.items()
        ]
        return fit("g_energy", Points(*np.transpose(points)), at=REFERENCE_ENERGY)

    def _line_at(self, measured: Measurement) -> Found:
        main = strongest_line(measured)
        values, others = measured.fit.values, ()
        g = ENERGY_FREQUENCY / (values[f"field{main}"] * MAGNETON)
        if "field_2" in values:
            second = "" if main else "_2"
            other = ENERGY_FREQUENCY / (values[f"field{second}"] * MAGNETON)
            others = (self._second(other, values[f"width{second}"], SPECTRUM["laser.power"]),)
        start = self._electron(SPECTRUM["laser.power"], self._lines)
        start = replace(start, g=g, overhauser_field=sqrt(2) * 0.9 * values[f"width{main}"])
        modulation = SPECTRUM["rf.modulation_frequency"]
        spectrum = Spectrum(measured.curve, ENERGY_FREQUENCY, modulation, others)
        return fit_spectra([spectrum], start, ("g", "overhauser_field"))


def pair(result: Fit | Found, name: str, scale: float = 1.0) -> tuple[float, float]:
    """Return one parameter and its error, in another unit."""
    return scale * result.values[name], scale * result.errors[name]


def scaled(numbers: tuple[float, float], scale: float) -> tuple[float, float]:
    """Return a number and its error in another unit."""
    value, error = numbers
    return scale * value, scale * error
