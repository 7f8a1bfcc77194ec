"""What temperature and field make of a process of two phonons: occupation, Zeeman, balance."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..series import BOLTZMANN, ln_phonons
from .material import BOHR_MAGNETON, Mode

Line = Callable[[NDArray, float], NDArray]
"""Spectral line [1/meV] of an offset from its centre [meV] and of hbar gamma [meV]."""


def occupation(temperature: ArrayLike, mode: Mode, exact: bool = True) -> NDArray:
    """Return n (n + 1) = 1 / 4 sinh^2(hbar Omega / 2kT), or its limit exp(-hbar Omega / kT).

    Eq. (15) has the limit, which holds for kT << hbar Omega. The text prints hbar Omega << kT.

    Args:
        temperature: Temperature [K].
        mode: Optical phonon.
        exact: Not the limit.
    """
    return np.exp(ln_phonons(mode.energy, np.asarray(temperature, dtype=float), exact))


def zeeman_energy(field: ArrayLike, g: float) -> NDArray:
    """Return g mu_B B [meV] in a field [mT]."""
    return g * BOHR_MAGNETON * np.abs(field)


def zeeman_factor(splitting: ArrayLike, mode: Mode) -> NDArray:
    """Return Eq. (14) over its value at no field: how a Zeeman energy [meV] hinders the flip."""
    return 1 / (1 + np.square(np.asarray(splitting) / mode.width))


def gaussian(offset: NDArray, width: float) -> NDArray:
    """Return the Gaussian phonon line whose pairs have the density of Eq. (14) at no field."""
    sigma = np.sqrt(np.pi) / 2 * width
    return np.exp(-np.square(offset / sigma) / 2) / (np.sqrt(2 * np.pi) * sigma)


def lorentzian(offset: NDArray, width: float) -> NDArray:
    """Return the Lorentzian phonon line, whose pairs make Eq. (14).

    Not physical far below its centre: it puts modes of the optical branch at no energy at all,
    where the occupation has no limit. From 0.02 meV up they outweigh the phonons themselves below
    some 3 K; from nothing up the integral diverges at any temperature.
    """
    half = width / 2
    return half / np.pi / (offset**2 + half**2)


def flip_rates(
    temperature: ArrayLike,
    splitting: float,
    mode: Mode,
    line: Line = gaussian,
    lowest: float = 0.02,
) -> tuple[NDArray, NDArray]:
    """Return how fast spins go down and up in Zeeman energy, for phonons of a finite line.

    The golden rule over both lines A, pi hbar gamma int A(w) A(w + z) n(w) [n(w + z) + 1] dw for
    a spin that gives its Zeeman energy z away. The ratio up / down is exp(-z / kT) for any line.

    Args:
        temperature: Temperature [K], shape (...).
        splitting: Zeeman energy z [meV].
        mode: Optical phonon.
        line: Line of one phonon.
        lowest: Lowest energy of a phonon that counts [meV].

    Returns:
        Rates down and up in units that make both n (n + 1) for a sharp line in no field.
    """
    if not 0 < lowest < mode.energy:
        raise ValueError(
            f"flip_rates: lowest = {lowest} [meV]; needs more than 0, less than {mode.energy}"
        )
    kt = BOLTZMANN * np.asarray(temperature, dtype=float)[..., None]
    # steps that shrink with the energy follow the poles of n as well as the line
    energy, step = np.linspace(np.log(lowest), np.log(3 * mode.energy), 4001, retstep=True)
    energy = np.exp(energy)
    pair = line(energy - mode.energy, mode.width) * line(
        energy + splitting - mode.energy, mode.width
    )
    n, more = 1 / np.expm1(energy / kt), 1 / np.expm1((energy + splitting) / kt)
    weight = np.pi * mode.width * step * energy * pair
    return np.sum(weight * n * (more + 1), axis=-1), np.sum(weight * more * (n + 1), axis=-1)
