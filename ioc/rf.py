"""Rf source."""

from .instrument import Instrument
from .pv import choice, setting


class Rf(Instrument):
    """Amplitude-modulated rf source; its modulation output is the lock-in's reference.

    caput ODMR:Rf:Frequency 1.0     tunes the carrier
    caput ODMR:Rf:Output On         lets it reach the coil
    """

    frequency = setting(1.0, "GHz", 0.05, 4, "Carrier", precision=9)
    power = setting(0.0, "dBm", -30, 20, "Of the carrier while it is on")
    output = choice(("Off", "On"), "Whether the carrier reaches the coil")
    modulation_frequency = setting(600.0, "Hz", 10, 100e3, "Of the on/off modulation of the power")
    modulation = choice(("Off", "On"), "Whether the power is modulated", value="On")
