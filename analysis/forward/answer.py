"""What a lock-in sees of spins whose relaxation is switched between two rates."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

NODES, WEIGHTS = np.polynomial.hermite.hermgauss(10)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def answer(flip_rate: ArrayLike, t1: ArrayLike, frequency: ArrayLike) -> NDArray:
    """Return the first harmonic of the polarisation, per rate of pumping [s].

    The solution of ds/dt = G - (1/T1 + W(t)) s that repeats itself, W on in the first half of each
    period: both halves are exponentials between G/r0 and G/r1, joined where W changes. Its first
    Fourier coefficient, rms, is turned so that slow modulation gives a positive real number.

    Args:
        flip_rate: W while the rf is on [1/s].
        t1: T1 [s].
        frequency: Modulation frequency [Hz].

    Returns:
        Complex, of the shape to which the arguments broadcast.
    """
    flip_rate, frequency = np.asarray(flip_rate, float), np.asarray(frequency, float)
    off = 1 / np.asarray(t1, dtype=float)
    on = off + flip_rate
    half, turn = 0.5 / frequency, 2j * np.pi * frequency
    a, b = np.exp(-on * half), np.exp(-off * half)
    level = 1 / off - 1 / on
    join = 1 - a * b
    decays = (1 - b) * (1 + a) / (join * (on + turn)) + (1 - a) * (1 + b) / (join * (off + turn))
    coefficient = 2 * level * frequency * (2j / (2 * np.pi * frequency) + decays)
    # the coefficient of exp(i w t) of the polarisation; what the rf takes away has the other sign
    return coefficient / (1j * np.sqrt(2))


def second_answer(flip_rate: ArrayLike, t1: ArrayLike, frequency: ArrayLike) -> NDArray:
    """Return the second harmonic of the polarisation, per rate of pumping [s]; see `answer`.

    Its size over that of the first is 0.126 W T1 for few flips, where 2 pi f T1 = 1.
    """
    flip_rate, frequency = np.asarray(flip_rate, float), np.asarray(frequency, float)
    off = 1 / np.asarray(t1, dtype=float)
    on = off + flip_rate
    half, turn = 0.5 / frequency, 4j * np.pi * frequency
    a, b = np.exp(-on * half), np.exp(-off * half)
    swing = 2 * (1 / off - 1 / on) * frequency * (1 - a) * (1 - b) / (1 - a * b)
    return swing * (1 / (on + turn) - 1 / (off + turn)) / (1j * np.sqrt(2))


def mean_answer(
    flip_rate: ArrayLike, t1: ArrayLike, frequency: ArrayLike, variance: ArrayLike = 0.0
) -> NDArray:
    """Return the mean answer of spins whose ln T1 scatters normally about ln(t1).

    Args:
        flip_rate: W while the rf is on [1/s].
        t1: Median of T1 [s].
        frequency: Modulation frequency [Hz].
        variance: Of ln T1. Below zero the answer is continued as an odd function, so that a fit of
            data without any scatter is not held up at a border.
    """
    variance = np.asarray(variance, dtype=float)
    scatter = np.sqrt(2 * np.abs(variance))[..., None] * NODES
    many = np.asarray(t1, dtype=float)[..., None] * np.exp(scatter)
    flips = np.asarray(flip_rate, dtype=float)[..., None]
    mean = answer(flips, many, np.asarray(frequency, dtype=float)[..., None]) @ WEIGHTS
    if np.all(variance >= 0):
        return mean
    return np.where(variance < 0, 2 * answer(flip_rate, t1, frequency) - mean, mean)
