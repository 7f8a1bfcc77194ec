"""How a quantity travels to its set point: closed forms in time, so no step size matters."""

import cmath
from dataclasses import dataclass, replace
from math import copysign, log, pi

NEAREST = 1e-3  # two time constants in a row are never taken as closer than this, relatively


@dataclass(frozen=True)
class Piece:
    """Straight line with exponentials on it: level + slope u + Re sum a exp(-r u), u = t - began.

    Attributes:
        terms: Pairs of amplitude and rate [1/s]; complex ones make oscillations.
    """

    began: float
    level: float
    slope: float = 0.0
    terms: tuple[tuple[complex, complex], ...] = ()

    def at(self, time: float) -> float:
        """Return the value at a laboratory time [s]."""
        since = time - self.began
        waves = sum((a * cmath.exp(-r * since)).real for a, r in self.terms)
        return self.level + self.slope * since + waves

    def lagged(self, time_constant: float, start: float) -> "Piece":
        """Return what follows this with one time constant [s], from a value ``start`` on."""
        if any(abs(1 - time_constant * rate) < NEAREST for _, rate in self.terms):
            time_constant *= 1 + 2 * NEAREST  # the closed form has no equal ones
        driven = [(a / (1 - time_constant * rate), rate) for a, rate in self.terms]
        level = self.level - self.slope * time_constant
        own = start - level - sum(complex(a).real for a, _ in driven)
        return replace(self, level=level, terms=(*driven, (own, 1 / time_constant)))

    def settled(self, tolerance: float) -> float:
        """Return the laboratory time from which on no exponential exceeds a tolerance."""
        size = sum(abs(a) for a, _ in self.terms) / tolerance
        slowest = min((complex(r).real for _, r in self.terms), default=1.0)
        return self.began + log(max(size, 1.0)) / slowest


@dataclass(frozen=True)
class Motion:
    """Pieces one after the other; from ``ends`` on exactly the level of the last.

    Times are laboratory seconds.
    """

    pieces: tuple[Piece, ...]
    ends: float

    @classmethod
    def at_rest(cls, value: float, time: float) -> "Motion":
        """Return the motion of something that stays where it is."""
        return cls((Piece(time, value),), time)

    @property
    def target(self) -> float:
        """The value at rest."""
        return self.pieces[-1].level

    def at(self, time: float) -> float:
        """Return the value at a laboratory time [s]; before the beginning, the first value."""
        if time >= self.ends:
            return self.target
        time = max(time, self.pieces[0].began)
        return next(p for p in reversed(self.pieces) if p.began <= time).at(time)

    def lagged(self, time_constant: float, start: float, tolerance: float) -> "Motion":
        """Return what follows this with one time constant [s], from a value ``start`` on.

        It ends when it is within ``tolerance`` of the target, and not before this motion.
        """
        if not time_constant:
            return self
        pieces: list[Piece] = []
        for piece in self.pieces:
            start = pieces[-1].at(piece.began) if pieces else start
            pieces.append(piece.lagged(time_constant, start))
        return Motion(tuple(pieces), max(self.ends, pieces[-1].settled(tolerance)))

    def held(self, seconds: float) -> "Motion":
        """Return the same motion, ending so much later."""
        return replace(self, ends=self.ends + seconds)


def ramp(start: float, target: float, rate: float, began: float) -> Motion:
    """Return a straight line at a constant rate, per second; never beyond the target."""
    there = began + abs(target - start) / rate
    line = Piece(began, start, copysign(rate, target - start))
    return Motion((line, Piece(there, target)), there)


def relaxation(
    start: float,
    target: float,
    time_constant: float,
    began: float,
    tolerance: float = 1e-3,
    overshoot: float = 0.0,
) -> Motion:
    """Return an exponential approach that ends within ``tolerance`` of the target.

    Args:
        start: Value at the beginning.
        target: Value at rest.
        time_constant: Of the approach, or of the envelope of the ringing [s].
        began: Laboratory time [s].
        tolerance: At which the motion ends.
        overshoot: Of a controller, as a share of the step; its ringing then is that of a second
            order system with the damping that gives this overshoot.
    """
    way = start - target
    wave: tuple[complex, complex] = (way, 1 / time_constant)
    if overshoot and way:
        damping = -log(overshoot) / pi  # decay rate over angular frequency
        wave = way * (1 - 1j * damping), (1 - 1j / damping) / time_constant
    piece = Piece(began, target, terms=(wave,))
    return Motion((piece,), piece.settled(tolerance))


@dataclass(frozen=True)
class Remanence:
    """Play operator: magnetisation that follows the field and saturates at -1 and 1.

    Attributes:
        size: Field of the saturated magnetisation [mT], opposite to it.
        coercive_field: Change of field from zero magnetisation to saturation [mT].
        offset: Field that no cycle takes away [mT].
    """

    size: float = 0.0
    coercive_field: float = 50.0
    offset: float = 0.0

    def magnetisation(self, held: float, change: float) -> float:
        """Return the magnetisation after a monotonic change of field [mT]."""
        return min(1.0, max(-1.0, held + change / self.coercive_field))

    def field(self, applied: float, magnetisation: float) -> float:
        """Return the field at the sample [mT] where the current alone would give ``applied``."""
        return applied - self.size * magnetisation + self.offset
