"""Rf source."""

from ophyd import Component as Cpt
from ophyd import Kind

from .instrument import Instrument
from .signals import Choice, Readback, Setting


class Rf(Instrument):
    """Amplitude-modulated rf source; its modulation is the reference of the lock-in.

    Attributes:
        frequency: Of the carrier [GHz].
        power: Of the carrier [dBm].
        levelled: 1 while the output has the power that was asked.
        output: Off or On.
        modulation_frequency: Of the on/off modulation of the power [Hz]. Set here, nowhere else.
        modulation: Off or On.
    """

    frequency = Cpt(Setting, "Frequency", kind=Kind.normal)
    power = Cpt(Setting, "Power", kind=Kind.normal)
    levelled = Cpt(Readback, "Levelled", kind=Kind.normal)
    output = Cpt(Choice, "Output", kind=Kind.normal)
    modulation_frequency = Cpt(Setting, "ModulationFrequency", kind=Kind.hinted)
    modulation = Cpt(Choice, "Modulation", kind=Kind.normal)
