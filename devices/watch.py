"""Whether instruments live and hold their state, told by monitors, so that looking costs nothing.

A value that a monitor told is believed only while the heart of its IOC beats: a hung IOC stays
silent, and its last values look as good as ever.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ophyd

from .instrument import Instrument
from .signals import Readback

if ophyd.get_cl().name == "pyepics":
    from .searching import Search
else:
    Search = None  # caproto finds by itself what was lost

SILENCE = 2.5  # s without a heartbeat, after which an IOC counts as hung; it beats every 0.5 s
LOOK_PERIOD = 0.1  # s between two looks at the hearts
LONGEST_LOOK = 0.2  # s that one of them counts for at most
FIRST_WORD = 5.0  # s for a monitor to tell its first value
INVALID = 3  # alarm severity


class Monitored(Readback):
    """A PV that tells its changes.

    Args:
        signal: The PV.
        told: Called with every value, the first one too.
        lost: Called with the name of the PV when its circuit is lost.
    """

    def __init__(
        self,
        signal: Readback,
        told: Callable[..., None],
        lost: Callable[[str], None] = lambda _: None,
        **kwargs,
    ):
        self._lost = lost
        super().__init__(signal.pvname, name=f"watched {signal.name}", auto_monitor=True, **kwargs)
        self._told, self._heard = told, threading.Event()
        self.last: Any = None  # value; asking a signal for its value asks the IOC
        self.subscribe(self._hear)  # with the first value, which may have come already

    def _hear(self, value: Any = None, **kwargs) -> None:
        self.last = value
        self._told(value=value, **kwargs)
        self._heard.set()

    def _pv_connected(self, pvname: str, conn: bool, pv: Any) -> None:
        super()._pv_connected(pvname, conn, pv)
        if not conn:
            self._lost(pvname)

    def wait_until_heard(self) -> None:
        """Wait for the first value, and until the signal counts as connected, which may be later.

        Raises:
            TimeoutError: When there is none.
        """
        if not self._heard.wait(FIRST_WORD):
            raise TimeoutError(f"watch: no word from {self.pvname} in {FIRST_WORD:g} s")
        self.wait_for_connection(timeout=FIRST_WORD)


class Pulse:
    """The heart of one IOC: whether it beats, and whether the IOC has kept its state.

    Args:
        instrument: Behind which the IOC stands.
        lost: Called with the reason as soon as its circuit is lost.
    """

    def __init__(self, instrument: Instrument, lost: Callable[[str], None] = lambda _: None):
        self._instrument = instrument
        self._state, self._losses = ("", ""), 0
        self.last, self.silent = time.monotonic(), 0.0
        self.heartbeat = Monitored(
            instrument.heartbeat, self._beat, lambda name: lost(f"{name} is lost")
        )
        self._boot = Monitored(instrument.boot_id, self._beat)
        self._owner = Monitored(instrument.lease_owner, self._beat, string=True)
        self.monitors = (self.heartbeat, self._boot, self._owner)

    def _beat(self, **_: Any) -> None:
        self.last, self.silent = time.monotonic(), 0.0

    def look(self, passed: float) -> bool:
        """Count the time since the last look [s]; returns whether its IOC counts as hung from now on.

        A look that comes late counts for little: this process did not get to run, and would not
        have heard a heart that beats.
        """
        before, self.silent = self.silent, self.silent + min(passed, LONGEST_LOOK)
        return before <= SILENCE < self.silent

    def remember(self, owner: str | None = None) -> None:
        """Take what the IOC holds from now on for its state; the owner of its lease may be given."""
        boot, owner_now = self._told()
        self._state, self._losses = (boot, owner or owner_now), self.heartbeat.losses

    def lapse(self) -> str:
        """Return in words what was lost unseen, with the settings; nothing when all is as it was."""
        (boot, owner), (boot_now, owner_now) = self._state, self._told()
        name = self._instrument.name
        if boot and boot != boot_now:
            return f"the IOC of {name} was started anew, with the settings that it starts with"
        if boot and owner != owner_now:
            return f"the lease of {name} has lapsed, so it was made safe"
        return ""

    def up_to_date(self) -> bool:
        """Ask whether the monitors have told the last word.

        Raises:
            DisconnectedError: Nobody is there to be asked.
            TimeoutError: There is no answer.
        """
        asked = self._instrument.boot_id.get(), self._instrument.lease_owner.get()
        return asked == self._told()

    def _told(self) -> tuple[Any, Any]:
        return self._boot.last, self._owner.last

    def silence(self) -> str:
        """Return why its IOC is not to be believed now; empty when it is."""
        if not self.heartbeat.connected:
            return f"{self.heartbeat.pvname} is lost"
        if (silent := self.silent) > SILENCE:
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
        lost: Called with the reason as soon as an instrument is lost, from any thread.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        attributes: Iterable[str],
        lost: Callable[[str], None] = lambda _: None,
    ):
        self.pulses = {name: Pulse(instrument, lost) for name, instrument in instruments.items()}
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
        self._search = Search and Search()
        self._lost, self._ended = lost, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True, name="watch")
        self._thread.start()

    def _look(self) -> None:
        before = time.monotonic()
        while not self._ended.wait(LOOK_PERIOD):
            now = time.monotonic()
            for pulse in self.pulses.values():
                if pulse.look(now - before) and (words := pulse.silence()):
                    self._lost(words)
            before = now

    def _keep(self, attribute: str):
        def told(value: float, severity: int = 0, **_: Any) -> None:
            self._seen[attribute].append(trusted(value, severity))

        return told

    def remember(self, owners: Mapping[str, str] | None = None) -> None:
        """Take what every IOC holds from now on for its state.

        Args:
            owners: Of the leases, by instrument, as they should be; None for as they are.
        """
        for name, pulse in self.pulses.items():
            pulse.remember((owners or {}).get(name))

    def lapsed(self) -> list[str]:
        """Return in words what was lost unseen, and take it all as it is from now on."""
        told = [pulse.lapse() for pulse in self.pulses.values()]
        self.remember()
        return list(filter(None, told))

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
        """Return the values since the last mark, none of what is not kept; INVALID is NaN."""
        return list(self._seen.get(attribute, ()))

    def close(self) -> None:
        """Watch no more."""
        self._ended.set()
        self._thread.join()
        if self._search:
            self._search.close()
        for monitor in self._monitors:
            monitor.destroy()


def trusted(value: float, severity: int | None) -> float:
    """Return a value, or NaN when its alarm is INVALID."""
    return float("nan") if severity == INVALID else float(value)
