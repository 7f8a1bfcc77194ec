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
from .preflight import Foreseen, percent
from .results import CORRECTED, PAPER, Quantity


@dataclass(frozen=True)
class Outcome:
    """Of a campaign: every quantity, what was foreseen, and the checks of the bench."""

    numbers: Sequence[Quantity]
    foreseen: Sequence[Foreseen]
    checks: Sequence[Check]


OTHER = {PAPER: "corrected", CORRECTED: "paper's way"}
"""The other analysis, by the one that gives the value."""


REMARK = {
    PAPER: "This sample follows the formulas of the paper, and ours are analysed by them. Corrected is"
    " what an analysis beyond these formulas makes of the same readings. It takes out effects that"
    " this sample does not have, so it need not meet the truth here.",
    CORRECTED: "This sample does not follow the formulas of the paper, and ours are corrected for that."
    " The paper's way of analysis stands beside: it is off here.",
}
"""What is to be known of the other analysis."""


def table(results: Sequence[Quantity], foreseen: Sequence[Foreseen] = ()) -> Table:
    """Return the quantities as a table for the terminal, with the errors that were foreseen."""
    expected, first = errors_of(foreseen), first_of(results)
    made = Table(title="The paper, re-measured on the twin", box=SIMPLE, padding=(0, 1, 0, 0))
    for name in ("quantity", "unit"):
        made.add_column(name, no_wrap=True)
    rows = [shown(item, expected) for item in results]
    # not all of them fit into 80 characters: what was foreseen stands in the preflight as well, and
    # the truth is told by the distance from it
    unshown = {"foreseen"} if any(row["truth"] for row in rows) else set()
    unshown |= {"truth"} if any(row["syst."] for row in rows) else set()
    columns = [name for name in COLUMNS if name not in unshown and any(row[name] for row in rows)]
    for name in columns:
        made.add_column(OTHER[first] if name == "other" else name, justify="right", no_wrap=True)
    for item, row in zip(results, rows, strict=True):
        made.add_row(item.quantity, item.unit, *(row[name] for name in columns))
    if any(item.other for item in results):
        made.caption, made.caption_justify = REMARK[first], "left"
    return made


def first_of(results: Sequence[Quantity]) -> str:
    """Return which analysis gives the values."""
    return CORRECTED if any(item.analysis == CORRECTED for item in results) else PAPER


COLUMNS = ("paper", "ours", "syst.", "truth", "off by", "foreseen", "other")


def shown(item: Quantity, expected: Mapping[str, str]) -> dict[str, str]:
    """Return what a table shows of a quantity, by column; empty where there is nothing."""
    corrected = item.analysis == CORRECTED
    return {
        "paper": f"{item.paper:g}",
        "ours": bracketed(item.value, item.statistical),
        # by the paper's formulas there is none; that of the other analysis is in its brackets
        "syst.": f"{float(f'{item.systematic:.1g}'):g}" if corrected and item.systematic else "",
        "truth": "" if item.truth is None else f"{item.truth:.4g}",
        "off by": "" if item.pull is None else f"{item.pull:+.1f} σ",
        "foreseen": expected.get(item.quantity, ""),
        "other": bracketed(*item.other) if item.other else "",
    }


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


def write_report(
    came: Outcome, figures: Sequence[Path], facts: Mapping[str, Any], path: Path
) -> None:
    """Write the report: one file that opens anywhere, its figures inside."""
    template = (files(__package__) / "report.html.jinja").read_text()
    page = Environment(autoescape=True).from_string(template)
    expected, results = errors_of(came.foreseen), came.numbers
    first = first_of(results)
    rows = [shown(item, expected) | {"item": item, "interval": ends(item)} for item in results]
    images = [(file.stem, b64encode(file.read_bytes()).decode()) for file in figures]
    path.write_text(
        page.render(
            rows=rows,
            checks=[checks.cells(item) for item in came.checks],
            images=images,
            facts=facts,
            first=first,
            other=OTHER[first],
            remark=REMARK[first],
            known=any(item.truth is not None for item in results),
        )
    )
