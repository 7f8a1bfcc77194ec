"""Exact steps in time of n identical RC stages, for the signal in them and for its noise.

Time is counted in time constants of one stage, so a step of any length costs the same. Nothing is
integrated numerically in time: two steps in a row are one step, to rounding.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import factorial

import numpy as np
from scipy.special import gammainc

FORGOTTEN = 40.0  # time constants after which four stages have forgotten all but 5e-14
# Gauss-Legendre: exact to rounding for exp(-2 u) times the polynomials of four stages up to there
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True)
class Step:
    """One exact step: what is left of the state, what the input adds, how the noise scatters.

    The state holds the outputs of the n stages in turn; real and imaginary part are X and Y. The
    rows are those of the state after the step, or, of an average, the average before them.

    Attributes:
        keep: Share of the state before, shape (rows, n).
        hold: Gain of an input that stays, shape (rows,).
        ramp: Gain of what the input rises by, evenly along the step, shape (rows,).
        covariance: Of white noise, in units of density^2 / (2 time constant), shape (rows, rows).
        spread: A root of it whose first row has one entry: the first draw decides that row.
    """

    keep: np.ndarray
    hold: np.ndarray
    ramp: np.ndarray
    covariance: np.ndarray
    spread: np.ndarray


@lru_cache(maxsize=256)
def step(poles: int, duration: float) -> Step:
    """Return the step of n stages over a duration [time constants]; it may be infinite."""
    u = max(duration, 1e-300)
    order = np.arange(1, poles + 1)
    hold = gammainc(order, u)
    covariance = _overlap(_responses(poles, _nodes(u)), u)
    return Step(_keep(poles, u), hold, _ramp(order, u), covariance, _root(covariance))


@lru_cache(maxsize=256)
def average(poles: int, gap: float, window: float) -> Step:
    """Return the step over a gap and then a window, headed by the last stage's mean in the window.

    Args:
        poles: Number of stages.
        gap: Time before the window [time constants]; infinite when the past does not matter. An
            input that stays is there from its beginning.
        window: Over which the average goes [time constants].
    """
    before = step(poles, gap)
    u = max(window, 1e-300)
    order = np.arange(1, poles + 1)
    nodes = _nodes(u)
    stages, mean = _responses(poles, nodes), gammainc(poles, nodes) / u
    covariance = _overlap(np.vstack([mean, stages]), u)
    covariance[0, 0] += max(u - FORGOTTEN, 0.0) / u**2
    keep = np.vstack([gammainc(order[::-1], u) / u, _keep(poles, u)])
    # the mean of a step response is the response to a ramp
    hold = np.concatenate([_ramp(order, u)[-1:], gammainc(order, u)])
    total = keep @ before.covariance @ keep.T + covariance
    unused = np.full(poles + 1, np.nan)
    return Step(keep @ before.keep, keep @ before.hold + hold, unused, total, _root(total))


def response(poles: int, frequency):
    """Return the complex gain at a frequency [1 / (2 pi time constants)]."""
    return (1 + 1j * np.asarray(frequency)) ** -poles


def _keep(poles: int, u: float) -> np.ndarray:
    """Return exp(A u) of the cascade: exp(-u) u^k / k! on the k-th diagonal below the first."""
    u = min(u, 700.0)
    terms = np.exp(-u) * np.array([u**k / factorial(k) for k in range(poles)])
    lag = np.subtract.outer(np.arange(poles), np.arange(poles))
    return np.where(lag >= 0, terms[lag], 0.0)


def _ramp(order: np.ndarray, u: float) -> np.ndarray:
    """Return the response of each stage to an input that rises by 1 along the step."""
    return gammainc(order, u) - order * gammainc(order + 1, u) / u


def _nodes(u: float) -> np.ndarray:
    """Return where the noise is summed up, seen back from the end of a step."""
    return min(u, FORGOTTEN) * (1 + _NODES) / 2


def _responses(poles: int, time: np.ndarray) -> np.ndarray:
    """Return the impulse response of each stage, shape (n, times)."""
    return np.exp(-time) * np.array([time**k / factorial(k) for k in range(poles)])


def _overlap(responses: np.ndarray, u: float) -> np.ndarray:
    """Return the integral of every product of two responses: the covariance of white noise."""
    return (responses * _WEIGHTS * min(u, FORGOTTEN) / 2) @ responses.T


def _root(covariance: np.ndarray) -> np.ndarray:
    """Return a matrix whose square is the covariance, its first row as Cholesky has it.

    The rest comes from eigenvalues, as an average over a short window and the last stage are the
    same to rounding, which Cholesky does not bear.
    """
    scale = np.sqrt(np.diag(covariance))
    scale[scale == 0] = 1.0
    unit = covariance / np.outer(scale, scale)
    root = np.zeros_like(unit)
    if unit[0, 0] > 0:
        root[:, 0] = unit[:, 0] / np.sqrt(unit[0, 0])
    rest = unit[1:, 1:] - np.outer(root[1:, 0], root[1:, 0])
    size, axes = np.linalg.eigh(rest)
    root[1:, 1:] = axes * np.sqrt(np.clip(size, 0, None))
    return root * scale[:, None]
