"""What each effect makes of the paper's analysis: ``python -m odmrlab.lab.explain.effects``."""

from collections.abc import Iterator
from dataclasses import replace
from math import isnan, nan

import numpy as np

from ...analysis import Curve, FitError, Points, fit
from ...analysis.series import rates
from ...ioc.physics import Bench, Sample
from ...ioc.physics.carrier import Carrier, Hole
from ...ioc.physics.effects import EFFECTS

FREQUENCIES = np.array([0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 3.5, 4])  # GHz
MODULATION = np.geomspace(30, 100e3, 24)  # Hz
POWERS = np.array([0.125, 0.25, 0.5, 1.0, 2.0])  # mW
FIELDS = np.array([20.0, 30, 45, 70, 100, 170])  # mT
TEMPERATURES = np.array([1.6, 2.5, 3.0, 3.5, 4, 4.5, 5, 6])  # K
REACH = 3.0  # line widths to either side, and no further than LEAST
LEAST = 2.0  # mT
PRECISION = 1e-4  # of the peak: stands for data without noise

HEAD = f"""\
# Effects beyond the paper's formulas

Written by `python -m odmrlab.lab.explain.effects`. Each row switches one effect on (`effects = ["..."]` in the sample file), measures the
electron of sample #1 without noise as the campaign does (rf 0 dBm, lines at 0.5 mW and 600 Hz, {REACH:g} widths to either side), and
analyses it as the paper does: Gaussian lines, Eqs. (1) and (2); spin inertia by Eq. (3) with one T1 and a free phase; Eqs. (4) and (5).
What stands out in a row is the bias that this effect alone would put into the paper's numbers.

| effect | g | g, slope | intercept (MHz) | Delta_N (mT) | Delta_g | T1, 2 mW (us) | T1, P to 0 (us) | tau_c (us) | E_a (meV) |
|---|---|---|---|---|---|---|---|---|---|
"""

TAIL = """
The corrected analysis of the campaign knows all of these: lines and lifetimes of the electron are fitted together, and what such a fit has to
know of bench and spins is [measured](../decisions/0016-lines-and-lifetimes-in-one-fit.md). Without noise it finds every number of a sample with all effects
to 0.15 of its standard error; how often the truth lies inside its error bars with noise is [counted](../reference/coverage.md).
"""

Row = tuple[float, ...]


def table() -> str:
    """Return the page."""
    rows = [("none", ()), *((name, (name,)) for name in EFFECTS), ("twin: all of them", ("twin",))]
    lines = [f"| {name} | {' | '.join(cells(effects))} |\n" for name, effects in rows]
    told = [f"- **{name}**: {sentence}\n" for name, sentence in EFFECTS.items()]
    return HEAD + "".join(lines) + "\n" + "".join(told) + TAIL


def cells(effects: tuple[str, ...]) -> Iterator[str]:
    """Give the cells of one row."""
    sample = replace(Sample(effects=effects), hole=Hole(amplitude=0.0))
    digits = (4, 4, 1, 2, 4, 1, 0, 1, 3)
    for number, places in zip((*lines(sample), *lifetimes(sample)), digits, strict=True):
        yield "no fit" if isnan(number) else f"{round(number, places) + 0.0:.{places}f}"


def lines(sample: Sample) -> Row:
    """Return g through zero, g of the slope, intercept [MHz], Delta_N [mT], Delta_g."""
    found = [line(sample, frequency) for frequency in FREQUENCIES]
    place, width = np.transpose([(one["field"], one["width"]) for one in found])
    same = np.full(len(place), PRECISION)
    through = fit("g_factor", Points(FREQUENCIES, place, same))
    free = fit("g_factor", Points(FREQUENCIES, place, same), intercept=True)
    spread = fit("line_width", Points(place, width, same * width), g=Carrier().g)
    slope = FREQUENCIES[0] / (through.curve(FREQUENCIES[:1])[0] * through.values["g"])
    intercept = -free.values["intercept"] * free.values["g"] * slope * 1e3
    values = spread.values["overhauser_field"], spread.values["g_spread"]
    return through.values["g"], free.values["g"], intercept, *values


def line(sample: Sample, frequency: float) -> dict[str, float]:
    """Return what a Gaussian fit makes of the electron's line at an rf frequency [GHz]."""
    centre = Carrier().resonance(frequency)
    width = Carrier().width(centre)
    field = np.linspace(max(LEAST, centre - REACH * width), centre + REACH * width, 121)
    bench = Bench(field, frequency, 0.0, 1, 600.0, laser_shutter=1)
    return fit("odmr", curve(field, sample.signal(bench))).values


def lifetimes(sample: Sample) -> Iterator[float]:
    """Give the numbers of T1, NaN where no fit holds."""
    for number in (t1_at_2_mw, t1_without_light, correlation_time, activation):
        try:
            yield number(sample)
        except FitError:
            yield nan


def t1_at_2_mw(sample: Sample) -> float:
    """Return T1 [us]."""
    return 1e6 * float(t1(sample, laser_power_readback=POWERS[-1:])[0][0])


def t1_without_light(sample: Sample) -> float:
    """Return T1 [us], extrapolated to no laser power."""
    power = rates(POWERS, *t1(sample, laser_power_readback=POWERS))
    return 1e6 * fit("power", power).values["t1_zero_power"]


def correlation_time(sample: Sample) -> float:
    """Return tau_c [us] of Eq. (4)."""
    along = rates(FIELDS, *t1(sample, magnet_field_readback=FIELDS))
    width = Carrier().overhauser_field
    return 1e6 * fit("field", along, overhauser_field=width).values["tau_c"]


def activation(sample: Sample) -> float:
    """Return E_a [meV] of Eq. (5)."""
    warm = rates(TEMPERATURES, *t1(sample, cryostat_temperature_readback=TEMPERATURES))
    return fit("temperature", warm).values["phonon_energy"]


def t1(sample: Sample, **changed) -> tuple[np.ndarray, np.ndarray]:
    """Return T1 [s] and a precision of it along one line of the bench, on resonance."""
    ((name, values),) = changed.items()
    found = []
    for value in values:
        bench = Bench(100.0, 1.0, 0.0, 1, MODULATION, laser_power_readback=0.125, laser_shutter=1)
        bench = replace(bench, **{name: value})
        resonance = bench.magnet_field_readback / Carrier().resonance(1.0)
        bench = replace(bench, rf_frequency=resonance)
        found.append(fit("spin_inertia", curve(MODULATION, sample.signal(bench))).values["t1"])
    return np.array(found), PRECISION * np.array(found)


def curve(axis: np.ndarray, signal: np.ndarray) -> Curve:
    """Return a curve with hardly any noise."""
    error = np.full(len(axis), PRECISION * np.abs(signal).max())
    return Curve(axis, signal, error + 1j * error)


if __name__ == "__main__":
    print(table(), end="")
