"""The campaign in numbers alone: the same cells, readings drawn in this process, nothing moved.

A rehearsal tells beforehand how long a campaign takes and how precise it will be, and draws the
hidden samples on which the error bars are tried.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...analysis import Curve, FitError, fit
from ...ioc.magnet import Coil
from ...ioc.physics import Bench, Sample
from ...ioc.physics.noise import POLES, settling_time, standard_error
from .paper import START
from .scan import Measurement, MeasurementError, NoFitError, Scan, Series, Through, Value

RAMP_RATE = 5.0  # mT/s, at which the magnet's IOC starts
LOCKING_PERIODS = 10  # of the reference, for which the lock-in waits after a change
SETTLING = 1e-3  # relative inaccuracy at which its wait ends
LINES = {  # of the bench, by setting
    "magnet.field": "magnet_field_readback",
    "rf.frequency": "rf_frequency",
    "rf.power": "rf_power",
    "rf.modulation_frequency": "rf_modulation_frequency",
    "laser.energy": "laser_energy_readback",
    "laser.power": "laser_power_readback",
    "cryostat.temperature": "cryostat_temperature_readback",
}
SWITCHES = {
    ("rf.output", "On"): {"rf_output": 1},
    ("rf.output", "Off"): {"rf_output": 0},
    ("rf.modulation", "On"): {"rf_modulation": 1},
    ("laser.shutter", "Open"): {"laser_shutter": 1},
    ("laser.shutter", "Closed"): {"laser_shutter": 0},
}
MORE, LONGEST = 1.2, 30.0  # times the integration time first chosen: for safety; at most
AXES = {  # what a plan moves, first of all what it scans
    "odmr": ("magnet.field",),
    "spin_inertia": ("rf.modulation_frequency",),
    "blank": ("rf.modulation_frequency",),
    "harmonics": ("lockin.harmonic", "rf.modulation_frequency"),
}


@dataclass(frozen=True)
class Rehearsed:
    """What one run would be like.

    Attributes:
        label: What would be measured.
        duration: Laboratory time that it takes [s].
        readings: Number of its points.
    """

    label: str
    duration: float
    readings: int


class Rehearsal:
    """Draws every reading in this process, with the noise of the lock-in.

    Args:
        samples: On each bench.
        random: Noise; None for none, with the error bars that there would be.
    """

    def __init__(self, samples: Mapping[str, Sample], random: np.random.Generator | None):
        self._samples, self._random = samples, random
        self._held: dict[str, dict[str, Value]] = {}
        self.runs: list[Rehearsed] = []

    def measure(self, scan: Scan) -> Measurement:
        """Draw one run and fit it.

        Raises:
            NoFitError: When the data allow no fit.
        """
        held = START | scan.settings
        if scan.plan == "blank":
            held |= {"laser.shutter": "Closed"}
        axis, options = points_of(scan)
        if scan.plan == "harmonics":
            held |= {"rf.modulation_frequency": options["modulation_frequency"]}
        curve = self._curve(self._samples[scan.bench], held, scan.plan, axis)
        self.runs.append(Rehearsed(scan.label, self._duration(scan, held, axis), len(axis)))
        try:
            fitted = fit(scan.plan, curve, **options)
        except FitError as error:
            if scan.wanted:
                return self.measure(longer(scan))
            raise NoFitError(f"{scan.label}: {error}") from error
        measured = Measurement(scan.label, "", "", curve, fitted)
        ratio = shortfall(measured, scan)
        return self.measure(longer(scan, ratio)) if ratio > 1 else measured

    def series(self, through: Through) -> Series:
        """Fit a series.

        Raises:
            MeasurementError: When the points allow no fit.
        """
        try:
            fitted = fit(through.model, through.points, **through.options)
        except FitError as error:
            raise MeasurementError(f"{through.model}: {error}") from error
        return Series(through.points, fitted, "", ["" for _ in through.behind])

    def _curve(self, sample: Sample, held: dict[str, Value], plan: str, axis: NDArray) -> Curve:
        if plan == "harmonics":
            bench, harmonic = bench_of(held), axis
            signal = np.array([sample.signal(bench, int(number)) for number in axis])
        else:
            bench, harmonic = replace(bench_of(held), **{LINES[AXES[plan][0]]: axis}), 1
            signal = np.broadcast_to(sample.signal(bench), axis.shape)
        frequency = harmonic * bench.rf_modulation_frequency
        density = np.broadcast_to(sample.noise_density(bench, frequency), axis.shape)
        tau, poles = held["lockin.time_constant"], POLES[held["lockin.filter_slope"]]
        error = density * standard_error(1.0, poles, tau, held["lockin.integration_time"])
        if self._random is not None:
            noise = self._random.standard_normal((2, len(axis)))
            signal = signal + error * (noise[0] + 1j * noise[1])
        return Curve(axis, signal, error * (1 + 1j))

    def _duration(self, scan: Scan, held: dict[str, Value], axis: NDArray) -> float:
        """Return how long [s] the moves and the readings of a run take."""
        before = self._held.get(scan.bench, {})
        frequency = held.get("rf.modulation_frequency", axis)
        scanned = AXES[scan.plan][0] == "rf.modulation_frequency"
        frequency = axis if scanned else np.full(len(axis), frequency)
        poles = POLES[held["lockin.filter_slope"]]
        settle = settling_time(poles, held["lockin.time_constant"], SETTLING)
        wait = np.maximum(settle, LOCKING_PERIODS / frequency)
        readings = float(np.sum(wait + held["lockin.integration_time"]))
        fields = [before.get("magnet.field", 0.0)]
        fields += axis.tolist() if scan.plan == "odmr" else [held["magnet.field"]]
        ramps = float(np.abs(np.diff(fields)).sum()) / min(RAMP_RATE, Coil().largest_rate)
        self._held[scan.bench] = held | {"magnet.field": fields[-1]}
        return readings + ramps


def bench_of(held: Mapping[str, Value]) -> Bench:
    """Return the bench with these settings."""
    lines: dict[str, Any] = {}
    for setting, value in held.items():
        if setting in LINES:
            lines[LINES[setting]] = value
        else:
            lines |= SWITCHES.get((setting, value), {})
    return Bench(**lines)


def points_of(scan: Scan) -> tuple[NDArray, dict[str, Any]]:
    """Return the points of a run, as its plan chooses them, and the options of its fit."""
    arguments = scan.arguments
    known = {name: arguments[name] for name in ("delay", "baseline") if name in arguments}
    if scan.plan == "harmonics":
        t1 = arguments["t1"]
        corner = {"t1": t1, "modulation_frequency": 1 / (2 * np.pi * t1)}
        return np.tile([1.0, 2.0], arguments["repeats"]), corner | known
    start, stop, num = arguments["start"], arguments["stop"], arguments["num"]
    if scan.plan != "odmr":
        return np.geomspace(start, stop, num), known
    both = arguments.get("both_signs", False)
    points = np.linspace(start, stop, num)
    if both:
        points = np.unique(np.concatenate([-points, points]))
    points = points[::-1] if arguments.get("down", False) else points
    options = {"lines": arguments["lines"], "offset": both}
    return points, options | {"fewer": arguments.get("fewer", False)}


def shortfall(measured: Measurement, scan: Scan) -> float:
    """Return by how much the worst error of a fit exceeds what was wanted; at most 1 if none does."""
    fitted = measured.fit
    ratios = [
        fitted.errors[n] / abs(fitted.values[n]) / wanted for n, wanted in scan.wanted.items()
    ]
    return max(ratios, default=0.0)


def longer(scan: Scan, ratio: float = inf) -> Scan:
    """Return a run averaged so much longer that its errors fall by a ratio, and not repeated."""
    times = min(MORE * ratio**2, LONGEST)
    taken = (START | scan.settings)["lockin.integration_time"]
    settings = scan.settings | {"lockin.integration_time": round(taken * times, 3)}
    return replace(scan, label=f"{scan.label}, longer", settings=settings, wanted={})
