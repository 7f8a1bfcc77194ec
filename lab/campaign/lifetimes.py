"""The cells that measure T1: of both carriers, against power, field and temperature (Fig. 3)."""

from typing import Any

import numpy as np

from ...analysis.series import MAGNETON, rates
from .findings import Findings, Line, against
from .scan import Measurement, NoFitError, Scan, Through, Work

INERTIA_FIELD = 100.0  # mT
POWERS = (0.125, 0.25, 0.5, 1.0, 2.0)  # mW
LOW_POWER, COLD = 0.125, 1.6  # mW, of Figs. 3(b, c); K, of all but the latter
FIELDS = 9  # points of Fig. 3(b)
LOWEST_FIELD, HIGHEST_FIELD = 4.0, 200.0  # Delta_N; mT
AWAY = 2.7  # widths of the hole's line, from which on it leaves T1 of the electron alone
FEWEST_FIELDS = 1.5  # ratio of the highest field to the lowest, at least
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
LEAST_TEMPERATURES = 6
SHORTEST_T1 = 12e-6  # s, from which on the next temperature would leave no signal
BLANK_POWER, BLANK_FREQUENCY = 20.0, 2.0  # dBm, GHz
LADDER = {0.0: 300.0, 4.0: 200.0, 7.0: 120.0, 10.0: 120.0}  # rf power [dBm]: integration time [s]
HARMONIC_POWER, HARMONIC_TIME = 7.0, 100.0  # dBm of rf, one of the ladder; s for a reading
WARM_POWER, WARM_T1 = 2.0, 60e-6  # mW; s, at least, where the warming by light is looked for
LOWEST_MODULATION, HIGHEST_MODULATION = 30.0, 100e3  # Hz


def inertia(found: Findings) -> Work:
    """Measure T1 of both carriers at 2 mW, each on its resonance at 100 mT (Fig. 3(a))."""
    for name in ("electron", "hole"):
        line: Line = getattr(found, name)
        settings = {"laser.power": 2.0, "lockin.integration_time": 4.0}
        found.inertia[name] = yield Scan(
            f"spin inertia of the {name}, 2 mW",
            "spin_inertia",
            {"start": 100.0, "stop": 100e3, "num": 20} | detector(found),
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
            {"start": 30.0, "stop": 30e3, "num": 20} | detector(found),
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
    begin = LOWEST_FIELD * overhauser_field
    lowest = clear_of_hole(found, begin, highest / FEWEST_FIELDS)
    # nuclei count for less where the field is higher, so that takes longer
    settings = {"laser.power": LOW_POWER, "lockin.integration_time": 10 * (lowest / begin) ** 2}
    for field in np.geomspace(lowest, highest, FIELDS).round(1).tolist():
        found.fields[field] = yield Scan(
            f"spin inertia at {field} mT",
            "spin_inertia",
            {"start": 30.0, "stop": 30e3, "num": 16} | detector(found),
            settings | on_resonance(found.electron, field),
            {"t1": 0.02},
        )
    options = {
        "overhauser_field": overhauser_field,
        "overhauser_field_error": width.errors["overhauser_field"],
    }
    measured = tuple(found.fields.values())
    found.series["field"] = yield Through("field", rates_of(found.fields), measured, options)


def clear_of_hole(found: Findings, lowest: float, highest: float) -> float:
    """Return the lowest field [mT] at which the hole leaves the electron's resonance alone.

    Its line is wide, and its T1 another: one spin in a hundred would show.
    """
    for field in np.geomspace(lowest, highest, 40).tolist():
        frequency = found.electron.frequency(field)
        if abs(found.hole.field(frequency) - field) > AWAY * found.hole.reach(frequency):
            return field
    return highest


def temperatures(found: Findings) -> Work:
    """Measure T1 of the electron against the temperature, at 100 mT (Fig. 3(c))."""
    start = LOWEST_MODULATION
    for temperature, rf_power in TEMPERATURES.items():
        settings = {"laser.power": LOW_POWER, "lockin.integration_time": 20.0}
        settings |= {"cryostat.temperature": temperature, "rf.power": rf_power}
        grid = {"start": start, "stop": min(1e3 * start, HIGHEST_MODULATION), "num": 16}
        try:
            found.temperatures[temperature] = measured = yield Scan(
                f"spin inertia at {temperature} K",
                "spin_inertia",
                grid | detector(found, rf_power),
                settings | on_resonance(found.electron, INERTIA_FIELD),
                {"t1": 0.03},
            )
        except NoFitError:
            if len(found.temperatures) < LEAST_TEMPERATURES:
                raise
            break  # T1 is too short to leave a signal, and shorter still at the next
        start = max(LOWEST_MODULATION, corner(measured) / 10)
        if measured.fit.values["t1"] < SHORTEST_T1:
            break
    measured = tuple(found.temperatures.values())
    found.series["temperature"] = yield Through(
        "temperature", rates_of(found.temperatures), measured
    )


def blank(found: Findings) -> Work:
    """Measure without light what the detector picks up of the rf, and how late it is."""
    settings = {"rf.power": BLANK_POWER, "rf.frequency": BLANK_FREQUENCY, "magnet.field": 0.0}
    found.blank = yield Scan(
        "no light",
        "blank",
        {"start": 300.0, "stop": 100e3, "num": 12},
        settings | {"lockin.integration_time": 100.0},
    )


def ladder(found: Findings) -> Work:
    """Measure T1 at several rf powers, and one curve so well that a scatter of T1 shows."""
    here = on_resonance(found.electron, INERTIA_FIELD)
    found.scatter = yield Scan(
        "one curve in depth, 2 mW",
        "spin_inertia",
        {"start": 30.0, "stop": 100e3, "num": 24} | detector(found),
        here | {"laser.power": 2.0, "lockin.integration_time": 300.0},
    )
    for rf_power, integration_time in LADDER.items():
        settings = {"laser.power": LOW_POWER, "lockin.integration_time": integration_time}
        found.ladder[rf_power] = yield Scan(
            f"spin inertia with {rf_power} dBm of rf",
            "spin_inertia",
            {"start": 30.0, "stop": 30e3, "num": 16} | detector(found, rf_power),
            here | settings | {"rf.power": rf_power},
        )


def harmonics(found: Findings) -> Work:
    """Measure the second harmonic beside the first, which tells the rate of flips by the rf."""
    weak = found.ladder[min(found.ladder)]
    found.harmonics = yield Scan(
        f"second harmonic with {HARMONIC_POWER} dBm of rf",
        "harmonics",
        {"t1": weak.fit.values["t1"], "repeats": 4} | detector(found, HARMONIC_POWER),
        on_resonance(found.electron, INERTIA_FIELD)
        | {"laser.power": LOW_POWER, "lockin.integration_time": HARMONIC_TIME}
        | {"rf.power": HARMONIC_POWER},
    )


def heating(found: Findings) -> Work:
    """Measure T1 in much light where it depends steeply on the temperature: does light warm it?

    Where T1 is still shorter, much light shows spins that little light hardly does.
    """
    long = {at: m for at, m in found.temperatures.items() if m.fit.values["t1"] > WARM_T1}
    for temperature, cold in found.temperatures.items():
        if temperature < max(long):
            continue
        rf_power, start = TEMPERATURES[temperature], max(LOWEST_MODULATION, corner(cold) / 10)
        settings = {"laser.power": WARM_POWER, "lockin.integration_time": 4.0}
        settings |= {"cryostat.temperature": temperature, "rf.power": rf_power}
        found.warm[temperature] = yield Scan(
            f"spin inertia at {temperature} K, {WARM_POWER} mW",
            "spin_inertia",
            {"start": start, "stop": HIGHEST_MODULATION, "num": 16} | detector(found, rf_power),
            settings | on_resonance(found.electron, INERTIA_FIELD),
            {"t1": 0.01},
        )


def detector(found: Findings, rf_power: float = 0.0) -> dict[str, Any]:
    """Return what the fit of a run at an rf power [dBm] is to know of the detector."""
    if found.blank is None:
        return {}
    dark, share = found.blank.fit.values, 10 ** ((rf_power - BLANK_POWER) / 10)
    baseline = [share * dark["baseline_x"], share * dark["baseline_y"]]
    return {"delay": dark["delay"], "baseline": baseline}


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
