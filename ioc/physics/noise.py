"""Noise of a lock-in reading, and how long its filter takes to forget."""

from math import factorial, pi, sqrt

import numpy as np
from scipy.special import gammainc, gammainccinv

from .filter import response

POLES = {6: 1, 12: 2, 18: 3, 24: 4}  # identical RC stages by slope [dB/oct]

# Autocorrelation of white noise behind n RC stages: exp(-u) times this polynomial in u = lag / tau.
CORRELATION = {1: (1,), 2: (1, 1), 3: (1, 1, 1 / 3), 4: (1, 1, 2 / 5, 1 / 15)}

MAINS = 50.0 * np.arange(1, 21)  # Hz, the lines of the mains that are still of any size


def noise_bandwidth(poles: int, time_constant: float) -> float:
    """Return the equivalent noise bandwidth [Hz] of n identical RC stages.

    The integral of |H(f)|^2 over f > 0: 1/4, 1/8, 3/32, 5/64 over the time constant [s].
    """
    share = 1.0
    for k in range(1, poles):
        share *= (2 * k - 1) / (2 * k)
    return share / (4 * time_constant)


def settling_time(poles: int, time_constant: float, inaccuracy: float) -> float:
    """Return how long [s] after a step the output is within ``inaccuracy`` of it, relative.

    Solves exp(-u) sum_{k<n} u^k / k! = inaccuracy for u = t / tau (24 dB/oct, 1e-3: 13.06 tau).
    """
    return float(gammainccinv(poles, inaccuracy)) * time_constant


def averaging_factor(poles: int, time_constant: float, integration_time: float) -> float:
    """Return the variance of the output averaged over a time, relative to a single sample.

    The exact double integral of the autocorrelation over the window; tends to 1 for short windows
    and to 1 / (2 ENBW t) for long ones, so that N_eff = 2 ENBW t.
    """
    window = integration_time / time_constant

    def moment(k: int) -> float:  # integral of u^k exp(-u) from 0 to the window
        return factorial(k) * float(gammainc(k + 1, window))

    terms = enumerate(CORRELATION[poles])
    integral = sum(c * (window * moment(k) - moment(k + 1)) for k, c in terms)
    return 2 * integral / window**2


def standard_error(density: float, poles: int, time_constant: float, window: float) -> float:
    """Return the standard error [V] of X and of Y averaged over ``window`` [s].

    Noise counts as white within the bandwidth of the filter, with the density it has at the
    reference f. 1/f noise is not quite: at a distance nu to both sides of f its power averages to
    1 / (1 - nu^2 / f^2) of that at f. Counted as white, where all of it is 1/f, f tau >= 1 and the
    window is 30 tau, the error is too small by 4e-4 (6 dB/oct) to 1e-4 (24 dB/oct) of itself.

    Args:
        density: White noise [V/sqrt(Hz)] at the reference frequency.
        poles: Number of RC stages.
        time_constant: Of one stage [s].
        window: Integration time [s].
    """
    variance = density**2 * noise_bandwidth(poles, time_constant)
    return sqrt(variance * averaging_factor(poles, time_constant, window))


def mains(
    reference: float, poles: int, time_constant: float, window: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return how the lines of the mains come through the filter behind a reference [Hz].

    Only the beat with the difference frequency; that with the sum is lost in the filter.

    Args:
        reference: Frequency that is demodulated [Hz].
        poles: Number of RC stages.
        time_constant: Of one stage [s].
        window: Over which the output is averaged [s].

    Returns:
        The beat frequency of each line in ``MAINS`` [Hz], and its complex gain.
    """
    beat = MAINS - reference
    return beat, response(poles, 2 * pi * beat * time_constant) * np.sinc(beat * window)
