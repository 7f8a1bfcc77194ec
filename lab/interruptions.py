"""Ctrl-C: it is counted while an engine is at work, never thrown, so that no clean-up is torn."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

APART = 0.1  # s; more often than that is a key that is held down
MOST = 10  # then whoever waits is thrown out, for a plan that hangs beyond help


class Interruptions:
    """The SIGINTs of one stretch of work in the main thread.

    Elsewhere, where no signal can be taken, there are none.

    Attributes:
        count: That have come since the outermost ``held`` began.
    """

    def __init__(self):
        self.count = 0
        self._depth, self._last = 0, 0.0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Count instead of throwing until the end of the block; blocks may be nested.

        Raises:
            KeyboardInterrupt: From whatever waits in the block, at the tenth.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._depth += 1
        before = signal.signal(signal.SIGINT, self._note) if self._depth == 1 else None
        try:
            if self._depth == 1:
                self.count = 0
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                signal.signal(signal.SIGINT, before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._last < APART:
            return
        self._last = now
        self.count += 1
        if self.count >= MOST:
            raise KeyboardInterrupt
