"""What is done when an instrument was lost and is back: its state is compared and put again."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import FailedStatus, MsgGenerator

# Put again in this order after an outage, by instrument; the rest is not part of a measurement.
RESTORED: Mapping[str, tuple[str, ...]] = {
    "magnet": ("ramp_rate", "field"),
    "cryostat": ("temperature",),
    "laser": ("energy", "power", "shutter"),
    "rf": ("frequency", "power", "modulation_frequency", "modulation", "output"),
    "lockin": (
        *("time_constant", "filter_slope", "sensitivity", "phase", "harmonic"),
        *("integration_time", "settling", "settling_limit"),
    ),
}
MOVED_WHOLE = {"magnet": "magnet.field", "cryostat": "cryostat.temperature"}


class OutageError(RuntimeError):
    """An instrument was lost for too long, or came back otherwise than it was."""


class State:
    """The settings that a run relies on: as they were at its start, and as its plan set them.

    Args:
        bench: The instruments by name.
    """

    def __init__(self, bench: Mapping[str, Any]):
        self._signals = {
            f"{name}.{attribute}": getattr(bench[name], attribute)
            for name in bench
            for attribute in RESTORED.get(name, ())
        }
        self._names = {signal: name for name, signal in self._signals.items()}
        self._names |= {bench[name]: whole for name, whole in MOVED_WHOLE.items() if name in bench}
        self._held: dict[str, Any] = {}

    def remember(self) -> None:
        """Ask for all of them."""
        self._held = {name: signal.get() for name, signal in self._signals.items()}

    def moved(self, thing: Any, value: Any) -> None:
        """Remember that a plan has set something."""
        if name := self._names.get(thing):
            self._held[name] = value

    def restore(self, instruments: Iterable[str]) -> MsgGenerator[list[str]]:
        """Put what is not as it was.

        Returns:
            What was put, in words.

        Raises:
            OutageError: When something cannot be put.
        """
        wanted = tuple(f"{name}." for name in instruments)
        restored = []
        for name, value in self._held.items():
            signal = self._signals[name]
            if not name.startswith(wanted) or signal.holds(value, held := signal.get()):
                continue
            try:
                yield from bps.abs_set(signal, value, wait=True)
            except FailedStatus as failure:
                raise OutageError(
                    f"outage: {name} came back at {held}, was {value}, and cannot be restored: "
                    f"{failure.__cause__ or failure}"
                ) from failure
            restored.append(f"{name} from {held} to {value}")
        return restored


class Gap:
    """Stretches of time in which nothing was measured, events of a stream of their own.

    Attributes:
        under_way: Whether one has begun and not ended.

    Args:
        stream: Name of the stream.
    """

    parent = None

    def __init__(self, stream: str):
        self.name = stream
        self._data: dict[str, Any] = {}
        self.forget()

    def forget(self) -> None:
        """Forget one that has not ended."""
        self.begin("")
        self.under_way = False

    def begin(self, reason: str) -> None:
        """Remember that one begins now, and why."""
        self._data = {"reason": reason, "began": time.time(), "ended": 0.0, "restored": ""}
        self.under_way = True

    def end(self, restored: Iterable[str] = ()) -> MsgGenerator[None]:
        """Record that it is over, in the run that is open."""
        self.under_way = False
        self._data |= {"ended": time.time(), "restored": "; ".join(restored)}
        yield from bps.create(self.name)
        yield from bps.read(self)
        yield from bps.save()

    def read(self) -> dict[str, dict[str, Any]]:
        """Return the event."""
        now = self._data["ended"]
        return {f"{self.name}_{k}": {"value": v, "timestamp": now} for k, v in self._data.items()}

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return its keys; times are in seconds since 1970."""
        kinds = {"began": "number", "ended": "number"}
        source = "plans.outages"
        return {
            f"{self.name}_{key}": {"source": source, "dtype": kinds.get(key, "string"), "shape": []}
            for key in self._data
        }


def in_words(failure: Exception) -> Exception:
    """Return a failed status with the words of its cause, which the stop document then has."""
    if not isinstance(failure, FailedStatus) or failure.__cause__ is None:
        return failure
    told = FailedStatus(str(failure.__cause__))
    told.__cause__ = failure.__cause__
    return told
