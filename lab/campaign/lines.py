"""The cells that measure resonance lines: g factors, their spread, the nuclear field (Figs. 1, 2)."""

import numpy as np

from ...analysis import Points
from ...analysis.series import MAGNETON
from .findings import Findings, Line, against, column
from .scan import Measurement, Scan, Through, Work

SURVEY_FREQUENCIES = (1.1, 0.8)  # GHz, where both carriers respond; the first is Fig. 1(a)'s inset
SPECTRUM_FREQUENCIES = (0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)  # GHz
BOTH_SIGNS = 1.0  # GHz, measured at both signs of the field as in Fig. 1(a)
SPECTRUM = {"laser.power": 0.5, "rf.modulation_frequency": 600.0, "lockin.integration_time": 0.5}
WIDTH_ERROR = 0.1  # relative, at most; a spectrum without a line is measured longer as well
REACH = 4.5  # line widths to either side of the resonance

REFERENCE_ENERGY = 1.824  # eV, of everything but Fig. 2
ENERGY_FREQUENCY = 1.13  # GHz, of Fig. 2
ENERGIES = {  # eV, where each sample of Fig. 2 shines
    "#1": (1.765, 1.78, 1.795, 1.81, 1.824, 1.84, 1.855),
    "#2": (1.73, 1.745, 1.76, 1.775, 1.79),
}


def survey(found: Findings) -> Work:
    """Find both resonances, and their g factors, in wide scans at 2 mW (inset of Fig. 1(a))."""
    settings = {"laser.power": 2.0, "rf.modulation_frequency": 3000.0}
    settings |= {"lockin.integration_time": 1.0}
    for frequency in SURVEY_FREQUENCIES:
        wide = {"start": 0.0, "stop": 250.0, "num": 101, "lines": 2}
        found.survey.append(
            (
                yield Scan(
                    f"both resonances at {frequency} GHz",
                    "odmr",
                    wide,
                    settings | {"rf.frequency": frequency},
                    {"width": WIDTH_ERROR, "width_2": 2 * WIDTH_ERROR},
                )
            )
        )
    for name, suffix in carriers(found.survey[0]).items():
        place, error = column(found.survey, "field", [suffix] * len(found.survey))
        points = Points(np.array(SURVEY_FREQUENCIES), place, error)
        series = yield Through("g_factor", points, tuple(found.survey))
        found.series[f"g_{name}_survey"] = series
        width = found.survey[0].fit.values[f"width{suffix}"]
        setattr(found, name, Line(series.fit.values["g"], width))


def carriers(both: Measurement) -> dict[str, str]:
    """Tell which line is whose, by the suffix of its parameters: the electron's is the stronger."""
    values = both.fit.values
    first_is_stronger = values["amplitude"] > values["amplitude_2"]
    return {"electron": "", "hole": "_2"} if first_is_stronger else {"electron": "_2", "hole": ""}


def spectra(found: Findings) -> Work:
    """Measure the electron's line at many rf frequencies; places and widths give Figs. 1(b, c)."""
    for frequency in SPECTRUM_FREQUENCIES:
        low, high, lines = scan_range(found, frequency)
        both = frequency == BOTH_SIGNS
        start, num = (0.0, 41) if both else (low, 61)
        arguments = {"start": start, "stop": high, "num": num, "both_signs": both}
        arguments |= {"lines": lines, "fewer": True}
        found.spectra[frequency] = yield Scan(
            f"spectrum at {frequency} GHz",
            "odmr",
            arguments,
            SPECTRUM | {"rf.frequency": frequency},
            {"width": WIDTH_ERROR},
        )
    measured = tuple(found.spectra.values())
    suffixes = [
        nearest_line(m, found.electron.field(frequency)) for frequency, m in found.spectra.items()
    ]
    place = against(found.spectra, "field", suffixes)
    width, width_error = column(list(measured), "width", suffixes)
    found.series["g"] = g = yield Through("g_factor", place, measured)
    options = {"g": g.fit.values["g"], "g_error": g.fit.errors["g"]}
    points = Points(place.y, width, width_error)
    found.series["width"] = yield Through("line_width", points, measured, options)


def sweep(found: Findings) -> Work:
    """Measure the spectrum at both signs of the field once more, downwards: does the magnet remember?"""
    _, high, lines = scan_range(found, BOTH_SIGNS)
    found.sweep = yield Scan(
        f"spectrum at {BOTH_SIGNS} GHz, downwards",
        "odmr",
        {"start": 0.0, "stop": high, "num": 41, "both_signs": True, "down": True}
        | {"lines": lines, "fewer": True},
        SPECTRUM | {"rf.frequency": BOTH_SIGNS},
    )


def scan_range(found: Findings, frequency: float) -> tuple[float, float, int]:
    """Return first and last field [mT] around the electron's line, and the lines to be seen there."""
    electron, hole = found.electron, found.hole
    centre, width = electron.field(frequency), electron.reach(frequency)
    low, high = max(centre - REACH * width, 0.0), centre + REACH * width
    away = abs(hole.field(frequency) - centre) - REACH * width
    if away > 3 * hole.reach(frequency):
        return low, high, 1
    far = hole.field(frequency) + 2 * hole.reach(frequency)
    return low, max(high, far), 2


def nearest_line(measured: Measurement, expected: float) -> str:
    """Return the suffix of the line that is nearest to the field [mT] where one is expected."""
    values = measured.fit.values
    second = values.get("field_2", np.inf)
    return "" if abs(values["field"] - expected) <= abs(second - expected) else "_2"


def energies(found: Findings) -> Work:
    """Measure the line against the photon energy on both samples of Fig. 2."""
    wide = {"start": 0.0, "stop": 260.0, "num": 81, "lines": 2, "fewer": True}
    settings = SPECTRUM | {"rf.frequency": ENERGY_FREQUENCY, "lockin.integration_time": 2.0}
    for sample, chosen in ENERGIES.items():
        found.energies[sample] = {}
        for energy in chosen:
            found.energies[sample][energy] = yield Scan(
                f"spectrum of {sample} at {energy} eV",
                "odmr",
                wide,
                settings | {"laser.energy": energy},
                {"width": WIDTH_ERROR},
                bench=sample,
            )
    measured = [m for by_energy in found.energies.values() for m in by_energy.values()]
    suffixes = [strongest_line(m) for m in measured]
    photon = np.array([energy for chosen in ENERGIES.values() for energy in chosen])
    place, error = column(measured, "field", suffixes)
    g = ENERGY_FREQUENCY / (MAGNETON * place)
    found.series["g_energy"] = yield Through(
        "g_energy", Points(photon, g, g * error / place), tuple(measured), {"at": REFERENCE_ENERGY}
    )


def strongest_line(measured: Measurement) -> str:
    """Return the suffix of the stronger line."""
    values = measured.fit.values
    return "_2" if values.get("amplitude_2", 0.0) > values["amplitude"] else ""
