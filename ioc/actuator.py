"""A readback on its way to a set point, published while it moves."""

import asyncio

from .instrument import Instrument
from .physics.motion import Ramp, Relaxation

POSTING_PERIOD = 0.05  # s of the wall clock, between two postings of a moving readback


class Actuator:
    """Moves one readback PV of an instrument along a motion, and raises its flag meanwhile.

    Args:
        instrument: Whose readback moves.
        readback: The PV that follows the motion.
        moving: The flag PV that says so; None if there is none.
    """

    def __init__(self, instrument: Instrument, readback, moving=None):
        self._clock = instrument.clock
        self._instrument, self._readback, self._moving = instrument, readback, moving
        self._motion: Ramp | Relaxation | None = None
        self._task: asyncio.Task | None = None

    @property
    def in_motion(self) -> bool:
        """Whether the readback still travels."""
        return self._motion is not None

    def position(self) -> float:
        """Return where the readback is now."""
        return self._motion.at(self._clock.now()) if self._motion else self._readback.value

    async def start(self, motion: Ramp | Relaxation) -> None:
        """Follow a motion from now on; whatever was under way ends where it is."""
        self._cancel()
        self._motion = motion
        if self._moving:
            await self._moving.write("Yes")
        self._task = asyncio.create_task(self._follow(motion))

    async def stop(self) -> float:
        """Stay here; returns where that is."""
        here = self.position()
        self._cancel()
        await self._arrive(here)
        return here

    def _cancel(self) -> None:
        if self._task:
            self._task.cancel()
        self._task = None

    async def _follow(self, motion: Ramp | Relaxation) -> None:
        period = POSTING_PERIOD * self._clock.speed
        while (left := motion.ends - self._clock.now()) > 0:
            await self._clock.sleep(min(left, period))
            await self._readback.write(motion.at(self._clock.now()))
        await self._arrive(motion.target)

    async def _arrive(self, value: float) -> None:
        await self._readback.write(value)
        self._motion = None
        self._instrument.last_change = self._clock.now()
        if self._moving:
            await self._moving.write("No")
