"""Lock-in amplifier."""

import time
from collections import OrderedDict
from math import isfinite
from typing import Any

from ophyd import Component as Cpt
from ophyd import Kind
from ophyd.status import Status

from .instrument import Instrument
from .lockin_buffer import LockinBuffer
from .signals import Readback, RefusedError, Setting, in_background

COLUMNS = ("shot", "x", "y", "x_error", "y_error", "overload", "unlocked", "time", "unsettled")
WHOLE = {"shot", "overload", "unlocked", "unsettled"}
MARGIN = 5.0  # s, beside twice the time that the lock-in names and its limit, for one reading


class Command(Setting):
    """Put 1 to have the lock-in do something; it holds 1 when that was done."""

    def put_and_wait(self, value, longest) -> None:
        super().put_and_wait(value, self.parent.longest)


class Lockin(Instrument):
    """Dual-phase lock-in amplifier; its reference comes from the rf source.

    ``trigger`` takes one reading. It is done when everything upstream has settled, the filter too,
    and the reading is averaged: no plan ever waits for it otherwise. ``read`` gives that reading,
    fetched whole in one get, so its numbers belong together.

    Attributes:
        x: In phase [V], rms, with its standard error ``x_error``.
        y: Quadrature [V], rms, with its standard error ``y_error``.
        overload: 1 where the reading exceeded the sensitivity.
        unlocked: 1 where the reading had no reference.
        unsettled: 1 where upstream was never quiet within ``settling_limit``.
        settling: Relative inaccuracy at which the wait for the filter ends.
        auto_range: Set it to 1 to find the sensitivity.
        auto_phase: Set it to 1 to turn the signal into X.
        live_x: Of this moment, not of the last reading; so are the others of ``live``.
        buffer: Samples while something moves; a detector of its own.
    """

    x = Cpt(Readback, "X", kind=Kind.hinted)
    y = Cpt(Readback, "Y", kind=Kind.hinted)
    x_error = Cpt(Readback, "XError", kind=Kind.normal)
    y_error = Cpt(Readback, "YError", kind=Kind.normal)
    overload = Cpt(Readback, "Overload", kind=Kind.normal)
    unlocked = Cpt(Readback, "Unlocked", kind=Kind.normal)
    unsettled = Cpt(Readback, "Unsettled", kind=Kind.normal)
    shot = Cpt(Setting, "Shot", kind=Kind.normal)
    reading = Cpt(Readback, "Reading", kind=Kind.omitted)
    reading_time = Cpt(Readback, "ReadingTime", kind=Kind.omitted)
    reference_frequency = Cpt(Readback, "ReferenceFrequency", kind=Kind.omitted)
    time_constant = Cpt(Setting, "TimeConstant", kind=Kind.config)
    filter_slope = Cpt(Setting, "FilterSlope", kind=Kind.config)
    sensitivity = Cpt(Setting, "Sensitivity", kind=Kind.config)
    phase = Cpt(Setting, "Phase", kind=Kind.config)
    harmonic = Cpt(Setting, "Harmonic", kind=Kind.config)
    integration_time = Cpt(Setting, "IntegrationTime", kind=Kind.config)
    settling = Cpt(Setting, "Settling", kind=Kind.config)
    settling_limit = Cpt(Setting, "SettlingLimit", kind=Kind.config)
    auto_range = Cpt(Command, "AutoRange", kind=Kind.omitted)
    auto_phase = Cpt(Command, "AutoPhase", kind=Kind.omitted)
    live_x = Cpt(Readback, "LiveX", kind=Kind.omitted)
    live_y = Cpt(Readback, "LiveY", kind=Kind.omitted)
    live_r = Cpt(Readback, "LiveR", kind=Kind.omitted)
    live_theta = Cpt(Readback, "LiveTheta", kind=Kind.omitted)
    buffer = Cpt(LockinBuffer, "", kind=Kind.omitted)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._row: dict[str, Any] | None = None

    def trigger(self) -> Status:
        """Take the next reading.

        The status fails with ``RefusedError`` when the lock-in took no reading or another one.
        """
        return in_background(self, self._take)

    def _take(self) -> None:
        self._row = None
        number, began = self.shot.get() + 1, time.time()
        self.shot.put_and_wait(number, self.longest)
        row = self._fetch()
        if row["shot"] != number:
            raise RefusedError(
                f"{self.name}: asked for shot {number}, the last is {row['shot']}; "
                f"{self.shot.reason(began)}"
            )
        if not isfinite(row["x"] + row["y"]):
            raise RefusedError(
                f"{self.name}: shot {number} is no number; needs numbers from the instruments before it"
            )
        self._row = row

    def longest(self) -> float:
        """Return the time [s] after which a reading is given up."""
        return MARGIN + 2 * self.reading_time.get() + self.settling_limit.get()

    def _fetch(self) -> dict[str, Any]:
        row = dict(zip(COLUMNS, self.reading.get().tolist(), strict=True))
        return {key: int(item) if key in WHOLE else item for key, item in row.items()}

    def read(self) -> OrderedDict[str, dict[str, Any]]:
        """Return the last reading as one row."""
        row, taken = self._row or self._fetch(), self.reading.timestamp
        return OrderedDict(
            (f"{self.name}_{key}", {"value": item, "timestamp": taken})
            for key, item in row.items()
            if key != "time"
        )
