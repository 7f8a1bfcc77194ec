"""What the theory predicts for T1 of one nanocrystal, to be drawn beside measured points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .box import CUBE, Box
from .material import CSPBI3, Material, quantity, require_positive
from .thermal import occupation, zeeman_energy, zeeman_factor
from .two_phonon import pair_integral


@dataclass(frozen=True)
class Nanocrystal:
    """What relaxes.

    Args:
        size: Cube root of the volume [nm]. 9.07 nm has the nuclear field of the sample.
        box: Shape.
        material: Constants of the crystal.
        direction: Direction of the magnetic field in the axes of the box.
    """

    size: float = quantity(9.07, "nm")
    box: Box = CUBE
    material: Material = CSPBI3
    direction: tuple[float, float, float] = (0.0, 0.0, 1.0)

    def __post_init__(self):
        require_positive(self)


def phonon_rates(crystal: Nanocrystal) -> NDArray:
    """Return the prefactor of n (n + 1) in 1/T1 for each mode [1/us], shape (modes,).

    Both spin flips count, 1/T1 = 2 Gamma. All excited states, no cut-off.
    """
    material = crystal.material
    number = 2 * pair_integral(crystal.box, crystal.direction)
    return np.array([number * material.scale(crystal.size, mode) for mode in material.modes])


def phonon_rate(crystal: Nanocrystal) -> float:
    """Return gamma_a of Eq. (5) from the first mode of the material [1/us]."""
    return float(phonon_rates(crystal)[0])


def relaxation_rate(
    temperature: ArrayLike,
    crystal: Nanocrystal,
    field: float = 0,
    residual: float = 0,
    exact: bool = True,
) -> NDArray:
    """Return 1/T1 [1/us] against temperature, Eq. (5) with every phonon mode.

    Processes of two phonons of different modes do not conserve energy and are left out.

    Args:
        temperature: Temperature [K], shape (...).
        crystal: What relaxes.
        field: Magnetic field [mT]; only its Zeeman energy against the phonon width counts.
        residual: 1/T1 without phonons, 1/T_1,0 [1/us].
        exact: Occupation n (n + 1); else exp(-E / kT) as in Eq. (5).

    Raises:
        ValueError: A temperature is not above zero.
    """
    temperature = np.asarray(temperature, dtype=float)
    if not np.all(temperature > 0):
        raise ValueError(
            f"relaxation_rate: temperature = {temperature.min():g} [K]; needs a number above zero"
        )
    rate = np.full_like(temperature, residual)
    splitting = zeeman_energy(field, crystal.material.g)
    for mode, prefactor in zip(crystal.material.modes, phonon_rates(crystal), strict=True):
        rate += prefactor * occupation(temperature, mode, exact) * zeeman_factor(splitting, mode)
    return rate
