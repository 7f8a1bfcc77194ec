"""Resonant spin inertia: the lock-in signal against the modulation frequency of the rf."""

from collections.abc import Sequence
from typing import Any

import bluesky.plans as bp
import numpy as np
from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator

from .plan import plan
from .points import axis_of, check_range, check_reach, one_step

LEAST = 5  # points: T1, and amplitude and phase


@plan
def spin_inertia(
    lockin: Readable,
    modulation_frequency: Movable,
    start: float = 100.0,
    stop: float = 100e3,
    num: int = 20,
    delay: float = 0.0,
    baseline: Sequence[float] = (0.0, 0.0),
    md: dict[str, Any] | None = None,
) -> MsgGenerator[str]:
    """Step the modulation frequency on resonance; the corner of the fall is 1/(2 pi T1), Eq. 3.

    Args:
        lockin: Read once per point, after it has settled.
        modulation_frequency: Of the rf source [Hz].
        start: First frequency [Hz].
        stop: Last frequency [Hz]; the points are evenly spaced in log.
        num: Number of points, at least 5.
        delay: Of the detector [s], for the fit.
        baseline: X and Y [V] that the detector picks up of the rf, for the fit.
        md: Metadata for the run.

    Raises:
        TypeError: On bounds that are no numbers.
        ValueError: On a bound that is not positive, bounds out of order, a negative delay, or too
            few or too many points.
        LimitError: On a frequency that the rf source cannot modulate with.
    """
    check_range("spin_inertia", "Hz", start, stop, num, LEAST)
    if start <= 0:
        raise ValueError(f"spin_inertia: start={start} Hz; needs start > 0, its points are in log")
    if not delay >= 0:
        raise ValueError(f"spin_inertia: delay={delay} s; needs delay >= 0")
    points = np.geomspace(start, stop, num).tolist()
    points[0], points[-1] = float(start), float(stop)  # not one rounding beyond a limit
    check_reach(modulation_frequency, points)
    _md = {
        "plan_name": "spin_inertia",
        "technique": "spin_inertia",
        "fit": "spin_inertia",
        "fit_axis": axis_of(modulation_frequency),
        "fit_detector": lockin.name,
        "fit_options": {"delay": delay, "baseline": list(baseline)},
    }
    return (
        yield from bp.list_scan(
            [lockin], modulation_frequency, points, per_step=one_step, md=_md | (md or {})
        )
    )
