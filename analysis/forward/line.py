"""A resonance line as it comes about: g factors, nuclear fields of all directions, T1 of the field."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import dawsn

from ..series import MAGNETON
from .answer import mean_answer

G_NODES, G_WEIGHTS = np.polynomial.hermite.hermgauss(48)
TINY = 1e-3  # of a width: below, limits are taken


@dataclass(frozen=True)
class Spins:
    """One kind of carrier under the light and at the temperature of a spectrum.

    Attributes:
        g: Mean g factor.
        g_spread: Its standard deviation.
        overhauser_field: Delta_N [mT].
        rate: 1/T1 without nuclei [1/s].
        nuclear_rate: 1/tau_c [1/s].
        variance: Of ln T1.
        flip_rate: W at the peak of the line while the rf is on [1/s].
    """

    g: float
    g_spread: float
    overhauser_field: float
    rate: float
    nuclear_rate: float
    variance: float = 0.0
    flip_rate: float = 0.0

    def t1(self, field: ArrayLike) -> NDArray:
        """Return T1 [s] at a field [mT]: nuclei keep cos^2 of a spin, at every field."""
        ratio = np.maximum(np.abs(field) / self.overhauser_field, TINY)
        return 1 / (self.rate + self.nuclear_rate * (1 - dawsn(ratio) / ratio) / ratio**2)

    def signal(self, field: NDArray, frequency: float, modulation_frequency: float) -> NDArray:
        """Return the spectrum, 1 at its largest.

        Args:
            field: Magnetic field [mT], shape (n,).
            frequency: Of the rf [GHz].
            modulation_frequency: Of its power [Hz].
        """
        shape = self.shape(field, frequency)
        flips = max(self.flip_rate, 1e-3) * shape / shape.max()
        seen = mean_answer(flips, self.t1(field), modulation_frequency, self.variance)
        return seen / np.abs(seen).max()

    def shape(self, field: NDArray, frequency: float) -> NDArray:
        """Return how many spins are in resonance, each counted with cos^2 of its tilt, shape (n,)."""
        g = self.g + np.sqrt(2) * self.g_spread * G_NODES
        total = frequency / (np.maximum(g, self.g / 20) * MAGNETON)  # mT, where these resonate
        density = tilted_density(total, np.abs(field)[:, None], self.overhauser_field / np.sqrt(2))
        return density @ (G_WEIGHTS / g)

    def with_line(self, g: float, g_spread: float, overhauser_field: float) -> "Spins":
        """Return the same spins with another line."""
        return replace(self, g=g, g_spread=g_spread, overhauser_field=overhauser_field)


def tilted_density(total: NDArray, field: NDArray, sigma: float) -> NDArray:
    """Return the density of |B + B_N| for a Gaussian B_N, weighted with cos^2 of its tilt.

    The direction of the sum about B has the weight exp(k cos), k = b B / sigma^2, so the density is
    that of b^2 exp(-(b^2 + B^2) / 2 sigma^2) sinh(k)/k, and the mean of cos^2 is 1 - 2 L(k)/k with
    the Langevin function L(k) = coth k - 1/k.

    Args:
        total: b [mT].
        field: B [mT], not below zero.
        sigma: Standard deviation of one component of B_N [mT].
    """
    k = np.maximum(total * field / sigma**2, TINY)
    bell = np.exp(-0.5 * ((total - field) / sigma) ** 2) * -np.expm1(-2 * k) / k
    return total**2 * bell * (1 - 2 * (1 / np.tanh(k) - 1 / k) / k)
