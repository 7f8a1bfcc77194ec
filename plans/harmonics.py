"""Second harmonic of the modulation beside the first: how strongly the rf saturates the spins."""

from collections.abc import Sequence
from math import isfinite, pi
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator

from .plan import plan
from .points import check_reach, point_at, repeated


@plan
def harmonics(
    lockin: Readable,
    harmonic: Movable,
    modulation_frequency: Movable,
    t1: float,
    repeats: int = 4,
    delay: float = 0.0,
    baseline: tuple[float, float] = (0.0, 0.0),
    md: dict[str, Any] | None = None,
) -> MsgGenerator[str]:
    """Read both harmonics in turn where the signal turns, at the modulation frequency 1/(2 pi T1).

    Rf that is on in half of each period has no even harmonics, nor has the answer of spins to weak rf.
    What they show at 2f tells how often the rf flips them within T1.

    Args:
        lockin: Read once per harmonic, after it has settled.
        harmonic: Of the lock-in; 1 again afterwards.
        modulation_frequency: Of the rf source.
        t1: About that of the spins [s].
        repeats: Number of readings of each harmonic.
        delay: Of the detector [s], see ``blank``.
        baseline: X and Y [V] that the detector picks up of the rf at the first harmonic.
        md: Metadata for the run.

    Raises:
        ValueError: On a T1 that is not positive, or without repeats.
        LimitError: On a frequency that the rf source cannot modulate with.
    """
    if not (isfinite(t1) and t1 > 0 and repeats >= 1):
        raise ValueError(f"harmonics: t1={t1} s, repeats={repeats}; needs t1 > 0, repeats >= 1")
    frequency = 1 / (2 * pi * t1)
    check_reach(modulation_frequency, [frequency])
    _md = {
        "plan_name": "harmonics",
        "technique": "harmonics",
        "fit": "harmonics",
        "fit_axis": harmonic.name,
        "fit_detector": lockin.name,
        "fit_options": {
            "t1": t1,
            "modulation_frequency": frequency,
            "delay": delay,
            "baseline": list(baseline),
        },
    }

    def both() -> MsgGenerator[str]:
        yield from bps.mv(modulation_frequency, frequency)
        return (
            yield from bp.list_scan(
                [lockin], harmonic, [1, 2] * repeats, per_step=one_harmonic, md=_md | (md or {})
            )
        )

    return (yield from bpp.finalize_wrapper(both(), bps.mv(harmonic, 1)))


def one_harmonic(detectors: Sequence[Readable], motor: Movable, step: int) -> MsgGenerator[None]:
    """Set the harmonic and read; it is a part of the lock-in, and bluesky would not read it as well."""
    yield from repeated(lambda: point_at({motor: step}, [*detectors, motor]))
