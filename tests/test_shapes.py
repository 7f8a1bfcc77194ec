"""The shape of a line: each is recovered, and the right one is chosen."""

import numpy as np
import pytest
from scipy.special import voigt_profile

from odmrlab.analysis import Curve, FitError, compare_shapes, fit
from odmrlab.analysis.line_shapes import SHAPES

SCAN = np.linspace(0, 120, 61)  # mT
FIELD, PEAK = 42.53, 10e-6  # mT, V
WIDTHS = {"gaussian": (9.0,), "lorentzian": (9.0,), "voigt": (7.0, 3.5)}  # mT; gamma = sigma / 2


def height(shape, distance):
    if shape == "gaussian":
        return np.exp(-0.5 * (distance / 9.0) ** 2)
    if shape == "lorentzian":
        return 81.0 / (81.0 + distance**2)
    return voigt_profile(distance, 7.0, 3.5) / voigt_profile(0.0, 7.0, 3.5)


def spectrum(shape, noise=1e-10, seed=None, scan=SCAN):
    even = height(shape, scan - FIELD) + height(shape, scan + FIELD)
    signal = PEAK * np.exp(0.3j) * even + (1e-7 - 2e-7j)
    if seed is not None:
        rng = np.random.default_rng(seed)
        signal = signal + noise * (rng.normal(size=(2, len(scan))).T @ [1, 1j])
    return Curve(scan, signal, np.full(len(scan), noise * (1 + 1j)))


@pytest.mark.parametrize("shape", SHAPES)
def test_noiseless_line_of_every_shape_is_recovered(shape):
    found = fit("odmr", spectrum(shape), shape=shape).values
    assert found["field"] == pytest.approx(FIELD, rel=1e-6)
    assert [found[name] for name in SHAPES[shape].names] == pytest.approx(WIDTHS[shape], rel=1e-5)
    assert found["amplitude"] == pytest.approx(PEAK, rel=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_scatter_is_what_the_fit_says_for_every_shape(shape):
    names = ["field", *SHAPES[shape].names]
    truth = np.array([FIELD, *WIDTHS[shape]])
    pulls = []
    for seed in range(60):
        found = fit("odmr", spectrum(shape, PEAK / 100, seed), shape=shape)
        deviation = np.array([found.values[name] for name in names]) - truth
        pulls.append(deviation / [found.errors[name] for name in names])
    assert np.all(abs(np.mean(pulls, axis=0)) < 0.3)
    assert np.all(abs(np.std(pulls, axis=0) - 1) < 0.25)


def test_voigt_contains_the_pure_shapes():
    for shape in ("gaussian", "lorentzian"):
        data = spectrum(shape, PEAK / 30, seed=1)
        best = fit("odmr", data, shape=shape)
        assert fit("odmr", data, shape="voigt").chi_square < best.chi_square + 1e-6


@pytest.mark.parametrize("shape", SHAPES)
def test_right_shape_is_chosen(shape):
    """A peak of 30 times the noise; a pure shape must lose to Voigt's by chance, and only by that.

    Voigt's shape costs 2.2 of AICc. Its one parameter more has a border at the pure shape, so it
    gains that by chance with a probability of half the tail of chi-square: 7 %.
    """
    best = [compare_shapes(spectrum(shape, PEAK / 30, seed)).best for seed in range(40)]
    wrong = [name for name in best if name != shape]
    assert len(wrong) <= 7  # of 40: 2 % to exceed it at 7 % each
    assert shape == "voigt" or set(wrong) <= {"voigt"}


def test_two_lines_are_compared_too():
    hole = np.exp(-0.5 * ((SCAN - 98.2) / 8) ** 2)
    data = spectrum("gaussian", PEAK / 100, seed=3)
    comparison = compare_shapes(Curve(SCAN, data.signal + 4e-6j * hole, data.error), lines=2)
    assert comparison.best == "gaussian"
    assert "lorentzian_width_2" in comparison.fits["voigt"].values


def test_weights_add_up_and_follow_the_criterion():
    comparison = compare_shapes(spectrum("gaussian", PEAK / 30, seed=0))
    assert sum(comparison.weights.values()) == pytest.approx(1)
    aicc = comparison.aicc
    ratio = comparison.weights["lorentzian"] / comparison.weights["gaussian"]
    assert ratio == pytest.approx(np.exp((aicc["gaussian"] - aicc["lorentzian"]) / 2))
    assert str(comparison).startswith(comparison.best)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"shape": "sech"}, r"^odmr: shape='sech'; needs gaussian, lorentzian, voigt$"),
        ({"shape": "voigt", "scan": SCAN[15:22]}, r"^odmr: 7 points; needs 8 or more$"),
    ],
)
def test_bad_shape_is_refused_with_a_sentence(options, sentence):
    data = spectrum("gaussian", scan=options.pop("scan", SCAN))
    with pytest.raises(FitError, match=sentence):
        fit("odmr", data, **options)
