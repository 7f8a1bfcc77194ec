"""The cells that measure T1: of both carriers, against power, field and temperature (Fig. 3)."""

import numpy as np

from ...analysis.series import MAGNETON, rates
from .findings import Findings, Line, against
from .scan import Measurement, Scan, Through, Work

INERTIA_FIELD = 100.0  # mT
POWERS = (0.125, 0.25, 0.5, 1.0, 2.0)  # mW
LOW_POWER = 0.125  # mW, of Figs. 3(b, c)
FIELDS = 9  # points of Fig. 3(b)
LOWEST_FIELD, HIGHEST_FIELD = 4.0, 200.0  # Delta_N, below it holes respond as well; mT
HIGHEST_FREQUENCY = 4.0  # GHz, of the rf source
TEMPERATURES = {  # K, with the rf power [dBm] that lines as weak as those of short T1 need
    1.6: 0.0,
    2.0: 0.0,
    2.5: 0.0,
    3.0: 0.0,
    3.5: 3.0,
    4.0: 6.0,
    4.5: 10.0,
    5.0: 13.0,
    6.0: 20.0,
    7.0: 20.0,
}
SHORTEST_T1 = 12e-6  # s, from which on the next temperature would leave no signal
LOWEST_MODULATION, HIGHEST_MODULATION = 30.0, 100e3  # Hz


def inertia(found: Findings) -> Work:
    """Measure T1 of both carriers at 2 mW, each on its resonance at 100 mT (Fig. 3(a))."""
    for name in ("electron", "hole"):
        line: Line = getattr(found, name)
        settings = {"laser.power": 2.0, "lockin.integration_time": 4.0}
        found.inertia[name] = yield Scan(
            f"spin inertia of the {name}, 2 mW",
            "spin_inertia",
            {"start": 100.0, "stop": 100e3, "num": 20},
            settings | on_resonance(line, INERTIA_FIELD),
            {"t1": 0.02},
        )


def powers(found: Findings) -> Work:
    """Measure T1 of the electron against the laser power (inset of Fig. 3(a))."""
    for power in POWERS:
        settings = {"laser.power": power, "lockin.integration_time": 4.0}
        found.powers[power] = yield Scan(
            f"spin inertia at {power} mW",
            "spin_inertia",
            {"start": 30.0, "stop": 30e3, "num": 20},
            settings | on_resonance(found.electron, INERTIA_FIELD),
            {"t1": 0.02},
        )
    measured = tuple(found.powers.values())
    found.series["power"] = yield Through("power", rates_of(found.powers), measured)


def fields(found: Findings) -> Work:
    """Measure T1 of the electron against the field, along its resonance (Fig. 3(b))."""
    width = found.series["width"].fit
    overhauser_field = width.values["overhauser_field"]
    highest = min(HIGHEST_FIELD, 0.99 * HIGHEST_FREQUENCY / (found.electron.g * MAGNETON))
    for field in np.geomspace(LOWEST_FIELD * overhauser_field, highest, FIELDS).round(1).tolist():
        settings = {"laser.power": LOW_POWER, "lockin.integration_time": 10.0}
        found.fields[field] = yield Scan(
            f"spin inertia at {field} mT",
            "spin_inertia",
            {"start": 30.0, "stop": 30e3, "num": 16},
            settings | on_resonance(found.electron, field),
            {"t1": 0.02},
        )
    options = {
        "overhauser_field": overhauser_field,
        "overhauser_field_error": width.errors["overhauser_field"],
    }
    measured = tuple(found.fields.values())
    found.series["field"] = yield Through("field", rates_of(found.fields), measured, options)


def temperatures(found: Findings) -> Work:
    """Measure T1 of the electron against the temperature, at 100 mT (Fig. 3(c))."""
    start = LOWEST_MODULATION
    for temperature, rf_power in TEMPERATURES.items():
        settings = {"laser.power": LOW_POWER, "lockin.integration_time": 20.0}
        settings |= {"cryostat.temperature": temperature, "rf.power": rf_power}
        found.temperatures[temperature] = measured = yield Scan(
            f"spin inertia at {temperature} K",
            "spin_inertia",
            {"start": start, "stop": min(1e3 * start, HIGHEST_MODULATION), "num": 16},
            settings | on_resonance(found.electron, INERTIA_FIELD),
            {"t1": 0.03},
        )
        start = max(LOWEST_MODULATION, corner(measured) / 10)
        if measured.fit.values["t1"] < SHORTEST_T1:
            break
    measured = tuple(found.temperatures.values())
    found.series["temperature"] = yield Through(
        "temperature", rates_of(found.temperatures), measured
    )


def theory(found: Findings) -> Work:
    """Put the prediction of the two-phonon theory beside the points of Fig. 3(c)."""
    measured = tuple(found.temperatures.values())
    points = rates_of(found.temperatures)
    found.series["theory"] = yield Through("two_phonon", points, measured)


def on_resonance(line: Line, field: float) -> dict[str, float]:
    """Return the settings that put a carrier on resonance at a field [mT]."""
    return {"magnet.field": field, "rf.frequency": line.frequency(field)}


def corner(measured: Measurement) -> float:
    """Return the modulation frequency [Hz] at which the signal begins to fall."""
    return 1 / (2 * np.pi * measured.fit.values["t1"])


def rates_of(measured: dict[float, Measurement]):
    """Return 1/T1 [1/s] of every run, against what was changed between the runs."""
    t1 = against(measured, "t1")
    return rates(t1.x, t1.y, t1.error)
