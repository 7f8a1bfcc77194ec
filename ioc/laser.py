"""Tunable pulsed laser, with its power control and shutter."""

from dataclasses import dataclass
from math import exp
from typing import ClassVar

from caproto import AlarmSeverity

from .actuator import Actuator
from .instrument import Instrument
from .physics.drift import Drift
from .physics.motion import Motion, ramp
from .physics.quantity import Quantities, quantity
from .pv import PV, choice, flag, readback, setting

WAVELENGTH = 1239.841984  # nm eV, of a photon: h c
STUCK, UNLOCKED = "stuck motion", "mode-lock loss"


@dataclass(frozen=True)
class Resonator(Quantities):
    """Table [laser] of the bench file; the defaults are an ideal laser that takes time to tune."""

    tuning_speed: float = quantity(20.0, "nm/s", 0.01, 1e3, "Of the tuning elements, 10 to 50 nm/s")
    tuning_settling: float = quantity(2.0, "s", 0, 1e3, "After they have stopped, 2 to 5 s")
    shutter_time: float = quantity(0.02, "s", 0, 10, "The shutter takes to open or close")
    gain_centre: float = quantity(1.80, "eV", 1, 3, "Where the crystal gives most power")
    gain_width: float = quantity(0.0, "eV", 0, 1, "Standard deviation of the gain; 0 for none")
    unlocking_step: float = quantity(0.0, "nm", 0, 1e3, "Tuning further loses mode-lock; 0: never")
    locking_time: float = quantity(10.0, "s", 0, 1e4, "To find the mode-lock again")
    power_drift: float = quantity(0.0, "", 0, 0.5, "Standard deviation of the monitor, 0.003")
    drift_time: float = quantity(3600.0, "s", 0.1, 1e6, "Correlation time of its drift")

    def gain(self, energy: float) -> float:
        """Return the power at a photon energy [eV] relative to the best one."""
        if not self.gain_width:
            return 1.0
        return exp(-0.5 * ((energy - self.gain_centre) / self.gain_width) ** 2)


@dataclass(frozen=True)
class Tuning(Motion):
    """Motion of the tuning elements in wavelength [nm], told in photon energy [eV]."""

    goal: float = 0.0

    @property
    def target(self) -> float:
        return self.goal

    def at(self, time: float) -> float:
        return self.goal if time >= self.ends else WAVELENGTH / super().at(time)


class Laser(Instrument):
    """Tunes its photon energy, and holds the power at the sample.

    caput ODMR:Laser:Energy 1.80    starts to tune; Tuning says when it is done
    caput ODMR:Laser:Shutter Open   lets the light reach the sample
    caput ODMR:Laser:Level 1        turns the attenuator until Power is there at this energy
    """

    Character = Resonator
    sample_sees: ClassVar = {"power_readback": "pulse_power"}
    safe: ClassVar = {"shutter": "Closed"}
    faults = (STUCK, UNLOCKED)

    energy = setting(1.824, "eV", 1.70, 1.879, "Set point of the photon energy")
    energy_readback = readback(1.824, "eV", "Photon energy")
    power = setting(0.5, "mW", 0, 5, "Set point of the power at the sample")
    power_readback = readback(0.5, "mW", "Power at the sample while the shutter is open")
    power_monitor = readback(0.5, "mW", "The same as a photodiode shows it, with its drift")
    pulse_power = readback(0.5, "mW", "The part of it that comes in pulses: none without mode-lock")
    level = PV(value=0, doc="Put 1 to bring the power back to its set point after tuning")
    shutter = choice(("Closed", "Open"), "Whether the light reaches the sample")
    tuning = flag("The photon energy is on its way, or the mode-lock is")
    mode_locked = flag("The laser is pulsing", value="Yes")

    def __init__(self, prefix: str, *, character: Resonator | None = None, **kwargs):
        self._pulsing, self._unlocked = True, False
        super().__init__(prefix, character=character or Resonator(), **kwargs)
        self._levelled_at = self.energy.value
        self._resonator = Actuator(self, self.energy_readback, self.tuning)
        self._drift = Drift(self.character.power_drift, self.character.drift_time, self.random)

    @property
    def in_motion(self) -> bool:
        return self._resonator.in_motion

    def at_sample(self, attribute: str, value):
        return value if attribute != "power_readback" or self._pulsing else 0.0

    def drive(self, attribute: str, pv, value) -> None:
        """Count the time that the shutter takes."""
        before = self.last_change
        super().drive(attribute, pv, value)
        if attribute == "shutter" and self.last_change != before:
            self.last_change += self.character.shutter_time

    async def group_write(self, instance, value):
        """Let the power follow the photon energy, and the mode-lock come back at its end."""
        taken = await super().group_write(instance, value)
        if instance.pvspec.attr == "energy_readback":
            await self._publish_power(value)
        return taken

    async def _publish_power(self, energy: float) -> None:
        gain = self.character.gain
        power = self.power.value * gain(energy) / gain(self._levelled_at)
        if power != self.power_readback.value:
            await self.power_readback.write(power)

    async def _go(self, target: float) -> None:
        """Tune; a long way costs the mode-lock, which is then found again."""
        laser, here = self.character, self._resonator.position()
        wavelength, goal = WAVELENGTH / here, WAVELENGTH / target
        way = ramp(wavelength, goal, laser.tuning_speed, self.clock.now())
        wait = laser.tuning_settling
        if laser.unlocking_step and abs(goal - wavelength) > laser.unlocking_step:
            await self._pulse(False)
            wait += laser.locking_time
        way = way.held(wait)
        await self._resonator.start(Tuning(way.pieces, way.ends, target))

    async def _pulse(self, pulsing: bool) -> None:
        self._pulsing = pulsing
        await self.mode_locked.write("Yes" if pulsing else "No")
        await self.renew("power_readback")

    async def arrived(self) -> None:
        if not self._pulsing and not self._unlocked:
            await self._pulse(True)

    @energy.putter
    async def energy(self, instance, value):
        """Start to tune."""
        await self._go(value)

    @energy_readback.getter
    async def energy_readback(self, instance):
        """Give the photon energy of this moment while it moves."""
        return self._resonator.position() if self.in_motion else None

    @power.putter
    async def power(self, instance, value):
        """Turn the attenuator, which follows at once."""
        self._levelled_at = self._resonator.position()
        await self.power_readback.write(value)

    @level.putter
    async def level(self, instance, value):
        """Turn the attenuator until the power is there."""
        if value:
            self._levelled_at = self._resonator.position()
            await self.power_readback.write(self.power.value)
        return 0

    @power_monitor.getter
    async def power_monitor(self, instance):
        """Look at the photodiode."""
        return self._photodiode()

    def _photodiode(self) -> float:
        return self.power_readback.value * (1 + self._drift.at(self.clock.now()))

    async def attend(self) -> None:
        await self.power_monitor.write(self._photodiode())

    async def suffer(self, fault: str) -> None:
        if fault == STUCK:
            self._resonator.stick()
        elif fault == UNLOCKED:
            self._unlocked = True
            self.energy_readback.least_severity = AlarmSeverity.MAJOR_ALARM
            await self.say("mode-lock lost; the spectrum is not that of pulses")
            await self._pulse(False)
            await self.renew("energy_readback")

    async def recover(self, fault: str) -> None:
        if fault == UNLOCKED:
            self._unlocked = False
            self.energy_readback.least_severity = None
            await self.renew("energy_readback")
            if not self.in_motion:
                await self._resonator.hold(self.character.locking_time)
        elif fault == STUCK:
            self._resonator.free()
            if self.in_motion:
                await self._go(self.energy.value)
