"""Tunable pulsed laser, with its power control and shutter."""

from .actuator import Actuator
from .instrument import Instrument
from .physics.motion import Ramp
from .pv import choice, flag, readback, setting

TUNING_RATE = 0.05  # eV/s, some 20 nm/s
TUNING_SETTLING = 2.0  # s after the tuning elements have stopped


class Laser(Instrument):
    """Tunes its photon energy, and holds the power at the sample.

    caput ODMR:Laser:Energy 1.80    starts to tune; Tuning says when it is done
    caput ODMR:Laser:Shutter Open   lets the light reach the sample
    """

    energy = setting(1.824, "eV", 1.70, 1.879, "Set point of the photon energy")
    energy_readback = readback(1.824, "eV", "Photon energy")
    power = setting(0.5, "mW", 0, 5, "Set point of the power at the sample")
    power_readback = readback(0.5, "mW", "Power at the sample while the shutter is open")
    shutter = choice(("Closed", "Open"), "Whether the light reaches the sample")
    tuning = flag("The photon energy is on its way")
    mode_locked = flag("The laser is pulsing", value="Yes")

    def __init__(self, prefix: str, **kwargs):
        super().__init__(prefix, **kwargs)
        self._resonator = Actuator(self, self.energy_readback, self.tuning)

    @property
    def in_motion(self) -> bool:
        return self._resonator.in_motion

    @energy.putter
    async def energy(self, instance, value):
        """Start to tune."""
        start, now = self._resonator.position(), self.clock.now()
        await self._resonator.start(Ramp(start, value, TUNING_RATE, now, TUNING_SETTLING))

    @energy_readback.getter
    async def energy_readback(self, instance):
        """Give the photon energy of this moment while it moves."""
        return self._resonator.position() if self.in_motion else None

    @power.putter
    async def power(self, instance, value):
        """Turn the attenuator, which follows at once."""
        await self.power_readback.write(value)
