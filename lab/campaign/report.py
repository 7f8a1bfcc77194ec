"""What came out, for people: the table in the terminal and the report."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment
from rich.box import SIMPLE
from rich.table import Table

from ..numbers import bracketed
from . import checks
from .checks import Check
from .preflight import Foreseen
from .results import CORRECTED, PAPER, Quantity


@dataclass(frozen=True)
class Outcome:
    """Of a campaign: every quantity, what was foreseen, and the checks of the bench."""

    numbers: Sequence[Quantity]
    foreseen: Sequence[Foreseen]
    checks: Sequence[Check]


OTHER = {PAPER: "corrected", CORRECTED: "paper's way"}
"""The other analysis, by the one that gives the value."""


def table(results: Sequence[Quantity], foreseen: Sequence[Foreseen] = ()) -> Table:
    """Return the quantities as a table for the terminal, with the errors that were foreseen."""
    expected = errors_of(foreseen)
    first = results[0].analysis if results else PAPER
    made = Table(title="The paper, re-measured on the twin", box=SIMPLE, padding=(0, 1, 0, 0))
    for name in ("quantity", "unit"):
        made.add_column(name, no_wrap=True)
    for name in ("paper", "ours", "syst.", "foreseen", OTHER[first]):
        made.add_column(name, justify="right", no_wrap=True)
    for item in results:
        systematic = f"{item.systematic:.1g}" if item.systematic else ""
        numbers = [f"{item.paper:g}", bracketed(item.value, item.statistical), systematic]
        other = bracketed(*item.other) if item.other else ""
        made.add_row(item.quantity, item.unit, *numbers, expected.get(item.quantity, ""), other)
    return made


def errors_of(foreseen: Sequence[Foreseen]) -> dict[str, str]:
    """Return the relative errors that were foreseen, by quantity."""
    items = [item for cell in foreseen for item in cell.quantities]
    return {item.quantity: percent(item.error / abs(item.value)) for item in items}


def ends(item: Quantity) -> str:
    """Return both ends of an interval, as far from the value as they are."""
    if item.interval is None:
        return ""
    centre = item.value if item.analysis == PAPER else item.other[0]
    low, high = (end - centre for end in item.interval)
    return f"{low:+.2g} {high:+.2g}"


def percent(share: float) -> str:
    """Return a share in per cent."""
    return f"{100 * share:.2g} %"


def write_report(
    came: Outcome, figures: Sequence[Path], facts: Mapping[str, Any], path: Path
) -> None:
    """Write the report: one file that opens anywhere, its figures inside."""
    template = (files(__package__) / "report.html.jinja").read_text()
    page = Environment(autoescape=True).from_string(template)
    expected, results = errors_of(came.foreseen), came.numbers
    rows = [
        {
            "item": item,
            "value": bracketed(item.value, item.statistical),
            "systematic": f"{item.systematic:.1g}" if item.systematic else "",
            "other": bracketed(*item.other) if item.other else "",
            "interval": ends(item),
            "foreseen": expected.get(item.quantity, ""),
        }
        for item in results
    ]
    first = results[0].analysis if results else PAPER
    images = [(file.stem, b64encode(file.read_bytes()).decode()) for file in figures]
    path.write_text(
        page.render(
            rows=rows,
            checks=[checks.cells(item) for item in came.checks],
            images=images,
            facts=facts,
            first=first,
            other=OTHER[first],
        )
    )
