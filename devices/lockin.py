"""Lock-in amplifier."""

import time
from collections import OrderedDict
from typing import Any

from ophyd import Component as Cpt
from ophyd import Kind
from ophyd.status import Status

from .instrument import Instrument
from .signals import Readback, RefusedError, Setting, in_background

COLUMNS = ("shot", "x", "y", "x_error", "y_error", "overload", "unlocked", "time")
WHOLE = {"shot", "overload", "unlocked"}
MARGIN = 5.0  # s, and twice the time that the lock-in names, for one reading


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
        settling: Relative inaccuracy at which the wait for the filter ends.
    """

    x = Cpt(Readback, "X", kind=Kind.hinted)
    y = Cpt(Readback, "Y", kind=Kind.hinted)
    x_error = Cpt(Readback, "XError", kind=Kind.normal)
    y_error = Cpt(Readback, "YError", kind=Kind.normal)
    overload = Cpt(Readback, "Overload", kind=Kind.normal)
    unlocked = Cpt(Readback, "Unlocked", kind=Kind.normal)
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
        self.shot.put_and_wait(number, self._longest)
        row = self._fetch()
        if row["shot"] != number:
            raise RefusedError(
                f"{self.name}: asked for shot {number}, the last is {row['shot']}; "
                f"{self.shot.reason(began)}"
            )
        self._row = row

    def _longest(self) -> float:
        return MARGIN + 2 * self.reading_time.get()

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
