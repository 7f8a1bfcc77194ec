"""Random drift of a monitor, exact for any time step."""

from math import exp, sqrt
from random import Random


class Drift:
    """Ornstein-Uhlenbeck process: wanders around zero and forgets with one correlation time.

    The update is exact, so the law of the drift does not depend on how often it is looked at.

    Args:
        deviation: Standard deviation in the long run.
        correlation_time: In which it forgets [s].
        random: Source of chance.
    """

    def __init__(self, deviation: float, correlation_time: float, random: Random):
        self._deviation, self._correlation_time = deviation, correlation_time
        self._random = random
        self._value, self._time = random.gauss(0, deviation), None

    def at(self, time: float) -> float:
        """Return the drift at a time [s], not before the last one asked for."""
        if self._time is None:
            self._time = time
        kept = exp(-(time - self._time) / self._correlation_time)
        fresh = self._deviation * sqrt(1 - kept**2)
        self._value, self._time = kept * self._value + self._random.gauss(0, fresh), time
        return self._value
