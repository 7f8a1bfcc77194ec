"""What things cost. Within a group the table gives each as a ratio to the fastest, in brackets."""

import bluesky.plans as bp
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky_tiled_plugins import TiledWriter
from event_model import compose_run
from laboratory import PREFIX
from ophyd import EpicsSignal, EpicsSignalRO

from odmrlab.analysis import Curve, fit
from odmrlab.ioc.physics import Bench, Sample
from odmrlab.lab.record import catalogue
from odmrlab.lab.record.journal import Journal
from odmrlab.lab.record.road import Road
from odmrlab.lab.settings import Settings
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


COLUMNS = {f"column_{n}": {"source": "bench", "dtype": "number", "shape": []} for n in range(15)}


def event_maker():
    """Return the first documents of a run of 15 columns, and a function that makes its events."""
    run = compose_run()
    stream = run.compose_descriptor(name="primary", data_keys=COLUMNS)
    data = {name: float(number) for number, name in enumerate(COLUMNS)}

    def event() -> dict:
        return stream.compose_event(data=data, timestamps=data, validate=False)

    return [("start", run.start_doc), ("descriptor", stream.descriptor_doc)], event


@pytest.mark.benchmark(group="event of 15 columns, on the RunEngine's thread")
@pytest.mark.parametrize("fsync", ["second", "always"])
def test_event_in_the_journal(benchmark, tmp_path, fsync):
    journal, (first, event) = Journal(tmp_path, fsync), event_maker()
    for document in first:
        journal(*document)
    benchmark(lambda: journal("event", event()))


@pytest.mark.benchmark(group="event of 15 columns, on the RunEngine's thread")
def test_event_on_the_road(benchmark, tmp_path):
    """The journal, and the copy that goes to fits and other consumers."""
    road, (first, event) = Road(Journal(tmp_path)), event_maker()
    for document in first:
        road(*document)
    benchmark(lambda: road("event", event()))
    road.close()


@pytest.mark.benchmark(group="event of 15 columns, on the RunEngine's thread")
@pytest.mark.parametrize("batch", [1, 10_000])
def test_event_in_the_stock_tiled_writer(benchmark, tmp_path, batch):
    settings = Settings(home=tmp_path)
    catalogue.create(settings)
    with catalogue.connect(settings).context as context:
        writer = TiledWriter(catalogue.from_context(context), batch_size=batch)
        first, event = event_maker()
        for document in first:
            writer(*document)
        benchmark(lambda: writer("event", event()))
