"""The main job: measure the paper on the twin, through Channel Access, and write what came out."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bluesky.utils import FailedStatus
from ophyd.utils import DisconnectedError
from rich.console import Console

from ...analysis import figures
from ..ending import end_on_signals
from ..numbers import told
from ..record.profile import write_profile
from ..record.shipper import Shipper
from ..session import Instruments, Session, connect
from ..settings import Settings, writable_folder
from . import results
from .measure import Campaign, Measurement, Records
from .paper import CELLS, FIGURES, SURVEY_FREQUENCIES, Findings, cells_of
from .progress import ReadingsBar

SHIPPING_TIME = 120.0  # s for the catalogue to take the last runs


def reproduce(
    settings: Settings, wanted: Sequence[str], out: Path, facts: dict[str, Any], console: Console
) -> list[results.Quantity]:
    """Measure what the wanted figures need, and write results, figures and report.

    The instruments must answer already.

    Args:
        settings: Of this laboratory.
        wanted: Names of figures, keys of ``FIGURES``.
        out: Folder for results.json, report.html and the figures.
        facts: How it was measured, for the report.
        console: Where progress is shown.

    Returns:
        Every quantity that was measured.

    Raises:
        MeasurementError: When a measurement gave no number.
        UnwritableError: Before anything moves, when a folder cannot be written.
    """
    writable_folder(out, "reproduce")
    write_profile(settings)
    instruments = connect(settings.prefix)
    cells = cells_of(list(wanted))
    found, records = Findings(), Records()
    with ExitStack() as stack:
        shipper = stack.enter_context(Shipper(settings))
        bar = ReadingsBar(console, sum(CELLS[name].points for name in cells))
        stack.enter_context(bar)
        md = {"sample": facts["sample"], "purpose": "reproduce"}
        session = Session(settings, instruments, records, bar, md=md)
        stack.callback(session.close)
        end_on_signals(session.RE)
        lab = SpokenCampaign(session, records, bar)
        lab.configure(*ready(instruments))
        stack.callback(leave_safe, lab, bar)
        for name in cells:
            CELLS[name].measure(lab, found)
        bar.say("into the catalogue")
        session.road.drain()
        shipper.drain(SHIPPING_TIME)
        bar.say("done")
    numbers = results.quantities(found)
    images = draw(found, wanted, out)
    results.write_json(numbers, out / "results.json")
    results.write_report(numbers, images, facts, out / "report.html")
    return numbers


class SpokenCampaign(Campaign):
    """A campaign that says what it measures, and what came out."""

    def __init__(self, session: Session, records: Records, bar: ReadingsBar):
        super().__init__(session, records)
        self._bar = bar

    def measure(self, plan, label: str) -> Measurement:
        self._bar.say(label)
        measured = super().measure(plan, label)
        self._bar.done(summary(measured))
        return measured


def summary(measured: Measurement) -> str:
    """Return one line about a measurement: what its fit found."""
    fit = measured.fit
    names = [name for name in ("field", "width", "field_2", "width_2", "t1") if name in fit.values]
    numbers = [told(name, fit.values[name], fit.errors[name], fit.units[name]) for name in names]
    return f"{measured.label}: {', '.join(numbers)}"


def ready(bench: Instruments) -> list[Any]:
    """Return the settings with which the campaign starts."""
    return [
        *(bench.rf.power, 0.0, bench.rf.output, "On", bench.rf.modulation, "On"),
        *(bench.laser.energy, 1.824, bench.laser.shutter, "Open"),
        *(bench.cryostat, 1.6, bench.lockin.time_constant, 0.01, bench.lockin.filter_slope, 24),
        *(bench.lockin.sensitivity, 1e-3, bench.lockin.phase, 0.0),
    ]


def leave_safe(lab: Campaign, bar: ReadingsBar) -> None:
    """Switch rf and light off; when that fails, say so without hiding why the campaign ended."""
    bench = lab.instruments
    try:
        lab.configure(bench.rf.output, "Off", bench.laser.shutter, "Closed")
    except (FailedStatus, DisconnectedError, TimeoutError) as error:
        bar.done(f"rf and light may still be on: {error.__cause__ or error}")


def draw(found: Findings, wanted: Sequence[str], out: Path) -> list[Path]:
    """Draw the wanted figures; returns their files."""
    images = []
    for name in FIGURES:
        if name in wanted:
            images.append(figures.save(DRAWN[name](found), out / f"{name}.png"))
    return images


def _fig1a(found: Findings):
    measured = [(f, m.curve, m.fit) for f, m in found.spectra.items()]
    both = found.survey[0]
    label = f"{SURVEY_FREQUENCIES[0]} GHz, 2 mW, 3 kHz"
    return figures.spectra(measured, (label, both.curve, both.fit))


def _fig3a(found: Findings):
    measured = [(name, m.curve, m.fit) for name, m in found.inertia.items()]
    return figures.inertia(measured, "Fig. 3(a): resonant spin inertia, 2 mW, 100 mT")


DRAWN = {
    "fig1a": _fig1a,
    "fig1b": lambda found: figures.resonances(found.series["g"].points, found.series["g"].fit),
    "fig1c": lambda found: figures.widths(found.series["width"].points, found.series["width"].fit),
    "fig3a": _fig3a,
    "fig3a_inset": lambda found: figures.powers(
        found.series["power"].points, found.series["power"].fit
    ),
}
