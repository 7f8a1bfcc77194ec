"""What came out, for people: the table in the terminal and the report."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment
from rich.table import Table

from ..numbers import rounded
from .preflight import Foreseen
from .results import Quantity


def table(results: Sequence[Quantity], foreseen: Sequence[Foreseen] = ()) -> Table:
    """Return the quantities as a table for the terminal, with the errors that were foreseen."""
    expected = errors_of(foreseen)
    made = Table(title="The paper, re-measured on the twin")
    made.add_column("quantity")
    for name in ("paper", "ours", "+-", "error", "foreseen"):
        made.add_column(name, justify="right")
    made.add_column("unit")
    for item in results:
        value, error = rounded(item.value, item.error)
        relative = [percent(item.error / abs(item.value)), expected.get(item.quantity, "")]
        made.add_row(item.quantity, f"{item.paper:g}", value, error, *relative, item.unit)
    return made


def errors_of(foreseen: Sequence[Foreseen]) -> dict[str, str]:
    """Return the relative errors that were foreseen, by quantity."""
    items = [item for cell in foreseen for item in cell.quantities]
    return {item.quantity: percent(item.error / abs(item.value)) for item in items}


def percent(share: float) -> str:
    """Return a share in per cent."""
    return f"{100 * share:.2g} %"


def write_report(
    results: Sequence[Quantity],
    foreseen: Sequence[Foreseen],
    figures: Sequence[Path],
    facts: Mapping[str, Any],
    path: Path,
) -> None:
    """Write the report: one file that opens anywhere, its figures inside."""
    template = (files(__package__) / "report.html.jinja").read_text()
    page = Environment(autoescape=True).from_string(template)
    expected = errors_of(foreseen)
    rows = [
        (item, *rounded(item.value, item.error), expected.get(item.quantity, ""))
        for item in results
    ]
    images = [(file.stem, b64encode(file.read_bytes()).decode()) for file in figures]
    path.write_text(page.render(rows=rows, images=images, facts=facts))
