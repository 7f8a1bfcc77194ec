"""Which shape a resonance line has, decided by Akaike's information criterion."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .data import Curve, Fit
from .line_shapes import SHAPES
from .models import fit


@dataclass(frozen=True)
class Comparison:
    """Fits of the same data with several shapes.

    Args:
        fits: By shape.
    """

    fits: Mapping[str, Fit]

    @property
    def aicc(self) -> dict[str, float]:
        """Akaike's criterion of every shape, corrected for the number of data; lower is better.

        Chi-square + 2 k + 2 k (k + 1) / (m - k - 1) for m real data and k parameters (C. M.
        Hurvich, C.-L. Tsai, Biometrika 76, 297 (1989)).
        """
        found = {}
        for shape, one in self.fits.items():
            k, free = len(one.values), one.degrees_of_freedom
            found[shape] = one.chi_square + 2 * k + 2 * k * (k + 1) / (free - 1)
        return found

    @property
    def weights(self) -> dict[str, float]:
        """Probability of every shape to be the nearest to the truth, if one of them is."""
        criteria = np.array(list(self.aicc.values()))
        likelihood = np.exp(-0.5 * (criteria - criteria.min()))
        return dict(zip(self.fits, (likelihood / likelihood.sum()).tolist(), strict=True))

    @property
    def best(self) -> str:
        """The shape of the lowest criterion."""
        return min(self.aicc, key=self.aicc.__getitem__)

    def __str__(self) -> str:
        """List the shapes, the best first."""
        rows = [
            f"{shape:<11} AICc {self.aicc[shape]:8.1f}   weight {self.weights[shape]:.3f}"
            for shape in sorted(self.fits, key=self.aicc.__getitem__)
        ]
        return "\n".join(rows)


def compare_shapes(curve: Curve, **options: Any) -> Comparison:
    """Fit a field scan with lines of every shape; the options are those of the model `odmr`.

    Raises:
        FitError: One of the shapes allows no fit.
    """
    return Comparison({shape: fit("odmr", curve, shape=shape, **options) for shape in SHAPES})
