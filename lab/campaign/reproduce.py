"""The main job: measure the paper on the twin, through Channel Access, and write what came out."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bluesky.utils import FailedStatus
from rich.console import Console

from ...devices import DisconnectedError
from ..ending import end_on_signals
from ..numbers import told
from ..record.profile import write_profile
from ..record.shipper import Shipper
from ..session import Session, connect
from ..settings import Settings, writable_folder
from . import checks, preflight, report, results
from .corrected import NEEDS, corrected
from .draw import draw
from .findings import Findings
from .ledger import Ledger, Records
from .measure import Campaign
from .paper import CELLS, SAFE, cells_of
from .progress import ReadingsBar
from .scan import Measurement, Scan, perform

SHIPPING_TIME = 240.0  # s for the catalogue to take the last runs


@dataclass(frozen=True)
class Order:
    """What is to be measured, and where.

    Attributes:
        figures: Names, keys of ``FIGURES``.
        out: Folder for results.json, report.html and the figures.
        benches: Prefix of the PVs and name of the sample, by bench.
        speed: Laboratory seconds per second.
        facts: How it is measured, for the report.
        analysis: Which one gives the values, the paper's or the corrected one.
        truth: Of the sample, by quantity; empty where it is sealed, or not simulated.
    """

    figures: Sequence[str]
    out: Path
    benches: Mapping[str, tuple[str, str]]
    speed: float
    facts: Mapping[str, Any]
    analysis: str = results.PAPER
    truth: Mapping[str, float] = field(default_factory=dict)


def reproduce(settings: Settings, order: Order, ledger: Ledger, console: Console) -> report.Outcome:
    """Measure what the wanted figures need, and write results, figures and report.

    The instruments must answer already.

    Args:
        settings: Of this laboratory.
        order: What is to be measured.
        ledger: Of what is measured already.
        console: Where progress is shown.

    Returns:
        Every quantity that was measured, what was foreseen, and the checks of the bench.

    Raises:
        MeasurementError: When a measurement gave no number.
        UnwritableError: Before anything moves, when a folder cannot be written.
    """
    writable_folder(order.out, "reproduce")
    write_profile(settings)
    cells, found = cells_of(list(order.figures)), Findings()
    with console.status("odmrlab: rehearsing"):
        foreseen = preflight.preflight(cells, ledger.runs)
    with shipping(settings, console) as shipper, ReadingsBar(console) as bar:
        with SpokenCampaign(settings, order, ledger, bar) as lab:
            end_on_signals(lab.engines)
            pace = lab.pace(order.speed)
            bar.plan({cell.cell: (pace.duration(cell), cell.readings) for cell in foreseen})
            bar.show(preflight.table(foreseen, pace))
            began = time.monotonic()
            for name in cells:
                bar.begin(name)
                perform(CELLS[name].work(found), lab)
            bar.end()
            took = time.monotonic() - began
            lab.drain()
        expected = sum(pace.duration(cell) for cell in foreseen)
        duration = f"{took:.0f} s, foreseen {expected:.0f} s"
        bar.done(f"measured in {duration}")
        numbers = analysed(found, cells, order, bar)
        facts = dict(order.facts) | {"duration of the measurements": duration}
        came = report.Outcome(numbers, foreseen, checks.checks(found))
        bar.say("drawing figures, writing the report")
        publish(came, found, facts, order)
        ledger.finished = True
        ledger.save()
        # last of all: a slow catalogue keeps nobody from the results
        shipper.drain(SHIPPING_TIME, lambda left: bar.say(f"into the catalogue: {left} runs left"))
        bar.say("done")
    return came


@contextmanager
def shipping(settings: Settings, console: Console) -> Iterator[Shipper]:
    """Give a shipper, and tell a person who waits for its end what it does."""
    shipper = Shipper(settings)
    try:
        yield shipper
    finally:
        with console.status("odmrlab: bringing the last runs into the catalogue"):
            shipper.close()


def publish(came: report.Outcome, found: Findings, facts: Mapping[str, Any], order: Order) -> None:
    """Write figures, numbers and report."""
    images = draw(found, order.figures, order.out)
    results.write_json(came.numbers, order.out / "results.json")
    report.write_report(came, images, facts, order.out / "report.html")


def analysed(
    found: Findings, cells: Sequence[str], order: Order, bar: ReadingsBar
) -> list[results.Quantity]:
    """Return every quantity: by the paper's formulas, with intervals, and corrected if that is possible."""
    bar.say("drawing data once more for intervals")
    numbers = results.with_intervals(results.quantities(found), found)
    if set(NEEDS) <= set(cells):
        bar.say("analysing beyond the paper's formulas")
        numbers = results.beside(numbers, corrected(found), order.analysis)
    return results.with_truth(numbers, order.truth)


class SpokenCampaign(Campaign):
    """A campaign that says what it measures and what came out; a context that is left safe."""

    def __init__(self, settings: Settings, order: Order, ledger: Ledger, bar: ReadingsBar):
        records = Records()
        sessions = {}
        for bench, (prefix, sample) in order.benches.items():
            md = {"sample": sample, "purpose": "reproduce"}
            sessions[bench] = Session(
                settings, connect(prefix), records, bar, md=md, attended=False
            )
        super().__init__(sessions, records, ledger)
        self._bar = bar

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.leave_safe()
        self.close()

    def measure(self, scan: Scan) -> Measurement:
        self._bar.say(scan.label)
        measured = super().measure(scan)
        if measured.label == scan.label:  # else it was measured once more, and is told already
            self._bar.done(summary(measured))
        return measured

    def leave_safe(self) -> None:
        """Switch rf and light off; when that fails, say so without hiding why the campaign ended."""
        for bench in self.benches:
            try:
                self.configure(bench, SAFE)
            except (FailedStatus, DisconnectedError, TimeoutError) as error:
                self._bar.done(f"rf and light may still be on: {error.__cause__ or error}")


def summary(measured: Measurement) -> str:
    """Return one line about a measurement: what its fit found."""
    fit = measured.fit
    names = [name for name in TOLD if name in fit.values]
    numbers = [told(name, fit.values[name], fit.errors[name], fit.units[name]) for name in names]
    return f"{measured.label}: {', '.join(numbers)}"


TOLD = ("field", "width", "field_2", "width_2", "t1", "baseline_x", "baseline_y", "flip_rate")
"""Parameters that are told of a fit, of any model."""
