"""Whether instruments live and hold their state, told by monitors, so that looking costs nothing.

A value that a monitor told is believed only while the heart of its IOC beats: a hung IOC stays
silent, and its last values look as good as ever.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .instrument import Instrument
from .signals import Readback

SILENCE = 3.0  # s without a heartbeat, after which an IOC counts as hung
FIRST_WORD = 5.0  # s for a monitor to tell its first value
INVALID = 3  # alarm severity


class Monitored(Readback):
    """A PV that tells its changes.

    Args:
        signal: The PV.
        told: Called with every value, the first one too.
    """

    def __init__(self, signal: Readback, told: Callable[..., None], **kwargs):
        super().__init__(signal.pvname, name=f"watched {signal.name}", auto_monitor=True, **kwargs)
        self._told, self._heard = told, threading.Event()
        self.last: Any = None  # value; asking a signal for its value asks the IOC
        self.subscribe(self._hear)  # with the first value, which may have come already

    def _hear(self, value: Any = None, **kwargs) -> None:
        self.last = value
        self._told(value=value, **kwargs)
        self._heard.set()

    def wait_until_heard(self) -> None:
        """Wait for the first value.

        Raises:
            TimeoutError: When there is none.
        """
        if not self._heard.wait(FIRST_WORD):
            raise TimeoutError(f"watch: no word from {self.pvname} in {FIRST_WORD:g} s")


class Pulse:
    """The heart of one IOC: whether it beats, and whether the IOC has kept its state.

    Args:
        instrument: Behind which the IOC stands.
    """

    def __init__(self, instrument: Instrument):
        self._instrument = instrument
        self._state, self._losses = ("", ""), 0
        self.last = time.monotonic()
        self.heartbeat = Monitored(instrument.heartbeat, self._beat)
        self._boot = Monitored(instrument.boot_id, self._beat)
        self._owner = Monitored(instrument.lease_owner, self._beat, string=True)
        self.monitors = (self.heartbeat, self._boot, self._owner)

    def _beat(self, **_: Any) -> None:
        self.last = time.monotonic()

    def remember(self) -> None:
        """Take what the IOC holds from now on for its state."""
        self._state, self._losses = self._told(), self.heartbeat.losses

    def _told(self) -> tuple[Any, Any]:
        return self._boot.last, self._owner.last

    def silence(self) -> str:
        """Return why its IOC is not to be believed now; empty when it is."""
        if not self.heartbeat.connected:
            return f"{self.heartbeat.pvname} is lost"
        if (silent := time.monotonic() - self.last) > SILENCE:
            return f"{self.heartbeat.pvname} has not beaten for {silent:.1f} s"
        return ""

    def loss(self) -> str:
        """Return why the state of the instrument is not what it was; empty when it is."""
        if silent := self.silence():
            return silent
        if self.heartbeat.losses != self._losses:
            return f"{self.heartbeat.pvname} was lost for a moment"
        (boot, owner), (boot_now, owner_now) = self._state, self._told()
        if boot != boot_now:
            return f"the IOC of {self._instrument.name} was started anew"
        if owner != owner_now:
            holder = owner_now or "nobody"
            return f"the lease of {self._instrument.name} has lapsed and is held by {holder}"
        return ""


class Watch:
    """Watches over instruments, and keeps every value of some PVs since a moment.

    Args:
        instruments: By name.
        attributes: To be kept, each ``instrument.attribute``.
    """

    def __init__(self, instruments: Mapping[str, Instrument], attributes: Iterable[str]):
        self.pulses = {name: Pulse(instrument) for name, instrument in instruments.items()}
        self._seen: dict[str, list[float]] = {}
        self._signals: dict[str, Readback] = {}
        self._monitors = [item for pulse in self.pulses.values() for item in pulse.monitors]
        for attribute in attributes:
            name, signal = attribute.split(".")
            self._signals[attribute] = getattr(instruments[name], signal)
            self._seen[attribute] = []
            self._monitors.append(Monitored(self._signals[attribute], self._keep(attribute)))
        for monitor in self._monitors:
            monitor.wait_until_heard()

    def _keep(self, attribute: str):
        def told(value: float, severity: int = 0, **_: Any) -> None:
            self._seen[attribute].append(trusted(value, severity))

        return told

    def mark(self, attribute: str) -> float:
        """Forget what was seen of a PV but its last value; returns that."""
        last = self._seen[attribute][-1:]
        self._seen[attribute] = last
        return last[0] if last else float("nan")

    def ask(self, attribute: str) -> float:
        """Ask the IOC for the value of a PV, and begin with it."""
        signal = self._signals[attribute]
        self._seen[attribute] = [trusted(signal.get(), signal.alarm_severity)]
        return self._seen[attribute][0]

    def seen(self, attribute: str) -> list[float]:
        """Return the values since the last mark; one that is INVALID is NaN."""
        return list(self._seen[attribute])

    def close(self) -> None:
        """Watch no more."""
        for monitor in self._monitors:
            monitor.destroy()


def trusted(value: float, severity: int | None) -> float:
    """Return a value, or NaN when its alarm is INVALID."""
    return float("nan") if severity == INVALID else float(value)
