"""The estimate of the paper, Eqs. (15), (24)-(26), as it is printed and with its slips mended."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .material import Material

ASSUMED = (0.5**0.5,) * 3
"""chi [e^2 m a^4 / hbar^2] of a crystal that has C_chi = 1, as the paper takes it."""


@dataclass(frozen=True)
class Reading:
    """How to read Eqs. (23)-(26). Every slip of the print has its switch.

    Args:
        angular_average: Mean of the square of [n2 x n1]_x over directions. Eq. (24) prints 2/3,
            the mean of the square of the whole vector; one component has 2/9.
        z_states: Count states that transform like z. Eq. (23) leaves them out; with them chi_yy
            becomes chi_yy + chi_zz and chi_xx becomes chi_xx + chi_zz.
        energy_power: Power of hbar Omega. Eqs. (15) and (26) print 4; Eq. (25) prints 3, which
            is no rate and whose number depends on the unit of energy (here meV).
        both_ways: Give 1/T1, the sum of the rates of both spin flips, not the rate of one.
    """

    angular_average: float = 2 / 3
    z_states: bool = False
    energy_power: int = 4
    both_ways: bool = False


PRINTED = Reading()
"""Eqs. (15) and (26) to the letter."""

CORRECTED = Reading(angular_average=2 / 9, z_states=True, both_ways=True)
"""All slips mended."""


def shape_constant(polarisability: ArrayLike, z_states: bool = False) -> float:
    """Return C_chi, which stands between Eqs. (25) and (26).

    Args:
        polarisability: chi along x, y, z [e^2 m a^4 / hbar^2], shape (3,), with B along z.
        z_states: Count states that transform like z.
    """
    x, y, z = np.asarray(polarisability, dtype=float)
    return float(np.hypot(y + z, x + z) if z_states else np.hypot(x, y))


def coefficient(polarisability: ArrayLike = ASSUMED, reading: Reading = PRINTED) -> float:
    """Return the number before the scale of Eq. (15) for one way, 4 C_chi^2 / 27 pi^2 as printed.

    The golden rule of Eq. (24) gives (2 pi/hbar)(1/pi hbar gamma), alpha_F^4 gives (2 pi)^2, the
    sum over wavevectors below 1/a gives 1/36 pi^4.
    """
    golden_rule, coupling, pairs = 2, (2 * np.pi) ** 2, 1 / (36 * np.pi**4)
    shape = shape_constant(polarisability, reading.z_states) ** 2
    return golden_rule * coupling * pairs * reading.angular_average * shape


def estimate(
    material: Material,
    size: float | None = None,
    polarisability: ArrayLike = ASSUMED,
    reading: Reading = PRINTED,
) -> float:
    """Return the prefactor of the exponential in Eq. (15), summed over the modes [1/us].

    Args:
        material: Constants of the crystal.
        size: Size a [nm]; the Bohr radius unless given, as in the paper.
        polarisability: chi along x, y, z [e^2 m a^4 / hbar^2], shape (3,), with B along z.
        reading: How to read the print.
    """
    size = material.bohr_radius if size is None else size
    scales = [material.scale(size, mode, reading.energy_power) for mode in material.modes]
    directions = 2 if reading.both_ways else 1
    return directions * coefficient(polarisability, reading) * sum(scales)
