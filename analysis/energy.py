"""What changes with the photon energy: the g factor, and the nuclear field of smaller crystals."""

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .data import Fit, Points
from .models import Model
from .series import straight

LATTICE = 0.624  # nm, a_0 of the paper
FIELD_OF_ONE_CELL = 470.0  # mT, below Eq. (2): Delta_N / sqrt(2) of a crystal of one cell
BULK, CONFINEMENT = 1.653, 9.56  # eV, eV nm^2: end points of published sizes, assumed


def size(energy: ArrayLike) -> NDArray:
    """Return the size a [nm] of the crystals at a photon energy [eV]: E = E_bulk + c / a^2."""
    return np.sqrt(CONFINEMENT / (np.asarray(energy, dtype=float) - BULK))


def nuclear_width(energy: ArrayLike) -> NDArray:
    """Return the line width [mT] that nuclei alone make: (a_0 / a)^(3/2) 0.47 T (Fig. 2(c))."""
    return FIELD_OF_ONE_CELL * (LATTICE / size(energy)) ** 1.5


class GEnergy(Model):
    """g factor of Eq. (1) against photon energy [eV], Fig. 2(b): a parabola about the energy `at`."""

    name = "g_energy"
    version = "1"
    takes = Points
    minimum_points = 4
    units: ClassVar = {"g": "", "g_slope": "1/eV", "g_curvature": "1/eV^2"}

    def fit(self, data: Points, at: float) -> Fit:
        self.require_points(data)
        shifted = [lambda energy, p=power: (energy - at) ** p for power in range(3)]
        optimum = straight(data, *shifted)
        values = dict(zip(self.units, optimum.linear, strict=True))
        return self.result(data, optimum, values, np.eye(3), options={"at": at})
