"""Helium cryostat with a temperature controller."""

from .actuator import Actuator
from .instrument import Instrument
from .physics.motion import Relaxation
from .pv import flag, readback, setting

THERMAL_TIME = 5.0  # s, heat capacity over conductance at a few kelvin
STABLE_WITHIN = 1e-3  # K


class Cryostat(Instrument):
    """Approaches its set point with one thermal time constant.

    caput ODMR:Cryostat:Temperature 4   starts to warm or cool; Stable says when it is there
    """

    temperature = setting(1.6, "K", 1.5, 300, "Set point of the temperature")
    temperature_readback = readback(1.6, "K", "Temperature at the sample")
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

    def __init__(self, prefix: str, **kwargs):
        super().__init__(prefix, **kwargs)
        self._sample_space = Actuator(self, self.temperature_readback)

    @property
    def in_motion(self) -> bool:
        return self._sample_space.in_motion

    @temperature.putter
    async def temperature(self, instance, value):
        """Start to warm or cool."""
        start, now = self._sample_space.position(), self.clock.now()
        await self._sample_space.start(Relaxation(start, value, THERMAL_TIME, now, STABLE_WITHIN))

    @temperature_readback.getter
    async def temperature_readback(self, instance):
        """Give the temperature of this moment while it moves."""
        return self._sample_space.position() if self.in_motion else None

    @stable.getter
    async def stable(self, instance):
        """Look whether the sample space still travels."""
        return "No" if self.in_motion else "Yes"
