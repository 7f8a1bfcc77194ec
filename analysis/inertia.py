"""The spin-inertia curve: how the signal falls when the modulation outruns the spins."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from .data import Curve, Fit
from .models import Model, constant, polar
from .projection import Search, solve

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


class SpinInertia(Model):
    """X + iY against modulation frequency [Hz], Eq. (3) in complex form.

    The phase is free: one degree of a phase taken for known shifts T1 by 3 %. `offset` frees a
    complex background as well, for pick-up that does not depend on the frequency.
    """

    name = "spin_inertia"
    version = "1"
    takes = Curve
    minimum_points = 4
    units: ClassVar = {
        "t1": "s",
        "amplitude": "V",
        "phase": "deg",
        "background_x": "V",
        "background_y": "V",
    }

    def fit(self, data: Curve, offset: bool = False) -> Fit:
        self.require_points(data, more=2 * bool(offset))
        self.require(data.axis >= 0, "negative frequency; needs frequencies from zero up [Hz]")

        def basis(theta: NDArray, frequency: NDArray) -> NDArray:
            pole = low_pass(theta, frequency)
            return np.concatenate([pole, constant(theta, frequency)], axis=-2) if offset else pole

        optimum = solve(data, basis, SEARCH)
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
        return self.result(data, optimum, values, jacobian, options={"offset": offset})
