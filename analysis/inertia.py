"""The spin-inertia curve: how the signal falls when the modulation outruns the spins."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.special import ndtr

from .data import Curve, Fit
from .models import Model, constant, polar, verdicts
from .projection import Basis, Optimum, Search, derivatives, solve, solve_many

SHORTEST, LONGEST = 0.3e-6, 30e-3  # s, the T1 that 10 Hz to 100 kHz can show, and some more
LN_T1 = np.linspace(np.log(SHORTEST), np.log(LONGEST), 400)
SEARCH = Search(LN_T1[None, :, None], LN_T1[:1], LN_T1[-1:])


def low_pass(theta: NDArray, frequency: NDArray) -> NDArray:
    """Return the response of spins to modulation, 1 / (1 + 2 pi i f T1).

    The complex form of Eq. (3): a single pole, whose magnitude is Eq. (3).

    Args:
        theta: ln(T1 / s), shape (..., 1).
        frequency: Modulation frequency f [Hz], shape (n,).

    Returns:
        Response to unit amplitude, shape (..., 1, n), complex.
    """
    return 1 / (1 + 2j * np.pi * frequency * np.exp(theta[..., None]))


def turned_back(
    signal: NDArray, frequency: NDArray, delay: float, baseline: tuple[float, float]
) -> NDArray:
    """Return a signal [V] without the delay of the detector, and without what it picks up of the rf.

    Args:
        signal: X + iY [V], shape (..., n).
        frequency: Modulation frequency [Hz], shape (n,).
        delay: Of detector and cables [s], which turns X + iY by -2 pi f delay.
        baseline: Pick-up X and Y [V] before that delay.
    """
    return signal * np.exp(2j * np.pi * frequency * delay) - complex(*baseline)


def basis(offset: bool) -> Basis:
    """Return the pole, and a constant besides if there is a background to be freed."""

    def pole_and_constant(theta: NDArray, frequency: NDArray) -> NDArray:
        return np.concatenate([low_pass(theta, frequency), constant(theta, frequency)], axis=-2)

    return pole_and_constant if offset else low_pass


def z_against_r(data: Curve, optimum: Optimum) -> float:
    """Compare the T1 of X + iY with the T1 of its magnitude R alone, Eq. (3).

    A pole ties the phase of the signal to its fall, so both find one T1. Pick-up in phase with the
    signal and a spread of T1 move them apart; pick-up across the signal moves both alike, so it is
    left to chi-square to notice.

    The magnitude is the part of the residuals along the pole, so that noise does not bias it as it
    biases sqrt(X^2 + Y^2). The difference of both ln T1 is then linear in the residuals, whose
    covariance is what the fit has left of unity.

    Returns:
        Probability of a larger disagreement if the pole is true.
    """
    amplitude = data.coefficients(optimum.linear)[0]

    def wave(theta: NDArray) -> NDArray:
        return amplitude * low_pass(theta, data.axis)[0]

    pole, (slope,) = wave(optimum.nonlinear), derivatives(wave, optimum.nonlinear)
    outward = pole / np.abs(pole)
    x, y = outward.real * np.real(data.error), outward.imag * np.imag(data.error)
    error = np.hypot(x, y)
    # What the magnitude, in its own errors, says of ln T1 and of the amplitude.
    by_ln_t1, by_amplitude = (outward.conj() * slope).real / error, np.abs(pole) / error
    alone = by_ln_t1 - by_amplitude * (by_ln_t1 @ by_amplitude) / (by_amplitude @ by_amplitude)
    pull = np.concatenate([x, y]) / np.tile(error, 2) * np.tile(alone, 2)
    free, _ = np.linalg.qr(optimum.jacobian)
    spread = np.linalg.norm(pull - free @ (free.T @ pull))
    difference = pull @ optimum.residuals
    # Frequencies at which R tells nothing of T1 leave nothing to compare.
    told = spread > 1e-9 * np.linalg.norm(np.concatenate([by_ln_t1, by_amplitude]))
    return float(2 * ndtr(-abs(difference) / spread)) if told else 1.0


class SpinInertia(Model):
    """X + iY against modulation frequency [Hz], Eq. (3) in complex form.

    The phase is free: one degree of a phase taken for known shifts T1 by 3 %. `offset` frees a
    complex background as well, for pick-up that does not depend on the frequency. The verdict
    `z_against_r` compares the T1 of X + iY with that of the magnitude. `delay` [s] and `baseline`
    [V] are those of a measurement without light, and are taken out first, see `turned_back`.
    """

    name = "spin_inertia"
    version = "3"
    takes = Curve
    minimum_points = 4
    units: ClassVar = {
        "t1": "s",
        "amplitude": "V",
        "phase": "deg",
        "background_x": "V",
        "background_y": "V",
    }

    def fit(
        self,
        data: Curve,
        offset: bool = False,
        delay: float = 0.0,
        baseline: tuple[float, float] = (0.0, 0.0),
    ) -> Fit:
        self.require_points(data, more=2 * bool(offset))
        self.require(data.axis >= 0, "negative frequency; needs frequencies from zero up [Hz]")

        raw, data = data, data.with_signal(turned_back(data.signal, data.axis, delay, baseline))
        optimum = solve(data, basis(offset), SEARCH)
        self.require_gain(
            solve(data, constant), optimum, "a falling signal does not beat a constant"
        )
        t1 = np.exp(optimum.nonlinear[0])
        self.require(
            optimum.inside,
            f"T1 = {t1:.3g} s is at the edge of the search; needs T1 inside "
            f"{SHORTEST:g} s to {LONGEST:g} s, and frequencies about 1/(2 pi T1)",
        )
        (amplitude, phase), turn = polar(*optimum.linear[:2])
        background = dict(zip(("background_x", "background_y"), optimum.linear[2:], strict=False))
        jacobian = np.asarray(block_diag(t1, turn, np.eye(len(background))))
        values = {"t1": t1, "amplitude": amplitude, "phase": phase} | background
        self.require_determined(data, optimum)
        judged = verdicts(data, optimum) | {"z_against_r": z_against_r(data, optimum)}

        def curve(frequency: NDArray) -> NDArray:
            late = np.exp(-2j * np.pi * np.asarray(frequency) * delay)
            return (optimum.curve(frequency) + complex(*baseline)) * late

        options = {"offset": offset, "delay": delay, "baseline": list(baseline)}
        return self.result(
            raw, optimum, values, jacobian, options=options, verdicts=judged, curve=curve
        )

    def signal(self, values: Mapping[str, float], axis: NDArray) -> NDArray:
        """Return the curve [V] of known parameters."""
        wave = values["amplitude"] * np.exp(1j * np.radians(values["phase"]))
        pole = low_pass(np.log([values["t1"]]), axis)[0]
        return wave * pole + values.get("background_x", 0.0) + 1j * values.get("background_y", 0.0)

    def fit_many(
        self,
        data: Curve,
        signals: NDArray,
        offset: bool = False,
        delay: float = 0.0,
        baseline: tuple[float, float] = (0.0, 0.0),
    ) -> dict[str, NDArray]:
        """Fit many signals at once; those without a T1 inside the search stand at its edge."""
        signals = turned_back(signals, data.axis, delay, baseline)
        ln_t1, linear = solve_many(data, signals, basis(offset), SEARCH)
        wave, *background = linear.T
        values = {"t1": np.exp(ln_t1), "amplitude": np.abs(wave), "phase": np.angle(wave, deg=True)}
        for level in background:
            values |= {"background_x": level.real, "background_y": level.imag}
        return values
