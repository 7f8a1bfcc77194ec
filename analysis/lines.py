"""The resonance lines of a field scan."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from .data import Curve, Fit
from .models import Model, constant, polar
from .projection import Optimum, Search, solve


def gaussian(field: NDArray, centre: NDArray, width: NDArray) -> NDArray:
    """Return a Gaussian of height one; `width` is its standard deviation."""
    return np.exp(-0.5 * ((field - centre) / width) ** 2)


def basis(theta: NDArray, field: NDArray) -> NDArray:
    """Return a constant and one even function of the field for each line.

    A resonance stands at both signs of the field, by Eq. (1): G(B - h - B0) + G(B - h + B0), where
    h is the offset between the true field and the scale of the magnet.

    Args:
        theta: h [mT] if it is free, then B0 [mT] and ln(width / mT) of each line,
            shape (..., 2 lines) or (..., 1 + 2 lines).
        field: Magnetic field B [mT], shape (n,).

    Returns:
        Constant and lines, shape (..., 1 + lines, n).
    """
    first = theta.shape[-1] % 2
    # The sum over no column is the offset that is not free: zero.
    offset = theta[..., :first].sum(axis=-1)
    true_field = (field - offset[..., None])[..., None, :]
    centre, width = theta[..., first::2, None], np.exp(theta[..., first + 1 :: 2, None])
    pairs = gaussian(true_field, centre, width) + gaussian(true_field, -centre, width)
    return np.concatenate([constant(theta, field), pairs], axis=-2)


def search(field: NDArray, start: NDArray) -> Search:
    """Look for one more line inside the scan, wider than its step and narrower than the scan.

    Args:
        field: Magnetic field [mT], shape (n,).
        start: The offset, if it is free, and the lines already there, as `basis` takes them.
    """
    size, first = len(start), len(start) % 2
    lines = size // 2 + 1
    reach, step = np.abs(field).max(), np.ptp(field) / len(np.unique(field))
    low = np.array([np.abs(field).min(), np.log(step / 4)])
    high = np.array([reach, np.log(np.ptp(field))])
    # Nodes keep off the borders, where an optimiser would find no slope.
    centres = np.linspace(low[0], high[0], 42)[1:-1]
    widths = np.linspace(low[1], high[1], 22)[1:-1]
    nodes = np.empty((len(centres), len(widths), size + 2))
    nodes[..., :size] = start
    nodes[..., size], nodes[..., size + 1] = np.meshgrid(centres, widths, indexing="ij")
    groups = 1 if lines == 1 else len(centres) // 2
    return Search(
        nodes.reshape(groups, -1, size + 2),
        np.append([-reach / 2] * first, np.tile(low, lines)),
        np.append([reach / 2] * first, np.tile(high, lines)),
    )


def parameters(optimum: Optimum) -> tuple[dict[str, float], NDArray]:
    """Name the parameters of a spectrum, the line at the lowest field first.

    Returns:
        Values by name and their derivatives by the parameters of the optimum, shape (p, p).
    """
    theta, linear = optimum.nonlinear, optimum.linear
    first = len(theta) % 2
    centres, widths = theta[first::2], np.exp(theta[first + 1 :: 2])
    suffixes = [("", "_2")[place] for place in np.argsort(np.argsort(centres))]
    values = dict(zip(["field_offset"], theta[:first], strict=False))
    blocks = [np.eye(first)]
    for suffix, centre, width in zip(suffixes, centres, widths, strict=True):
        values |= {f"field{suffix}": centre, f"width{suffix}": width}
        blocks += [1, width]
    values |= {"background_x": linear[0], "background_y": linear[1]}
    blocks += [np.eye(2)]
    for suffix, x, y in zip(suffixes, linear[2::2], linear[3::2], strict=True):
        (amplitude, phase), turn = polar(x, y)
        values |= {f"amplitude{suffix}": amplitude, f"phase{suffix}": phase}
        blocks += [turn]
    return values, np.asarray(block_diag(*blocks))


class Odmr(Model):
    """X + iY against magnetic field [mT]: Gaussian lines at the resonance field of Eq. (1).

    Each line has a phase of its own, since electron and hole differ in T1 and so lag behind the
    modulation differently, by atan(2 pi f T1) of Eq. (3). `lines` is 1 or 2; line 1 stands at the
    lower field. `offset` frees an offset of the field scale (half the sum of the resonance fields
    of both signs; `field` is half their difference), so the scan must reach both signs. `fewer`
    takes one line where the second does not stand out of the noise.
    """

    name = "odmr"
    version = "1"
    takes = Curve
    minimum_points = 7
    units: ClassVar = {
        "field": "mT",
        "width": "mT",
        "field_2": "mT",
        "width_2": "mT",
        "field_offset": "mT",
        "background_x": "V",
        "background_y": "V",
        "amplitude": "V",
        "phase": "deg",
        "amplitude_2": "V",
        "phase_2": "deg",
    }

    def fit(self, data: Curve, lines: int = 1, offset: bool = False, fewer: bool = False) -> Fit:
        self.require(lines in (1, 2), f"lines={lines!r}; needs 1 or 2")
        self.require_points(data, more=4 * (lines - 1) + bool(offset))
        self.require(np.ptp(data.axis) > 0, "one field only; needs a scan of the field")
        low, high = data.axis.min(), data.axis.max()
        self.require(
            not offset or low < 0 < high,
            f"offset=True with fields {low:g} to {high:g} mT; needs both signs of the field",
        )
        optimum, start = solve(data, constant), np.zeros(int(offset))
        for rival in ("a constant", "one line")[:lines]:
            more = solve(data, basis, search(data.axis, start))
            if fewer and rival == "one line" and not (more.inside and self.gains(optimum, more)):
                break
            self.require_gain(optimum, more, f"one more line does not beat {rival}")
            optimum, start = more, more.nonlinear
        values, jacobian = parameters(optimum)
        found = ", ".join(
            f"{name} {values[name]:.3g}" for name in values if self.units[name] == "mT"
        )
        self.require(
            optimum.inside,
            f"the best line is at the edge of the search ({found} mT); needs lines inside the scan "
            f"({low:g} to {high:g} mT), wider than its step and narrower than the scan",
        )
        options = {"lines": lines, "offset": offset, "fewer": fewer}
        return self.result(data, optimum, values, jacobian, options=options)
