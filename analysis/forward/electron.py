"""All that is known of the electron at once: its lines and its relaxation, one model for both.

Lines need T1 at every field, and T1 at a field needs the nuclear field, which is the width of the
lines: fitted together, each is known as well as all of the data allow, and so are their errors. The
hole's line, wide and weak, lies under the flank of the electron's: it is fitted along with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ..data import FitError
from ..projection import derivatives
from ..series import ln_phonons, nuclear
from .line import Spins
from .spectra import LINE, Spectrum, left_over

RELAXATION = ("dark_rate", "pump_rate", "nuclear_rate", "phonon_rate", "phonon_energy")
HOLE = ("hole_g", "hole_g_spread", "hole_overhauser_field")
POSITIVE = (*LINE, *RELAXATION, *HOLE)
"""Parameters fitted in their logarithms; the heating of the lattice by the light is fitted as it is."""


HOLE_SPREAD, HOLE_SPREAD_DOUBT = 0.09, 0.3
"""Delta g / g of the hole, taken to be that of the electron in the paper, and the doubt of its logarithm.

The width of a line that is seen at few fields hardly tells it from a nuclear field.
"""

SLOWEST = 0.1  # of the hole's 1/T1 that was measured, which no other condition falls below


@dataclass(frozen=True)
class Lifetimes:
    """T1 under many conditions.

    Args:
        field: Magnetic field [mT], shape (n,).
        laser_power: [mW], shape (n,).
        temperature: Of the cryostat [K], shape (n,).
        t1: Median T1 [s], shape (n,).
        error: Standard error of T1 [s], shape (n,).
    """

    field: NDArray
    laser_power: NDArray
    temperature: NDArray
    t1: NDArray
    error: NDArray

    def left_over(self, values: Mapping[str, float]) -> NDArray:
        """Return how far ln T1 is from the model, in standard errors.

        In the logarithm, because the error of a T1 grows with it: weights that follow the noise
        would pull a mean of T1 itself.
        """
        rate = relaxation(values, self.field, self.laser_power, self.temperature)
        return np.log(self.t1 * rate) * self.t1 / self.error


@dataclass(frozen=True)
class Lit:
    """A spectrum under its light.

    Args:
        spectrum: The data.
        laser_power: [mW].
        both: Whether the hole's line is in it as well as the electron's.
    """

    spectrum: Spectrum
    laser_power: float
    both: bool = False


@dataclass(frozen=True)
class HoleRelaxation:
    """How the hole relaxes: measured under one condition, and taken to go as the electron's does.

    Args:
        rate: 1/T1 [1/s] there.
        field: There [mT].
        laser_power: There [mW].
        pumping: Rate of pumping over the electron's, assumed.
        nuclei: 1/tau_c over the electron's, assumed.
    """

    rate: float
    field: float
    laser_power: float
    pumping: float = 1.0
    nuclei: float = 1.0

    def spins(self, values: Mapping[str, float], laser_power: float, variance: float) -> Spins:
        """Return the holes in the cold, under a laser power [mW]."""
        nuclear_rate = self.nuclei * values["nuclear_rate"]
        ratio = np.array([self.field / values["hole_overhauser_field"]])
        there = self.rate - nuclear_rate * float(nuclear(ratio, exact=True)[0])
        rate = there + self.pumping * values["pump_rate"] * (laser_power - self.laser_power)
        return Spins(
            g=values["hole_g"],
            g_spread=values["hole_g_spread"],
            overhauser_field=values["hole_overhauser_field"],
            rate=max(rate, SLOWEST * self.rate),
            nuclear_rate=nuclear_rate,
            variance=variance,
        )


@dataclass(frozen=True)
class Electron:
    """What came out.

    Attributes:
        values: By name.
        covariance: Of the logarithms of `POSITIVE`, and of the heating.
        chi_square: Sum of the squared residuals.
        degrees_of_freedom: Real data less free parameters.
    """

    values: dict[str, float]
    covariance: NDArray
    chi_square: float
    degrees_of_freedom: int

    def told(self, function: Callable[[Mapping[str, float]], float]) -> tuple[float, float]:
        """Return a function of the values, and its standard error."""
        theta = parameters(self.values)
        slopes = np.array(derivatives(lambda theta: np.array(function(values_at(theta))), theta))
        return float(function(self.values)), float(np.sqrt(slopes @ self.covariance @ slopes))

    def spins(self, laser_power: float, variance: float) -> Spins:
        """Return the spins under a laser power [mW], in the cold, with a variance of ln T1."""
        return spins_of(self.values, laser_power, variance)


def fit_electron(
    spectra: Sequence[Lit],
    lifetimes: Lifetimes,
    start: Mapping[str, float],
    hole: HoleRelaxation,
    variance: float,
) -> Electron:
    """Fit lines and lifetimes together.

    Args:
        spectra: Heights and backgrounds are free in each.
        lifetimes: T1 of the electron under many conditions.
        start: Values near the truth.
        hole: Its T1.
        variance: Of ln T1.

    Raises:
        FitError: When no minimum is found.
    """

    def residuals(theta: NDArray) -> NDArray:
        values = values_at(theta)
        lines = [lines_left(one, values, hole, variance) for one in spectra]
        spread = values["hole_g_spread"] / values["hole_g"]
        typical = np.log(spread / HOLE_SPREAD) / HOLE_SPREAD_DOUBT
        return np.concatenate([*lines, lifetimes.left_over(values), [typical]])

    found = least_squares(residuals, parameters(start), x_scale=0.1, xtol=1e-9, ftol=1e-9)
    if not found.success:
        raise FitError(f"fit_electron: {found.message}; needs spectra with lines, and T1 of them")
    linear = sum(one.spectrum.heights + 2 * one.both for one in spectra)
    freedom = len(found.fun) - len(found.x) - linear
    covariance = np.linalg.inv(found.jac.T @ found.jac)
    return Electron(values_at(found.x), covariance, float(found.fun @ found.fun), freedom)


def lines_left(
    lit: Lit, values: Mapping[str, float], hole: HoleRelaxation, variance: float
) -> NDArray:
    """Return what the best heights and background leave of a spectrum, in standard errors."""
    spins = spins_of(values, lit.laser_power, variance)
    others = [hole.spins(values, lit.laser_power, variance)] if lit.both else []
    return left_over(lit.spectrum, spins, others)


def parameters(values: Mapping[str, float]) -> NDArray:
    """Return what an optimiser may move freely."""
    return np.array([*np.log([values[name] for name in POSITIVE]), values["heating"]])


def values_at(theta: NDArray) -> dict[str, float]:
    """Return the values that parameters stand for."""
    values = dict(zip(POSITIVE, np.exp(theta[:-1]).tolist(), strict=True))
    return values | {"heating": float(theta[-1])}


def relaxation(
    values: Mapping[str, float], field: NDArray, laser_power: NDArray, temperature: NDArray
) -> NDArray:
    """Return 1/T1 [1/s]: light, nuclei of all directions, and pairs of phonons of the warmed lattice."""
    lattice = np.maximum(
        temperature + values["heating"] * laser_power, 0.1
    )  # K, to stay above zero
    phonons = np.exp(ln_phonons(values["phonon_energy"], lattice, exact=True))
    return (
        values["dark_rate"]
        + values["pump_rate"] * laser_power
        + values["nuclear_rate"] * nuclear(field / values["overhauser_field"], exact=True)
        + values["phonon_rate"] * phonons
    )


def spins_of(values: Mapping[str, float], laser_power: float, variance: float) -> Spins:
    """Return spins in the cold."""
    rate = values["dark_rate"] + values["pump_rate"] * laser_power
    line = {name: values[name] for name in LINE}
    return Spins(**line, rate=rate, nuclear_rate=values["nuclear_rate"], variance=variance)
