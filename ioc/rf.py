"""Rf source."""

from dataclasses import dataclass
from math import pi, sin
from typing import ClassVar

from .instrument import Instrument
from .physics.quantity import Quantities, quantity
from .pv import choice, flag, readback, setting

SETTLING = {"frequency", "power", "output"}
UNLEVELLED = "unlevelled"
MISSING_POWER = 6.0  # dB, while unlevelled by a fault


@dataclass(frozen=True)
class Synthesizer(Quantities):
    """Table [rf] of the bench file; the defaults are an ideal source that settles."""

    settling_time: float = quantity(0.05, "s", 0, 10, "Of frequency, power and output")
    ripple: float = quantity(
        0.0, "dB", 0, 20, "Amplitude of the cable's ripple with frequency, 1.5"
    )
    ripple_period: float = quantity(0.2, "GHz", 1e-3, 10, "Of that ripple: c over twice the cable")
    largest_power: float = quantity(20.0, "dBm", -30, 40, "That can be levelled, at zero frequency")
    roll_off: float = quantity(0.0, "dB/GHz", 0, 20, "Of the largest power")


class Rf(Instrument):
    """Amplitude-modulated rf source; its modulation output is the lock-in's reference.

    caput ODMR:Rf:Frequency 1.0     tunes the carrier
    caput ODMR:Rf:Output On         lets it reach the coil
    """

    Character = Synthesizer
    sample_sees: ClassVar = {"power": "coil_power"}
    safe: ClassVar = {"output": "Off"}
    faults = (UNLEVELLED,)

    frequency = setting(1.0, "GHz", 0.05, 4, "Carrier", precision=9)
    power = setting(0.0, "dBm", -30, 20, "Of the carrier while it is on")
    coil_power = readback(0.0, "dBm", "Of the carrier at the coil, behind the cable")
    levelled = flag("The output has the power that was asked", value="Yes")
    output = choice(("Off", "On"), "Whether the carrier reaches the coil")
    modulation_frequency = setting(600.0, "Hz", 10, 100e3, "Of the on/off modulation of the power")
    modulation = choice(("Off", "On"), "Whether the power is modulated", value="On")

    def __init__(self, prefix: str, *, character: Synthesizer | None = None, **kwargs):
        self._carrier, self._unlevelled = 1.0, False
        super().__init__(prefix, character=character or Synthesizer(), **kwargs)

    def settling(self, attribute: str) -> float:
        return self.character.settling_time if attribute in SETTLING else 0.0

    def at_sample(self, attribute: str, value):
        if attribute != "power":
            return value
        source = self.character
        ripple = source.ripple * sin(2 * pi * self._carrier / source.ripple_period)
        missing = MISSING_POWER if self._unlevelled else 0.0
        return min(value, self._largest()) + ripple - missing

    def _largest(self) -> float:
        return self.character.largest_power - self.character.roll_off * self._carrier

    async def group_write(self, instance, value):
        """Let the power at the coil follow the frequency."""
        attribute = instance.pvspec.attr
        if attribute == "frequency":
            self._carrier = value
        taken = await super().group_write(instance, value)
        if attribute == "frequency":
            await self.renew("power")
        elif attribute == "power":
            levelled = value <= self._largest() and not self._unlevelled
            await self.levelled.write("Yes" if levelled else "No")
        return taken

    async def suffer(self, fault: str) -> None:
        self._unlevelled = True
        await self.say("the output is not levelled")
        await self.renew("power")

    async def recover(self, fault: str) -> None:
        self._unlevelled = False
        await self.renew("power")
