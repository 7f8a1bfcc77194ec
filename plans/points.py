"""The points of a scan: refused before the first is measured, repeated when one does not count."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.protocols import Checkable, Movable, Readable
from bluesky.utils import MsgGenerator


class RepeatPointError(RuntimeError):
    """The point under way does not count; thrown into a plan that may take it again."""


def repeated(point: Callable[[], MsgGenerator]) -> MsgGenerator[Any]:
    """Take a point until it counts; returns what the one that counts returns."""
    while True:
        try:
            return (yield from point())
        except RepeatPointError:
            continue


def one_step(
    detectors: Sequence[Readable], step: Mapping[Movable, Any], pos_cache: dict[Movable, Any]
) -> MsgGenerator[None]:
    """Move and read, again if need be: the ``per_step`` of every scan."""

    def point() -> MsgGenerator[None]:
        where = dict.fromkeys(step)  # a repeated point moves again, wherever the motors should be
        yield from bps.move_per_step(step, where)
        pos_cache.update(where)
        yield from bps.trigger_and_read([*detectors, *step])

    yield from repeated(point)


def check_range(plan: str, unit: str, start: float, stop: float, num: int, least: int) -> None:
    """Raise unless a scan from start to stop has enough points to be fitted.

    Args:
        plan: Who asks.
        unit: Of start and stop.
        start: First point.
        stop: Last point.
        num: Number of points.
        least: That a fit needs.

    Raises:
        TypeError: On bounds that are no numbers, or a number of points that is not whole.
        ValueError: On bounds that are not finite or not in order, or too few points.
    """
    got = f"start={start!r} {unit}, stop={stop!r} {unit}, num={num!r}"
    needs = f"needs finite start < stop and a whole num >= {least}"
    if isinstance(num, bool) or not isinstance(num, int):
        raise TypeError(f"{plan}: {got}; {needs}")
    if not all(isinstance(bound, int | float) for bound in (start, stop)):
        raise TypeError(f"{plan}: {got}; {needs}")
    if not (isfinite(start) and isfinite(stop) and start < stop) or num < least:
        raise ValueError(f"{plan}: {got}; {needs}")


def check_reach(motor: Any, points: Sequence[float]) -> None:
    """Raise unless the motor can go to all points; it says itself why not."""
    if isinstance(motor, Checkable):
        motor.check_value(min(points))
        motor.check_value(max(points))


def axis_of(motor: Any) -> str:
    """Return the event column against which a scan of the motor is read."""
    return motor.hints["fields"][0]
