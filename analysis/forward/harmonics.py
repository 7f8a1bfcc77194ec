"""Second harmonic beside the first: how often the rf flips a spin within T1."""

from math import pi
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from ..data import Curve, Fit
from ..models import Model
from .answer import answer, second_answer

WEAK = 1e-3  # flips within T1, below which the ratio goes with their number
SATURATION = np.geomspace(WEAK, 30.0, 600)  # flips within T1, W T1


class Harmonics(Model):
    """X + iY at the first and the second harmonic of the modulation (the axis), at one frequency.

    Beyond Eq. (3), which has no second harmonic: `ratio` is the second over the first, in phase with what it should be; `flip_rate` is W [1/s] while
    the rf is on, by the ratio of square-wave modulation. Both are free to be negative, as noise is.
    """

    name = "harmonics"
    version = "1"
    takes = Curve
    minimum_points = 4
    units: ClassVar = {"ratio": "", "flip_rate": "1/s"}

    def fit(
        self,
        data: Curve,
        t1: float,
        modulation_frequency: float,
        delay: float = 0.0,
        baseline: tuple[float, float] = (0.0, 0.0),
    ) -> Fit:
        self.require_points(data)
        self.require(np.isin(data.axis, (1, 2)), "harmonics beside 1 and 2; needs these")
        self.require(np.isin((1, 2), data.axis), "one harmonic; needs both")
        self.require(
            t1 > 0 and modulation_frequency > 0,
            f"t1 = {t1:g} s, modulation_frequency = {modulation_frequency:g} Hz; needs both above 0",
        )
        flips = SATURATION / t1
        first = answer(flips, t1, modulation_frequency)
        second = second_answer(flips, t1, modulation_frequency)
        late = np.exp(-2j * pi * modulation_frequency * delay)
        dark = np.where(data.axis == 1, complex(*baseline) * late, 0)
        (one, error), (two, error_two) = (mean(data, dark, number) for number in (1, 2))
        self.require(abs(one) > 5 * error, "no signal at the first harmonic; needs one")
        # a shift in time turns the second harmonic twice as far as the first
        turn = np.exp(2j * np.angle(one / first[0])) * second[0] / abs(second[0])
        ratio = float((two / turn).real / abs(one))
        spread = float(np.hypot(error_two, ratio * error) / abs(one))
        ratios = abs(second / first)
        self.require(
            abs(ratio) < ratios.max(), f"ratio = {ratio:.3f}; needs less than {ratios.max():.3f}"
        )
        rate, slope = rate_of(ratio, ratios[: ratios.argmax() + 1], flips)
        jacobian = np.array([1.0, slope])
        values = {"ratio": ratio, "flip_rate": rate}
        means = {1: one, 2: two}
        freedom = 2 * len(data) - 4
        left = data.standardise(data.signal - dark - np.where(data.axis == 1, one, two))
        return Fit(
            model=self.name,
            version=self.version,
            values=values,
            errors=dict(zip(values, (spread * jacobian).tolist(), strict=True)),
            units=dict(self.units),
            covariance=spread**2 * np.outer(jacobian, jacobian),
            chi_square=float(left @ left),
            degrees_of_freedom=freedom,
            # order along the axis tells nothing where there are two places alone
            verdicts={"chi_square_p": float(chdtrc(freedom, left @ left)), "runs_p": 1.0},
            points=len(data),
            curve=lambda axis: np.array([means[int(number)] for number in axis]),
            options={
                "t1": t1,
                "modulation_frequency": modulation_frequency,
                "delay": delay,
                "baseline": list(baseline),
            },
        )


def mean(data: Curve, dark: NDArray, harmonic: int) -> tuple[complex, float]:
    """Return the weighted mean [V] of one harmonic, and the standard error of its X and its Y."""
    chosen = data.axis == harmonic
    weights = 2 / np.abs(data.error[chosen]) ** 2
    total = weights.sum()
    return complex(weights @ (data.signal - dark)[chosen] / total), float(total**-0.5)


def rate_of(ratio: float, ratios: NDArray, flips: NDArray) -> tuple[float, float]:
    """Return the flip rate [1/s] of a ratio, and its slope, by a table that rises."""
    size = abs(ratio)
    if size < ratios[0]:
        slope = float(flips[0] / ratios[0])
        return ratio * slope, slope
    flips = flips[: len(ratios)]
    rate = float(np.interp(size, ratios, flips))
    slope = float(np.interp(size, ratios, np.gradient(flips, ratios)))
    return float(np.copysign(rate, ratio)), slope
