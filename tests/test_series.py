"""What series of runs tell, against the numbers of the paper."""

import numpy as np
import pytest

from odmrlab.analysis import FitError, Points, fit
from odmrlab.analysis.series import BOLTZMANN, MAGNETON, ln_phonons, nuclear, rates

FREQUENCY = np.array([0.5, 0.7, 1.0, 1.3, 1.6, 2.0, 2.4, 2.8, 3.2, 3.6, 4.0])  # GHz
RESONANCE = FREQUENCY / (1.68 * MAGNETON)  # mT
WIDTH = np.hypot(12 / 2**0.5, 0.15 / 1.68 * RESONANCE)  # mT
POWER = np.array([0.125, 0.25, 0.5, 1.0, 2.0])  # mW
FIELD = np.array([15, 18, 22, 27, 33, 40, 50, 63, 80, 105, 140, 200.0])  # mT
TEMPERATURE = np.array([1.6, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9, 10])  # K


def exact(x, y, relative=0.01):
    return Points(x, y, relative * np.asarray(y))


def power(dark_rate=1 / 0.9e-3):
    return exact(POWER, dark_rate + 3290.6 * POWER, relative=0.05)


def field(exactly=False):
    return exact(FIELD, 1 / 0.78e-3 + nuclear(FIELD / 12, exactly) / 60e-6)


def temperature(exactly=False):
    activated = np.exp(ln_phonons(3.2, TEMPERATURE, exactly))
    return exact(TEMPERATURE, 1522 + 20e6 * activated, relative=0.05)


def test_electron_resonates_where_the_paper_says():
    assert 1 / (1.68 * MAGNETON) == pytest.approx(42.53, abs=0.005)


def test_g_factor_is_recovered():
    found = fit("g_factor", exact(FREQUENCY, RESONANCE))
    assert found.values == pytest.approx({"g": 1.68})
    assert found.errors["g"] == pytest.approx(1.68 * 0.01 / 11**0.5)


def test_intercept_takes_up_a_field_at_zero_frequency():
    found = fit("g_factor", Points(FREQUENCY, RESONANCE + 2.0, np.ones(11)), intercept=True)
    assert found.values == pytest.approx({"g": 1.68, "intercept": 2.0})


def test_overhauser_field_and_g_spread_are_recovered():
    found = fit("line_width", exact(RESONANCE, WIDTH), g=1.68)
    assert found.values == pytest.approx({"overhauser_field": 12, "g_spread": 0.15})
    assert found.curve(RESONANCE) == pytest.approx(WIDTH)


def test_error_of_g_adds_to_the_error_of_its_spread():
    sharp = fit("line_width", exact(RESONANCE, WIDTH), g=1.68).errors
    blurred = fit("line_width", exact(RESONANCE, WIDTH), g=1.68, g_error=0.02).errors
    expected = np.hypot(sharp["g_spread"], 0.15 * 0.02 / 1.68)
    assert blurred["g_spread"] == pytest.approx(expected)
    assert blurred["overhauser_field"] == pytest.approx(sharp["overhauser_field"])


def test_t1_without_light_has_the_interval_of_the_inverted_rate():
    found = fit("power", power())
    assert found.values["t1_zero_power"] == pytest.approx(0.9e-3)
    assert found.values["pump_rate"] == pytest.approx(3290.6)
    low, high = found.intervals["t1_zero_power"]
    rate, error = found.values["dark_rate"], found.errors["dark_rate"]
    assert (low, high) == pytest.approx((1 / (rate + error), 1 / (rate - error)))
    assert found.errors["t1_zero_power"] / 0.9e-3 == pytest.approx(0.065, abs=0.001)


@pytest.mark.parametrize("exactly", [False, True])
def test_correlation_time_of_the_nuclei_is_recovered(exactly):
    found = fit("field", field(exactly), overhauser_field=12.0, exact=exactly)
    assert found.values == pytest.approx({"tau_s": 0.78e-3, "tau_c": 60e-6})


def test_error_of_the_overhauser_field_counts_twice_in_tau_c():
    sharp = fit("field", field(), overhauser_field=12.0).errors
    blurred = fit("field", field(), overhauser_field=12.0, overhauser_field_error=0.5).errors
    assert blurred["tau_c"] == pytest.approx(np.hypot(sharp["tau_c"], 60e-6 * 2 * 0.5 / 12))
    assert blurred["tau_s"] == pytest.approx(sharp["tau_s"])


def test_exact_nuclear_function_has_its_two_limits():
    assert nuclear(np.array([0.01]), exact=True) == pytest.approx(2 / 3, rel=1e-3)
    assert nuclear(np.array([30.0]), exact=True) == pytest.approx(1 / 900 - 0.5 / 30**4, rel=1e-5)


@pytest.mark.parametrize("exactly", [False, True])
def test_phonon_energy_is_recovered(exactly):
    found = fit("temperature", temperature(exactly), exact=exactly)
    truth = {"dark_rate": 1522, "phonon_rate": 20e6, "phonon_energy": 3.2}
    assert found.values == pytest.approx(truth, rel=1e-6)
    assert found.errors["phonon_energy"] == pytest.approx(0.043, abs=0.003)
    assert found.curve(TEMPERATURE) == pytest.approx(temperature(exactly).y)


def test_both_phonon_functions_agree_in_the_cold():
    cold = np.array([1.0, 2.0])
    assert ln_phonons(3.2, cold, exact=True) == pytest.approx(ln_phonons(3.2, cold, exact=False))
    assert np.exp(ln_phonons(3.2, np.array([10.0]), exact=True)) == pytest.approx(
        0.25 / np.sinh(3.2 / (2 * BOLTZMANN * 10)) ** 2
    )


def test_activation_fit_of_two_phonons_is_off_as_the_brief_says():
    found = fit("temperature", temperature(exactly=True)).values
    assert found["phonon_energy"] == pytest.approx(3.23, abs=0.01)
    assert found["phonon_rate"] == pytest.approx(21.4e6, rel=0.01)


def test_rates_invert_times_and_keep_relative_errors():
    points = rates(POWER, [1e-3] * 5, [1e-4] * 5)
    assert points.y == pytest.approx([1000] * 5)
    assert points.error == pytest.approx([100] * 5)


@pytest.mark.parametrize(
    ("name", "data", "options", "truth"),
    [
        ("line_width", exact(RESONANCE, WIDTH), {"g": 1.68}, {"overhauser_field": 12}),
        ("power", power(), {}, {"dark_rate": 1 / 0.9e-3, "pump_rate": 3290.6}),
        ("field", field(), {"overhauser_field": 12.0}, {"tau_s": 0.78e-3, "tau_c": 60e-6}),
        ("temperature", temperature(), {}, {"phonon_energy": 3.2, "dark_rate": 1522}),
    ],
)
def test_scatter_of_a_series_is_what_the_fit_says(name, data, options, truth):
    rng = np.random.default_rng(4)
    error = data.error / 5
    pulls = []
    for _ in range(300):
        noisy = Points(data.x, rng.normal(data.y, error), error)
        found = fit(name, noisy, **options)
        pulls.append([(found.values[key] - truth[key]) / found.errors[key] for key in truth])
    assert np.all(abs(np.mean(pulls, axis=0)) < 0.15)
    assert np.all(abs(np.std(pulls, axis=0) - 1) < 0.15)


FLAT = exact(TEMPERATURE, np.full(12, 1e3))


@pytest.mark.parametrize(
    ("name", "data", "options", "sentence"),
    [
        ("g_factor", Points([1], [42], [1]), {}, r"^g_factor: 1 points; needs 2 or more$"),
        ("g_factor", Points([1, 2], [-42, -85], [1, 1]), {}, r"1/g = -0.59\d; needs fields that"),
        (
            "g_factor",
            Points([1, 1, 1], [42, 43, 42], [1, 1, 1]),
            {"intercept": True},
            r"3 points do not tell 2 parameters apart; needs points where the model changes",
        ),
        (
            "line_width",
            Points(FIELD, 0.1 * FIELD - 1.4, FIELD),
            {"g": 1.68},
            r"overhauser_field\^2 = -",
        ),
        (
            "line_width",
            Points(FIELD, 20 - FIELD / 20, FIELD),
            {"g": 1.68},
            r"\(g_spread/g\)\^2 = -",
        ),
        (
            "line_width",
            exact(RESONANCE, WIDTH),
            {},
            r"missing a required argument: 'g'; its options",
        ),
        ("power", power(dark_rate=10), {}, r"1/t1_zero_power = 10 \+- .* 1/s; needs a rate above"),
        (
            "field",
            field(),
            {"overhauser_field": 20.0},
            r"lowest field 15 mT; Eq. \(4\) needs fields a",
        ),
        (
            "field",
            exact(FIELD, FIELD),
            {"overhauser_field": 12.0},
            r"1/tau_c = -.*needs a rate above",
        ),
        ("temperature", FLAT, {}, r"activation does not beat a constant: chi-square falls by"),
        ("temperature", Points(TEMPERATURE, -FLAT.y, FLAT.error), {}, r"rate not above zero"),
        ("temperature", exact(-TEMPERATURE, FLAT.y), {}, r"temperature not above zero"),
    ],
)
def test_bad_series_is_refused_with_a_sentence(name, data, options, sentence):
    with pytest.raises(FitError, match=sentence):
        fit(name, data, **options)
