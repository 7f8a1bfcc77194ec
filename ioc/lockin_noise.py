"""What one reading of the lock-in amplifier holds: the filter's output, averaged."""

from dataclasses import dataclass, field
from math import inf, sqrt
from typing import NamedTuple

import numpy as np

from .physics.filter import average


class Window(NamedTuple):
    """What a reading is averaged over.

    Attributes:
        poles: Number of RC stages.
        time_constant: Of one stage [s].
        gap: From the end of the window before [s]; at its beginning all upstream changed.
        length: Integration time [s].
    """

    poles: int
    time_constant: float
    gap: float
    length: float


@dataclass
class Averages:
    """One filter under all readings of a lock-in, so that each remembers the one before.

    A reading is fixed by the seed, its number and what was read before it. The wall clock has no
    say: when nothing changed, a window begins where the last one ended, and when something did, it
    changed right there, so that the wait is as short as the settling time allows. Idle time of the
    client in between would only make the filter forget more.
    """

    seed: int
    _state: np.ndarray = field(default_factory=lambda: np.zeros(0, complex))
    _time_constant: float = 0.0

    def take(
        self, number: int, window: Window, signal: complex, density: float, leak: np.ndarray
    ) -> complex:
        """Return X + iY [V] of one reading.

        Args:
            number: Of the shot.
            window: What it is averaged over.
            signal: That goes into the filter without noise [V].
            density: Of white noise [V/sqrt(Hz)].
            leak: Complex amplitudes of the mains, averaged [V]; each gets a phase by chance.
        """
        poles, tau = window.poles, window.time_constant
        known = (len(self._state), self._time_constant) == (poles, tau)
        known = known and np.isfinite(self._state).all()  # a signal that was no number is forgotten
        state, gap = (self._state, window.gap) if known else (np.zeros(poles), inf)
        taken = average(poles, gap / tau, window.length / tau)
        random = np.random.default_rng([self.seed, number])
        draws = random.standard_normal((poles + 1, 2)) @ [1, 1j]
        noise = density / sqrt(2 * tau) * (taken.spread @ draws)
        after = taken.keep @ state + taken.hold * signal + noise
        self._state, self._time_constant = after[1:], tau
        if leak.any():
            after[0] += leak @ np.exp(1j * random.uniform(0, 2 * np.pi, len(leak)))
        return complex(after[0])
