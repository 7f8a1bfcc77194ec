"""Spin inertia beyond Eq. (3): rf of any strength, many T1, and the detector's own part."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from ..data import Curve, Fit
from ..inertia import LONGEST, SHORTEST, turned_back
from ..models import Model, constant, polar
from ..projection import Optimum, Search, solve
from .answer import mean_answer

NODES = 200
LN_T1 = np.linspace(np.log(SHORTEST), np.log(LONGEST), NODES)
VARIANCES = np.linspace(-0.05, 0.6, 14)
SLOW = 1.0  # Hz, at which the answer is given unit size


class CorrectedInertia(Model):
    """X + iY against modulation frequency [Hz], Eq. (3) without its three approximations.

    The rf flips spins at `flip_rate` [1/s] while it is on; ln T1 scatters from spin to spin with a
    variance, which is free unless `variance` is given; the detector has a `delay` [s] and picks up a
    `baseline` [V], and `offset` frees what is left of it. `t1` is the median.
    """

    name = "spin_inertia_corrected"
    version = "1"
    takes = Curve
    minimum_points = 7
    units: ClassVar = {
        "t1": "s",
        "variance": "",
        "amplitude": "V",
        "phase": "deg",
        "background_x": "V",
        "background_y": "V",
    }

    def fit(
        self,
        data: Curve,
        flip_rate: float = 0.0,
        variance: float | None = None,
        delay: float = 0.0,
        baseline: tuple[float, float] = (0.0, 0.0),
        offset: bool = True,
    ) -> Fit:
        free = variance is None
        self.require_points(data)
        self.require(data.axis > 0, "frequency not above zero; needs frequencies above zero [Hz]")
        self.require(flip_rate >= 0, f"flip_rate = {flip_rate:g} 1/s; needs zero or more")
        level = data.with_signal(turned_back(data.signal, data.axis, delay, baseline))
        weak = max(flip_rate, 1e-3)  # 1/s; below, the answer only loses digits

        def basis(theta: NDArray, frequency: NDArray) -> NDArray:
            t1 = np.exp(theta[..., :1])
            scatter = theta[..., 1:] if free else np.full_like(t1, variance)
            wave = mean_answer(weak, t1, np.append(SLOW, frequency), scatter)
            wave = wave[..., 1:] / np.abs(wave[..., :1])
            shapes = [wave[..., None, :]] + [constant(theta, frequency)] * bool(offset)
            return np.concatenate(shapes, axis=-2)

        optimum = solve(level, basis, search(free))
        self.require_gain(
            solve(level, constant), optimum, "a falling signal does not beat a constant"
        )
        self.require(optimum.inside, "T1 is at the edge of the search; needs frequencies about it")
        values, jacobian = parameters(optimum, free, offset)
        options = {"flip_rate": flip_rate, "variance": variance, "delay": delay}
        options |= {"baseline": list(baseline), "offset": offset}

        def curve(frequency: NDArray) -> NDArray:
            late = np.exp(-2j * np.pi * np.asarray(frequency) * delay)
            return (optimum.curve(frequency) + complex(*baseline)) * late

        return self.result(level, optimum, values, jacobian, options=options, curve=curve)


def search(free: bool) -> Search:
    """Look for T1, and for the variance of ln T1 where it is free."""
    if not free:
        return Search(LN_T1[None, ::4, None], LN_T1[:1], LN_T1[-1:])
    t1, variance = np.meshgrid(LN_T1[::4], VARIANCES[1:-1], indexing="ij")
    nodes = np.stack([t1.ravel(), variance.ravel()], axis=-1)[None]
    return Search(nodes, np.array([LN_T1[0], VARIANCES[0]]), np.array([LN_T1[-1], VARIANCES[-1]]))


def parameters(optimum: Optimum, free: bool, offset: bool) -> tuple[dict[str, float], NDArray]:
    """Name the parameters, with their derivatives by those of the optimum."""
    t1 = float(np.exp(optimum.nonlinear[0]))
    (amplitude, phase), turn = polar(*optimum.linear[:2])
    values = {"t1": t1} | ({"variance": float(optimum.nonlinear[1])} if free else {})
    values |= {"amplitude": amplitude, "phase": phase}
    background = dict(zip(("background_x", "background_y"), optimum.linear[2:], strict=False))
    blocks = [t1, *([1.0] if free else []), turn, np.eye(2 * bool(offset))]
    return values | background, np.asarray(block_diag(*blocks[: 3 + free - (not offset)]))


class Blank(Model):
    """X + iY against modulation frequency [Hz] without light: what the detector picks up of the rf.

    It does not fall with the frequency as spins do, Eq. (3), but is late by the delay of the
    detector: (X + iY) exp(-2 pi i f delay). Where nothing stands out of the noise, all are 0, and the
    errors say how much may hide there.
    """

    name = "blank"
    version = "1"
    takes = Curve
    minimum_points = 4
    units: ClassVar = {"baseline_x": "V", "baseline_y": "V", "delay": "s"}

    def fit(self, data: Curve) -> Fit:
        self.require_points(data)
        limit = 0.25 / data.axis.max()  # s, a quarter turn at the highest frequency

        def basis(theta: NDArray, frequency: NDArray) -> NDArray:
            return np.exp(-2j * np.pi * frequency * 1e-6 * theta[..., None])

        nodes = np.linspace(-1, 1, 101)[1:-1] * limit * 1e6
        reach = np.array([limit * 1e6])
        optimum = solve(data, basis, Search(nodes[None, :, None], -reach, reach))
        level = np.hypot(*optimum.linear)
        noise = np.sqrt(np.abs(np.diag(solve(data, constant).covariance)).sum())
        seen = bool(level > SEEN * noise and optimum.inside)
        if not seen:
            optimum = solve(data, constant)
        x, y = optimum.linear if seen else (0.0, 0.0)
        values = {"baseline_x": x, "baseline_y": y, "delay": 0.0}
        jacobian = np.zeros((3, 2 + seen))
        jacobian[:2, seen:] = np.eye(2)
        if seen:
            values["delay"] = 1e-6 * float(optimum.nonlinear[0])
            jacobian[2, 0] = 1e-6
        return self.result(data, optimum, values, jacobian)


SEEN = 8.0  # standard errors from which on a pick-up has a phase to tell the delay by
