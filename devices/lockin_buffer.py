"""Sweep buffer of the lock-in amplifier."""

import time
from collections import OrderedDict
from typing import Any

from ophyd import Component as Cpt
from ophyd import Device, Kind
from ophyd.status import Status

from .signals import Readback, RefusedError, Setting, in_background

MARGIN = 5.0  # s, beside twice the laboratory time that the samples take


class LockinBuffer(Device):
    """Samples X, Y and the field at an even rate, while something moves.

    ``trigger`` fills the buffer and is done when it is full; ``read`` gives its columns as lists.
    Nothing is waited for: the samples come out of the filter with its lag.

    Attributes:
        x: In phase [V], rms.
        y: Quadrature [V], rms.
        field: Of the magnet at each sample [mT].
        time: Since the first sample [s].
        overload: 1 where a sample exceeded the sensitivity.
        size: Samples to take.
        rate: Samples per second of laboratory time.
        run: Number of the last full buffer.
        halt: Set it to 1 to end the filling; what there is is kept.
    """

    x = Cpt(Readback, "BufferX", kind=Kind.hinted)
    y = Cpt(Readback, "BufferY", kind=Kind.hinted)
    field = Cpt(Readback, "BufferField", kind=Kind.normal)
    time = Cpt(Readback, "BufferTime", kind=Kind.normal)
    overload = Cpt(Readback, "BufferOverload", kind=Kind.normal)
    run = Cpt(Setting, "BufferRun", kind=Kind.normal)
    filled = Cpt(Readback, "BufferFilled", kind=Kind.omitted)
    size = Cpt(Setting, "BufferSize", kind=Kind.config)
    rate = Cpt(Setting, "BufferRate", kind=Kind.config)
    halt = Cpt(Setting, "BufferStop", kind=Kind.omitted)

    @property
    def message(self) -> Readback | None:
        """Why the lock-in refused the last put."""
        return getattr(self.parent, "message", None)

    def trigger(self) -> Status:
        """Fill the buffer from now on.

        The status fails with ``RefusedError`` when the lock-in did not.
        """
        return in_background(self, self._fill)

    def stop(self, *, success: bool = False) -> None:
        """End the filling."""
        self.halt.put(1, force=True)
        super().stop(success=success)

    def _fill(self) -> None:
        number, began = self.run.get() + 1, time.time()
        self.run.put_and_wait(number, self._longest)
        if (held := self.run.get()) != number:
            asked = f"{self.name}: asked for run {number}, the last is {held}"
            raise RefusedError(f"{asked}; {self.run.reason(began)}")

    def _longest(self) -> float:
        return MARGIN + 2 * self.size.get() / self.rate.get()

    def read(self) -> OrderedDict[str, dict[str, Any]]:
        """Return the columns as plain lists."""
        readings = super().read()
        for reading in readings.values():
            if hasattr(reading["value"], "tolist"):
                reading["value"] = reading["value"].tolist()
        return readings
