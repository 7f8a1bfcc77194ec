"""The shapes that a resonance line can have, each of height one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import voigt_profile

from .projection import derivatives


@dataclass(frozen=True)
class Shape:
    """A line of height one, and how to search for its widths.

    Args:
        names: Of the widths.
        widths: From the parameters searched, (..., k), to the widths [mT], k arrays (...). The
            first parameter is ln of a width that stands for the whole line.
        height: From the distance to the centre [mT] and the widths [mT] to the height.
        low: Lower ends of the parameters after the first.
        high: Upper ends of these.
        nodes: Where the search looks along each of these.
    """

    names: tuple[str, ...]
    widths: Callable[[NDArray], NDArray]
    height: Callable[..., NDArray]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    nodes: tuple[NDArray, ...] = ()

    @property
    def size(self) -> int:
        """Number of nonlinear parameters of a line: its centre and those of its widths."""
        return 1 + len(self.names)

    def slopes(self, parameters: NDArray) -> NDArray:
        """Differentiate the widths by the parameters searched, shape (k, k)."""
        return np.column_stack(derivatives(self.widths, parameters))


def gaussian(distance: NDArray, width: NDArray) -> NDArray:
    """Return a Gaussian; `width` is its standard deviation."""
    return np.exp(-0.5 * (distance / width) ** 2)


def lorentzian(distance: NDArray, width: NDArray) -> NDArray:
    """Return a Lorentzian; `width` is half its width at half height."""
    return 1 / (1 + (distance / width) ** 2)


def voigt(distance: NDArray, width: NDArray, lorentzian_width: NDArray) -> NDArray:
    """Return a Gaussian folded with a Lorentzian, their widths as in `gaussian`, `lorentzian`."""
    peak = voigt_profile(0.0, width, lorentzian_width)
    return voigt_profile(distance, width, lorentzian_width) / peak


def single(parameters: NDArray) -> NDArray:
    """Take the logarithm of the one width."""
    return np.exp(np.moveaxis(parameters, -1, 0))


def shared(parameters: NDArray) -> NDArray:
    """Share a whole width w between the Gaussian, w cos^2 a, and the Lorentzian, w sin^2 a.

    The angle has no border: both pure shapes are ordinary places of the search, where a bounded
    share would leave an optimiser without a slope.
    """
    ln_width, angle = np.moveaxis(parameters, -1, 0)
    return np.exp(ln_width) * np.array([np.cos(angle) ** 2, np.sin(angle) ** 2])


SHAPES = {
    "gaussian": Shape(("width",), single, gaussian),
    "lorentzian": Shape(("width",), single, lorentzian),
    # Beyond a quarter turn the shapes come again, so an optimiser never needs to meet these ends.
    "voigt": Shape(
        names=("width", "lorentzian_width"),
        widths=shared,
        height=voigt,
        low=(-np.pi,),
        high=(1.5 * np.pi,),
        nodes=(np.array([np.pi / 4]),),
    ),
}
"""Every shape by its name; the last contains the others."""
