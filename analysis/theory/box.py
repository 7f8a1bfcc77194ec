"""An electron in a box of hard walls: states, matrix elements, polarisability.

Lengths count in the cube root of the volume, L; energies in hbar^2 / (m L^2); polarisabilities in
e^2 m L^4 / hbar^2. So one number serves all sizes and all masses.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

CUBE_POLARISABILITY = (15 - np.pi**2) / (12 * np.pi**4)
"""chi of a cube, Eq. (22) summed over all states."""

SPHERE_POLARISABILITY = (3 + 4 * np.pi**2) / (12 * np.pi**4) * (3 / (4 * np.pi)) ** (4 / 3)
"""chi of a sphere; the first part is in e^2 m R^4 / hbar^2, R its radius."""


@dataclass(frozen=True)
class Box:
    """A cuboid of volume one.

    Args:
        aspect: Edges along x, y, z; only their ratios count.
    """

    aspect: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self):
        edges = np.asarray(self.aspect, dtype=float)
        if edges.shape != (3,) or not np.all(np.isfinite(edges) & (edges > 0)):
            raise ValueError(f"box: aspect {self.aspect}; needs three numbers above zero")
        object.__setattr__(self, "aspect", tuple(edges.tolist()))

    @cached_property
    def edges(self) -> NDArray:
        """Lengths of the edges, shape (3,)."""
        aspect = np.array(self.aspect)
        return aspect / np.cbrt(aspect.prod())

    def gaps(self, states: int) -> NDArray:
        """Energies above the ground state, shape (states, states, states), ground state first.

        Args:
            states: Number of states along each edge.
        """
        x, y, z = (gap(np.arange(1, states + 1)) / edge**2 for edge in self.edges)
        return x[:, None, None] + y[:, None] + z


CUBE = Box()
"""The shape of the paper's estimate."""


def gap(n: ArrayLike) -> NDArray:
    """Return the energy of state n above state 1 on an edge of length one."""
    return np.pi**2 / 2 * (np.square(n) - 1)


def dipole(n: ArrayLike) -> NDArray:
    """Return the matrix element <n|x|1> on an edge of length one; -16/9 pi^2 for n = 2."""
    n = np.asarray(n)
    # the ground state, n = 1, would divide by zero
    even = np.where(n % 2, 2, n)
    return np.where(n % 2, 0, -8 * even / (np.pi**2 * (even**2 - 1) ** 2))


def polarisability(box: Box, phonon: float = 0, states: int = 400) -> NDArray:
    """Return chi along x, y, z, Eq. (22), by its sum over states.

    Args:
        box: Shape.
        phonon: Energy of a phonon in natural units. The static chi needs 0; with 1/Delta made
            Delta / (Delta^2 - (hbar Omega)^2) the denominators of Eqs. (18) need no expansion.
        states: Number of states along the edge.
    """
    n = np.arange(2, states + 1, 2)
    length = box.edges[:, None]
    delta = gap(n) / length**2
    return np.sum(2 * (dipole(n) * length) ** 2 * delta / (delta**2 - phonon**2), axis=-1)


def form_factors(q: NDArray, edge: float, states: int) -> tuple[NDArray, NDArray]:
    """Return what a plane wave does along one edge: <n|exp(iqx)|1> and <n|exp(iqx) k|1>.

    Both are i^(n-1) times a real function. The phase belongs to the state and leaves every rate,
    so it is left out here.

    Args:
        q: Wavevector [1/L], shape (m,).
        edge: Length of the edge [L].
        states: Number of states n = 1, 2, ...

    Returns:
        Density and current, real, each of shape (states, m).
    """
    n = np.arange(1, states + 1)[:, None]

    def wave(m: NDArray, sign: int) -> NDArray:
        """Half the transforms of exp(+i m pi x / a) and of its mirror image, on the edge."""
        mirror = sign * (-1.0) ** m
        phase = q * edge / np.pi
        return (np.sinc((phase + m) / 2) + mirror * np.sinc((phase - m) / 2)) / 2

    density = wave(n - 1, 1) + wave(n + 1, 1)
    current = np.pi / edge * (wave(n + 1, -1) - wave(n - 1, -1))
    return density, current
