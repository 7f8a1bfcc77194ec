"""A readback on its way to a set point, published while it moves."""

import asyncio

from .instrument import Instrument
from .physics.motion import Motion

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
        self._motion: Motion | None = None
        self._task: asyncio.Task | None = None
        self._stuck: float | None = None

    @property
    def in_motion(self) -> bool:
        """Whether the readback still travels, or should."""
        return self._motion is not None

    @property
    def stuck(self) -> bool:
        """Whether it cannot move."""
        return self._stuck is not None

    def position(self) -> float:
        """Return where the readback is now."""
        if self._stuck is not None:
            return self._stuck
        return self._motion.at(self._clock.now()) if self._motion else self._readback.value

    async def start(self, motion: Motion) -> None:
        """Follow a motion from now on; whatever was under way ends where it is."""
        self._cancel()
        self._motion = motion
        if motion.ends <= self._clock.now() and not self.stuck:
            await self._arrive(motion.target)
            return
        if self._moving:
            await self._moving.write("Yes")
        if not self.stuck:
            self._task = asyncio.create_task(self._follow(motion))

    async def hold(self, seconds: float) -> None:
        """Count as in motion for some laboratory time [s], without moving."""
        here, now = self.position(), self._clock.now()
        await self.start(Motion.at_rest(here, now).held(seconds))

    def stick(self) -> None:
        """Move no more, whatever is asked."""
        self._stuck = self.position()
        self._cancel()

    def free(self) -> None:
        """Be able to move again; a motion that was under way has to be started anew."""
        self._stuck = None

    def _cancel(self) -> None:
        if self._task:
            self._task.cancel()
        self._task = None

    async def _follow(self, motion: Motion) -> None:
        period = POSTING_PERIOD * self._clock.speed
        while (left := motion.ends - self._clock.now()) > 0:
            await self._clock.sleep(min(left, period))
            await self._readback.write(motion.at(self._clock.now()))
        await self._arrive(motion.target)

    async def _arrive(self, value: float) -> None:
        await self._readback.write(value)
        self._motion = None
        await self._instrument.arrived()
        self._instrument.last_change = self._clock.now()
        if self._moving:
            await self._moving.write("No")
