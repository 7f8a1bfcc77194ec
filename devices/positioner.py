"""A set point with a readback that has to follow it."""

import threading
import time

from .signals import MoveError, Setting

MAJOR = 2  # alarm severity from which on a readback is not to be trusted
SEVERITIES = ("no", "a MINOR", "a MAJOR", "an INVALID")
FIRST_LOOK = 1e-3  # s after the put; the looks then become rarer
LAST_PERIOD = 0.1  # s between two looks at a long motion


class Positioner(Setting):
    """A setting that is done only when its readback and its set point are what was asked.

    It asks the IOC again and again while the readback moves, so a lost or hung IOC, a stop, or
    another client's put ends the wait with an error, never with success at the wrong place. So does
    a readback with a MAJOR or INVALID alarm: a quench, a number that is none.

    Args:
        readback: Attribute of the parent that follows the set point.
        arrived: Attribute of the parent that tells the end of a motion, and its value then.
        tolerance: Largest distance of the readback from the set point at the end.
        patience: Longest time [s] without the readback coming any closer.
    """

    def __init__(
        self,
        *args,
        readback: str,
        arrived: tuple[str, int],
        tolerance: float,
        patience: float = 10.0,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.readback_name, (self._flag_name, self._arrived) = readback, arrived
        self._near, self._patience = tolerance, patience
        self._abandoned = threading.Event()

    def abandon(self) -> None:
        """End the motion under way without an error: whoever began it has given it up."""
        self._abandoned.set()

    def put_and_check(self, value) -> None:
        """Put, check that the set point holds, and follow the readback until it has arrived.

        Raises:
            MoveError: When it ends elsewhere, comes no closer, gets an alarm, or somebody else
                moves it.
        """
        began = time.time()
        self._abandoned = abandoned = threading.Event()
        super().put_and_check(value)
        readback = getattr(self.parent, self.readback_name)
        flag = getattr(self.parent, self._flag_name)
        period, closest, since = FIRST_LOOK, float("inf"), time.monotonic()
        while not abandoned.is_set():
            resting = flag.get() == self._arrived
            distance = abs(readback.get() - value)
            self._refuse_alarm(value, readback, began)
            if not abandoned.is_set():
                self._refuse_others(value, began)
            if resting and distance <= self._near:
                return
            if distance < closest - self._near:
                closest, since = distance, time.monotonic()
            if time.monotonic() - since > self._patience:
                raise MoveError(self._no_progress(value, readback.get(), resting))
            time.sleep(period)
            period = min(1.5 * period, LAST_PERIOD)

    def _refuse_alarm(self, value, readback, began: float) -> None:
        if (severity := readback.alarm_severity) >= MAJOR:
            raise MoveError(
                f"{self.name}: on the way to {value} {readback.name} got "
                f"{SEVERITIES[severity]} alarm; {self.reason(began, 'see its IOC')}"
            )

    def _refuse_others(self, value, began: float) -> None:
        if not self.holds(value, held := self.get()):
            raise MoveError(
                f"{self.name}: on the way to {value} its set point became {held}; "
                f"{self.reason(began, 'it was stopped or another client moved it')}"
            )

    def _no_progress(self, value, here, resting: bool) -> str:
        state = "rests" if resting else "is stuck"
        return (
            f"{self.name}: asked for {value}, {state} at {here}; "
            f"came no closer in {self._patience:g} s"
        )
