"""The laboratory clock: the wall clock, run faster for a simulated bench."""

import asyncio
import time


class LaboratoryClock:
    """Laboratory time [s], ``speed`` times faster than the wall; 1 for real instruments.

    All processes of one host share its origin, because the monotonic clock of the host does.

    Raises:
        ValueError: On a speed that is not a positive number.
    """

    def __init__(self, speed: float = 1.0):
        if not 0 < speed < float("inf"):
            raise ValueError(f"clock: speed={speed}; needs a finite number > 0")
        self.speed = speed

    def now(self) -> float:
        """Return laboratory time [s]."""
        return time.monotonic() * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait for so many laboratory seconds."""
        await asyncio.sleep(seconds / self.speed)
