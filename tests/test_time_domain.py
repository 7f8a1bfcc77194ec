"""Closed forms of the answer to modulated rf, against the rate equation run in time."""

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.signal import lfilter

from odmrlab.ioc.physics.carrier import Carrier
from odmrlab.ioc.physics.square_wave import log_normal_t1, square_wave_answer, weak_answer

UNIT = Carrier(pump_rate=1.0)  # G = 1/s at 1 mW
T1 = 0.67e-3  # s
FREQUENCIES = np.geomspace(100, 1e5, 20)  # Hz


def one_period(flips, t1, frequency, samples):
    """Return the spin through one period: rf on, then off, each an exponential approach."""
    half, time = 0.5 / frequency, np.arange(samples // 2) / (samples * frequency)
    on, off = 1 / t1 + flips, 1 / t1
    kept_on, kept_off = np.exp(-on * half), np.exp(-off * half)
    start = (1 / off + kept_off * ((1 - kept_on) / on - 1 / off)) / (1 - kept_on * kept_off)
    turn = 1 / on + (start - 1 / on) * kept_on
    return np.concatenate(
        [
            1 / on + (start - 1 / on) * np.exp(-on * time),
            1 / off + (turn - 1 / off) * np.exp(-off * time),
        ]
    )


@pytest.mark.parametrize("harmonic", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("flips", [30.0, 1500.0, 3e4])
@pytest.mark.parametrize("frequency", [100.0, 600.0, 2e4])
def test_harmonics_are_those_of_the_fourier_transform(harmonic, flips, frequency):
    samples = 2**18
    spin = one_period(flips, T1, frequency, samples)
    amplitude = 2 * np.fft.fft(spin)[harmonic] / samples
    answer = square_wave_answer(flips, UNIT, 1.0, T1, frequency, harmonic)
    scale = abs(square_wave_answer(flips, UNIT, 1.0, T1, frequency, 1))
    assert answer == pytest.approx(amplitude / (1j * np.sqrt(2)), abs=1e-7 * scale)


@pytest.mark.parametrize("harmonic", [1, 2])
@pytest.mark.parametrize(("flips", "frequency"), [(300.0, 120.0), (3000.0, 900.0)])
def test_a_sampled_lock_in_with_four_rc_stages_reads_the_closed_form(harmonic, flips, frequency):
    """Step the rate equation, multiply with the reference, filter, look at the end."""
    samples, periods = 2000, 300
    step = 1 / (samples * frequency)
    rf_on = np.arange(samples) < samples // 2
    keep = np.exp(-(1 / T1 + flips * rf_on) * step)
    spin, trace = T1, np.empty((periods, samples))
    for period in range(20):  # until it repeats
        for k in range(samples):
            trace[period, k] = spin
            aim = 1 / (1 / T1 + flips * rf_on[k])
            spin = aim + (spin - aim) * keep[k]
    trace[20:] = trace[19]
    turns = np.arange(trace.size) / samples
    output = np.sqrt(2) * trace.ravel() * np.exp(-2j * np.pi * harmonic * turns) / 1j
    filtered = np.exp(-1 / (12 * samples))  # tau = 12 periods
    for _ in range(4):
        output = lfilter([1 - filtered], [1, -filtered], output)
    expected = square_wave_answer(flips, UNIT, 1.0, T1, frequency, harmonic)
    scale = abs(square_wave_answer(flips, UNIT, 1.0, T1, frequency, 1))
    assert output[-1] == pytest.approx(expected, abs=1e-4 * scale)


def test_weak_rf_answers_with_eq_3():
    weak, exact = (
        answer(1e-5 / T1, UNIT, 1.0, T1, FREQUENCIES, 1)
        for answer in (weak_answer, square_wave_answer)
    )
    np.testing.assert_allclose(exact, weak, rtol=1e-4)
    assert not np.any(weak_answer(1.0, UNIT, 1.0, T1, FREQUENCIES, 2))


@pytest.mark.parametrize("detuning", [0.0, 1e6, 5e6])
def test_rate_equation_and_bloch_equation_agree_in_steady_state(detuning):
    """W = omega_1^2 T2 / (1 + delta^2 T2^2) leaves 1 / (1 + W T1) of the spin."""
    nutation, t2 = 1e5, 1e-6
    bloch = np.array(
        [[-1 / t2, detuning, 0], [-detuning, -1 / t2, nutation], [0, -nutation, -1 / T1]]
    )
    spin = np.linalg.solve(bloch, [0, 0, -1 / T1])
    flips = nutation**2 * t2 / (1 + (detuning * t2) ** 2)
    assert spin[2] == pytest.approx(1 / (1 + flips * T1), rel=1e-9)


def apparent(answer, phase_known=False):
    """Return the T1 that Eq. 3 fitted to the 20 frequencies gives, relative to T1."""
    curve = answer / abs(answer).max()

    def misfit(parameters):
        height, logarithm = parameters
        model = height / (1 + 2j * np.pi * FREQUENCIES * T1 * np.exp(logarithm))
        if phase_known:
            return (model - curve).view(float)
        return abs(model) - abs(curve)

    return np.exp(least_squares(misfit, [1, 0], xtol=1e-14, ftol=1e-14, gtol=1e-14).x[1])


@pytest.mark.parametrize(
    ("saturation", "magnitude", "complex_fit"),
    [
        (0.01, 1.0050, 1.0050),
        (0.05, 1.0244, 1.0247),
        (0.1, 1.0478, 1.0487),
        (0.2, 1.0915, 1.0949),
        (0.5, 1.202, 1.221),
        (1, 1.337, 1.396),
        (2, 1.497, 1.660),
        (5, 1.662, 2.10),
        (10, 1.700, 2.41),
    ],
)
def test_saturation_shortens_the_apparent_t1(saturation, magnitude, complex_fit):
    answer = square_wave_answer(saturation / T1, UNIT, 1.0, T1, FREQUENCIES, 1)
    assert 1 / apparent(answer) == pytest.approx(magnitude, rel=1e-3)
    assert 1 / apparent(answer, phase_known=True) == pytest.approx(complex_fit, rel=3e-3)


def test_apparent_rate_rises_with_half_the_rate_of_flips():
    saturation = 0.002
    answer = square_wave_answer(saturation / T1, UNIT, 1.0, T1, FREQUENCIES, 1)
    assert (1 / apparent(answer) - 1) / saturation == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize(
    ("saturation", "ratio"),
    [(0.05, 0.128), (0.1, 0.126), (0.2, 0.122), (0.5, 0.111), (1, 0.096), (2, 0.074)],
)
def test_second_harmonic_tells_the_saturation(saturation, ratio):
    first, second = (
        square_wave_answer(saturation / T1, UNIT, 1.0, T1, 1 / (2 * np.pi * T1), n) for n in (1, 2)
    )
    assert abs(second / first) / saturation == pytest.approx(ratio, abs=6e-4)


@pytest.mark.parametrize(("spread", "expected"), [(0.2, 1.060), (0.5, 1.37), (0.8, 1.92)])
def test_distribution_of_t1_lengthens_the_apparent_t1(spread, expected):
    """The longer T1, the larger the signal: the mean is weighted with its square."""
    carrier = Carrier(pump_rate=1.0, t1_spread=spread)
    answer = log_normal_t1(weak_answer)(1.0, carrier, 1.0, T1, FREQUENCIES, 1)
    assert apparent(answer) == pytest.approx(expected, rel=4e-3)
    nodes = np.linspace(-9, 9, 2001)
    weights = np.exp(-(nodes**2) / 2)
    many = T1 * np.exp(spread * nodes)[:, None]
    mean = weights @ weak_answer(1.0, carrier, 1.0, many, FREQUENCIES, 1) / weights.sum()
    np.testing.assert_allclose(answer, mean, rtol=1e-4)


@pytest.mark.parametrize("flips", [0.3, 300.0, 3e4, 1e7])
@pytest.mark.parametrize("correlation_time", [60e-6, 1.0])
def test_slow_redistribution_is_the_renewal_average_over_packets(flips, correlation_time):
    """Average over the Lorentzian packets of a Gaussian line, however strong the rf."""
    carrier, centre = Carrier(correlation_time=correlation_time), 42.5
    width = 2e9 * np.pi * 1.68 * 0.013996244917 * carrier.width(centre)  # rad/s
    detuning = np.concatenate([[0.0], np.geomspace(1e2, 10 * width, 100_001)])
    share = np.exp(-0.5 * (detuning / width) ** 2) / (width * np.sqrt(np.pi / 2))
    top = flips * width * carrier.coherence_time * np.sqrt(2 / np.pi)
    packets = top / (1 + (detuning * carrier.coherence_time) ** 2)
    # 1 - <W tau / (1 + W tau)> = <1 / (1 + W tau)>
    kept = np.trapezoid(share * packets / (1 + packets * correlation_time), detuning)
    left = np.trapezoid(share / (1 + packets * correlation_time), detuning)
    assert carrier.redistributed(flips, centre) == pytest.approx(kept / left, rel=5e-3)


def test_slow_redistribution_is_linear_in_rf_power_and_then_goes_as_its_root():
    low, high = (Carrier().redistributed(flips * np.array([1, 2]), 42.5) for flips in (1e-3, 3e4))
    assert np.log2(low[1] / low[0]) == pytest.approx(1.0, abs=0.01)
    assert np.log2(high[1] / high[0]) == pytest.approx(0.5, abs=0.05)
