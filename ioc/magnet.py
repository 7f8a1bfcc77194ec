"""Superconducting magnet with its power supply."""

from .actuator import Actuator
from .instrument import Instrument
from .physics.motion import Ramp
from .pv import PV, flag, readback, setting


class Magnet(Instrument):
    """Ramps its field at constant rate.

    caput ODMR:Magnet:Field 100     starts a ramp to 100 mT
    caget ODMR:Magnet:FieldReadback gives the field of this moment
    caput ODMR:Magnet:Stop 1        holds the field where it is
    """

    field = setting(0.0, "mT", -500, 500, "Set point of the field; a put starts the ramp")
    field_readback = readback(0.0, "mT", "Field at the sample")
    ramp_rate = setting(5.0, "mT/s", 0.01, 16.7, "Of the next ramp; the leads carry no more")
    ramping = flag("The field is on its way")
    stop = PV(value=0, doc="Put 1 to hold the field where it is")
    quenched = flag("The coil is normal; the field is gone")

    def __init__(self, prefix: str, **kwargs):
        super().__init__(prefix, **kwargs)
        self._coil = Actuator(self, self.field_readback, self.ramping)

    @property
    def in_motion(self) -> bool:
        return self._coil.in_motion

    @field.putter
    async def field(self, instance, value):
        """Start the ramp."""
        start, now = self._coil.position(), self.clock.now()
        await self._coil.start(Ramp(start, value, self.ramp_rate.value, now))

    @field_readback.getter
    async def field_readback(self, instance):
        """Give the field of this moment while it moves."""
        return self._coil.position() if self.in_motion else None

    @stop.putter
    async def stop(self, instance, value):
        """Hold the field; the set point follows, so that nothing moves on."""
        if value:
            here = await self._coil.stop()
            await self.field.write(here, verify_value=False)
        return 0
