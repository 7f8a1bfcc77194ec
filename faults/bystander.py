"""The bench as somebody at its side sees it: whether it is safe, and whose it is."""

import time

from rack import PREFIX

LONGEST = 30.0  # s
LOOK_PERIOD = 0.02  # s


class Bystander:
    """Looks at the instruments and puts nothing."""

    def __init__(self):
        from odmrlab.lab.session import connect

        self.instruments = connect(PREFIX)

    @property
    def is_safe(self) -> bool:
        """Whether rf and light are off and the field rests."""
        bench = self.instruments
        states = bench.rf.output.get(), bench.laser.shutter.get(), bench.magnet.ramping.get()
        return states == ("Off", "Closed", 0)

    @property
    def is_free(self) -> bool:
        """Whether nobody holds a lease."""
        return not any(instrument.lease_owner.get() for instrument in self.instruments)

    def seconds_until_safe(self, since: float) -> float | None:
        """Wait until it is safe; returns the time since a moment [s], None if it never is."""
        while time.monotonic() < since + LONGEST:
            if self.is_safe:
                return time.monotonic() - since
            time.sleep(LOOK_PERIOD)
        return None

    def wait_until_free(self) -> None:
        """Wait until nobody holds a lease.

        Raises:
            TimeoutError: When somebody keeps one.
        """
        deadline = time.monotonic() + LONGEST
        while not self.is_free:
            if time.monotonic() > deadline:
                raise TimeoutError("faults: a lease does not end")
            time.sleep(LOOK_PERIOD)
