"""Going on with a run whose process died: the bench is put back and proved, then the rest is measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from operator import attrgetter
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
from bluesky.utils import MsgGenerator

from .outages import RESTORED
from .plan import plan
from .points import check_reach, one_step, point_at, repeated

RESUMABLE = ("odmr", "spin_inertia", "blank")
CARRIED = ("plan_name", "technique", "fit", "fit_axis", "fit_detector", "fit_options")
AGREEMENT = 6.0  # standard errors within which the last point must come back
MOTORS = {"magnet": "magnet", "rf_modulation_frequency": "rf.modulation_frequency"}


class ResumeError(ValueError):
    """A run that cannot be gone on with, and why."""


@dataclass(frozen=True)
class Recorded:
    """What is left of a run, and of those that it went on with.

    Attributes:
        start: Start document of the last of them.
        runs: Uids of all, the first run first.
        points: Where the motor was to go, in the first run.
        rows: Data of every point that was measured, in order.
        settings: Of the bench, by event column, as they were when the first run began.
        finished: Whether a run of them came to its end.
    """

    start: Mapping[str, Any]
    runs: Sequence[str]
    points: Sequence[float]
    rows: Sequence[Mapping[str, Any]]
    settings: Mapping[str, Any]
    finished: bool

    @property
    def left(self) -> list[float]:
        """Points that are missing."""
        return list(self.points[len(self.rows) :])

    def check(self) -> None:
        """Raise unless there is something to go on with.

        Raises:
            ResumeError: The run is whole, or of a plan whose points are not known beforehand.
        """
        uid, name = self.start["uid"], self.start.get("plan_name")
        if name not in RESUMABLE:
            raise ResumeError(f"resume: {uid} is of {name}; needs one of {', '.join(RESUMABLE)}")
        if self.finished or not self.left:
            raise ResumeError(f"resume: {uid} has all of its points; needs a run that was ended")


@plan
def resume(recorded: Recorded, bench: Any, md: dict[str, Any] | None = None) -> MsgGenerator[str]:
    """Measure what a run lacks, in a run that is linked to it and fitted together with it.

    Every setting that the run relied on is put back. The last point is measured once more, in the
    stream ``verification``; where it does not come back, nothing is gone on with.

    Args:
        recorded: What is left of the run.
        bench: The instruments as attributes.
        md: Metadata for the run.

    Raises:
        ResumeError: The run is whole, or the bench is not what it was.
    """
    recorded.check()
    motor = attrgetter(MOTORS[recorded.start["motors"][0]])(bench)
    detector = getattr(bench, recorded.start["fit_detector"])
    check_reach(motor, recorded.points)
    yield from put_back(recorded, bench, motor)
    about = {key: recorded.start[key] for key in CARRIED if key in recorded.start}
    about |= {"resumes": recorded.start["uid"], "resumed_runs": list(recorded.runs)}
    about |= {"points_before": len(recorded.rows)} | (md or {})
    scan = bp.list_scan([detector], motor, recorded.left, per_step=one_step, md=about)
    if recorded.rows:
        scan = bpp.plan_mutator(
            scan, after_open(lambda: verified(recorded.rows[-1], detector, motor))
        )
    return (yield from scan)


def put_back(recorded: Recorded, bench: Any, motor: Any) -> MsgGenerator[None]:
    """Put every setting to what it was, what is scanned left out."""
    for name, attributes in RESTORED.items():
        device = getattr(bench, name)
        for attribute in attributes:
            signal = getattr(device, attribute)
            if signal is motor or device is motor and attribute == "field":
                continue
            value = recorded.settings.get(signal.name)
            if value is not None and not signal.holds(value, signal.get()):
                yield from bps.mv(signal, value)


def verified(row: Mapping[str, Any], detector: Any, motor: Any) -> MsgGenerator[None]:
    """Measure the last point once more.

    Raises:
        ResumeError: It does not come back.
    """
    place = row[motor.hints["fields"][0].removesuffix("_readback")]

    again = yield from repeated(
        lambda: point_at({motor: place}, [detector, motor], stream="verification")
    )
    for part in ("x", "y"):
        column = f"{detector.name}_{part}"
        before, now = row[column], again[column]["value"]
        error = hypot(row[f"{column}_error"], again[f"{column}_error"]["value"])
        if abs(now - before) > AGREEMENT * error:
            raise ResumeError(
                f"resume: at {motor.name} {place:g}, {column} is {now:.4g} V and was {before:.4g} V, "
                f"{abs(now - before) / error:.0f} standard errors off; needs the bench as it was"
            )


def after_open(make):
    """Return a mutator that inserts a plan behind the message that opens the run."""

    def insert(message):
        return (None, make()) if message.command == "open_run" else (None, None)

    return insert
