"""What every simulated instrument shares."""

from uuid import uuid4

from caproto import ChannelType
from caproto.server import PVGroup

from .clock import LaboratoryClock
from .physics import Bench
from .pv import readback, text

BOOT_ID = uuid4().hex  # of this process
HEARTBEAT_PERIOD = 1.0  # s of the wall clock


class Instrument(PVGroup):
    """Soft IOC standing at the bench.

    The PV ``<attribute>`` of the instrument ``<name>`` drives the bench line
    ``<name>_<attribute>``, from its default on; so an instrument that only sets things is a list
    of PVs and no code.
    """

    boot_id = text("Changes whenever this IOC starts anew")
    heartbeat = readback(0, "", "Counts once a second while this IOC lives")
    quiet_time = readback(0.0, "s", "Laboratory time since anything here last changed; 0 in motion")
    message = text("Why the last put was refused", length=200)

    def __init__(self, prefix: str, *, name: str, bench: Bench, clock: LaboratoryClock):
        super().__init__(prefix, name=name)
        self.bench, self.clock = bench, clock
        self.last_change = clock.now()
        for attribute, pv in self.attr_pvdb.items():
            self.drive(attribute, pv, pv.value)

    @property
    def in_motion(self) -> bool:
        """Whether an output still travels to its set point."""
        return False

    def quiet(self) -> float:
        """Return the laboratory time since the outputs last changed [s]; 0 while in motion."""
        return 0.0 if self.in_motion else self.clock.now() - self.last_change

    def drive(self, attribute: str, pv, value) -> None:
        """Set the bench line of this attribute, if the bench has one."""
        line = f"{self.name}_{attribute}"
        if not hasattr(self.bench, line):
            return
        if pv.data_type == ChannelType.ENUM and isinstance(value, str):
            value = pv.enum_strings.index(value)
        if getattr(self.bench, line) != value:
            setattr(self.bench, line, value)
            self.last_change = self.clock.now()

    async def group_write(self, instance, value):
        """Pass an accepted value on to the bench."""
        self.drive(instance.pvspec.attr, instance, value)
        return value

    async def refused(self, pv, reason: str) -> None:
        """Publish why a put to one of the PVs was refused, as one sentence."""
        if reason.startswith("Cannot write data"):  # caproto's words for a number beyond the limits
            reason = f"needs {pv.lower_ctrl_limit:g} to {pv.upper_ctrl_limit:g} [{pv.units}]"
        await self.message.write(f"{self.name}: {pv.pvspec.attr} was refused: {reason}")

    @boot_id.startup
    async def boot_id(self, instance, async_lib):
        """Say who is serving."""
        await instance.write(BOOT_ID)

    @heartbeat.startup
    async def heartbeat(self, instance, async_lib):
        """Beat for as long as the event loop turns."""
        while True:
            await async_lib.library.sleep(HEARTBEAT_PERIOD)
            await instance.write(instance.value + 1)

    @quiet_time.getter
    async def quiet_time(self, instance):
        """Look at the clock whenever a client asks."""
        return self.quiet()
