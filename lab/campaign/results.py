"""The numbers of the paper beside ours: table, JSON file and report."""

import json
from base64 import b64encode
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment
from rich.table import Table

from ..numbers import rounded
from .measure import Measurement, Series
from .paper import Findings

MICRO = 1e6  # s to us


@dataclass(frozen=True)
class Quantity:
    """One number with its error bar, the paper's beside it, and where it comes from."""

    quantity: str
    unit: str
    paper: float
    value: float
    error: float
    runs: list[str]
    fits: list[str]


def quantities(found: Findings) -> list[Quantity]:
    """Return every quantity that was measured."""
    series, inertia = found.series, found.inertia
    wanted = [
        ("g_electron", "", 1.68, series.get("g"), "g", 1),
        ("g_hole", "", 0.8, series.get("g_hole_survey"), "g", 1),
        ("g_spread", "", 0.15, series.get("width"), "g_spread", 1),
        ("overhauser_field", "mT", 12.0, series.get("width"), "overhauser_field", 1),
        ("t1_electron_2mW", "us", 130.0, inertia.get("electron"), "t1", MICRO),
        ("t1_hole_2mW", "us", 70.0, inertia.get("hole"), "t1", MICRO),
        ("t1_zero_power", "us", 900.0, series.get("power"), "t1_zero_power", MICRO),
        ("pump_rate", "1/s/mW", 3291.0, series.get("power"), "pump_rate", 1),
    ]
    return [quantity(*row) for row in wanted if row[3] is not None]


def quantity(
    name: str, unit: str, paper: float, source: Measurement | Series, parameter: str, scale: float
) -> Quantity:
    """Return one parameter of a measurement or of a series as a quantity."""
    value, error = (scale * x[parameter] for x in (source.fit.values, source.fit.errors))
    runs = source.runs if isinstance(source, Series) else [source.run]
    return Quantity(name, unit, paper, value, error, runs, [source.fit_run])


def write_json(results: list[Quantity], path: Path) -> None:
    """Write the quantities as a list of plain objects."""
    path.write_text(
        json.dumps([asdict(item) for item in results], indent=2, allow_nan=False) + "\n"
    )


def table(results: list[Quantity]) -> Table:
    """Return the quantities as a table for the terminal."""
    made = Table(title="The paper, re-measured on the twin")
    made.add_column("quantity")
    for name in ("paper", "ours", "+-", "error"):
        made.add_column(name, justify="right")
    made.add_column("unit")
    for item in results:
        value, error = rounded(item.value, item.error)
        relative = f"{100 * item.error / abs(item.value):.2g} %"
        made.add_row(item.quantity, f"{item.paper:g}", value, error, relative, item.unit)
    return made


def write_report(
    results: list[Quantity], figures: list[Path], facts: dict[str, Any], path: Path
) -> None:
    """Write the report: one file that opens anywhere, its figures inside."""
    template = (files(__package__) / "report.html.jinja").read_text()
    page = Environment(autoescape=True).from_string(template)
    rows = [(item, *rounded(item.value, item.error)) for item in results]
    images = [(file.stem, b64encode(file.read_bytes()).decode()) for file in figures]
    path.write_text(page.render(rows=rows, images=images, facts=facts))
