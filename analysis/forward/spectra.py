"""Many spectra fitted at once with one kind of electron, by the forward model of their lines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ..data import Curve, FitError
from .line import Spins

LINE = ("g", "g_spread", "overhauser_field")


@dataclass(frozen=True)
class Spectrum:
    """One spectrum, and what else is in it.

    Attributes:
        curve: X + iY against the field [mT].
        frequency: Of the rf [GHz].
        modulation_frequency: Of its power [Hz].
        others: Carriers whose lines are known but for their height.
        flip_rate: W of the fitted carrier at the peak of its line while the rf is on [1/s].
    """

    curve: Curve
    frequency: float
    modulation_frequency: float
    others: tuple[Spins, ...] = ()
    flip_rate: float = 0.0

    @cached_property
    def known(self) -> list[NDArray]:
        """A constant, and the lines of the others, shape (n,) each."""
        return [np.ones(len(self.curve)), *(line_of(self, one) for one in self.others)]

    @property
    def heights(self) -> int:
        """Number of real heights and backgrounds."""
        return 2 * (2 + len(self.others))


@dataclass(frozen=True)
class Found:
    """What came out.

    Attributes:
        values: By name.
        errors: Standard errors, of the data alone.
        chi_square: Sum of the squared residuals.
        degrees_of_freedom: Real data less free parameters.
    """

    values: dict[str, float]
    errors: dict[str, float]
    chi_square: float
    degrees_of_freedom: int


def fit_spectra(spectra: Sequence[Spectrum], start: Spins, free: Sequence[str] = LINE) -> Found:
    """Fit the lines of one kind of carrier in all spectra; heights and backgrounds are free in each.

    Args:
        spectra: The data.
        start: The carrier, near its line; its relaxation is taken as known.
        free: Which of `LINE` are fitted; all are positive.

    Raises:
        FitError: When no minimum is found.
    """

    def residuals(logs: NDArray) -> NDArray:
        spins = spins_at(logs)
        return np.concatenate([left_over(spectrum, spins) for spectrum in spectra])

    def spins_at(logs: NDArray) -> Spins:
        line = {name: getattr(start, name) for name in LINE}
        line |= dict(zip(free, np.exp(logs), strict=True))
        return start.with_line(**line)

    begin = np.log([getattr(start, name) for name in free])
    bounds = (begin - np.log(3), begin + np.log(3))
    found = least_squares(residuals, begin, bounds=bounds, x_scale=0.1, xtol=1e-10, ftol=1e-10)
    if not found.success:
        raise FitError(f"fit_spectra: {found.message}; needs spectra with lines")
    covariance = np.linalg.inv(found.jac.T @ found.jac)
    values = dict(zip(free, np.exp(found.x).tolist(), strict=True))
    relative = np.sqrt(np.diag(covariance)).tolist()
    errors = {name: values[name] * one for name, one in zip(free, relative, strict=True)}
    linear = sum(spectrum.heights for spectrum in spectra)
    freedom = len(found.fun) - len(free) - linear
    return Found(values, errors, float(found.fun @ found.fun), freedom)


@lru_cache(maxsize=256)  # a derivative moves one carrier and leaves the others
def line_of(spectrum: Spectrum, spins: Spins) -> NDArray:
    """Return the line of a carrier in a spectrum, 1 at its largest, shape (n,)."""
    at = spectrum.curve.axis, spectrum.frequency, spectrum.modulation_frequency
    return spins.signal(*at)


def left_over(spectrum: Spectrum, spins: Spins, more: Sequence[Spins] = ()) -> NDArray:
    """Return what the best heights and background leave of a spectrum, in standard errors.

    Args:
        spectrum: The data.
        spins: The carrier that is fitted.
        more: Carriers that are fitted along with it.
    """
    curve, flipped = spectrum.curve, replace(spins, flip_rate=spectrum.flip_rate)
    lines = [line_of(spectrum, one) for one in (flipped, *more)]
    columns = curve.columns(np.stack([*spectrum.known, *lines]))
    basis, _ = np.linalg.qr(columns.T)
    return curve.target - basis @ (basis.T @ curve.target)
