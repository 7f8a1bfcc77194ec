"""Amplitudes of the spin flip that takes a phonon q1 and gives a phonon q2, at long waves."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def amplitudes(
    q1: NDArray,
    q2: NDArray,
    gap: float,
    phonons: tuple[float, float],
    printed: bool = False,
) -> tuple[float, float]:
    """Return M(1) and M(2), Eqs. (18), through one excited state that transforms like y.

    Eq. (12) has lost the sign before its first term. Read to the letter, M(1) + M(2) does not
    vanish for slow phonons: a static field, which keeps time reversal, would flip the spin.

    Args:
        q1: Wavevector of the absorbed phonon, shape (3,).
        q2: Wavevector of the emitted phonon, shape (3,).
        gap: Energy of the excited state Delta_eg [meV].
        phonons: Energies of the absorbed and of the emitted phonon [meV].
        printed: Take Eq. (12) to the letter, with M(2) by its first equality.

    Returns:
        Amplitudes in e alpha_R alpha_F^2 sqrt(n1 (1 + n2)) <e|y|g> <e|k_y|g> / (q1 q2) [1/meV].
    """
    taken, given = gap - phonons[0], gap + phonons[1]
    sign = -1 if printed else 1

    def first(q1: NDArray, q2: NDArray) -> float:
        return sign * q2[1] * q1[2] / taken + q1[1] * q2[2] / given

    if printed:
        return first(q1, q2), -first(q2, q1)
    return first(q1, q2), -(q2[2] * q1[1] / taken + q1[2] * q2[1] / given)


def spin_vector(
    q1: NDArray, q2: NDArray, polarisability: ArrayLike, z_states: bool = True
) -> NDArray:
    """Return the vector v of the amplitude v . sigma of all excited states, Eq. (23).

    The y-like states of the paper give x, its x-like states give y. Each kind of states moves along
    one axis and so makes a field along both others: the print has half of them, and no z.
    The picture: an electron that follows the field of the phonons, r = chi E / e, has
    k = m v / hbar and meets the spin-orbit coupling alpha_R [k x E] . sigma.

    Args:
        q1: Wavevector of the absorbed phonon, shape (3,).
        q2: Wavevector of the emitted phonon, shape (3,).
        polarisability: chi along x, y, z, shape (3,).
        z_states: Count all states; else those of Eq. (23).

    Returns:
        In i (m / hbar^2)(alpha_R / e) alpha_F^2 sqrt(n1 (1 + n2)) hbar Omega, shape (3,).
    """
    x, y, z = np.asarray(polarisability, dtype=float)
    strength = np.array([y + z, x + z, x + y] if z_states else [y, x, 0])
    return strength * np.cross(q2, q1) / (np.linalg.norm(q1) * np.linalg.norm(q2))
