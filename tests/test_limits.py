"""The Cramér-Rao bounds have the closed forms of the best designs, and the fits keep to them."""

import numpy as np
import pytest

from odmrlab.analysis import Curve, FitError, fit, inertia_bound, line_bound, predicted_errors
from odmrlab.analysis.limits import PLANNED

T1 = 670e-6  # s
GOLDEN = (1 + 5**0.5) / 2
GRID = np.geomspace(100, 1e5, 20)  # Hz
SCAN = np.linspace(0, 100, 51)  # mT
INERTIA = {"t1": T1, "amplitude": 20e-6, "phase": 17.0}
LINE = {"field": 42.53, "width": 9.29, "amplitude": 10e-6, "phase": 17.0}
SECOND = {"field_2": 85.0, "width_2": 6.0, "amplitude_2": 4e-6, "phase_2": 70.0}
DESIGNS = {  # 2 pi f T1 with shares of the time, and variance of ln T1 x points (signal / noise)^2
    "phase known": ([1 / 2**0.5], [1.0], 27 / 4),
    "phase free": ([1e-4, GOLDEN**0.5], [GOLDEN**-2, 1 - GOLDEN**-2], GOLDEN**5),
    "amplitude only": ([1e-4, 3**0.5], [1 / 3, 2 / 3], 16.0),
}


def inertia_constant(x, shares, reading):
    """Give n (sd(ln T1) S0 / sigma)^2 of n points shared among frequencies."""
    error = 1 / np.sqrt(np.asarray(shares))
    return inertia_bound(np.asarray(x) / (2 * np.pi * T1), T1, 1.0, error, reading) ** 2


def line_constants(z, shares, **free):
    error = 1 / np.sqrt(np.asarray(shares))
    found = line_bound(42 + 9 * np.asarray(z), 42.0, 9.0, 1.0, error, **free)
    return (found["field"] / 9) ** 2, (found["width"] / 9) ** 2


@pytest.mark.parametrize("reading", DESIGNS)
def test_best_design_has_its_closed_form(reading):
    x, shares, constant = DESIGNS[reading]
    assert inertia_constant(x, shares, reading) == pytest.approx(constant, rel=1e-3)


@pytest.mark.parametrize("reading", DESIGNS)
def test_neighbours_of_the_best_design_are_worse(reading):
    x, shares, constant = DESIGNS[reading]
    for factor in (0.8, 1.25):
        assert inertia_constant([*x[:-1], factor * x[-1]], shares, reading) > 1.005 * constant
    if len(x) == 2:
        for moved in (shares[0] - 0.1, shares[0] + 0.1):
            assert inertia_constant(x, [moved, 1 - moved], reading) > 1.005 * constant


def two_frequencies(x0, x, phase):
    """Give the closed form of the best shares between two frequencies."""
    u0, u = x0**2, x**2
    by_fall, by_phase = u / (1 + u) - u0 / (1 + u0), x / (1 + u) - x0 / (1 + u0)
    return (np.sqrt(1 + u0) + np.sqrt(1 + u)) ** 2 / (by_fall**2 + phase * by_phase**2)


@pytest.mark.parametrize(
    ("reading", "best", "factor"),
    [("phase known", 27 / 4, 4.1), ("phase free", 25.9, 3.8), ("amplitude only", 26.1, 4.2)],
)
def test_logarithmic_grid_takes_so_many_times_the_time_of_the_best(reading, best, factor):
    """The best that does not go below the 100 Hz of the grid either."""
    lowest = 2 * np.pi * 100 * T1
    if reading != "phase known":
        x = np.linspace(1.1 * lowest, 10, 5000)
        found = two_frequencies(lowest, x, reading == "phase free").min()
        assert found == pytest.approx(best, rel=0.01)
    grid = inertia_constant(2 * np.pi * T1 * GRID, np.full(20, 1 / 20), reading)
    assert grid / best == pytest.approx(factor, rel=0.03)


@pytest.mark.parametrize(("reading", "phase"), [("phase free", 1), ("amplitude only", 0)])
def test_two_frequencies_have_their_closed_form(reading, phase):
    x0, x = 0.42, 1.9
    shares = np.sqrt(1 + np.square([x0, x]))
    found = inertia_constant([x0, x], shares / shares.sum(), reading)
    assert found == pytest.approx(two_frequencies(x0, x, phase), rel=1e-6)


def test_one_frequency_tells_nothing_of_t1_when_the_phase_is_free():
    for reading in ("phase free", "amplitude only"):
        assert inertia_bound([200.0], T1, 1.0, 0.01, reading) == np.inf


def test_centre_of_a_line_is_told_best_one_standard_deviation_away():
    constant, _ = line_constants([-1, 1], [0.5, 0.5])
    assert constant == pytest.approx(np.e, rel=1e-3)
    for z in (0.8, 1.25):
        assert line_constants([-z, z], [0.5, 0.5])[0] > 1.02 * np.e


def test_width_above_a_background_needs_centre_flanks_and_wings():
    far, centre = 8.0, 0.5 / np.e
    z, shares = [-far, -(2**0.5), 0, 2**0.5, far], [0.0, 0.25, centre, 0.25, 0.0]
    shares[0] = shares[-1] = (1 - sum(shares)) / 2
    _, constant = line_constants(z, shares, background=True)
    assert constant == pytest.approx(np.e**2, rel=1e-3)


def test_four_point_design_of_all_parameters():
    z, shares = [-1.22, 0, 1.22, 8.0], [0.25] * 4
    field, width = line_constants(z, shares, background=True)
    assert (field, width) == pytest.approx((5.98, 7.98), rel=0.01)


@pytest.mark.parametrize(
    ("reach", "field", "width"),
    [(3, 6.8, 18.9), (4, 9.1, 14.9), (6, 13.6, 17.2), (8, 18.1, 21.1), (10, 22.6, 25.4)],
)
def test_uniform_scans_pay_for_their_wings(reach, field, width):
    z = np.linspace(-reach, reach, 2001)
    found = line_constants(z, np.full(2001, 1 / 2001), background=True)
    assert found == pytest.approx((field, width), rel=0.01)


def test_prediction_of_spin_inertia_is_the_bound():
    errors = predicted_errors("spin_inertia", GRID, INERTIA, 0.2e-6)
    assert list(errors) == ["t1", "amplitude", "phase"]
    bound = inertia_bound(GRID, T1, 20e-6, 0.2e-6)
    assert errors["t1"] / T1 == pytest.approx(bound, rel=1e-6)


def test_prediction_of_a_line_is_the_bound():
    far = np.linspace(10, 75, 41)  # where the line at the other sign is gone
    errors = predicted_errors("odmr", far, LINE, 0.2e-6)
    bound = line_bound(far, 42.53, 9.29, 10e-6, 0.2e-6, background=True)
    assert [errors["field"], errors["width"]] == pytest.approx(list(bound.values()), rel=1e-3)


@pytest.mark.parametrize(
    ("name", "axis", "values", "options", "free"),
    [
        (
            "spin_inertia",
            GRID,
            INERTIA | {"background_x": 1e-6, "background_y": 2e-6},
            {},
            {"offset": True},
        ),
        ("odmr", SCAN, LINE | {"background_x": 1e-7, "background_y": -1e-7}, {}, {}),
        ("odmr", SCAN, LINE | SECOND, {}, {"lines": 2}),
        ("odmr", SCAN - 50, LINE | {"field_offset": 2.0}, {}, {"offset": True}),
        ("odmr", SCAN, LINE, {"shape": "lorentzian"}, {}),
        ("odmr", SCAN, LINE | {"lorentzian_width": 4.0}, {"shape": "voigt"}, {}),
    ],
)
def test_scatter_is_as_predicted(name, axis, values, options, free):
    """Prediction against the spread of fits of noisy data; a third is three deviations of 40."""
    noise, rng = 0.1e-6, np.random.default_rng(6)
    predicted = predicted_errors(name, axis, values, noise, **options)
    assert set(values) <= set(predicted)
    truth = PLANNED[name].signal(values, axis, **options)
    data = Curve(axis, truth, np.full(len(axis), noise * (1 + 1j)))
    used = fit(name, data, **options, **free)
    assert used.values == pytest.approx(dict.fromkeys(used.values, 0.0) | values, rel=1e-4)
    fits = [
        fit(name, data.with_signal(signal), **used.options).values
        for signal in data.draw(truth, rng, 40)
    ]
    for parameter in ("t1",) if name == "spin_inertia" else ("field", "width"):
        spread = np.std([values[parameter] for values in fits])
        assert spread == pytest.approx(predicted[parameter], rel=0.33)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("power", GRID, INERTIA, 1e-7), r"^predicted_errors: model 'power'; needs one of spin_in"),
        (
            ("spin_inertia", GRID, {"t1": T1, "phase": 0.0}, 1e-7),
            r"^predicted_errors: spin_inertia has no value of 'amplitude'; needs one$",
        ),
        (("spin_inertia", GRID, INERTIA, 1e-3), r"does not beat a constant"),
        (("odmr", SCAN + 200, LINE, 1e-7), r"^odmr: "),
        (("odmr", SCAN, LINE, 0.0), r"needs a standard error of every point"),
    ],
)
def test_scan_that_cannot_be_predicted_is_refused_with_a_sentence(words, sentence):
    with pytest.raises(FitError, match=sentence):
        predicted_errors(*words)


def test_unknown_shape_is_refused_with_a_sentence():
    with pytest.raises(FitError, match=r"^odmr: shape='sech'; needs gaussian, lorentzian, voigt$"):
        predicted_errors("odmr", SCAN, LINE, 1e-7, shape="sech")


def test_unknown_reading_is_refused_with_a_sentence():
    with pytest.raises(FitError, match=r"reading='R'; needs one of phase known, phase free, amp"):
        inertia_bound(GRID, T1, 1.0, 0.01, "R")
