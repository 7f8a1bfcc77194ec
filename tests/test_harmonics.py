"""The second harmonic beside the first: the flips of spins by the rf, and the checks of the bench."""

from dataclasses import replace

import numpy as np
import pytest
from ophyd.utils import LimitError

from odmrlab.analysis import Curve, FitError, fit
from odmrlab.analysis.fit_run import FitRun
from odmrlab.analysis.forward.answer import answer, second_answer
from odmrlab.ioc.physics import Sample
from odmrlab.ioc.physics.apparatus import SECOND_SAMPLE
from odmrlab.ioc.physics.carrier import Carrier
from odmrlab.ioc.physics.square_wave import square_wave_answer
from odmrlab.lab.campaign.checks import Check, checks, table
from odmrlab.lab.campaign.findings import Findings
from odmrlab.lab.campaign.paper import CELLS
from odmrlab.lab.campaign.rehearsal import Rehearsal
from odmrlab.lab.campaign.scan import perform
from odmrlab.plans import harmonics, odmr

T1 = 0.9e-3  # s
CORNER = 1 / (2 * np.pi * T1)  # Hz
BOTH = np.array([1.0, 2.0] * 3)


@pytest.mark.parametrize("flip_rate", [1.0, 100.0, 1e5])
def test_second_answer_is_that_of_the_twin(flip_rate):
    frequency = np.geomspace(10, 1e5, 9)
    twin = square_wave_answer(flip_rate, Carrier(), 1.0, 1e-4, frequency, 2) / Carrier().pump_rate
    np.testing.assert_allclose(second_answer(flip_rate, 1e-4, frequency), twin, rtol=1e-9)


@pytest.mark.parametrize(
    ("saturation", "share"),
    [(0.05, 0.128), (0.1, 0.126), (0.2, 0.122), (0.5, 0.111), (1.0, 0.096), (2.0, 0.074)],
)
def test_ratio_tells_the_saturation_in_one_shot(saturation, share):
    flips = saturation / T1
    ratio = abs(second_answer(flips, T1, CORNER) / answer(flips, T1, CORNER))
    assert ratio / saturation == pytest.approx(share, abs=6e-4)


def seen(flip_rate: float, delay: float = 0.0, noise: float = 1e-4) -> Curve:
    first, second = (one(flip_rate, T1, CORNER) for one in (answer, second_answer))
    late = np.exp(-2j * np.pi * CORNER * delay)
    signal = np.where(BOTH == 1, first * late, second * late**2)
    return Curve(BOTH, signal, np.full(len(BOTH), noise * abs(first) * (1 + 1j)))


@pytest.mark.parametrize("flip_rate", [1e-6, 0.5, 50.0, 900.0])
@pytest.mark.parametrize("delay", [0.0, 2e-4])
def test_fit_finds_the_flip_rate_however_late_the_detector(flip_rate, delay):
    found = fit("harmonics", seen(flip_rate, delay), t1=T1, modulation_frequency=CORNER)
    assert found.values["flip_rate"] == pytest.approx(flip_rate, rel=1e-3, abs=1e-3)
    assert 0 < found.errors["flip_rate"] < 2
    assert {type(value) for value in found.values.values()} == {float}  # plain, for the documents


def test_error_is_the_scatter_around_no_flips_too():
    curve, random = seen(1e-6, noise=1e-3), np.random.default_rng(1)
    drawn = [curve.with_signal(one) for one in curve.draw(curve.signal, random, 400)]
    fits = [fit("harmonics", one, t1=T1, modulation_frequency=CORNER) for one in drawn]
    pulls = [one.values["flip_rate"] / one.errors["flip_rate"] for one in fits]
    assert np.mean(pulls) == pytest.approx(0, abs=0.15) and np.std(pulls) == pytest.approx(
        1, abs=0.1
    )


@pytest.mark.parametrize(
    ("axis", "options", "words"),
    [
        ([1.0, 2.0, 1.0, 3.0], {}, "harmonics beside 1 and 2; needs these"),
        ([1.0] * 4, {}, "one harmonic; needs both"),
        (
            [1.0, 2.0] * 2,
            {"t1": -1.0},
            "t1 = -1 s, modulation_frequency = 177 Hz; needs both above 0",
        ),
        ([2.0, 1.0] * 2, {}, r"ratio = -?\d+.\d+; needs less than 0\.\d+"),
    ],
)
def test_strange_data_are_refused(axis, options, words):
    data = Curve(axis, [10 * 1j, 1.0] * 2, np.full(4, 0.01 * (1 + 1j)))
    with pytest.raises(FitError, match=words):
        fit("harmonics", data, **({"t1": T1, "modulation_frequency": 177.0} | options))


@pytest.mark.layer
def test_plan_reads_both_harmonics_and_its_fit_finds_no_flips_in_weak_rf(RE, bench):
    found = []
    RE.subscribe(FitRun(lambda name, doc: found.append((name, doc))))
    bench.lockin.integration_time.set(30.0).wait(5)
    RE(harmonics(bench.lockin, bench.lockin.harmonic, bench.rf.modulation_frequency, t1=4e-4))
    assert bench.lockin.harmonic.get() == 1
    assert bench.rf.modulation_frequency.get() == pytest.approx(1 / (2 * np.pi * 4e-4))
    result = found[0][1]["result"]
    assert abs(result["flip_rate"]) < 4 * result["flip_rate_error"] < 100


@pytest.mark.layer
@pytest.mark.parametrize(
    ("t1", "repeats", "error", "words"),
    [(0.0, 4, ValueError, "needs t1 > 0"), (1e-9, 4, LimitError, "Hz"), (1.0, 0, ValueError, "r")],
)
def test_strange_orders_move_nothing(RE, bench, t1, repeats, error, words):
    before = bench.rf.modulation_frequency.get()
    devices = (bench.lockin, bench.lockin.harmonic, bench.rf.modulation_frequency)
    with pytest.raises(error, match=words):
        RE(harmonics(*devices, t1=t1, repeats=repeats))
    assert bench.rf.modulation_frequency.get() == before


def rehearsed(sample: Sample) -> list[Check]:
    second = replace(sample, nanocrystals=SECOND_SAMPLE)
    lab = Rehearsal({"main": sample, "#1": sample, "#2": second}, np.random.default_rng(3))
    found = Findings()
    for name, cell in CELLS.items():
        if name not in ("energies", "fields", "theory"):
            perform(cell.work(found), lab)
    return checks(found)


def test_checks_of_an_ideal_bench_find_nothing():
    made = rehearsed(Sample())
    assert len(made) == 7 and table(made).row_count == 7
    assert all(abs(item.pull) < 3 for item in made if item.expected is not None)
    assert abs(made[-1].value) < 3 * made[-1].error < 0.02


def test_checks_of_the_twin_find_its_effects():
    made = {item.what: item for item in rehearsed(Sample(effects=("twin",)))}
    assert all(abs(item.pull) < 3 for item in made.values() if item.expected is not None)
    heating, delay = made["warming by the light"], made["delay of the detector"]
    assert heating.value == pytest.approx(0.1, abs=3 * heating.error) and heating.error < 0.03
    assert delay.value == pytest.approx(0.5, abs=0.01)
    flips = made["flips by 7 dBm of rf, from 2f/1f"]
    assert flips.value > 50 and flips.value > 3 * flips.error


def test_downward_scan_goes_the_other_way(RE, bench, documents):
    RE(odmr(bench.lockin, bench.magnet, 0, 80, 9, both_signs=True, down=True))
    fields = [doc["data"]["magnet_field"] for name, doc in documents if name == "event"]
    assert fields == sorted(fields, reverse=True) and len(fields) == 17
