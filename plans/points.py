"""The points of a scan: refused before the first is measured, repeated when one does not count."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any
from uuid import uuid4

import bluesky.preprocessors as bpp
from bluesky.protocols import Checkable, Movable, Readable, Triggerable
from bluesky.utils import Msg, MsgGenerator, all_safe_rewind, separate_devices

MOST = 100_000  # points of one scan: days, even of the fastest


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
    devices = separate_devices([*detectors, *step])
    yield from repeated(lambda: point_at(step, devices))
    pos_cache.update(step)


def point_at(
    places: Mapping[Movable, Any], devices: Sequence[Readable], stream: str = "primary"
) -> MsgGenerator[dict[str, Any]]:
    """Move to a point, wherever the motors should be already, and read the devices there.

    What bluesky's stubs do, in messages: each call of a stub puts the call stack into words, for a
    warning that hardly ever comes, and that is a third of the time of a point. It reads a part of a
    device beside the whole device, too.

    Args:
        places: Where each motor goes.
        devices: Triggered together and read into one event.
        stream: Its name.

    Returns:
        The readings.
    """
    group = f"point {uuid4()}"
    yield Msg("checkpoint")
    for motor, place in places.items():
        yield Msg("set", motor, place, group=group)
    yield Msg("wait", None, group=group)
    reading = read_together(devices, stream)
    return (yield from bpp.rewindable_wrapper(reading, all_safe_rewind(devices)))


def read_together(devices: Sequence[Readable], stream: str) -> MsgGenerator[dict[str, Any]]:
    """Trigger devices and read them into one event, which is dropped if one cannot be read."""
    group = f"trigger {uuid4()}"
    for device in devices:
        if isinstance(device, Triggerable):
            yield Msg("trigger", device, group=group)
    yield Msg("wait", None, group=group)
    yield Msg("create", None, name=stream)

    def read() -> MsgGenerator[dict[str, Any]]:
        readings = {}
        for device in devices:
            readings |= (yield Msg("read", device)) or {}
        return readings

    def drop(_: Exception) -> MsgGenerator[None]:
        yield Msg("drop")

    def save() -> MsgGenerator[None]:
        yield Msg("save")

    return (yield from bpp.contingency_wrapper(read(), except_plan=drop, else_plan=save))


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
        ValueError: On bounds that are not finite or not in order, or too few or too many points.
    """
    got = f"start={start!r} {unit}, stop={stop!r} {unit}, num={num!r}"
    needs = f"needs finite start < stop and a whole num >= {least}, at most {MOST}"
    if isinstance(num, bool) or not isinstance(num, int):
        raise TypeError(f"{plan}: {got}; {needs}")
    if not all(isinstance(bound, int | float) for bound in (start, stop)):
        raise TypeError(f"{plan}: {got}; {needs}")
    if not (isfinite(start) and isfinite(stop) and start < stop) or not least <= num <= MOST:
        raise ValueError(f"{plan}: {got}; {needs}")


def check_reach(motor: Any, points: Sequence[float]) -> None:
    """Raise unless the motor can go to all points; it says itself why not.

    Raises:
        TypeError: It is no motor.
        ValueError: From the motor.
    """
    if not isinstance(motor, Movable):
        name = getattr(motor, "name", repr(motor))
        raise TypeError(f"{name}: is scanned, and cannot be set; needs a motor or a setting there")
    if isinstance(motor, Checkable):
        motor.check_value(min(points))
        motor.check_value(max(points))


def axis_of(motor: Any) -> str:
    """Return the event column against which a scan of the motor is read.

    Raises:
        TypeError: It has none.
    """
    if not (fields := motor.hints.get("fields")):
        raise TypeError(
            f"{motor.name}: is scanned, and is no axis of a fit; needs magnet or "
            "rf.modulation_frequency there, or a scan of bluesky.plans"
        )
    return fields[0]
