"""Faults of the IOCs: what can go wrong with an instrument, and with its process."""

import os
import signal
from functools import cache
from threading import Timer

from ophyd import EpicsSignal

from ..ioc import faults
from ..ioc.rack import KINDS
from ..lab.twin import Twin

ANSWER_TIME, LOOK_PERIOD = 10.0, 0.01  # s


class Faults:
    """Makes the instruments of a laboratory fail.

    Args:
        twin: Their process, serving PVs that make faults.
        prefix: Of every PV.
    """

    def __init__(self, twin: Twin, prefix: str):
        self._twin, self._prefix = twin, prefix
        self._later: list[Timer] = []
        self._signal = cache(self._connect)

    def put(self, instrument: str, fault: str) -> None:
        """Put a fault on an instrument; ``"none"`` ends it.

        Args:
            instrument: Its name, such as ``"magnet"``.
            fault: As ``Fault`` of the instrument's page has it, such as ``"quench"``.

        Raises:
            ValueError: On an instrument or a fault that does not exist.
            TimeoutError: When the IOC does not take it within 10 s.
        """
        if instrument not in KINDS:
            raise ValueError(f"faults: {instrument!r}; needs one of: {', '.join(KINDS)}")
        if fault not in (known := faults.names(KINDS[instrument])):
            raise ValueError(f"faults: {fault!r} of {instrument}; needs one of: {', '.join(known)}")
        signal_of = self._signal(instrument)
        if fault == faults.DROPPED:
            signal_of.put(fault, wait=False)  # its completion is dropped as well
        else:
            signal_of.put(fault, wait=True, use_complete=True, timeout=ANSWER_TIME)

    def _connect(self, instrument: str) -> EpicsSignal:
        suffix = f"{instrument.capitalize()}:Fault"
        made = EpicsSignal(f"{self._prefix}{suffix}", name=f"{instrument}_fault", string=True)
        made.wait_for_connection(timeout=ANSWER_TIME)
        return made

    def kill(self) -> None:
        """Kill the process of the IOCs at once, as SIGKILL does."""
        self._twin.kill()

    def restart(self, after: float = 0.0) -> None:
        """Start the IOCs anew, killing them before if they run; the bench has lost its settings.

        Args:
            after: Time that they are away [s]. Beyond 0 this returns at once, and it happens then.
        """
        if self._twin.alive:
            self.kill()
        self._do(self._start, after)

    def hang(self, seconds: float) -> None:
        """Stop the process of the IOCs for some time [s]; returns at once."""
        pid = self._twin.pid
        os.kill(pid, signal.SIGSTOP)
        self._do(lambda: os.kill(pid, signal.SIGCONT), seconds)

    def _start(self) -> None:
        self._twin.start()
        self._twin.wait_until_ready()

    def _do(self, action, after: float) -> None:
        if not after:
            action()
            return
        timer = Timer(after, action)
        self._later.append(timer)
        timer.start()

    def close(self) -> None:
        """Wait for what is to happen still, and let go of the PVs."""
        for timer in self._later:
            timer.join()
