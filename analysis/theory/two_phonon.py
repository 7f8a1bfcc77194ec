"""The two-phonon spin flip without long waves, without a cut-off, through all excited states.

With rho_n(q) = <n|exp(iqr)|g> and s_n(q) = <n|exp(iqr) k|g> x q the amplitude of Eq. (10) is

    M = -i e alpha_R alpha_F^2 sqrt(n1 (n2 + 1)) v . sigma / (q1 q2),
    v = sum_n 2 hbar Omega / (Delta_n^2 - (hbar Omega)^2) [rho_n(q1) s_n(q2) - rho_n(q2) s_n(q1)].

The ground state takes no part: its s is zero. The square of v, integrated over q1 and q2, needs
integrals over one wavevector only, the Gram matrices of rho and s with the weight 1/q^2.
"""

from functools import lru_cache
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .box import Box
from .gram import CURRENTS, DENSITY, Gram, Sum, all_space, ball

STATES = 5
"""States along each edge, 124 excited ones in all: 6e-5 of the rate of a cube are left out."""


def pair_integral(
    box: Box,
    direction: ArrayLike = (0, 0, 1),
    states: int = STATES,
    cutoff: float = inf,
    phonon: float = 0,
) -> float:
    """Return K, the number that takes the place of 4 C_chi^2 / 27 pi^2 in Eq. (15).

    Args:
        box: Shape; the a of Eq. (15) is the cube root of the volume.
        direction: Direction of the magnetic field, shape (3,).
        states: Number of states along each edge.
        cutoff: Longest wavevector [1/L]; the paper has 1.
        phonon: Energy of the phonon in hbar^2 / (m L^2) for denominators that are not expanded.
    """
    along = np.asarray(direction, dtype=float)
    if along.shape != (3,) or not np.any(along):
        raise ValueError(f"pair_integral: direction {direction}; needs three numbers, not all zero")
    if states < 2 or not cutoff > 0:
        raise ValueError(
            f"pair_integral: states = {states}, cutoff = {cutoff} [1/L]; "
            "needs states >= 2 and cutoff > 0"
        )
    # v along the field does not flip the spin
    return float(components(box, states, cutoff, phonon) @ (1 - along**2 / (along @ along)))


@lru_cache
def components(box: Box, states: int, cutoff: float, phonon: float) -> NDArray:
    """Return the parts of K from v along x, y, z, shape (3,)."""
    gaps = box.gaps(states).ravel()
    lowest = gaps[1:].min()
    if not 0 <= phonon < lowest:
        raise ValueError(
            f"pair_integral: phonon = {phonon:.3g} [hbar^2/mL^2]; "
            f"needs 0 or more, less than {lowest:.3g} of the first excited state"
        )
    # the ground state would divide by zero
    weights = np.append(0, 1 / (gaps[1:] ** 2 - phonon**2))
    gram = all_space(box, states) if np.isinf(cutoff) else ball(box, states, cutoff)
    return contract(gram, weights)


def contract(gram: Gram, weights: NDArray) -> NDArray:
    """Return the integral of v^2 over both wavevectors, as parts of K.

    Args:
        gram: Gram matrices of rho and s.
        weights: 1 / (Delta^2 - (hbar Omega)^2) of each state, or 0 to leave it out.

    Returns:
        Parts of K from v along x, y, z, shape (3,).
    """
    pairs, density = np.outer(weights, weights), gram(DENSITY, DENSITY)

    def square(current: Sum) -> float:
        mixed = gram(DENSITY, current)
        # |rho(1) s(2) - rho(2) s(1)|^2: two squares alike and two cross terms alike
        return 2 * np.sum(pairs * (density * gram(current, current) - mixed * mixed.T))

    return 8 / (2 * np.pi) ** 4 * np.array([square(current) for current in CURRENTS])
