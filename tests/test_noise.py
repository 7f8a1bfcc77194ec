"""Noise and settling of n RC stages."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.signal import lfilter

from odmrlab.ioc.physics.noise import (
    MAINS,
    POLES,
    averaging_factor,
    mains,
    noise_bandwidth,
    settling_time,
    standard_error,
)


@pytest.mark.parametrize(
    ("slope", "expected"), [(6, 1 / 4), (12, 1 / 8), (18, 3 / 32), (24, 5 / 64)]
)
def test_noise_bandwidth_is_the_integral_of_the_power_response(slope, expected):
    poles = POLES[slope]
    numeric, _ = quad(lambda f: (1 + (2 * np.pi * f) ** 2) ** -poles, 0, np.inf)
    assert noise_bandwidth(poles, 1.0) == pytest.approx(expected, rel=1e-12)
    assert numeric == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("slope", "percent_left", "expected"),
    [(6, 0.1, 6.91), (12, 0.1, 9.23), (18, 0.1, 11.23), (24, 0.1, 13.06), (24, 1, 10.05)],
)
def test_settling_time_is_that_of_the_step_response(slope, percent_left, expected):
    assert settling_time(POLES[slope], 1.0, percent_left / 100) == pytest.approx(expected, abs=5e-3)


@pytest.mark.parametrize("slope", POLES)
def test_average_of_filtered_white_noise_scatters_as_foretold(slope):
    """Run real white noise through sampled RC stages and average windows of it."""
    tau, step, window, density = 1.0, 0.02, 4.0, 1.0
    random = np.random.default_rng(slope)
    noise = random.normal(0, density / np.sqrt(2 * step), (400, 6000))
    keep = np.exp(-step / tau)
    for _ in range(POLES[slope]):
        noise = lfilter([1 - keep], [1, -keep], noise, axis=1)
    settled = noise[:, 1000:]  # 20 tau
    samples = int(window / step)
    means = settled[:, : 20 * samples].reshape(-1, samples).mean(axis=1)
    assert means.std() == pytest.approx(
        standard_error(density, POLES[slope], tau, window), rel=0.03
    )


@pytest.mark.parametrize("slope", POLES)
def test_long_averages_count_two_noise_bandwidths_a_second(slope):
    poles = POLES[slope]
    independent = 2 * noise_bandwidth(poles, 1.0) * 1e4
    assert averaging_factor(poles, 1.0, 1e4) == pytest.approx(1 / independent, rel=1e-3)
    assert averaging_factor(poles, 1.0, 1e-3) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("slope", "too_small"), [(6, 4.5e-4), (12, 2.4e-4), (24, 1.5e-4)])
def test_counting_flicker_noise_as_white_errs_by_little(slope, too_small):
    """Worst case of the docstring: all of the noise 1/f, reference at 1 / tau, window 30 tau."""
    nu = np.linspace(0, 0.9, 100_001)  # in references
    passed = (1 + (2 * np.pi * nu) ** 2) ** -POLES[slope] * np.sinc(30 * nu) ** 2
    true = np.trapezoid(passed / (1 - nu**2), nu) / np.trapezoid(passed, nu)
    assert 0 < np.sqrt(true) - 1 < too_small


@pytest.mark.parametrize(("slope", "percent"), [(6, 16), (12, 2.5), (24, 0.06)])
def test_mains_line_leaks_as_the_filter_lets_it(slope, percent):
    """One time constant times the distance of 1: 16, 2.5 and 0.06 %."""
    beat, gain = mains(1010.0, POLES[slope], 0.1)
    nearest = np.argmin(abs(beat))
    assert MAINS[nearest] == 1000 and beat[nearest] == -10
    assert 100 * abs(gain[nearest]) == pytest.approx(percent, rel=0.05)


def test_mains_line_at_the_reference_passes_and_averages_out_beside_it():
    beat, gain = mains(100.0, 4, 0.01, window=0.1)
    assert gain[beat == 0] == 1
    # whole periods of the beat in the window
    assert abs(gain[beat != 0]).max() < 1e-15
