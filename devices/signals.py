"""PVs that keep their word: fresh readings, settings that hold, motions that arrive."""

import threading
import time
from collections.abc import Callable
from math import isclose
from typing import Any

import numpy as np
import ophyd
from ophyd import EpicsSignal, EpicsSignalRO
from ophyd.status import Status
from ophyd.utils import DisconnectedError, LimitError

ANSWER_TIME = 2.5  # s for one get; a busy machine may take one of them
PUT_TIME = 3.0  # s for one put to complete
LOOK_PERIOD = 0.05  # s between two looks whether the PV is still there
if ophyd.get_cl().name == "pyepics":
    from epics.ca import ChannelAccessGetFailure

    GET_FAILURES: tuple[type[Exception], ...] = (ChannelAccessGetFailure,)  # it names no PV
else:
    GET_FAILURES = ()


class RefusedError(RuntimeError):
    """The instrument did not take a setting."""


class MoveError(RuntimeError):
    """A motion ended, but not where it was asked to end."""


def in_background(signal: Any, action: Callable[[], None]) -> Status:
    """Run an action in a thread of its own; the status ends with it, and fails as it fails."""
    status = Status(signal)

    def run() -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001  end of the thread: the waiting plan gets it
            status.set_exception(error)
        else:
            status.set_finished()

    # the client's own kind of thread: libca binds every thread to a context
    ophyd.get_cl().thread_class(target=run, daemon=True, name=f"set {signal.name}").start()
    return status


class _ChannelAccess:
    """What readbacks and settings share: every get asks the IOC, every value is plain Python.

    Attributes:
        losses: How often the circuit was lost so far, if only for a moment.
    """

    losses = 0

    def __init__(self, *args, **kwargs):
        times = {"timeout": ANSWER_TIME, "connection_timeout": ANSWER_TIME}
        super().__init__(*args, **(times | {"auto_monitor": False} | kwargs))

    def get(self, **kwargs):
        """Ask the IOC, never a monitor's cache.

        Raises:
            DisconnectedError: At once when the PV is lost.
            TimeoutError: When the IOC does not answer.
        """
        self.must_be_there()
        try:
            value = super().get(**(kwargs | {"use_monitor": False}))
        except GET_FAILURES as error:  # the circuit was lost while the question was on its way
            raise self._lost() from error
        return value.item() if isinstance(value, np.generic) else value

    def must_be_there(self) -> None:
        """Raise when the PV was there once and is lost.

        Raises:
            DisconnectedError: Naming the PV.
        """
        if not self.connected and all(self._received_first_metadata.values()):
            raise self._lost()

    def _lost(self) -> DisconnectedError:
        return DisconnectedError(f"{self.name}: {self.pvname} is lost; needs its IOC to run")

    def _pv_connected(self, pvname, conn, pv):
        self.losses += not conn
        super()._pv_connected(pvname, conn, pv)

    def _add_callback(self, pvname, pv, cb):
        # ophyd takes caproto's first token, 0, for none and would subscribe twice
        with self._metadata_lock:
            if self._monitors[pvname] is None:
                self._monitors[pvname] = pv.add_callback(cb, run_now=pv.connected)


class Readback(_ChannelAccess, EpicsSignalRO):
    """A number or state that only the instrument changes."""


class Setting(_ChannelAccess, EpicsSignal):
    """A writable PV whose status is done only when the PV holds what was asked.

    Channel Access can report a refused put as complete, so the value is read back and compared; a
    value outside the control limits of the PV is refused before it is sent.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **({"limits": True, "put_complete": True} | kwargs))

    def check_value(self, value) -> None:
        """Refuse a value that the PV cannot take.

        Raises:
            TypeError: On anything but a number.
            LimitError: On a number that is not finite or beyond the limits, with both.
        """
        low, high = self.limits
        needs = f"needs a number from {low:g} to {high:g} [{self.metadata['units']}]"
        if isinstance(value, bool | str) or not np.isscalar(value):
            raise TypeError(f"{self.name}: asked for {value!r}; {needs}")
        if not np.isfinite(value) or low < high and not low <= value <= high:
            raise LimitError(f"{self.name}: asked for {value} [{self.metadata['units']}]; {needs}")

    def set(self, value, **kwargs) -> Status:
        """Put, wait for completion and read back.

        Raises:
            LimitError: At once, when the value is beyond the limits.

        The status fails with ``RefusedError`` where the PV holds something else afterwards.
        """
        self.must_be_there()
        self.wait_for_connection(timeout=ANSWER_TIME)
        self.check_value(value)
        return in_background(self, lambda: self.put_and_check(value))

    def put_and_check(self, value) -> None:
        """Put, wait for completion, and compare with what the PV then holds.

        Raises:
            RefusedError: When it holds something else.
        """
        began = time.time()
        self.put_and_wait(value, lambda: PUT_TIME)
        if not self.holds(value, held := self.get()):
            asked = f"{self.name}: asked for {value}, {self.pvname} holds {held}"
            raise RefusedError(f"{asked}; {self.reason(began)}")

    def put_and_wait(self, value, longest: Callable[[], float]) -> None:
        """Put and wait for the completion, which a good IOC gives to a refused put as well.

        Args:
            value: To put.
            longest: Gives the time [s] to wait at most; asked only when the first look was in vain.

        Raises:
            DisconnectedError: As soon as the PV is lost, and when it was meanwhile: the completion
                of a put does not outlive its circuit.
            TimeoutError: When the completion does not come.
        """
        completed, losses = threading.Event(), self.losses
        self.put(value, force=True, callback=lambda **_: completed.set(), timeout=None)
        if completed.wait(LOOK_PERIOD):
            return
        began, time_limit = time.monotonic(), longest()
        while not completed.wait(LOOK_PERIOD):
            self.must_be_there()
            if self.losses != losses:
                raise DisconnectedError(
                    f"{self.name}: {self.pvname} was lost while it was put to {value}; "
                    "needs to be put again"
                )
            if time.monotonic() - began > time_limit:
                raise TimeoutError(
                    f"{self.name}: asked for {value}; {self.pvname} did not complete the put in "
                    f"{time_limit:g} s"
                )

    @staticmethod
    def holds(asked, held) -> bool:
        """Whether two values are the same setting."""
        return isclose(asked, held, rel_tol=1e-9, abs_tol=1e-12)

    def reason(self, since: float, otherwise: str = "the put was refused or undone") -> str:
        """Return what the instrument says since a wall-clock time [s], or what is likely."""
        message = getattr(self.parent, "message", None)
        if message is not None and (words := message.get()) and message.timestamp >= since:
            return words
        return otherwise


class Order(Setting):
    """Put 1 to have the instrument do something; done when that has begun."""

    def put_and_check(self, value) -> None:
        """Put and wait for the completion; the PV is back at 0 by then."""
        self.put_and_wait(value, lambda: PUT_TIME)


class Choice(Setting):
    """A writable choice, read and set by its name."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **({"string": True, "limits": False} | kwargs))

    def check_value(self, value) -> None:
        """Refuse anything but one of the names.

        Raises:
            ValueError: With the names.
        """
        if value not in self.enum_strs:
            needs = f"needs one of: {', '.join(self.enum_strs)}"
            raise ValueError(f"{self.name}: asked for {value!r}; {needs}")

    @staticmethod
    def holds(asked, held) -> bool:
        return asked == held
