"""What every simulated instrument shares."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import ClassVar
from uuid import uuid4

from caproto import ChannelType
from caproto.server import PVGroup

from .channel import Channel
from .clock import LaboratoryClock
from .lease import Client, Lease
from .physics import Bench
from .physics.quantity import Quantities
from .pv import readback, setting, text

BOOT_ID = uuid4().hex  # of this process
LONGEST = 1000  # characters of a message
HEARTBEAT_PERIOD = 0.5  # s of the wall clock
LEASE_TIME = 3.0  # s of the wall clock
LEASE = "Put a token to take or to renew the lease, nothing to give it back"
QUIET = "Laboratory time since anything here last changed; 0 in motion, negative while it settles"


@dataclass(frozen=True)
class Ideal(Quantities):
    """Character of an instrument without imperfections to choose."""


def mixed(kind: type) -> type:
    """Return a PV type of caproto with our manners on the wire."""
    return type(kind.__name__, (Channel, kind), {})


class Instrument(PVGroup):
    """Soft IOC standing at the bench.

    The PV ``<attribute>`` of the instrument ``<name>`` drives the bench line
    ``<name>_<attribute>``, from its default on; so an instrument that only sets things is a list
    of PVs and no code.

    Attributes:
        Character: Its imperfections, a table of the bench file.
        sample_sees: Attributes that the sample sees differently, each with the attribute that
            tells how.
        safe: What the IOC puts by itself when the owner of its lease is gone, by attribute; these
            puts are taken from everybody, leased or not.
        faults: That last, of those that only this kind of instrument has.
        mishaps: That happen and are over, of those that only this kind of instrument has.
        drop_circuits: Set by the server; ends the circuits of every client of this instrument.

    Args:
        character: Its imperfections; None for an ideal instrument.
        seed: Of its monitors' noise.
    """

    Character: ClassVar[type[Quantities]] = Ideal
    sample_sees: ClassVar[dict[str, str]] = {}
    safe: ClassVar[dict[str, str | int]] = {}
    faults: ClassVar[tuple[str, ...]] = ()
    mishaps: ClassVar[tuple[str, ...]] = ()
    drop_circuits: Callable[[], Awaitable[None]] | None = None

    type_map: ClassVar = {key: mixed(kind) for key, kind in PVGroup.type_map.items()}
    type_map_read_only: ClassVar = {
        key: mixed(kind) for key, kind in PVGroup.type_map_read_only.items()
    }

    boot_id = text("Changes whenever this IOC starts anew")
    heartbeat = readback(0, "", "Counts twice a second while this IOC lives")
    quiet_time = readback(0.0, "s", QUIET)
    lease = text(LEASE, read_only=False)
    lease_owner = text("Who alone may put, and since when", length=120)
    lease_time = setting(LEASE_TIME, "s", 0.5, 60, "Without renewal, after which all goes safe")
    message = text("Why the last put was refused, or what has happened", length=LONGEST)

    def __init__(
        self,
        prefix: str,
        *,
        name: str,
        bench: Bench,
        clock: LaboratoryClock,
        character: Quantities | None = None,
        seed: int | None = None,
    ):
        super().__init__(prefix, name=name)
        self.bench, self.clock = bench, clock
        self.character = character or self.Character()
        self.random = Random() if seed is None else Random(f"{name} {seed}")  # noqa: S311
        self.last_change = clock.now()
        self._tenancy = Lease(self._lapse)
        for attribute, pv in self.attr_pvdb.items():
            self.drive(attribute, pv, pv.value)

    @property
    def in_motion(self) -> bool:
        """Whether an output still travels to its set point."""
        return False

    def quiet(self) -> float:
        """Return the laboratory time since the outputs last changed [s].

        It is 0 while in motion, and negative where the end of the settling is known.
        """
        return 0.0 if self.in_motion else self.clock.now() - self.last_change

    def drive(self, attribute: str, pv, value) -> None:
        """Set the bench line of this attribute, if the bench has one."""
        line = f"{self.name}_{attribute}"
        if not hasattr(self.bench, line):
            return
        if pv.data_type == ChannelType.ENUM and isinstance(value, str):
            value = pv.enum_strings.index(value)
        value = self.at_sample(attribute, value)
        if getattr(self.bench, line) != value:
            setattr(self.bench, line, value)
            self.last_change = self.clock.now() + self.settling(attribute)

    def settling(self, attribute: str) -> float:
        """Return how long the output goes on changing after the PV of an attribute did [s]."""
        return 0.0

    def at_sample(self, attribute: str, value):
        """Return what the sample sees where the PV of an attribute holds a value."""
        return value

    async def group_write(self, instance, value):
        """Pass an accepted value on to the bench."""
        attribute = instance.pvspec.attr
        self.drive(attribute, instance, value)
        if told := self.sample_sees.get(attribute):
            await getattr(self, told).write(self.at_sample(attribute, value))
        return value

    async def renew(self, *attributes: str) -> None:
        """Write PVs once more, because what they stand for has changed."""
        for attribute in attributes:
            pv = getattr(self, attribute)
            await pv.write(pv.value)

    async def arrived(self) -> None:
        """Do what follows the end of a motion."""

    async def attend(self) -> None:
        """Publish what changes by itself; called once a second."""

    async def suffer(self, fault: str) -> None:
        """Have one of the faults or mishaps of this kind of instrument."""

    async def recover(self, fault: str) -> None:
        """Have it no longer."""

    async def say(self, words: str) -> None:
        """Publish one sentence."""
        await self.message.write(f"{self.name}: {words}"[:LONGEST])

    async def refused(self, pv, reason: str) -> None:
        """Publish why a put to one of the PVs was refused, as one sentence."""
        if reason.startswith("Cannot write data"):  # caproto's words for a number beyond the limits
            reason = f"needs {pv.lower_ctrl_limit:g} to {pv.upper_ctrl_limit:g} [{pv.units}]"
        await self.say(f"{pv.pvspec.attr} was refused: {reason}")

    async def admit(self, pv, value: str, client: Client) -> None:
        """Let a put of a client through, and take the lease if it is a token.

        Raises:
            ValueError: When another client owns the lease, except on what makes safe.
        """
        attribute = pv.pvspec.attr
        if attribute == "lease":
            self._tenancy.put(value, client, self.lease_time.value)
            await self.lease_owner.write(self._tenancy.owner)
        elif str(self.safe.get(attribute)) != value:
            self._tenancy.refuse_others(client)

    async def _lapse(self, owner: str) -> None:
        for attribute, value in self.safe.items():
            await getattr(self, attribute).write(value)
        done = ", ".join(f"{attribute} {value}" for attribute, value in self.safe.items())
        await self.say(f"{owner} has not renewed its lease; so {done or 'nothing'} was put")
        await self.lease_owner.write("")
        await self.lease.write("")

    @boot_id.startup
    async def boot_id(self, instance, async_lib):
        """Say who is serving, and what the sample sees."""
        await instance.write(BOOT_ID)
        await self.renew(*self.sample_sees)

    @heartbeat.startup
    async def heartbeat(self, instance, async_lib):
        """Beat for as long as the event loop turns."""
        while True:
            await async_lib.library.sleep(HEARTBEAT_PERIOD)
            await instance.write(instance.value + 1)
            if instance.value % 2:
                await self.attend()

    @quiet_time.getter
    async def quiet_time(self, instance):
        """Look at the clock whenever a client asks."""
        return self.quiet()
