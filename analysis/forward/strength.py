"""How strongly the rf flips spins: curves at several rf powers, fitted at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.optimize import least_squares

from ..data import Curve, FitError
from ..projection import derivatives
from .answer import mean_answer

WEAK = 1e-6  # flips within T1, below which the answer only loses digits


@dataclass(frozen=True)
class Strength:
    """What came out.

    Attributes:
        t1: Median T1 without rf [s].
        flip_rates: W while the rf is on [1/s], one a curve; noise may leave them below zero.
        errors: Standard errors of these.
    """

    t1: float
    flip_rates: NDArray
    errors: NDArray


def fit_strength(
    curves: Sequence[Curve],
    variance: float,
    start: tuple[float, float],
    seen: tuple[int, float, float] | None = None,
) -> Strength:
    """Fit spin-inertia curves that differ in the rf power alone; each has a background of its own.

    Twice as many flips make twice the signal and leave less of T1. The first tells how the flips of
    the curves stand to each other, the second how many they are.

    Args:
        curves: X + iY against modulation frequency [Hz], delay and pick-up taken out.
        variance: Of ln T1.
        start: T1 [s] and W of the first curve [1/s], roughly.
        seen: Number of a curve whose W is known otherwise, that W and its error [1/s].

    Raises:
        FitError: When no minimum is found.
    """
    heights = [np.abs(curve.signal).max() for curve in curves]
    ratios = np.log(np.divide(heights[1:], heights[0]))
    begin = np.array([np.log(start[0]), start[0] * start[1], *ratios])

    def flips(theta: NDArray) -> NDArray:
        return theta[1] / np.exp(theta[0]) * np.exp([0.0, *theta[2:]])

    def residuals(theta: NDArray) -> NDArray:
        t1, strength = np.exp(theta[0]), theta[1] if abs(theta[1]) > WEAK else WEAK
        waves, grounds, targets = [], [], []
        for curve, ratio in zip(curves, np.exp([0.0, *theta[2:]]), strict=True):
            # per strength of the rf, so that none at all is no border
            wave = mean_answer(strength * ratio / t1, t1, curve.axis, variance) / strength / t1
            one, two = np.split(curve.columns(np.stack([wave, np.ones(len(curve))])), 2)
            waves.append(one)
            grounds.append(two)
            targets.append(curve.target)
        backgrounds = np.asarray(block_diag(*grounds))
        columns = np.concatenate([np.concatenate(waves, axis=1), backgrounds])
        columns /= np.linalg.norm(columns, axis=1)[:, None]
        basis, _ = np.linalg.qr(columns.T)
        target = np.concatenate(targets)
        left = target - basis @ (basis.T @ target)
        if seen is None:
            return left
        number, flip_rate, error = seen
        return np.append(left, (flips(theta)[number] - flip_rate) / error)

    found = least_squares(residuals, begin, x_scale=0.1, xtol=1e-9, ftol=1e-9)
    if not found.success:
        raise FitError(f"fit_strength: {found.message}; needs curves that differ in rf power")
    slopes = np.array(derivatives(flips, found.x))
    covariance = slopes.T @ np.linalg.inv(found.jac.T @ found.jac) @ slopes
    return Strength(float(np.exp(found.x[0])), flips(found.x), np.sqrt(np.diag(covariance)))
