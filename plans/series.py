"""T1 against whatever can be moved: laser power, field, temperature, photon energy."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import bluesky.plan_stubs as bps
from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator

from .plan import plan
from .points import check_range, check_reach
from .spin_inertia import LEAST as LEAST_OF_RUN
from .spin_inertia import spin_inertia

LEAST = 2  # points of a series


@plan
def t1_against(
    lockin: Readable,
    modulation_frequency: Movable,
    motor: Movable,
    points: Sequence[float],
    partner: Movable | None = None,
    partner_points: Sequence[float] | None = None,
    start: float = 30.0,
    stop: float = 100e3,
    num: int = 16,
    model: str | None = None,
    model_options: dict[str, Any] | None = None,
    md: dict[str, Any] | None = None,
) -> MsgGenerator[list[str]]:
    """Measure spin inertia at every point of a motor, one run each; a fit through all T1 follows.

    Args:
        lockin: Read once per point, after it has settled.
        modulation_frequency: Of the rf source [Hz].
        motor: Moved between the runs, such as ``laser.power`` [mW] or ``magnet`` [mT].
        points: Where to, in the unit of the motor.
        partner: Moved along, such as ``rf.frequency`` [GHz] that keeps a field on resonance.
        partner_points: Where to, as many as points.
        start: First modulation frequency [Hz].
        stop: Last modulation frequency [Hz].
        num: Number of modulation frequencies of each run.
        model: Of the series of 1/T1 against the motor: ``power``, ``field`` or ``temperature``.
        model_options: Of that model, such as ``overhauser_field`` [mT] of ``field``.
        md: Metadata for every run.

    Returns:
        The uids of the runs.

    Raises:
        ValueError: On fewer than two points, a partner without as many, or runs that could not be.
        LimitError: On a point that the motor or the partner cannot reach.
    """
    points = [float(point) for point in points]
    moves = [(motor, points)]
    if partner is not None:
        moves.append((partner, [float(point) for point in partner_points or ()]))
    for device, places in moves:
        if len(places) < LEAST or len(places) != len(points):
            got = f"{len(points)} points, {len(places)} of {device.name}"
            raise ValueError(f"t1_against: {got}; needs {LEAST} or more, as many for the partner")
        check_reach(device, places)
    check_range("t1_against", "Hz", start, stop, num, LEAST_OF_RUN)
    check_reach(modulation_frequency, [start, stop])
    series = {"uid": str(uuid4()), "length": len(points), "axis": motor.name}
    series |= {"parameter": "t1", "model": model, "model_options": model_options or {}}
    runs = []
    for number, places in enumerate(zip(*(places for _, places in moves), strict=True)):
        yield from bps.mv(*(part for (device, _), at in zip(moves, places, strict=True)
                            for part in (device, at)))  # fmt: skip
        about = {"series": series | {"number": number, "value": places[0]}}
        scan = spin_inertia(lockin, modulation_frequency, start, stop, num, md=(md or {}) | about)
        runs.append((yield from scan))
    return runs
