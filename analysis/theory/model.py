"""The theory beside measured points: nothing is fitted but the rate without phonons."""

from typing import ClassVar

import numpy as np

from ..data import Fit, Points
from ..models import Model
from ..series import straight
from .material import CSPBI3
from .paper import estimate
from .prediction import Nanocrystal, phonon_rate, relaxation_rate

ROUNDED = (  # value as printed, its last digit, its power in Eq. (15)
    (5.0, 1.0, 4),  # P [eV Angstrom]
    (1.7, 0.1, -4),  # E_g [eV]
    (0.18, 0.01, 2),  # m [m0], at a fixed a / a_B
    (3.2, 0.1, 4),  # hbar Omega [meV]
    (0.2, 0.1, -1),  # gamma [1/ps]
    (30.0, 1.0, 2),  # epsilon_s
    (6.0, 1.0, -2),  # epsilon*
    (1.0, 1.0, 2),  # a / a_B
)


def rounding_error() -> float:
    """Return the relative standard error that the rounding of the printed constants leaves.

    A rounded number is evenly distributed over one unit of its last digit, sqrt(1/12) of it.
    """
    return float(np.sqrt(sum((p * unit / value) ** 2 / 12 for value, unit, p in ROUNDED)))


class TwoPhonon(Model):
    """Rate 1/T1 [1/s] against temperature [K], predicted by the paper's theory, Eqs. (6)-(26).

    `phonon_rate` is the estimate of Eq. (15) as printed, one spin flip; `phonon_rate_full` that of
    1/T1 from the full integral for a cube of the size that has the nuclear field of the sample. The
    errors are those of the rounded constants alone; the assumptions behind the estimate are worth
    an order of magnitude. Chi-square compares the full prediction, on top of the `dark_rate` that
    fits best, with the points.
    """

    name = "two_phonon"
    version = "1"
    takes = Points
    minimum_points = 2
    units: ClassVar = {"phonon_rate": "1/us", "phonon_rate_full": "1/us", "dark_rate": "1/s"}

    def fit(self, data: Points) -> Fit:
        self.require_points(data)
        self.require(data.x > 0, "temperature not above zero; needs temperatures [K]")
        crystal = Nanocrystal()

        def phonons(temperature):
            return 1e6 * relaxation_rate(temperature, crystal)

        above = Points(data.x, data.y - phonons(data.x), data.error)
        rest = straight(above, np.ones_like)
        printed, full = float(estimate(CSPBI3)), phonon_rate(crystal)
        return self.result(
            above,
            rest,
            {"phonon_rate": printed, "phonon_rate_full": full, "dark_rate": rest.linear[0]},
            [[0, printed], [0, full], [1, 0]],
            known=(rounding_error(),),
            curve=lambda temperature: (
                rest.linear[0] + phonons(np.asarray(temperature, dtype=float))
            ),
        )
