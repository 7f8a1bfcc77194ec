"""How a readback travels to its set point: closed forms in time, so no step size matters."""

from dataclasses import dataclass
from math import copysign, exp, log


@dataclass(frozen=True)
class Ramp:
    """Straight line at constant rate, then ``settling`` seconds at the target before it ends.

    Times are laboratory seconds; ``rate`` is in units of the quantity per second.
    """

    start: float
    target: float
    rate: float
    began: float
    settling: float = 0.0

    @property
    def ends(self) -> float:
        """Laboratory time at which the target is held [s]."""
        return self.began + abs(self.target - self.start) / self.rate + self.settling

    def at(self, time: float) -> float:
        """Return the value at a laboratory time [s]; never beyond the target."""
        way = self.target - self.start
        gone = self.rate * (time - self.began)
        return self.target if gone >= abs(way) else self.start + copysign(gone, way)


@dataclass(frozen=True)
class Relaxation:
    """Exponential approach with one time constant [s]; ends within ``tolerance`` of the target."""

    start: float
    target: float
    time_constant: float
    began: float
    tolerance: float = 1e-3

    @property
    def ends(self) -> float:
        """Laboratory time at which the target is held [s]."""
        way = max(abs(self.target - self.start) / self.tolerance, 1.0)
        return self.began + self.time_constant * log(way)

    def at(self, time: float) -> float:
        """Return the value at a laboratory time [s]; the target itself from the end on."""
        if time >= self.ends:
            return self.target
        way = self.start - self.target
        return self.target + way * exp(-(time - self.began) / self.time_constant)
