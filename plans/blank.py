"""Without light: what the detector picks up of the modulated rf, and how late it is."""

from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
import numpy as np
from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator

from .plan import plan
from .points import axis_of, check_range, check_reach, one_step

LEAST = 5  # points: pick-up and delay


@plan
def blank(
    lockin: Readable,
    modulation_frequency: Movable,
    shutter: Movable,
    start: float = 300.0,
    stop: float = 100e3,
    num: int = 12,
    md: dict[str, Any] | None = None,
) -> MsgGenerator[str]:
    """Step the modulation frequency with the shutter closed, and open it again.

    What is left is no signal of spins: a baseline that is proportional to the rf power, turned by
    the delay of the detector. Spin inertia and its fit take both as arguments.

    Args:
        lockin: Read once per point, after it has settled.
        modulation_frequency: Of the rf source [Hz].
        shutter: Of the laser.
        start: First frequency [Hz].
        stop: Last frequency [Hz]; the points are evenly spaced in log.
        num: Number of points, at least 5.
        md: Metadata for the run.

    Raises:
        TypeError: On bounds that are no numbers.
        ValueError: On a bound that is not positive, bounds out of order, or too few points.
        LimitError: On a frequency that the rf source cannot modulate with.
    """
    check_range("blank", "Hz", start, stop, num, LEAST)
    if start <= 0:
        raise ValueError(f"blank: start={start} Hz; needs start > 0, its points are in log")
    points = np.geomspace(start, stop, num).tolist()
    points[0], points[-1] = float(start), float(stop)  # not one rounding beyond a limit
    check_reach(modulation_frequency, points)
    _md = {
        "plan_name": "blank",
        "technique": "blank",
        "fit": "blank",
        "fit_axis": axis_of(modulation_frequency),
        "fit_detector": lockin.name,
        "fit_options": {},
    }

    def dark() -> MsgGenerator[str]:
        yield from bps.mv(shutter, "Closed")
        return (
            yield from bp.list_scan(
                [lockin], modulation_frequency, points, per_step=one_step, md=_md | (md or {})
            )
        )

    return (yield from bpp.finalize_wrapper(dark(), bps.mv(shutter, "Open")))
