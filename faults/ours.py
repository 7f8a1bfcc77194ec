"""The scan of this laboratory: its devices, interlocks, outages, lease and safe state."""

import tempfile
import threading
from collections import deque
from operator import attrgetter
from pathlib import Path

from bluesky.utils import RunEngineInterrupted
from ophyd import EpicsSignal
from rack import NUMBER, PREFIX, SETTINGS, START, STOP, Documents, HungError

PATIENCE = 8.0  # s for which a plan waits for what is lost


class Ours:
    """Makes and runs scans.

    Args:
        told: Called with the number of points that are on record.
    """

    name = "odmrlab"

    def __init__(self, told):
        from odmrlab.lab.session import connect

        self._told = told
        self.bench = connect(PREFIX)
        self.faults = {}
        for instrument in self.bench:
            pv = f"{instrument.prefix}Fault"
            self.faults[instrument.name] = EpicsSignal(pv, name=pv, string=True)
            self.faults[instrument.name].wait_for_connection(timeout=10)

    def prepare(self) -> None:
        """Put everything in order."""
        from odmrlab.devices import wait_for_all

        wait_for_all(self.bench, timeout=30)
        for fault in self.faults.values():
            fault.wait_for_connection(timeout=30)
            fault.put("none", use_complete=True)
        deadline = threading.Event()
        while self.bench.magnet.quenched.get() and not deadline.wait(0.05):
            self.bench.magnet.reset.put(1)
        self.bench.cryostat.fill.set("Yes").wait(5)
        while not (
            self.bench.laser.mode_locked.get() and self.bench.cryostat.helium_level.get() > 20
        ):
            deadline.wait(0.05)
        for name, value in SETTINGS.items():
            attrgetter(name)(self.bench).set(value).wait(20)

    def scan(self, at_point, longest: float) -> None:
        """Run one scan, into `documents`; it is given up as hanging after so long [s].

        Raises:
            HungError: It hangs.
        """
        from odmrlab.lab.session import Session
        from odmrlab.lab.settings import Settings
        from odmrlab.plans import odmr

        self.documents = documents = Documents()
        hung, waiting = threading.Event(), []
        with tempfile.TemporaryDirectory() as home:
            session = Session(Settings(home=Path(home), patience=PATIENCE), self.bench)
            last: deque = deque(maxlen=4)
            session.RE.msg_hook = lambda message: last.append(message.command)
            session.RE.subscribe(documents)
            session.RE.subscribe(lambda *_: at_point(len(documents.rows)), "event")

            def give_up() -> None:
                waiting.extend(last)
                hung.set()
                session.RE.request_pause()

            timer = threading.Timer(longest, give_up)
            timer.start()
            try:
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
