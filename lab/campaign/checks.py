"""What must agree if the bench is what it is taken for: two ways to the same number, or a zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from rich.box import SIMPLE
from rich.table import Table

from ..numbers import bracketed
from .findings import Findings
from .ladder import growth_of, heating_of, rf_series
from .lifetimes import BLANK_POWER, HARMONIC_POWER
from .lines import BOTH_SIGNS
from .scan import Measurement


@dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes:
        what: Is compared.
        unit: Of value and error.
        value: Found.
        error: Standard error of the value, or of the difference from what it should be.
        expected: What it should be; None where it is only told.
    """

    what: str
    unit: str
    value: float
    error: float
    expected: float | None = 0.0

    @property
    def pull(self) -> float | None:
        """Distance from what it should be, in standard errors."""
        return None if self.expected is None else (self.value - self.expected) / self.error


def checks(found: Findings) -> list[Check]:
    """Return every comparison that the measurements allow."""
    made = []
    if found.sweep:
        made += of_the_magnet(found.spectra[BOTH_SIGNS], found.sweep)
    if found.blank:
        dark = found.blank.fit
        pick_up = [1e9 * hypot(dark.values["baseline_x"], dark.values["baseline_y"])]
        pick_up += [1e9 * hypot(dark.errors["baseline_x"], dark.errors["baseline_y"])]
        made.append(Check(f"pick-up of the rf, {BLANK_POWER:g} dBm", "nV", *pick_up, None))
        if dark.errors["delay"]:
            made.append(Check("delay of the detector", "us", *scaled(dark, "delay", 1e6), None))
    if found.harmonics:
        made += of_the_rf(found)
    if found.warm:
        made.append(Check("warming by the light", "K/mW", *heating_of(found), None))
    return made


def of_the_magnet(up: Measurement, down: Measurement) -> list[Check]:
    """Compare a spectrum at both signs of the field, measured upwards, with one downwards."""
    one, other = up.fit, down.fit
    error = hypot(one.errors["field_offset"], other.errors["field_offset"])
    offsets = one.values["field_offset"], other.values["field_offset"]
    places = [fit.errors["field"] for fit in (one, other)]
    moved = one.values["field"] - other.values["field"]
    return [
        Check("offset of the field, from both signs", "mT", sum(offsets) / 2, error / 2),
        Check("offset, upwards less downwards", "mT", offsets[0] - offsets[1], error),
        Check("resonance, upwards less downwards", "mT", moved, hypot(*places)),
    ]


def of_the_rf(found: Findings) -> list[Check]:
    """Compare the flips that the second harmonic shows with those that 1/T1 against rf power does."""
    seen = found.harmonics.fit
    _, line = rf_series(found, 0.0)
    growth = 2 * growth_of(found, HARMONIC_POWER)  # an rf that is on half of the time
    slope, slope_error = (growth * part["pump_rate"] for part in (line.values, line.errors))
    flips, error = seen.values["flip_rate"], seen.errors["flip_rate"]
    less = flips - slope, hypot(error, slope_error)
    return [
        Check(f"flips by {HARMONIC_POWER:g} dBm of rf, from 2f/1f", "1/s", flips, error, None),
        Check("the same, less those from 1/T1 against rf power", "1/s", *less),
    ]


def scaled(fit, name: str, scale: float) -> tuple[float, float]:
    """Return a parameter and its error in another unit."""
    return scale * fit.values[name], scale * fit.errors[name]


def cells(item: Check) -> list[str]:
    """Return the line of one check."""
    expected = "" if item.expected is None else f"{item.expected:.3g}"
    pull = "" if item.pull is None else f"{item.pull:+.1f} σ"
    return [item.what, item.unit, bracketed(item.value, item.error), expected, pull]


def table(made: Sequence[Check]) -> Table:
    """Return the checks as a table for the terminal."""
    shown = Table(title="Checks of the bench", box=SIMPLE, padding=(0, 1, 0, 0))
    for name in ("check", "unit"):
        shown.add_column(name)
    for name in ("found", "expected", "off by"):
        shown.add_column(name, justify="right", no_wrap=True)
    for item in made:
        shown.add_row(*cells(item))
    return shown
