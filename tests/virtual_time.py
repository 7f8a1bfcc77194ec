"""A wall clock that moves on only while everybody waits.

What instruments of this process do in time is then exact, however busy the machine is.
"""

import asyncio
import selectors

TURN = 1e-9  # s that a turn of the loop takes, so that nobody waits for ever for less


class VirtualWall:
    """Stands in for the module ``time`` of the laboratory clock, and for ``asyncio.run``."""

    def __init__(self):
        self._now = 1000.0

    def monotonic(self) -> float:
        """Return the time [s]."""
        return self._now

    def run(self, main):
        """Run a coroutine in this time, as ``asyncio.run`` does in that of the wall."""
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(self)) as runner:
            return runner.run(main)

    def wait(self, seconds: float) -> None:
        """Let time pass at once."""
        self._now += seconds


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that jumps to its next timer instead of waiting for it."""

    def __init__(self, wall: VirtualWall):
        super().__init__(VirtualSelector(wall))
        self._wall = wall

    def time(self) -> float:
        """Return the time of the virtual wall [s]."""
        return self._wall.monotonic()


class VirtualSelector(selectors.DefaultSelector):
    """Never waits."""

    def __init__(self, wall: VirtualWall):
        super().__init__()
        self._wall = wall

    def select(self, timeout=None):
        """Let the time pass that the loop would have waited for a file."""
        ready = super().select(0)
        assert ready or timeout is not None, "everybody waits, and for nothing"
        self._wall.wait(TURN if ready else TURN + timeout)
        return ready
