"""The resonance lines of a field scan."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.special import chdtrc

from .data import Curve, Fit
from .line_shapes import SHAPES, Shape
from .models import Model, constant, polar
from .projection import Optimum, Search, solve

PLACES, WIDTHS = 16, 5  # of each of two lines looked for together
DOUBTFUL = 1e-3  # probability of a chi-square as large, below which another valley is looked for
WIDEST = 0.3  # of the scan, where another line is to have room beside it


def basis(theta: NDArray, field: NDArray, shape: Shape) -> NDArray:
    """Return a constant and one even function of the field for each line.

    A resonance stands at both signs of the field, by Eq. (1): G(B - h - B0) + G(B - h + B0), where
    h is the offset between the true field and the scale of the magnet.

    Args:
        theta: h [mT] if it is free, then B0 [mT] and the parameters of the width of each line,
            shape (..., lines * shape.size) or (..., 1 + lines * shape.size).
        field: Magnetic field B [mT], shape (n,).
        shape: The function G.

    Returns:
        Constant and lines, shape (..., 1 + lines, n).
    """
    offset, lines = split(theta, shape)
    # The sum over no column is the offset that is not free: zero.
    true_field = (field - offset.sum(axis=-1)[..., None])[..., None, :]
    centre = lines[..., :1]
    widths = [width[..., None] for width in shape.widths(lines[..., 1:])]
    pairs = sum(shape.height(true_field - sign * centre, *widths) for sign in (1, -1))
    return np.concatenate([constant(theta, field), pairs], axis=-2)


def split(theta: NDArray, shape: Shape) -> tuple[NDArray, NDArray]:
    """Part the nonlinear parameters into offset, (..., 0 or 1), and lines, (..., lines, size)."""
    first = theta.shape[-1] % shape.size
    return theta[..., :first], theta[..., first:].reshape(*theta.shape[:-1], -1, shape.size)


def search(field: NDArray, start: NDArray, shape: Shape) -> Search:
    """Look for one more line inside the scan, wider than its step and narrower than the scan.

    Args:
        field: Magnetic field [mT], shape (n,).
        start: The offset, if it is free, and the lines already there, as `basis` takes them.
        shape: Of every line.
    """
    size, first = len(start), len(start) % shape.size
    lines = size // shape.size + 1
    reach, step = np.abs(field).max(), np.ptp(field) / len(np.unique(field))
    low = np.array([np.abs(field).min(), np.log(step / 4), *shape.low])
    high = np.array([reach, np.log(np.ptp(field)), *shape.high])
    # Nodes keep off the borders, where an optimiser would find no slope.
    centres = np.linspace(low[0], high[0], 42)[1:-1]
    widths = np.linspace(low[1], high[1], 22)[1:-1]
    axes = np.meshgrid(centres, widths, *shape.nodes, indexing="ij")
    grid = np.stack(axes, axis=-1).reshape(-1, shape.size)
    nodes = np.column_stack([np.tile(start, (len(grid), 1)), grid])
    groups = 1 if lines == 1 else len(centres) // 2
    return Search(
        nodes.reshape(groups, -1, size + shape.size),
        np.append([-reach / 2] * first, np.tile(low, lines)),
        np.append([reach / 2] * first, np.tile(high, lines)),
    )


def pairs(field: NDArray, offset: NDArray, shape: Shape) -> Search:
    """Look for two lines together, neither of which hides the other.

    Args:
        field: Magnetic field [mT], shape (n,).
        offset: Where its search begins, if it is free, shape (0 or 1,).
        shape: Of both lines.
    """
    one = search(field, offset, shape)
    low, high = one.low[len(offset) :], one.high[len(offset) :]
    places = np.linspace(low[0], high[0], PLACES + 2)[1:-1]
    first, second = np.triu_indices(PLACES, 1)
    ln_widths = np.linspace(low[1], high[1] + np.log(WIDEST), WIDTHS + 2)[1:-1]
    more = [nodes[0] for nodes in shape.nodes]
    nodes = [
        [*offset, places[i], w, *more, places[j], v, *more]
        for i, j in zip(first, second, strict=True)
        for w in ln_widths
        for v in ln_widths
    ]
    groups = 8
    return Search(
        np.array(nodes).reshape(groups, len(nodes) // groups, -1),
        np.append(one.low[: len(offset)], np.tile(low, 2)),
        np.append(one.high[: len(offset)], np.tile(high, 2)),
    )


def describes(optimum: Optimum) -> bool:
    """Tell whether residuals as large as these are no wonder."""
    return bool(chdtrc(optimum.degrees_of_freedom, optimum.chi_square) > DOUBTFUL)


def parameters(optimum: Optimum, shape: Shape) -> tuple[dict[str, float], NDArray]:
    """Name the parameters of a spectrum, the line at the lowest field first.

    Returns:
        Values by name and their derivatives by the parameters of the optimum, shape (p, p).
    """
    linear = optimum.linear
    offset, lines = split(optimum.nonlinear, shape)
    suffixes = [("", "_2")[place] for place in np.argsort(np.argsort(lines[:, 0]))]
    values = dict(zip(["field_offset"], offset, strict=False))
    blocks = [np.eye(len(offset))]
    for suffix, (centre, *widths) in zip(suffixes, lines, strict=True):
        values[f"field{suffix}"] = centre
        named = zip(shape.names, shape.widths(np.array(widths)), strict=True)
        values |= {f"{name}{suffix}": width for name, width in named}
        blocks += [1, shape.slopes(np.array(widths))]
    values |= {"background_x": linear[0], "background_y": linear[1]}
    blocks += [np.eye(2)]
    for suffix, x, y in zip(suffixes, linear[2::2], linear[3::2], strict=True):
        (amplitude, phase), turn = polar(x, y)
        values |= {f"amplitude{suffix}": amplitude, f"phase{suffix}": phase}
        blocks += [turn]
    return values, np.asarray(block_diag(*blocks))


class Odmr(Model):
    """X + iY against magnetic field [mT]: lines at the resonance field of Eq. (1).

    `shape` is gaussian (`width` is the standard deviation), lorentzian (`width` is half the width
    at half height) or voigt (`width` of the Gaussian, `lorentzian_width` of the Lorentzian in it).

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
        "lorentzian_width": "mT",
        "field_2": "mT",
        "width_2": "mT",
        "lorentzian_width_2": "mT",
        "field_offset": "mT",
        "background_x": "V",
        "background_y": "V",
        "amplitude": "V",
        "phase": "deg",
        "amplitude_2": "V",
        "phase_2": "deg",
    }

    def fit(
        self,
        data: Curve,
        lines: int = 1,
        offset: bool = False,
        fewer: bool = False,
        shape: str = "gaussian",
    ) -> Fit:
        self.require(lines in (1, 2), f"lines={lines!r}; needs 1 or 2")
        form = self._shape(shape)
        self.require_points(data, more=4 * (lines - 1) + bool(offset) + lines * (form.size - 2))
        self.require(np.ptp(data.axis) > 0, "one field only; needs a scan of the field")
        low, high = data.axis.min(), data.axis.max()
        self.require(
            not offset or low < 0 < high,
            f"offset=True with fields {low:g} to {high:g} mT; needs both signs of the field",
        )
        optimum = self._optimum(data, lines, offset, fewer, form)
        values, jacobian = parameters(optimum, form)
        found = ", ".join(
            f"{name} {values[name]:.3g}" for name in values if self.units[name] == "mT"
        )
        self.require(
            optimum.inside,
            f"the best line is at the edge of the search ({found} mT); needs lines inside the scan "
            f"({low:g} to {high:g} mT), wider than its step and narrower than the scan",
        )
        options = {"lines": lines, "offset": offset, "fewer": fewer, "shape": shape}
        return self.result(data, optimum, values, jacobian, options=options)

    def signal(
        self, values: Mapping[str, float], axis: NDArray, shape: str = "gaussian"
    ) -> NDArray:
        """Return the spectrum [V] of known parameters; what is not among them is zero or absent."""
        form, true_field = self._shape(shape), axis - values.get("field_offset", 0.0)
        background = values.get("background_x", 0.0) + 1j * values.get("background_y", 0.0)
        total = np.full(np.shape(axis), background, dtype=complex)
        for suffix in ("", "_2")[: 1 + ("field_2" in values)]:
            wave = values[f"amplitude{suffix}"] * np.exp(1j * np.radians(values[f"phase{suffix}"]))
            centre = values[f"field{suffix}"]
            widths = [values[f"{name}{suffix}"] for name in form.names]
            for sign in (1, -1):
                total += wave * form.height(true_field - sign * centre, *widths)
        return total

    def _shape(self, name: str) -> Shape:
        self.require(name in SHAPES, f"shape={name!r}; needs {', '.join(SHAPES)}")
        return SHAPES[name]

    def _optimum(self, data: Curve, lines: int, offset: bool, fewer: bool, shape: Shape) -> Optimum:
        """Find line after line, each of which must earn its place."""

        def columns(theta: NDArray, field: NDArray) -> NDArray:
            return basis(theta, field, shape)

        optimum, start = solve(data, constant), np.zeros(int(offset))
        for rival in ("a constant", "one line")[:lines]:
            chosen = search(data.axis, start, shape)
            if rival == "one line" and not optimum.inside:
                # one line laid itself over two that are alike, so it is no place to begin
                chosen = pairs(data.axis, start[: int(offset)], shape)
            more = solve(data, columns, chosen)
            if rival == "one line" and not describes(more):
                # or over a part of both, from where the way leads into a lesser valley
                both = solve(data, columns, pairs(data.axis, start[: int(offset)], shape))
                more = min(more, both, key=lambda found: (not found.inside, found.chi_square))
            good = more.inside and more.determined and self.gains(optimum, more)
            if fewer and rival == "one line" and not good:
                break
            self.require_gain(optimum, more, f"one more line does not beat {rival}")
            optimum, start = more, more.nonlinear
        return optimum
