"""ODMR spectrum: the lock-in signal against the magnetic field, at fixed rf frequency."""

from typing import Any

import bluesky.plans as bp
import numpy as np
from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator

from .plan import plan
from .points import axis_of, check_range, check_reach, one_step

LEAST = 8  # points for one line


@plan
def odmr(
    lockin: Readable,
    magnet: Movable,
    start: float,
    stop: float,
    num: int = 41,
    both_signs: bool = False,
    lines: int = 1,
    fewer: bool = False,
    down: bool = False,
    md: dict[str, Any] | None = None,
) -> MsgGenerator[str]:
    """Step the field through a resonance and read the lock-in; the line gives g and its spread.

    Args:
        lockin: Read once per point, after it has settled.
        magnet: Steps the field.
        start: First field [mT].
        stop: Last field [mT].
        num: Number of points, at least 8 for each line.
        both_signs: Whether to measure -stop..-start first, with as many points; the half
            difference of the two resonances is free of an offset of the magnet.
        lines: Number of resonances to fit, 1 or 2.
        fewer: Whether to fit one resonance where the second does not stand out of the noise.
        down: Whether to go from stop to start; what a magnet remembers of its way then shows.
        md: Metadata for the run.

    Raises:
        TypeError: On bounds that are no numbers.
        ValueError: On too few points, on bounds out of order, on fewer or more lines than 1 or 2.
        LimitError: On a field that the magnet cannot reach.
    """
    check_range("odmr", "mT", start, stop, num, LEAST)
    if lines not in (1, 2) or num < LEAST * lines:
        needs = f"needs lines 1 or 2, and {LEAST} points for each"
        raise ValueError(f"odmr: lines={lines!r}, num={num}; {needs}")
    if both_signs and start < 0:
        raise ValueError(f"odmr: start={start} mT with both_signs; needs start >= 0")
    points = np.linspace(start, stop, num)
    if both_signs:
        points = np.unique(np.concatenate([-points, points]))
    points = points[::-1] if down else points
    check_reach(magnet, points.tolist())
    _md = {
        "plan_name": "odmr",
        "technique": "odmr",
        "fit": "odmr",
        "fit_axis": axis_of(magnet),
        "fit_detector": lockin.name,
        "fit_options": {"lines": lines, "offset": both_signs, "fewer": fewer},
    }
    return (
        yield from bp.list_scan(
            [lockin], magnet, points.tolist(), per_step=one_step, md=_md | (md or {})
        )
    )
