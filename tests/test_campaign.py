"""The campaign as data: rehearsed without noise it finds the truth, and it knows what is done."""

import json
from pathlib import Path

import numpy as np
import pytest

from odmrlab.analysis import FitError, Points, fit
from odmrlab.analysis.energy import nuclear_width, size
from odmrlab.ioc.sample_file import read_sample
from odmrlab.lab.campaign.benches import FIRST, SECOND, energy_samples, rehearsed_samples
from odmrlab.lab.campaign.findings import Findings
from odmrlab.lab.campaign.ledger import NAME, Ledger
from odmrlab.lab.campaign.paper import CELLS, cells_of
from odmrlab.lab.campaign.preflight import Pace, preflight, table
from odmrlab.lab.campaign.rehearsal import Rehearsal, points_of
from odmrlab.lab.campaign.results import quantities
from odmrlab.lab.campaign.scan import MeasurementError, Scan, perform

TRUTH = {
    "g_electron": 1.68,
    "g_hole": 0.8,
    "g_spread": 0.15,
    "overhauser_field": 12.0,
    "t1_electron_2mW": 130.0,
    "t1_hole_2mW": 70.0,
    "t1_zero_power": 900.0,
    "pump_rate": 3290.6,
    "tau_s": 1e6 / (871.1 + 3290.6 * 0.125),
    "tau_c": 60.0,
    "phonon_energy": 3.2,
    "phonon_rate": 20.0,
    "g_slope": -4.0,
}


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    lab = Rehearsal(rehearsed_samples(tmp_path_factory.mktemp("samples")), None)
    found = Findings()
    for cell in CELLS.values():
        perform(cell.work(found), lab)
    return {item.quantity: item for item in quantities(found)}


@pytest.mark.parametrize("name", TRUTH)
def test_campaign_without_noise_finds_the_truth(rehearsed, name):
    item = rehearsed[name]
    assert item.value == pytest.approx(TRUTH[name], abs=0.2 * item.error)


def test_preflight_tells_readings_time_and_errors():
    (survey, inertia) = preflight(["survey", "inertia"])
    assert (survey.runs, survey.readings) == (2, 202)
    assert (inertia.runs, inertia.readings) == (2, 40)
    assert [item.quantity for item in inertia.quantities] == ["t1_electron_2mW", "t1_hole_2mW"]
    assert 40 * 4 < inertia.laboratory_time < 40 * 8
    assert Pace(10, reading=0.5, run=1).duration(inertia) == pytest.approx(
        inertia.laboratory_time / 10 + 20 + 2 + 2 * inertia.fitting_time
    )
    assert table([survey, inertia], Pace(10)).row_count == 3  # the last one for all
    (rest,) = preflight(["survey"], ["both resonances at 1.1 GHz"])
    assert (rest.runs, rest.readings) == (1, 101) and rest.quantities == survey.quantities


def test_run_that_is_not_precise_enough_is_measured_longer(tmp_path):
    lab = Rehearsal(rehearsed_samples(tmp_path), np.random.default_rng(1))
    settings = {"magnet.field": 100.0, "rf.frequency": 2.351, "laser.power": 0.125}
    arguments = {"start": 30.0, "stop": 30e3, "num": 16}
    short = settings | {"lockin.integration_time": 0.1}
    measured = lab.measure(Scan("short", "spin_inertia", arguments, short, {"t1": 0.02}))
    assert [run.label for run in lab.runs] == ["short", "short, longer"]
    ramp = 100 / 5  # s, of the first run alone
    assert lab.runs[1].duration > lab.runs[0].duration - ramp
    assert measured.fit.errors["t1"] < 0.021 * measured.fit.values["t1"]


def test_run_without_a_signal_is_measured_longer_once(tmp_path):
    lab = Rehearsal(rehearsed_samples(tmp_path), np.random.default_rng(1))
    away = {"magnet.field": 300.0, "rf.frequency": 1.0, "laser.power": 0.125}
    arguments = {"start": 30.0, "stop": 30e3, "num": 16}
    settings = away | {"lockin.integration_time": 0.1}
    with pytest.raises(MeasurementError, match="away, longer: spin_inertia: .* needs to fall"):
        lab.measure(Scan("away", "spin_inertia", arguments, settings, {"t1": 0.02}))
    assert [run.label for run in lab.runs] == ["away", "away, longer"]


def test_warming_is_told_from_pumping_where_systematics_alone_are_wanted():
    assert "powers" in cells_of(["systematics"])


def test_points_are_those_of_the_plans():
    both = {"start": 0.0, "stop": 4.0, "num": 5, "both_signs": True, "lines": 1}
    points, options = points_of(Scan("", "odmr", both, {}))
    np.testing.assert_allclose(points, np.arange(-4, 5))
    assert options["offset"]


def test_ledger_goes_on_with_the_same_facts_only(tmp_path):
    ledger = Ledger.open(tmp_path, {"seed": 1})
    ledger.note("a run", "uid", "fit uid")
    again = Ledger.open(tmp_path, {"seed": 1})
    assert (again.campaign, again.attempt, again.runs) == (ledger.campaign, 2, ledger.runs)
    assert Ledger.open(tmp_path, {"seed": 2}).runs == {}
    assert Ledger.open(tmp_path, {"seed": 1}, fresh=True).runs == {}
    assert again.recall("a run", tmp_path) is None  # its journal is gone, so it is measured again
    again.finished = True
    again.save()
    assert Ledger.open(tmp_path, {"seed": 1}).runs == {}


def test_damaged_ledger_is_none(tmp_path):
    (tmp_path / NAME).write_text('{"facts": ')
    assert Ledger.open(tmp_path, {}).runs == {}
    (tmp_path / NAME).write_text(json.dumps(["facts"]))
    assert Ledger.open(tmp_path, {}).runs == {}


def test_samples_of_figure_2_are_made_of_the_sample_under_study(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine #1"\neffects = ["rf_pickup"]\n[electron]\ng = 2.0\n')
    paths = energy_samples(file, tmp_path)
    first, second = (read_sample(Path(paths[bench])) for bench in (FIRST, SECOND))
    assert first.electron.g == second.electron.g == 2.0
    assert set(first.effects) == {"rf_pickup", "photon_energy", "photoluminescence"}
    assert (first.name, second.name) == ("mine #1", "mine #2")
    assert second.nanocrystals.luminescence_energy < first.nanocrystals.luminescence_energy


def test_g_over_energy_is_a_parabola_about_an_energy():
    energy = np.linspace(1.73, 1.86, 9)
    g = 1.68 - 4 * (energy - 1.824) + 3.2 * (energy - 1.824) ** 2
    found = fit("g_energy", Points(energy, g, np.full(9, 1e-3)), at=1.824)
    assert found.values == pytest.approx({"g": 1.68, "g_slope": -4.0, "g_curvature": 3.2})
    with pytest.raises(FitError, match="g_energy: 3 points; needs 4 or more"):
        fit("g_energy", Points(energy[:3], g[:3], g[:3]), at=1.824)


def test_nuclear_width_of_the_paper():
    assert size(1.824) == pytest.approx(7.477, abs=1e-3)
    assert nuclear_width(1.824) == pytest.approx(11.33, abs=0.01)


def test_two_phonon_theory_beside_points():
    temperature = np.array([1.6, 3.0, 5.0, 7.0])
    rate = 1500 + 20e6 * np.exp(-3.2 / (0.0861733 * temperature))
    found = fit("two_phonon", Points(temperature, rate, 0.02 * rate))
    assert found.values["phonon_rate"] == pytest.approx(2.107, abs=1e-3)
    assert found.values["phonon_rate_full"] == pytest.approx(13.3, abs=0.05)
    assert found.errors["phonon_rate"] == pytest.approx(0.65 * 2.107, rel=0.02)
    assert found.reduced_chi_square > 10  # a prediction, not a fit: it is 1.5 times too slow
