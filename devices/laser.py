"""Laser."""

from ophyd import Component as Cpt
from ophyd import Kind

from .instrument import Instrument
from .positioner import Positioner
from .signals import Choice, Readback, Setting


class Laser(Instrument):
    """Tunable pulsed laser.

    Attributes:
        energy: Set point of the photon energy [eV]; setting it is done when the laser is tuned.
        power: Set point of the power at the sample [mW].
        shutter: Closed or Open.
    """

    energy = Cpt(
        Positioner,
        "Energy",
        readback="energy_readback",
        arrived=("tuning", 0),
        tolerance=1e-4,
        kind=Kind.normal,
    )
    energy_readback = Cpt(Readback, "EnergyReadback", kind=Kind.normal)
    power = Cpt(Setting, "Power", kind=Kind.normal)
    power_readback = Cpt(Readback, "PowerReadback", kind=Kind.hinted)
    shutter = Cpt(Choice, "Shutter", kind=Kind.normal)
    tuning = Cpt(Readback, "Tuning", kind=Kind.omitted)
    mode_locked = Cpt(Readback, "ModeLocked", kind=Kind.normal)
