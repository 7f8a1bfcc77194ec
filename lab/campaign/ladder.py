"""What the ladder of systematics has found: what the paper's formulas leave out, measured."""

from dataclasses import dataclass
from math import hypot

import numpy as np

from ...analysis import Points, fit
from ...analysis.data import Fit
from ...analysis.series import rates
from .findings import Findings
from .lifetimes import LOW_POWER, WARM_POWER, rates_of
from .scan import Measurement

STEEP = np.linspace(-2.0, 2.0, 401)  # K, around the temperature at which the warming is looked for


@dataclass(frozen=True)
class Known:
    """What the ladder has found, or is assumed.

    Attributes:
        variance: Of ln T1 from spin to spin.
        flip_rate: W at 0 dBm of rf on the electron's line at 100 mT [1/s].
        delay: Of the detector, beyond what the runs were fitted with [s].
        heating: Of the lattice by the light [K/mW].
    """

    variance: float = 0.0
    flip_rate: float = 0.0
    delay: float = 0.0
    heating: float = 0.0


def ladder_of(found: Findings) -> tuple[Known, Known]:
    """Return what the ladder has found, and its standard errors."""
    depth = refit(found.scatter)
    variance, error = depth.values["variance"], depth.errors["variance"]
    _, slope = rf_series(found, variance)
    # an rf that is on half of the time relaxes the spins by W/2 in the mean
    flip_rate, flip_error = (2 * part["pump_rate"] for part in (slope.values, slope.errors))
    heating, heating_error = heating_of(found)
    known = Known(variance, max(0.0, flip_rate), heating=heating)
    return known, Known(error, flip_error, found.blank.fit.errors["delay"], heating_error)


def heating_of(found: Findings) -> tuple[float, float]:
    """Return by how much the light warms the lattice [K/mW], and the standard error.

    In much light spins relax faster than the pumping explains, as measured in the cold where the
    temperature hardly counts. The rest is the lattice's, and T1 against temperature tells how warm
    that must be. The rate of pumping is taken not to depend on the temperature.
    """
    temperature, warm = found.warm
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
    """Return how much faster an rf power [dBm] flips spins than 0 dBm does.

    The height of the signal tells: it goes with W, which need not go with the power where packets
    of spins saturate one by one. Beyond the ladder its last slope goes on.
    """
    levels = np.array(list(found.ladder))
    heights = np.log([one.fit.values["amplitude"] for one in found.ladder.values()])
    beyond = np.polyfit(levels[-2:], heights[-2:], 1)
    inside = np.interp(rf_power, levels, heights)
    height = np.polyval(beyond, rf_power) if rf_power > levels[-1] else inside
    return float(np.exp(height - heights[0]))


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
