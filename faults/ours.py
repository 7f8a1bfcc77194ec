"""The scan of this laboratory: its devices, interlocks, outages, lease and safe state."""

from odmrlab.devices import wait_for_all  # first: it chooses the client before ophyd  # isort: skip
import tempfile
import threading
from collections import deque
from itertools import count
from operator import attrgetter
from pathlib import Path

from bluesky.utils import FailedStatus, RunEngineInterrupted
from ophyd import EpicsSignal
from ophyd.utils import DisconnectedError
from rack import NUMBER, PREFIX, SETTINGS, START, STOP, Documents, HungError

TRIES = 5
PATIENCE = 8.0  # s for which a plan waits for what is lost


class Ours:
    """Makes and runs scans."""

    def __init__(self):
        from odmrlab.lab.session import connect

        self.bench = connect(PREFIX)
        self.faults = {}
        for instrument in self.bench:
            pv = f"{instrument.prefix}Fault"
            self.faults[instrument.name] = EpicsSignal(pv, name=pv, string=True)
            self.faults[instrument.name].wait_for_connection(timeout=10)

    def prepare(self) -> None:
        """Put everything in order, once more where a busy machine was too slow for it."""
        for left in reversed(range(TRIES)):
            try:
                self._put_in_order()
            except (DisconnectedError, FailedStatus, RuntimeError, TimeoutError):
                if not left:
                    raise
            else:
                return

    def wait(self) -> None:
        """Wait until all of it answers."""
        wait_for_all(self.bench, timeout=30)

    def _put_in_order(self) -> None:
        self.wait()
        for fault in self.faults.values():
            fault.wait_for_connection(timeout=30)
            fault.put("none", use_complete=True)
        deadline = threading.Event()
        while any(instrument.lease_owner.get() for instrument in self.bench):
            deadline.wait(0.05)  # renewals that reached a hung IOC count from its awakening
        while self.bench.magnet.quenched.get() and not deadline.wait(0.05):
            self.bench.magnet.reset.put(1)
        self.bench.cryostat.fill.put("Yes", wait=False)  # No again when it is full
        while not (
            self.bench.laser.mode_locked.get() and self.bench.cryostat.helium_level.get() > 20
        ):
            deadline.wait(0.05)
        for name, value in SETTINGS.items():
            attrgetter(name)(self.bench).set(value).wait(20)
        while self.bench.lockin.trigger().exception(20):  # it has seen a number that was none
            deadline.wait(0.05)

    def reference(self, longest: float) -> list[dict]:
        """Return the points of a scan of this laboratory without any fault."""
        self.prepare()
        Ours.scan(self, lambda _: None, longest)
        return self.documents.rows

    def scan(
        self, at_point, longest: float, patience: float = PATIENCE, ready=lambda: None
    ) -> None:
        """Run one scan, into `documents`; it is given up as hanging after so long [s].

        Args:
            at_point: Called with the number of points that are on record.
            longest: Before it counts as hung [s].
            patience: With what is lost [s].
            ready: Called when the session is open, before the run.

        Raises:
            HungError: It hangs.
        """
        from odmrlab.lab.session import Session
        from odmrlab.lab.settings import Settings
        from odmrlab.plans import odmr

        self.documents = documents = Documents()
        hung, waiting = threading.Event(), []
        with tempfile.TemporaryDirectory() as home:
            session = Session(Settings(home=Path(home), patience=patience), self.bench)
            last: deque = deque(maxlen=4)
            saved = count()  # from 0, the baseline

            def hook(message) -> None:
                last.append(message.command)
                if message.command == "save":
                    at_point(next(saved))

            session.RE.msg_hook = hook
            session.RE.subscribe(documents)

            def give_up() -> None:
                waiting.extend(last)
                hung.set()
                session.RE.request_pause()

            timer = threading.Timer(longest, give_up)
            timer.start()
            try:
                ready()
                session.RE(odmr(self.bench.lockin, self.bench.magnet, START, STOP, NUMBER))
            except RunEngineInterrupted:
                session.RE.abort("hung")
            finally:
                timer.cancel()
                session.close()
        if hung.is_set():
            raise HungError(f"no end after {longest:g} s, at {', '.join(waiting)}")

    def is_safe(self) -> bool:
        """Tell whether rf and light are off and the field rests."""
        bench = self.bench
        return (bench.rf.output.get(), bench.laser.shutter.get()) == ("Off", "Closed")
