"""What the ladder of systematics has found: what the paper's formulas leave out, measured."""

from dataclasses import dataclass
from math import hypot

import numpy as np

from ...analysis import Curve, Points, fit
from ...analysis.data import Fit
from ...analysis.forward.answer import mean_answer
from ...analysis.forward.strength import Strength, fit_strength
from ...analysis.inertia import turned_back
from ...analysis.series import rates
from .findings import Findings
from .lifetimes import HARMONIC_POWER, LOW_POWER, WARM_POWER, rates_of
from .scan import Measurement

STEEP = np.linspace(-2.0, 2.0, 401)  # K, around the temperature at which the warming is looked for
WEAKEST = 1e-3  # 1/s, below which an answer to the rf only loses digits
ROUNDS = 2  # of scatter and flips in turn
HOLE_DOUBTS = 0.5, 0.5  # of what is assumed of the hole, by light and by nuclei
SLOW = 1.0  # Hz, at which the corrected fit tells the height of a signal


@dataclass(frozen=True)
class Known:
    """What the ladder has found, or is assumed.

    Attributes:
        variance: Of ln T1 from spin to spin.
        flip_rate: W at 0 dBm of rf on the electron's line at 100 mT [1/s].
        delay: Of the detector, beyond what the runs were fitted with [s].
        hole_pumping: Rate of pumping of the hole over the electron's, assumed.
        hole_nuclei: 1/tau_c of the hole over the electron's, assumed.
    """

    variance: float = 0.0
    flip_rate: float = 0.0
    delay: float = 0.0
    hole_pumping: float = 1.0
    hole_nuclei: float = 1.0


def ladder_of(found: Findings) -> tuple[Known, Known]:
    """Return what the ladder has found, and its standard errors."""
    flip_rate = 0.0
    for _ in range(ROUNDS):
        depth = refit(found.scatter, flip_rate=flip_rate)
        strength = strength_of(found, depth.values["variance"])
        flip_rate = max(0.0, float(strength.flip_rates[0]))
    errors = depth.errors["variance"], float(strength.errors[0]), found.blank.fit.errors["delay"]
    return Known(depth.values["variance"], flip_rate), Known(*errors, *HOLE_DOUBTS)


def strength_of(found: Findings, variance: float) -> Strength:
    """Return how strongly the rf flips spins at each power of the ladder."""
    levels = list(found.ladder)
    curves = [straightened(one) for one in found.ladder.values()]
    _, line = rf_series(found, variance)
    # an rf that is on half of the time relaxes the spins by W/2 in the mean
    start = line.values["t1_zero_power"], 2 * line.values["pump_rate"]
    seen = found.harmonics.fit
    other = seen.values["flip_rate"], seen.errors["flip_rate"]
    return fit_strength(curves, variance, start, (levels.index(HARMONIC_POWER), *other))


def straightened(measured: Measurement) -> Curve:
    """Return a curve without the delay of the detector, and without what it picks up of the rf."""
    curve, options = measured.curve, measured.fit.options
    signal = turned_back(curve.signal, curve.axis, options["delay"], options["baseline"])
    return curve.with_signal(signal)


def heating_of(found: Findings) -> tuple[float, float]:
    """Return by how much the light warms the lattice [K/mW], and the standard error.

    In much light spins relax faster than the pumping explains, as measured in the cold where the
    temperature hardly counts. The rest is the lattice's, and T1 against temperature tells how warm
    that must be. The rate of pumping is taken not to depend on the temperature.
    """
    temperature, warm = next(iter(found.warm.items()))
    cold = found.temperatures[temperature]
    pumping, more = found.series["power"].fit, WARM_POWER - LOW_POWER
    (fast, slow), (fast_error, slow_error) = (
        (np.array([one.fit.values["t1"] for one in (warm, cold)]) ** -1).tolist(),
        [one.fit.errors["t1"] / one.fit.values["t1"] ** 2 for one in (warm, cold)],
    )
    rest = fast - slow - pumping.values["pump_rate"] * more
    error = hypot(fast_error, slow_error, pumping.errors["pump_rate"] * more)
    series = fit("temperature", rates_of(found.temperatures), exact=True)
    rise = series.curve(temperature + STEEP) - series.curve(np.array([temperature]))
    slope = np.interp(0.0, STEEP, np.gradient(rise, STEEP))
    return float(np.interp(rest, rise, STEEP)) / more, error / slope / more


def rf_series(found: Findings, variance: float) -> tuple[Points, Fit]:
    """Return 1/T1 against the strength of the rf, that of 0 dBm being 1, and the line through it."""
    measured = [refit(one, variance=variance) for one in found.ladder.values()]
    t1 = np.array([(one.values["t1"], one.errors["t1"]) for one in measured])
    growth = np.array([growth_of(found, rf_power) for rf_power in found.ladder])
    points = rates(growth, *t1.T)
    return points, fit("power", points)


def growth_of(found: Findings, rf_power: float) -> float:
    """Return how much faster an rf power [dBm] flips spins than 0 dBm does, nearly.

    The height of the signal tells: it goes with W, which need not go with the power where packets
    of spins saturate one by one.
    """
    levels = np.array(list(found.ladder))
    heights = np.log([one.fit.values["amplitude"] for one in found.ladder.values()])
    return float(np.exp(np.interp(rf_power, levels, heights) - heights[0]))


def refit(
    measured: Measurement,
    variance: float | None = None,
    flip_rate: float = 0.0,
    delay: float = 0.0,
) -> Fit:
    """Fit a spin-inertia run beyond Eq. (3)."""
    options = measured.fit.options
    baseline = options["baseline"]
    return fit(
        "spin_inertia_corrected",
        measured.curve,
        flip_rate=flip_rate,
        variance=variance,
        delay=options["delay"] + delay,
        baseline=tuple(baseline),
        offset=any(baseline),
    )


def height_per_flip(refitted: Fit, known: Known, flip_rate: float) -> float:
    """Return the height of a signal over what spins of that T1 show for each flip [V/s]."""
    flips = max(flip_rate, WEAKEST)
    shown = abs(mean_answer(flips, refitted.values["t1"], SLOW, known.variance)) / flips
    return refitted.values["amplitude"] / float(shown)
