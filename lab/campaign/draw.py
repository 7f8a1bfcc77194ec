"""The figures of the paper, out of what a campaign has found."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ...analysis import Points, figures
from ...analysis.theory import CORRECTED, CSPBI3, estimate
from .findings import Findings, against
from .ladder import refit, rf_series
from .lines import SURVEY_FREQUENCIES, strongest_line
from .paper import FIGURES


def draw(found: Findings, wanted: Sequence[str], out: Path) -> list[Path]:
    """Draw the wanted figures; returns their files."""
    return [
        figures.save(DRAWN[name](found), out / f"{name}.png") for name in FIGURES if name in wanted
    ]


def _fig1a(found: Findings) -> Figure:
    measured = [(frequency, m.curve, m.fit) for frequency, m in found.spectra.items()]
    both = found.survey[0]
    label = f"{SURVEY_FREQUENCIES[0]} GHz, 2 mW, 3 kHz"
    return figures.spectra(measured, (label, both.curve, both.fit))


def _of_lines(found: Findings, name: str) -> dict[str, Points]:
    """Return one parameter of the stronger line against the photon energy, by sample."""
    return {
        sample: against(measured, name, [strongest_line(m) for m in measured.values()])
        for sample, measured in found.energies.items()
    }


def _fig2a(found: Findings) -> Figure:
    return figures.heights(_of_lines(found, "amplitude"))


def _fig2b(found: Findings) -> Figure:
    series = found.series["g_energy"]
    ends = np.cumsum([len(by_energy) for by_energy in found.energies.values()])[:-1]
    parts = (
        np.split(part, ends) for part in (series.points.x, series.points.y, series.points.error)
    )
    by_sample = dict(zip(found.energies, map(Points, *parts), strict=True))
    return figures.energies(by_sample, series.fit)


def _fig2c(found: Findings) -> Figure:
    return figures.energy_widths(_of_lines(found, "width"))


def _fig3a(found: Findings) -> Figure:
    measured = [(name, m.curve, m.fit) for name, m in found.inertia.items()]
    return figures.inertia(measured, "Fig. 3(a): resonant spin inertia, 2 mW, 100 mT")


def _theory(found: Findings) -> Figure:
    series, energy = found.series["theory"], CSPBI3.modes[0].energy
    estimates = [
        ("Eq. (15) as printed", estimate(CSPBI3), energy),
        ("the same, slips mended", estimate(CSPBI3, reading=CORRECTED), energy),
    ]
    return figures.theory(series.points, series.fit, estimates)


def _systematics(found: Findings) -> Figure:
    depth = refit(found.scatter)
    points, line = rf_series(found, depth.values["variance"])
    return figures.systematics(points, line, found.scatter.curve, (found.scatter.fit, depth))


def _series(name: str, drawn):
    return lambda found: drawn(found.series[name].points, found.series[name].fit)


DRAWN = {
    "fig1a": _fig1a,
    "fig1b": _series("g", figures.resonances),
    "fig1c": _series("width", figures.widths),
    "fig2a": _fig2a,
    "fig2b": _fig2b,
    "fig2c": _fig2c,
    "fig3a": _fig3a,
    "fig3a_inset": _series("power", figures.powers),
    "fig3b": _series("field", figures.fields),
    "fig3c": _series("temperature", figures.temperatures),
    "theory": _theory,
    "systematics": _systematics,
}
