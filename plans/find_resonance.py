"""Find a resonance: look coarsely, look closely, and stay on it."""

from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import numpy as np
from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator

from .plan import plan
from .points import axis_of, check_range, check_reach, point_at, repeated

LEAST = 8  # points of the coarse look
SIGNIFICANCE = 5.0  # standard errors by which a resonance stands out
CLOSE = 9  # points of the close look, over two coarse steps to either side


class NoResonanceError(RuntimeError):
    """Nothing stands out in the range."""


@plan
def find_resonance(
    lockin: Readable,
    magnet: Movable,
    start: float,
    stop: float,
    num: int = 31,
    md: dict[str, Any] | None = None,
) -> MsgGenerator[float]:
    """Find the strongest resonance between two fields and leave the magnet on it.

    Args:
        lockin: Read once per point, after it has settled.
        magnet: Steps the field.
        start: First field [mT].
        stop: Last field [mT].
        num: Number of points of the coarse look, at least 8; a line is found when it is wider
            than their distance.
        md: Metadata for the run.

    Returns:
        The field of the resonance [mT], where the magnet now is.

    Raises:
        TypeError: On bounds that are no numbers.
        ValueError: On bounds out of order or too few points.
        LimitError: On a field that the magnet cannot reach.
        NoResonanceError: When no signal stands out of the noise.
    """
    check_range("find_resonance", "mT", start, stop, num, LEAST)
    check_reach(magnet, [start, stop])
    _md = {
        "plan_name": "find_resonance",
        "technique": "odmr",
        "fit": "odmr",
        "fit_axis": axis_of(magnet),
        "fit_detector": lockin.name,
        "fit_options": {},
        "detectors": [lockin.name],
        "motors": [magnet.name],
        "hints": {"dimensions": [([axis_of(magnet)], "primary")]},
        "num_points": num + CLOSE,
    }

    found: list[float] = []

    @bpp.stage_decorator([lockin, magnet])
    @bpp.run_decorator(md=_md | (md or {}))
    def look() -> MsgGenerator[None]:
        found.append((yield from approach(lockin, magnet, np.linspace(start, stop, num))))

    yield from look()
    return found[0]


def approach(lockin: Readable, magnet: Movable, coarse: np.ndarray) -> MsgGenerator[float]:
    """Look at all fields [mT], then closely about the strongest signal, and go to its centre.

    Raises:
        NoResonanceError: When no signal stands out of the noise.
    """
    start, stop = float(coarse[0]), float(coarse[-1])
    signal, error = yield from read_at(lockin, magnet, coarse)
    baseline = far_away(signal)
    height = np.abs(signal - baseline)
    peak = int(np.argmax(height))
    if height[peak] < SIGNIFICANCE * error[peak]:
        raise NoResonanceError(no_resonance(start, stop, height[peak], error[peak]))
    reach = 2 * (coarse[1] - coarse[0])
    close = np.linspace(max(start, coarse[peak] - reach), min(stop, coarse[peak] + reach), CLOSE)
    signal, _ = yield from read_at(lockin, magnet, close)
    field = centre(close, np.abs(signal - baseline))
    yield from bps.mv(magnet, field)
    return field


def read_at(lockin: Readable, magnet: Movable, fields: np.ndarray) -> MsgGenerator[Any]:
    """Read the lock-in at every field.

    Returns:
        X + iY [V] and its standard error, both quadratures together [V], each of shape (n,).
    """
    rows = []
    for field in fields.tolist():

        def point(field: float = field) -> MsgGenerator[Any]:
            return (yield from point_at({magnet: field}, [lockin, magnet]))

        rows.append((yield from repeated(point)))

    def column(name: str) -> np.ndarray:
        return np.array([row[f"{lockin.name}_{name}"]["value"] for row in rows])

    signal = column("x") + 1j * column("y")
    return signal, np.hypot(column("x_error"), column("y_error"))


def far_away(signal: np.ndarray) -> complex:
    """Return the signal off resonance: the median of the weakest third."""
    weakest = signal[np.argsort(np.abs(signal))[: max(len(signal) // 3, 1)]]
    return complex(np.median(weakest.real), np.median(weakest.imag))


def centre(field: np.ndarray, height: np.ndarray) -> float:
    """Return the vertex of the parabola through the upper half of a line, within its range."""
    upper = height > 0.5 * height.max()
    curvature, slope, _ = (
        np.polyfit(field[upper], height[upper], 2) if upper.sum() > 3 else (0, 0, 0)
    )
    if curvature >= 0:
        return float(field[np.argmax(height)])
    return float(np.clip(-slope / (2 * curvature), field[0], field[-1]))


def no_resonance(start: float, stop: float, height: float, error: float) -> str:
    """Return what is wrong when nothing stands out."""
    return (
        f"find_resonance: largest signal {height:.2g} V from {start} to {stop} mT is "
        f"{height / error:.1f} standard errors; needs {SIGNIFICANCE:g}: check rf output, shutter, "
        "modulation and range, or average longer"
    )
