"""Magnet."""

from ophyd import Component as Cpt
from ophyd import EpicsSignal, Kind
from ophyd.status import Status

from .instrument import Instrument
from .positioner import Positioner
from .signals import Choice, Order, Readback, Setting


class Magnet(Instrument):
    """Magnet whose field is moved by ``magnet`` or, the same, by ``magnet.field``.

    Attributes:
        field: Set point [mT]; setting it is done when the readback has arrived.
        field_readback: Field that the current of the coil makes [mT].
        ramp_rate: Of the next ramp [mT/s].
        halt: Set it to 1 to hold the field where it is.
        quenched: 1 after a quench, until ``reset`` is 1.
    """

    field = Cpt(
        Positioner,
        "Field",
        readback="field_readback",
        arrived=("ramping", 0),
        tolerance=1e-3,
        kind=Kind.normal,
    )
    field_readback = Cpt(Readback, "FieldReadback", kind=Kind.hinted)
    ramp_rate = Cpt(Setting, "RampRate", kind=Kind.config)
    ramping = Cpt(Readback, "Ramping", kind=Kind.omitted)
    quenched = Cpt(Readback, "Quenched", kind=Kind.normal)
    reset = Cpt(EpicsSignal, "Reset", kind=Kind.omitted)
    hold = Cpt(Choice, "Hold", kind=Kind.omitted)
    halt = Cpt(Order, "Stop", kind=Kind.omitted)

    def check_value(self, field: float) -> None:
        """Raise on a field [mT] that cannot be reached."""
        self.field.check_value(field)

    def set(self, field: float) -> Status:
        """Ramp to a field [mT]; done when it has arrived."""
        return self.field.set(field)

    def stop(self, *, success: bool = False) -> None:
        """Hold the field where it is; with ``success`` the motion under way does not fail."""
        if success:
            self.field.abandon()
        super().stop(success=success)
        if self.halt.connected:  # a lost magnet has failed its move already
            self.halt.put(1, force=True, use_complete=False)
