"""Superconducting magnet with its power supply and persistent switch."""

from dataclasses import dataclass
from typing import ClassVar

from caproto import AlarmSeverity

from .actuator import Actuator
from .instrument import Instrument
from .physics.motion import Motion, Remanence, ramp, relaxation
from .physics.quantity import Quantities, quantity
from .pv import PV, choice, flag, readback, setting

ARRIVED = 1e-4  # mT from the set point, at which current and eddy currents count as settled
MATCH = 1e-6  # A between leads and coil, below which the switch may open
STUCK, QUENCH = "stuck motion", "quench"


@dataclass(frozen=True)
class Coil(Quantities):
    """Table [magnet] of the bench file; the defaults are an ideal magnet behind real leads."""

    inductance: float = quantity(15.0, "H", 0.01, 1e3, "Of the coil")
    lead_voltage: float = quantity(2.5, "V", 0.01, 100, "Largest of the supply: limits the ramp")
    field_per_current: float = quantity(100.0, "mT/A", 0.1, 1e4, "Of the coil")
    settling_time: float = quantity(0.0, "s", 0, 100, "Time constant of the current, about 1 s")
    eddy_time: float = quantity(0.0, "s", 0, 100, "Of eddy currents around the bore, 0.5 to 2 s")
    remanence: float = quantity(0.0, "mT", 0, 50, "Of the saturated winding, 1 to 2 mT")
    coercive_field: float = quantity(50.0, "mT", 0.1, 1e3, "Sweep that demagnetises the winding")
    field_offset: float = quantity(0.0, "mT", -50, 50, "At the sample, at no current")
    switch_time: float = quantity(25.0, "s", 0, 1e4, "The switch takes to warm or to cool")
    quench_time: float = quantity(
        30.0, "s", 0.01, 1e4, "L/R in which a quench takes the field away"
    )
    recovery_time: float = quantity(900.0, "s", 0, 1e6, "To cool the coil again after a quench")

    @property
    def largest_rate(self) -> float:
        """What the voltage of the leads allows [mT/s]."""
        return self.lead_voltage / self.inductance * self.field_per_current


class Magnet(Instrument):
    """Ramps its field at constant rate; holds it with or without current in the leads.

    caput ODMR:Magnet:Field 100     starts a ramp to 100 mT
    caget ODMR:Magnet:FieldReadback gives the field of this moment
    caput ODMR:Magnet:Stop 1        holds the field where it is
    """

    Character = Coil
    sample_sees: ClassVar = {"field_readback": "sample_field"}
    safe: ClassVar = {"stop": 1}
    faults = (STUCK,)
    mishaps = (QUENCH,)

    field = setting(0.0, "mT", -500, 500, "Set point of the field; a put starts the ramp")
    field_readback = readback(0.0, "mT", "Field that the current of the coil makes")
    sample_field = readback(0.0, "mT", "Field at the sample, with eddy currents and remanence")
    ramp_rate = setting(5.0, "mT/s", 0.01, 16.7, "Of the next ramp; the leads may allow less")
    ramping = flag("The field is on its way")
    stop = PV(value=0, doc="Put 1 to hold the field where it is")
    hold = choice(("No", "Yes"), "Yes holds a ramp where it is; the set point stays")
    quenched = flag("The coil was normal and the field is gone; stays until Reset")
    reset = PV(value=0, doc="Put 1 to ramp again after a quench, once the coil is cold")
    current = readback(0.0, "A", "In the leads")
    switch_heater = choice(("Off", "On"), "On opens the persistent switch", value="On")
    switch = choice(
        ("Warm", "Cooling", "Cold", "Heating"), "The field is persistent when Cold", read_only=True
    )
    leads = choice(("Matched", "Zero"), "Current of the leads while persistent: the coil's, or 0")

    def __init__(self, prefix: str, *, character: Coil | None = None, **kwargs):
        coil = character or Coil()
        self._iron = Remanence(coil.remanence, coil.coercive_field, coil.field_offset)
        self._held, self._from = 0.0, 0.0  # magnetisation where the last ramp began, and the field
        self._eddy: Motion | None = None
        self._leads: Motion | None = None
        self._quench_began, self._switch_ready = 0.0, 0.0
        super().__init__(prefix, character=coil, **kwargs)
        self._coil = Actuator(self, self.field_readback, self.ramping)

    @property
    def in_motion(self) -> bool:
        return self._coil.in_motion

    def at_sample(self, attribute: str, value):
        if attribute != "field_readback":
            return value
        now, applied = self.clock.now(), value
        if self.character.eddy_time and self._eddy and now < self._eddy.ends:
            applied = self._eddy.at(now)
        return self._iron.field(applied, self._magnetisation(value))

    def _magnetisation(self, field: float) -> float:
        return self._iron.magnetisation(self._held, field - self._from)

    async def _go(self, target: float) -> None:
        """Ramp the current; the eddy currents follow, and the motion ends with the slower."""
        coil, now, here = self.character, self.clock.now(), self._coil.position()
        rate = min(self.ramp_rate.value, coil.largest_rate)
        supply = ramp(here, target, rate, now).lagged(coil.settling_time, here, ARRIVED)
        await self._follow(supply)

    async def _follow(self, supply: Motion) -> None:
        now, here = self.clock.now(), self._coil.position()
        if not self._coil.stuck:
            inside = self._eddy.at(now) if self._eddy and now < self._eddy.ends else here
            self._held, self._from = self._magnetisation(here), here
            self._eddy = supply.lagged(self.character.eddy_time, inside, ARRIVED)
            supply = supply.held(self._eddy.ends - supply.ends)
        await self._coil.start(supply)

    async def _stay(self) -> float:
        here = self._coil.position()
        await self._follow(Motion.at_rest(here, self.clock.now()))
        return here

    def _refuse_to_ramp(self) -> None:
        if self.quenched.value == "Yes":
            raise ValueError(f"the magnet has quenched; needs {self._cure()}")
        if (switch := self._switch()) != "Warm":
            raise ValueError(f"the switch is {switch.lower()}; needs SwitchHeater On, then Warm")
        if self.hold.value == "Yes":
            raise ValueError("the ramp is held; needs Hold No")

    def _cure(self) -> str:
        ready = self._quench_began + self.character.recovery_time
        left = ready - self.clock.now()
        return f"{left:.0f} s to cool the coil, then Reset" if left > 0 else "Reset"

    @field.putter
    async def field(self, instance, value):
        """Start the ramp.

        Raises:
            ValueError: After a quench, while the switch is not warm, or while held.
        """
        self._refuse_to_ramp()
        await self._go(value)

    @field_readback.getter
    async def field_readback(self, instance):
        """Give the field of this moment while it moves."""
        return self._coil.position() if self.in_motion else None

    @stop.putter
    async def stop(self, instance, value):
        """Hold the field; the set point follows, so that nothing moves on."""
        if value and self.quenched.value == "No":
            await self.field.write(await self._stay(), verify_value=False)
        return 0

    @hold.putter
    async def hold(self, instance, value):
        """Hold a ramp, or go on with it."""
        if value == instance.value or self.quenched.value == "Yes":
            return
        await (self._stay() if value == "Yes" else self._go(self.field.value))

    @reset.putter
    async def reset(self, instance, value):
        """Be ready for ramps again.

        Raises:
            ValueError: While the coil is too warm.
        """
        if value and self.quenched.value == "Yes":
            if (cure := self._cure()) != "Reset":
                raise ValueError(f"the coil is warm; needs {cure}")
            self.field_readback.least_severity = None
            await self.quenched.write("No")
            await self.renew("field_readback")
        return 0

    @current.getter
    async def current(self, instance):
        """Give the current of this moment."""
        return self._current()

    def _current(self) -> float:
        if self._leads:
            return self._leads.at(self.clock.now())
        return self._coil.position() / self.character.field_per_current

    @switch.getter
    async def switch(self, instance):
        """Look at heater and clock."""
        return self._switch()

    def _switch(self) -> str:
        ready = self.clock.now() >= self._switch_ready
        if self.switch_heater.value == "On":
            return "Warm" if ready else "Heating"
        return "Cold" if ready else "Cooling"

    @switch_heater.putter
    async def switch_heater(self, instance, value):
        """Open or close the persistent switch.

        Raises:
            ValueError: During a ramp, and while leads and coil differ: the coil would quench.
        """
        if value == instance.value:
            return
        coil = self.field_readback.value / self.character.field_per_current
        if self.in_motion:
            raise ValueError("the field is on its way; needs a field at rest")
        if abs(self._current() - coil) > MATCH:
            raise ValueError(
                f"leads at {self._current():g} A, coil at {coil:g} A; needs Leads Matched"
            )
        self._leads, self._switch_ready = None, self.clock.now() + self.character.switch_time

    @leads.putter
    async def leads(self, instance, value):
        """Ramp the current of the leads away from or back to that of the coil.

        Raises:
            ValueError: Unless the switch is cold.
        """
        if self._switch() != "Cold":
            raise ValueError(f"the switch is {self._switch().lower()}; needs a cold one")
        per_current = self.character.field_per_current
        target = self.field_readback.value / per_current if value == "Matched" else 0.0
        rate = self.ramp_rate.value / per_current
        self._leads = ramp(self._current(), target, rate, self.clock.now())

    async def suffer(self, fault: str) -> None:
        if fault == QUENCH:
            await self.quench()
        elif fault == STUCK:
            # what the supply no longer drives, the eddy currents still settle to
            now, here = self.clock.now(), self._coil.position()
            inside = self._eddy.at(now) if self._eddy and now < self._eddy.ends else here
            rest = Motion.at_rest(here, now)
            self._eddy = rest.lagged(self.character.eddy_time, inside, ARRIVED)
            self._coil.stick()

    async def recover(self, fault: str) -> None:
        self._coil.free()
        if self.in_motion:
            await self._go(self.field.value)

    async def quench(self) -> None:
        """Lose the field within the time L/R; latched until Reset."""
        now, here = self.clock.now(), self._coil.position()
        self._quench_began, self._switch_ready, self._leads = now, now, None
        self._coil.free()
        self.field_readback.least_severity = AlarmSeverity.MAJOR_ALARM
        await self.say(f"quenched at {here:.6g} mT; needs {self._cure()}")
        await self.quenched.write("Yes")
        await self.switch_heater.write("On", verify_value=False)
        await self.hold.write("No", verify_value=False)
        await self.field.write(0.0, verify_value=False)
        await self._follow(relaxation(here, 0.0, self.character.quench_time, now, ARRIVED))
        await self.renew("field_readback")
