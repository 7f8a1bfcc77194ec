"""T1 from spin-inertia curves: exact, unbiased, with errors that are true."""

import time

import numpy as np
import pytest
from scipy.stats import kstest

from odmrlab.analysis import Curve, FitError, fit
from odmrlab.analysis.inertia import SEARCH, basis, z_against_r
from odmrlab.analysis.projection import solve

GRID = np.geomspace(100, 1e5, 20)  # Hz
T1 = 670e-6  # s
GOLDEN = (1 + 5**0.5) / 2


def curve(frequency=GRID, t1=T1, amplitude=20e-6, phase=17.0, background=0, noise=1e-9, rng=None):
    wave = amplitude * np.exp(1j * np.radians(phase))
    signal = wave / (1 + 2j * np.pi * frequency * t1) + background
    if rng:
        signal = signal + noise * (rng.normal(size=(2, len(frequency))).T @ [1, 1j])
    return Curve(frequency, signal, np.full(len(frequency), noise * (1 + 1j)))


@pytest.mark.parametrize("t1", [2e-6, 70e-6, 130e-6, 0.9e-3, 5e-3])
@pytest.mark.parametrize("phase", [17.0, -120.0, 179.9999])
def test_noiseless_curve_is_recovered_exactly(t1, phase):
    found = fit("spin_inertia", curve(t1=t1, phase=phase)).values
    assert found == pytest.approx({"t1": t1, "amplitude": 20e-6, "phase": phase}, rel=1e-6)


def test_pick_up_is_recovered_and_spoils_nothing():
    found = fit("spin_inertia", curve(background=1e-6 - 2e-6j), offset=True).values
    assert found["t1"] == pytest.approx(T1, rel=1e-6)
    assert found["background_x"] == pytest.approx(1e-6, rel=1e-5)
    assert found["background_y"] == pytest.approx(-2e-6, rel=1e-5)


@pytest.mark.parametrize(("t1", "offset"), [(T1, False), (130e-6, True)])
def test_scatter_of_t1_is_what_the_fit_says(t1, offset):
    rng = np.random.default_rng(1603)
    curves = [curve(t1=t1, noise=0.2e-6, rng=rng) for _ in range(250)]
    fits = [fit("spin_inertia", data, offset=offset) for data in curves]
    pulls = np.array([(found.values["t1"] - t1) / found.errors["t1"] for found in fits])
    assert abs(pulls.mean()) < 0.15
    assert 0.85 < pulls.std() < 1.15
    assert np.mean([found.reduced_chi_square for found in fits]) == pytest.approx(1, abs=0.03)
    assert 0.4 < np.median([found.verdicts["chi_square_p"] for found in fits]) < 0.6


def test_error_is_the_limit_of_the_best_design_with_free_phase():
    """Two frequencies, 38 % of the points at f -> 0: sd(ln T1) = sqrt(phi^5 / n) sigma / S0."""
    shares = [382, 618]
    frequency = np.repeat([1e-3, np.sqrt(GOLDEN) / (2 * np.pi * T1)], shares)
    found = fit("spin_inertia", curve(frequency, noise=0.4e-6))
    limit = np.sqrt(GOLDEN**5 / 1000) * 0.4 / 20
    assert found.errors["t1"] / T1 == pytest.approx(limit, rel=1e-3)


def test_curve_is_the_model_at_any_frequency():
    found = fit("spin_inertia", curve())
    assert abs(found.curve(np.array([1 / (2 * np.pi * T1)]))[0]) == pytest.approx(20e-6 / 2**0.5)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (curve(GRID[:3]), r"^spin_inertia: 3 points; needs 4 or more$"),
        (
            curve(t1=0, noise=1e-8),
            r"a falling signal does not beat a constant: chi-square falls by",
        ),
        (
            curve(amplitude=0, noise=1e-7, rng=np.random.default_rng(0)),
            r"a falling signal does not beat a constant: .* needs to fall by more than 23.9$",
        ),
        (curve(t1=1), r"T1 = 0.03 s is at the edge .* inside 3e-07 s to 0.03 s"),
        (curve(np.full(8, 300.0)), r"does not beat a constant"),
        (curve(-GRID), r"negative frequency; needs frequencies from zero up \[Hz\]$"),
    ],
)
def test_bad_curve_is_refused_with_a_sentence(data, sentence):
    with pytest.raises(FitError, match=sentence):
        fit("spin_inertia", data)


def judged(rng, **change):
    """Give the verdict on Z against R of 100 curves, a hundredth of the signal as noise."""
    offset = change.pop("offset", False)
    curves = [curve(noise=0.2e-6, rng=rng, **change) for _ in range(100)]
    return [fit("spin_inertia", data, offset=offset).verdicts["z_against_r"] for data in curves]


@pytest.mark.parametrize("offset", [False, True])
def test_z_and_r_agree_on_a_pole_as_often_as_chance_says(offset):
    assert kstest(judged(np.random.default_rng(3), offset=offset), "uniform").pvalue > 0.01


def test_z_and_r_disagree_when_pick_up_is_in_phase():
    pick_up = 0.8e-6 * np.exp(1j * np.radians(17))  # 4 % of the signal
    assert np.median(judged(np.random.default_rng(4), background=pick_up)) < 1e-5
    freed = judged(np.random.default_rng(4), background=pick_up, offset=True)
    assert kstest(freed, "uniform").pvalue > 0.01


def test_z_and_r_disagree_when_t1_is_spread():
    many = [curve(t1=T1 * np.exp(deviation)) for deviation in (-1.2, 0, 1.2)]
    spread = Curve(GRID, np.mean([one.signal for one in many], axis=0), np.full(20, 1e-7 + 1e-7j))
    assert fit("spin_inertia", spread).verdicts["z_against_r"] < 1e-5


def test_z_against_r_does_not_depend_on_the_phase_of_the_lock_in():
    data = curve(noise=0.2e-6, rng=np.random.default_rng(5))
    turned = Curve(GRID, 1j * data.signal, data.error)
    one, other = (fit("spin_inertia", given).verdicts["z_against_r"] for given in (data, turned))
    assert one == pytest.approx(other, rel=1e-4)


def test_z_against_r_takes_less_than_a_millisecond():
    data = curve(noise=0.2e-6, rng=np.random.default_rng(5))
    optimum = solve(data, basis(offset=False), SEARCH)
    durations = []
    for _ in range(20):
        began = time.process_time()
        z_against_r(data, optimum)
        durations.append(time.process_time() - began)
    assert min(durations) < 1e-3  # s of the processor, usually 0.0001


def test_fit_takes_milliseconds():
    data = curve(noise=0.4e-6, rng=np.random.default_rng(5))
    fit("spin_inertia", data)
    durations = []
    for _ in range(20):
        began = time.process_time()
        fit("spin_inertia", data)
        durations.append(time.process_time() - began)
    assert min(durations) < 0.01  # s of the processor, usually 0.003
