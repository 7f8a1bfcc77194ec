"""Bootstrap: fast, seeded, and its intervals hold the truth as often as they say, on both sides."""

import time

import numpy as np
import pytest

from odmrlab.analysis import MODELS, Curve, FitError, Points, bootstrap, fit

GRID = np.geomspace(100, 1e5, 20)  # Hz
SCAN = np.linspace(0, 100, 31)  # mT
T1, PEAK = 670e-6, 20e-6  # s, V


def inertia(noise, rng, phase=17.0, background=0.0):
    signal = PEAK * np.exp(1j * np.radians(phase)) / (1 + 2j * np.pi * GRID * T1) + background
    data = Curve(GRID, signal, np.full(20, noise * (1 + 1j)))
    return data.with_signal(data.draw(signal, rng, 1)[0])


def spectrum(noise, rng, phase=17.0):
    line = PEAK * np.exp(1j * np.radians(phase) - 0.5 * ((SCAN - 42.53) / 9.29) ** 2)
    data = Curve(SCAN, line, np.full(31, noise * (1 + 1j)))
    return data.with_signal(data.draw(line, rng, 1)[0])


@pytest.mark.parametrize("offset", [False, True])
def test_many_curves_at_once_are_fitted_as_one_by_one(offset):
    data = inertia(0.5e-6, np.random.default_rng(1), background=1e-6)
    signals = data.draw(data.signal, np.random.default_rng(2), 30)
    together = MODELS["spin_inertia"].fit_many(data, signals, offset=offset)
    for place, signal in enumerate(signals):
        alone = fit("spin_inertia", data.with_signal(signal), offset=offset)
        for name, value in alone.values.items():
            # a thousandth of the error bar is all that the last Newton step leaves
            assert abs(together[name][place] - value) < 1e-3 * alone.errors[name]


def test_500_curves_take_less_than_half_a_second():
    data = inertia(0.5e-6, np.random.default_rng(1))
    found = fit("spin_inertia", data)
    began = time.process_time()
    bootstrap(found, data, rng=1)
    assert time.process_time() - began < 0.5  # s of the processor, usually 0.02


def test_same_seed_gives_same_intervals():
    data = inertia(1e-6, np.random.default_rng(1))
    found = fit("spin_inertia", data)
    first, again, other = (bootstrap(found, data, rng=seed).fit.intervals for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_intervals_hold_the_truth_on_both_sides_where_error_bars_do_not():
    """Noise of a seventh of the signal: T1 misses the 95 % error bar on one side only."""
    rng = np.random.default_rng(7)
    beyond = {"bootstrap": np.zeros(2), "error bar": np.zeros(2)}
    for _ in range(300):
        data = inertia(3e-6, rng)
        try:
            found = fit("spin_inertia", data)
        except FitError:
            continue
        value, error = found.values["t1"], found.errors["t1"]
        drawn = bootstrap(found, data, rng, draws=300).interval("t1", 0.95)
        for name, (low, high) in {
            "bootstrap": drawn,
            "error bar": (value - 1.96 * error, value + 1.96 * error),
        }.items():
            beyond[name] += [low > T1, T1 > high]
    # 7.5 expected on each side, give or take 3
    assert np.all((1 <= beyond["bootstrap"]) & (beyond["bootstrap"] <= 15))
    assert beyond["error bar"][0] == 0 and beyond["error bar"][1] > 15


def test_interval_of_little_noise_is_the_error_bar():
    data = inertia(0.05e-6, np.random.default_rng(3))
    found = bootstrap(fit("spin_inertia", data), data, rng=4, draws=4000).fit
    for name, (low, high) in found.intervals.items():
        assert (high - low) / 2 == pytest.approx(found.errors[name], rel=0.05)
        assert low < found.values[name] < high


def test_levels_are_nested_and_reach_the_fit():
    data = inertia(2e-6, np.random.default_rng(3))
    drawn = bootstrap(fit("spin_inertia", data), data, rng=4)
    low, high = drawn.interval("t1")
    lowest, highest = drawn.interval("t1", 0.95)
    assert lowest < low < drawn.fit.values["t1"] < high < highest
    assert drawn.fit.intervals["t1"] == (low, high)
    assert high - drawn.fit.values["t1"] > drawn.fit.values["t1"] - low


def test_phase_at_the_end_of_the_circle_is_not_torn():
    for data, name in (
        (inertia(1e-6, np.random.default_rng(3), phase=180.0), "spin_inertia"),
        (spectrum(1e-6, np.random.default_rng(3), phase=180.0), "odmr"),
    ):
        found = fit(name, data)
        low, high = bootstrap(found, data, rng=4, draws=40).interval("phase")
        assert high - low < 4 * found.errors["phase"]


def test_any_other_model_is_drawn_one_by_one():
    power = np.array([0.125, 0.25, 0.5, 1.0, 2.0])
    rate = 1111 + 3290 * power
    data = Points(power, rate, 0.05 * rate)
    found = bootstrap(fit("power", data), data, rng=2, draws=300)
    low, high = found.interval("t1_zero_power")
    assert (low, high) == pytest.approx(fit("power", data).intervals["t1_zero_power"], rel=0.02)


def test_data_too_noisy_to_be_drawn_are_refused_with_a_sentence():
    rng = np.random.default_rng(8)
    data = spectrum(PEAK / 2.2, rng)
    found = fit("odmr", spectrum(PEAK / 10, rng))
    with pytest.raises(FitError, match=r"^bootstrap of odmr: \d+ of 30 draws allow no fit; needs"):
        bootstrap(found, data, rng=1, draws=30)
