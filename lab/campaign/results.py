"""The numbers of the paper beside ours: which there are, where they come from, and the JSON file."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from math import hypot
from pathlib import Path
from typing import NamedTuple

from ...analysis import bootstrap
from .findings import Findings
from .scan import Measurement, Series

PAPER, CORRECTED = "paper", "corrected"
MICRO = 1e6  # s to us
PER_MICRO = 1e-6  # 1/s to 1/us


@dataclass(frozen=True)
class Corrected:
    """One number of the corrected analysis, with both of its errors."""

    value: float
    statistical: float
    systematic: float

    @property
    def error(self) -> float:
        """Both errors together."""
        return hypot(self.statistical, self.systematic)


@dataclass(frozen=True)
class Quantity:
    """One number with its error bar, the paper's beside it, and where it comes from.

    Attributes:
        quantity: Its name.
        unit: Of both values and of all errors.
        paper: The published value.
        value: Ours.
        error: Standard error of ours: statistical in the paper's analysis, which takes its formulas
            for exact; statistical and systematic together in the corrected one.
        runs: Uids of the runs behind it.
        fits: Uids of the runs of their fits.
        statistical: Part of the error that the scatter of the readings makes.
        systematic: What the value moves by when what is known of bench and spins is moved.
        analysis: `PAPER` or `CORRECTED`, of the value.
        other: Value and error of the other analysis; None where it was not made.
        interval: Ends of the 68 % interval by bootstrap, of the paper's analysis; None where there
            is no fit to draw from.
        truth: What the sample is made of, where that is simulated and not sealed.
    """

    quantity: str
    unit: str
    paper: float
    value: float
    error: float
    runs: list[str]
    fits: list[str]
    statistical: float = 0.0
    systematic: float = 0.0
    analysis: str = PAPER
    other: tuple[float, float] | None = None
    interval: tuple[float, float] | None = None
    truth: float | None = None

    @property
    def pull(self) -> float | None:
        """Distance from the truth in standard errors."""
        return None if self.truth is None else (self.value - self.truth) / self.error


class Row(NamedTuple):
    """A number of the paper, and where ours is found."""

    quantity: str
    unit: str
    paper: float
    source: Callable[[Findings], Measurement | Series | None]
    parameter: str
    scale: float = 1.0


def of_series(name: str) -> Callable[[Findings], Series | None]:
    """Return what finds a series."""
    return lambda found: found.series.get(name)


def of_carrier(name: str) -> Callable[[Findings], Measurement | None]:
    """Return what finds the spin inertia of a carrier at 2 mW."""
    return lambda found: found.inertia.get(name)


ROWS = (
    Row("g_electron", "", 1.68, of_series("g"), "g"),
    Row("g_hole", "", 0.8, of_series("g_hole_survey"), "g"),
    Row("g_spread", "", 0.15, of_series("width"), "g_spread"),
    Row("overhauser_field", "mT", 12.0, of_series("width"), "overhauser_field"),
    Row("t1_electron_2mW", "us", 130.0, of_carrier("electron"), "t1", MICRO),
    Row("t1_hole_2mW", "us", 70.0, of_carrier("hole"), "t1", MICRO),
    Row("t1_zero_power", "us", 900.0, of_series("power"), "t1_zero_power", MICRO),
    Row("pump_rate", "1/s/mW", 3291.0, of_series("power"), "pump_rate"),
    Row("tau_s", "us", 800.0, of_series("field"), "tau_s", MICRO),
    Row("tau_c", "us", 60.0, of_series("field"), "tau_c", MICRO),
    Row("phonon_energy", "meV", 3.2, of_series("temperature"), "phonon_energy"),
    Row("phonon_rate", "1/us", 20.0, of_series("temperature"), "phonon_rate", PER_MICRO),
    # the paper draws no line through Fig. 2(b); this is the slope of the published g factors
    Row("g_slope", "1/eV", -4.0, of_series("g_energy"), "g_slope"),
    Row("phonon_rate_theory", "1/us", 2.0, of_series("theory"), "phonon_rate"),
)


CALCULATED = {"phonon_rate_theory"}  # from constants, not from data
DRAWS, BOOTSTRAP_SEED = 300, 1


def quantities(found: Findings) -> list[Quantity]:
    """Return every quantity that was measured."""
    return [quantity(row, source) for row in ROWS if (source := row.source(found)) is not None]


def quantity(row: Row, source: Measurement | Series) -> Quantity:
    """Return one parameter of a measurement or of a series as a quantity."""
    fit = source.fit
    value, error = (row.scale * numbers[row.parameter] for numbers in (fit.values, fit.errors))
    runs = source.runs if isinstance(source, Series) else [source.run]
    fits = [source.fit_run]
    return Quantity(row.quantity, row.unit, row.paper, value, error, runs, fits, error)


def with_intervals(results: list[Quantity], found: Findings) -> list[Quantity]:
    """Return the results with intervals that need not be even, out of data drawn from each fit."""
    rows = {row.quantity: row for row in ROWS}
    return [replace(item, interval=interval(rows[item.quantity], found)) for item in results]


def interval(row: Row, found: Findings) -> tuple[float, float] | None:
    """Return the 68 % interval of a quantity by bootstrap; None where the data do not make its error."""
    source = row.source(found)
    if source is None or row.quantity in CALCULATED:
        return None
    data = source.curve if isinstance(source, Measurement) else source.points
    drawn = bootstrap(source.fit, data, BOOTSTRAP_SEED, DRAWS)
    low, high = (row.scale * end for end in drawn.interval(row.parameter))
    return low, high


def with_truth(results: list[Quantity], truth: Mapping[str, float]) -> list[Quantity]:
    """Return the results with the truth of those that have one."""
    return [replace(item, truth=truth.get(item.quantity)) for item in results]


def beside(
    results: list[Quantity], corrected: Mapping[str, Corrected], first: str
) -> list[Quantity]:
    """Return the results with those of the corrected analysis.

    Args:
        results: Of the paper's analysis.
        corrected: Of the other one, by quantity.
        first: Which of both gives the value.
    """
    both = []
    for item in results:
        if (other := corrected.get(item.quantity)) is None:
            both.append(item)
        elif first == PAPER:
            numbers = (other.value, other.error)
            both.append(replace(item, systematic=other.systematic, other=numbers))
        else:
            errors = {"statistical": other.statistical, "systematic": other.systematic}
            told = {"analysis": CORRECTED, "other": (item.value, item.error)}
            both.append(replace(item, value=other.value, error=other.error, **errors, **told))
    return both


def write_json(results: list[Quantity], path: Path) -> None:
    """Write the quantities as a list of plain objects."""
    path.write_text(
        json.dumps([asdict(item) for item in results], indent=2, allow_nan=False) + "\n"
    )
