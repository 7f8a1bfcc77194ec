"""What things cost. Within a group the table gives each as a ratio to the fastest, in brackets."""

import bluesky.plans as bp
import numpy as np
import pytest
from bluesky import RunEngine
from laboratory import PREFIX
from ophyd import EpicsSignal, EpicsSignalRO

from odmrlab.analysis import Curve, fit
from odmrlab.ioc.physics import Bench, Sample
from odmrlab.lab.record.journal import Journal
from odmrlab.plans import spin_inertia

POINTS = 100
READINGS = ("X", "Y", "XError", "YError", "Overload", "Unlocked")


@pytest.mark.benchmark(group="scan of 100 points over Channel Access")
def test_spin_inertia_set_settled_averaged_and_verified(benchmark, bench):
    RE = RunEngine()
    motor = bench.rf.modulation_frequency
    benchmark.pedantic(
        lambda: RE(spin_inertia(bench.lockin, motor, 100, 10e3, POINTS)), rounds=7, warmup_rounds=1
    )


@pytest.mark.benchmark(group="scan of 100 points over Channel Access")
def test_stock_list_scan_of_plain_epics_signals(benchmark, bench):
    """The same PVs, but nothing is triggered, waited for or verified."""
    RE = RunEngine()
    motor = EpicsSignal(f"{PREFIX}Rf:ModulationFrequency", name="frequency")
    detectors = [EpicsSignalRO(f"{PREFIX}Lockin:{name}", name=name) for name in READINGS]
    for signal in (motor, *detectors):
        signal.wait_for_connection()
    points = np.geomspace(100, 10e3, POINTS).tolist()
    benchmark.pedantic(
        lambda: RE(bp.list_scan(detectors, motor, points)), rounds=7, warmup_rounds=1
    )


@pytest.mark.benchmark(group="signal of the sample")
@pytest.mark.parametrize("effects", [(), ("twin",)], ids=["paper", "all effects"])
def test_signal(benchmark, effects):
    sample, here = Sample(effects=effects), Bench(rf_output=1, laser_shutter=1)
    benchmark(sample.signal, here)


def noisy(axis: np.ndarray, signal: np.ndarray, noise: float) -> Curve:
    scatter = np.random.default_rng(1).normal(0, noise, (2, len(axis)))
    error = np.full(len(axis), noise)
    return Curve(axis, signal + scatter[0] + 1j * scatter[1], error + 1j * error)


@pytest.mark.benchmark(group="fit")
def test_fit_of_an_inertia_curve_of_20_points(benchmark):
    frequency = np.geomspace(100, 1e5, 20)
    curve = noisy(frequency, 1e-5 / (1 + 2j * np.pi * frequency * 130e-6), 1e-7)
    benchmark(fit, "spin_inertia", curve)


@pytest.mark.benchmark(group="fit")
def test_fit_of_a_spectrum_of_61_points(benchmark):
    field = np.linspace(0, 90, 61)
    curve = noisy(field, 1e-5 * np.exp(-0.5 * ((field - 42.5) / 9.3) ** 2) + 0j, 1e-7)
    benchmark(fit, "odmr", curve)


@pytest.mark.benchmark(group="journal")
def test_event_on_disk(benchmark, tmp_path):
    journal, data = Journal(tmp_path), {f"column_{n}": float(n) for n in range(15)}
    journal("start", {"uid": "run", "time": 0.0})
    journal("descriptor", {"uid": "stream", "run_start": "run"})
    event = {"uid": "e", "descriptor": "stream", "seq_num": 1, "data": data, "timestamps": data}
    benchmark(journal, "event", event)
