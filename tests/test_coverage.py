"""Hidden samples: their truth, their trials, and what is counted."""

import pytest

from odmrlab.ioc.physics import Sample
from odmrlab.ioc.sample_file import sample_from
from odmrlab.lab.campaign.coverage import (
    Trial,
    cells,
    cover,
    hidden_sample,
    in_process,
    page,
    summed_up,
    truth_of,
)
from odmrlab.lab.campaign.scan import MeasurementError


def test_truth_of_the_paper():
    truth = truth_of(Sample())
    assert truth["t1_electron_2mW"] == pytest.approx(130.0, abs=0.05)
    assert truth["t1_hole_2mW"] == pytest.approx(70.0, abs=0.05)
    assert truth["t1_zero_power"] == pytest.approx(900.0, abs=0.05)
    assert truth["tau_s"] == pytest.approx(779.8, abs=0.1)
    assert (truth["tau_c"], truth["phonon_rate"]) == pytest.approx((60.0, 20.0))


def test_hidden_samples_are_samples_each_another():
    names = [sample_from(hidden_sample(seed)).electron.g for seed in (1, 1, 2)]
    assert names[0] == names[1] != names[2]


def test_hidden_samples_with_effects_have_a_bench_of_their_own():
    with_all = sample_from(hidden_sample(1, ("twin",)))
    assert with_all.effects == ("twin",)
    assert with_all.electron.g == sample_from(hidden_sample(1)).electron.g
    assert with_all.electron.t1_spread == with_all.hole.t1_spread != Sample().electron.t1_spread
    assert with_all.detector.delay != Sample().detector.delay


def test_a_hidden_sample_with_all_effects_comes_back():
    trials = in_process(3, ("twin",))
    assert len(trials) == 13
    assert all(abs(trial.pull) < 4.5 for trial in trials)


def test_coverage_counts_pulls():
    trials = [Trial("g", 0.0, value, 1.0) for value in (-0.5, 0.5, 1.5, 2.5)]
    (found,) = summed_up(trials)
    assert (found.within_68, found.within_95) == (0.5, 0.75)
    assert found.mean_pull == pytest.approx(1.0)
    assert cells(found)[:4] == ["g", "4", "50.0 %", "75.0 %"]
    assert "| g | 4 | 50.0 % | 75.0 % |" in page([("a title", [found], ["no signal"])])


def fails(seed, effects):
    raise MeasurementError("no signal")


def test_a_sample_without_a_number_is_told():
    assert list(cover(fails, [7])) == ["hidden sample 7: no signal"]
