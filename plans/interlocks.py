"""What must hold at every point of a measurement, and what happens when it does not."""

from dataclasses import dataclass
from enum import StrEnum
from math import inf


class Action(StrEnum):
    """What a tripped interlock does; the point during which it tripped is never recorded."""

    ABORT = "ends the plan, which leaves the bench safe"
    WAIT = "waits until it holds again, up to the patience; then the point is repeated"
    RANGE = "looks for a sensitivity and repeats the point, up to three times"
    REPEAT = "repeats the point, up to three times"


REPEATS = 3  # of one point


class InterlockError(RuntimeError):
    """An interlock has tripped, and waiting does not help."""


@dataclass(frozen=True)
class Interlock:
    """A reading that must lie in a range. A lost, hung, INVALID or NaN one does not.

    Attributes:
        attribute: Of the bench, ``instrument.attribute``.
        meaning: Of its trip, in words.
        least: Smallest value that holds.
        most: Largest value that holds.
        action: What its trip does.
    """

    attribute: str
    meaning: str
    least: float
    most: float
    action: Action

    def holds(self, value: float) -> bool:
        """Return whether a value is good; NaN never is."""
        return self.least <= value <= self.most

    def told(self, value: float) -> str:
        """Return what is wrong, in a sentence."""
        needs = f"{self.least:g}" if self.least == self.most else f"at least {self.least:g}"
        return f"interlock: {self.meaning}, {self.attribute} is {value:g}; needs {needs}"


INTERLOCKS = (
    Interlock("magnet.quenched", "the magnet has quenched", 0, 0, Action.ABORT),
    Interlock("cryostat.helium_level", "helium is low [%]", 10, inf, Action.ABORT),
    Interlock("cryostat.stable", "the temperature is not stable", 1, 1, Action.WAIT),
    Interlock("laser.mode_locked", "the laser has lost its mode-lock", 1, 1, Action.WAIT),
    Interlock("rf.levelled", "the rf output is not levelled", 1, 1, Action.WAIT),
    Interlock("lockin.overload", "the lock-in is overloaded", 0, 0, Action.RANGE),
    Interlock("lockin.unlocked", "the lock-in has no reference", 0, 0, Action.REPEAT),
)
OF_A_READING = (Action.RANGE, Action.REPEAT)  # told by the reading itself, not by a monitor
