"""Lopsided intervals: the scatter of fits to data drawn from the fit itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .data import Data, Fit, FitError
from .models import MODELS

DRAWS = 500
"""Enough to tell both ends of a 95 % interval from about a dozen draws beyond each."""

SURVIVORS = 0.9
"""Share of the draws that must allow a fit, or the ends of the intervals are guessed."""


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """What the fit might have been, had the noise been another.

    Args:
        fit: The fit drawn from, with the 68 % intervals in `intervals`.
        samples: Every parameter by name in its unit, shape (draws,).
    """

    fit: Fit
    samples: Mapping[str, NDArray]

    def interval(self, name: str, level: float = 0.68) -> tuple[float, float]:
        """Return both ends of the interval of a parameter, as much beyond one as beyond the other.

        Quantiles do not know a scale: the interval of T1 is that of ln T1 and of 1/T1.
        """
        return _ends(self.samples[name], level)


def bootstrap(
    fit: Fit, data: Data, rng: np.random.Generator | int, draws: int = DRAWS
) -> Bootstrap:
    """Draw data from a fitted curve and the errors of its data, and fit them all.

    Args:
        fit: The fit.
        data: What it was made from.
        rng: Of the noise, or its seed.
        draws: How many data sets.

    What a fit took for known beforehand, as `overhauser_field`, is not drawn: the intervals hold
    the errors of the data alone.

    Raises:
        FitError: More than one draw in ten allows no fit.
    """
    drawn = data.draw(fit.curve(data.axis), np.random.default_rng(rng), draws)
    samples = MODELS[fit.model].fit_many(data, drawn, **fit.options)
    survivors = min((len(values) for values in samples.values()), default=0)
    if survivors < SURVIVORS * draws:
        raise FitError(
            f"bootstrap of {fit.model}: {draws - survivors} of {draws} draws allow no fit; "
            f"needs {SURVIVORS:.0%} that do, so data with less noise"
        )
    samples = {name: _near(fit, name, values) for name, values in samples.items()}
    intervals = {name: _ends(values, 0.68) for name, values in samples.items()}
    return Bootstrap(replace(fit, intervals=intervals), samples)


def _near(fit: Fit, name: str, values: NDArray) -> NDArray:
    """Turn phases by whole turns to lie about the fitted one; leave all else."""
    if fit.units[name] != "deg":
        return values
    return fit.values[name] + (values - fit.values[name] + 180) % 360 - 180


def _ends(values: NDArray, level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
