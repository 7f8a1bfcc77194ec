"""Helium cryostat with a temperature controller."""

from dataclasses import dataclass
from typing import ClassVar

from .actuator import Actuator
from .instrument import Instrument
from .physics.motion import Motion, relaxation
from .physics.quantity import Quantities, quantity
from .pv import choice, flag, readback, setting

ARRIVED = 1e-3  # K from the set point, at which the motion ends
STABLE_WITHIN = 1e-2  # K
REFERENCE = 2.0  # K, at which the thermal time constant is given
HOUR = 3600.0  # s
LOW_LEVEL = 3.0  # %, after the mishap
STUCK, HELIUM_LOW = "stuck motion", "helium low"


@dataclass(frozen=True)
class Bath(Quantities):
    """Table [cryostat] of the bench file; the defaults are an ideal cryostat."""

    time_constant: float = quantity(5.0, "s", 0.01, 1e5, "Heat capacity over conductance at 2 K")
    time_exponent: float = quantity(
        0.0, "", 0, 4, "Its growth with temperature: 1.54 for 60 s at 10 K"
    )
    longest_time: float = quantity(600.0, "s", 0.01, 1e6, "It grows no further")
    overshoot: float = quantity(0.0, "", 0, 0.3, "Of the controller, as a share of the step")
    stable_time: float = quantity(0.0, "s", 0, 1e4, "Within 10 mK before Stable says Yes")
    sensor_lag: float = quantity(0.0, "s", 0, 1e3, "Time constant of the thermometer")
    dead_time: float = quantity(0.0, "s", 0, 1e3, "Before the thermometer notices")
    sensor_noise: float = quantity(0.0, "K", 0, 1, "Standard deviation of the thermometer")
    scale_error: float = quantity(0.0, "", -0.1, 0.1, "The sample is warmer than said, relatively")
    boil_off: float = quantity(0.0, "%/h", 0, 1e3, "Of the helium, without heat")
    boil_off_per_kelvin: float = quantity(
        0.0, "%/h/K", 0, 1e3, "And with the heat for the set point"
    )
    fill_rate: float = quantity(0.1, "%/s", 1e-4, 100, "While helium is filled")
    lowest_level: float = quantity(5.0, "%", 0, 100, "Below it no new temperature is taken")

    def thermal_time(self, temperature: float) -> float:
        """Return the thermal time constant [s] at a temperature [K]."""
        growth = (temperature / REFERENCE) ** self.time_exponent
        return min(self.time_constant * growth, max(self.longest_time, self.time_constant))


class Cryostat(Instrument):
    """Approaches its set point with the thermal time constant of the warmer end.

    caput ODMR:Cryostat:Temperature 4   starts to warm or cool; Stable says when it is there
    caput ODMR:Cryostat:Fill Yes        fills helium until the bath is full
    """

    Character = Bath
    sample_sees: ClassVar = {"temperature_readback": "sample_temperature"}
    faults = (STUCK,)
    mishaps = (HELIUM_LOW,)

    temperature = setting(1.6, "K", 1.5, 300, "Set point of the temperature")
    temperature_readback = readback(1.6, "K", "Temperature at the sample, on the cryostat's scale")
    temperature_monitor = readback(1.6, "K", "The same as the thermometer shows it, late and noisy")
    sample_temperature = readback(1.6, "K", "The same on the true scale")
    stable = flag("The temperature is at its set point", value="Yes")
    helium_level = readback(
        80.0,
        "%",
        "Of the bath",
        lower_alarm_limit=10,
        lower_warning_limit=20,
        upper_warning_limit=101,
        upper_alarm_limit=102,
    )
    fill = choice(("No", "Yes"), "Yes fills helium; ends by itself when the bath is full")

    def __init__(self, prefix: str, *, character: Bath | None = None, **kwargs):
        self._thermometer: Motion | None = None
        super().__init__(prefix, character=character or Bath(), **kwargs)
        self._sample_space = Actuator(self, self.temperature_readback)
        self._level, self._level_time, self._level_rate = 80.0, self.clock.now(), 0.0
        self._set_level(80.0, self.temperature.value, False)

    @property
    def in_motion(self) -> bool:
        return self._sample_space.in_motion

    def at_sample(self, attribute: str, value):
        scaled = attribute == "temperature_readback"
        return value * (1 + self.character.scale_error) if scaled else value

    def _helium(self) -> float:
        """Return the level of this moment [%]."""
        gone = self._level_rate * (self.clock.now() - self._level_time)
        return min(100.0, max(0.0, self._level + gone))

    def _set_level(self, level: float, temperature: float, filling: bool) -> None:
        """Let the level go on from here, at the rate of a set point [K]."""
        bath = self.character
        lost = (bath.boil_off + bath.boil_off_per_kelvin * temperature) / HOUR
        self._level, self._level_time = level, self.clock.now()
        self._level_rate = (bath.fill_rate if filling else 0.0) - lost

    async def _go(self, target: float) -> None:
        bath, now, here = self.character, self.clock.now(), self._sample_space.position()
        time = bath.thermal_time(max(here, target))
        way = relaxation(here, target, time, now, ARRIVED, bath.overshoot)
        within = way.pieces[-1].settled(STABLE_WITHIN) + bath.stable_time
        shown = self._shown()
        await self.stable.write("No")
        await self._sample_space.start(way.held(max(0.0, within - way.ends)))
        self._thermometer = way.lagged(bath.sensor_lag, shown, ARRIVED)

    async def arrived(self) -> None:
        await self.stable.write("Yes")

    def _shown(self) -> float:
        """Return what the thermometer shows, without its noise [K]."""
        if self._thermometer is None or self._sample_space.stuck:
            return self._sample_space.position()
        return self._thermometer.at(self.clock.now() - self.character.dead_time)

    @temperature.putter
    async def temperature(self, instance, value):
        """Start to warm or cool.

        Raises:
            ValueError: When there is too little helium.
        """
        level, lowest = self._helium(), self.character.lowest_level
        if level < lowest:
            raise ValueError(f"helium at {level:.1f} %; needs {lowest:g} %, so Fill Yes")
        self._set_level(level, value, self.fill.value == "Yes")
        await self._go(value)

    @temperature_readback.getter
    async def temperature_readback(self, instance):
        """Give the temperature of this moment while it moves."""
        return self._sample_space.position() if self.in_motion else None

    @temperature_monitor.getter
    async def temperature_monitor(self, instance):
        """Look at the thermometer."""
        return self._shown() + self.random.gauss(0, self.character.sensor_noise)

    @stable.getter
    async def stable(self, instance):
        """Look whether the sample space still travels."""
        return "No" if self.in_motion else "Yes"

    @helium_level.getter
    async def helium_level(self, instance):
        """Look at the bath."""
        return self._helium()

    @fill.putter
    async def fill(self, instance, value):
        """Open or close the transfer line."""
        self._set_level(self._helium(), self.temperature.value, value == "Yes")

    async def attend(self) -> None:
        if self.fill.value == "Yes" and self._helium() >= 100:
            await self.fill.write("No")
        await self.helium_level.write(self._helium())
        await self.temperature_monitor.write(
            self._shown() + self.random.gauss(0, self.character.sensor_noise)
        )

    async def suffer(self, fault: str) -> None:
        if fault == STUCK:
            self._sample_space.stick()
        elif fault == HELIUM_LOW:
            self._set_level(LOW_LEVEL, self.temperature.value, self.fill.value == "Yes")
            await self.helium_level.write(LOW_LEVEL)

    async def recover(self, fault: str) -> None:
        if fault != STUCK:
            return
        self._sample_space.free()
        if self.in_motion:
            await self._go(self.temperature.value)
