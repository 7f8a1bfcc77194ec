"""Data check themselves; variable projection finds the least chi-square and its covariance."""

import numpy as np
import pytest

from odmrlab.analysis.data import Curve, FitError, Points
from odmrlab.analysis.models import constant, verdicts
from odmrlab.analysis.projection import Search, solve

TIME = np.linspace(0, 5, 30)
NODES = np.linspace(-3, 3, 25)
SEARCH = Search(NODES[None, :, None], NODES[:1], NODES[-1:])


def decay(theta, time):
    return np.exp(-time * np.exp(-theta[..., None]))


def curve(n=8, **change):
    given = {"axis": np.arange(n), "signal": np.ones(n) + 0j, "error": np.full(n, 1 + 1j)}
    return Curve(**(given | change))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"signal": np.full(8, np.nan)}, r"^curve: signal is not finite at 8 of 8 points, first a"),
        ({"axis": [0, 1, 2, np.inf, 4, 5, 6, 7]}, r"^curve: axis is not finite at 1 .* point 4;"),
        ({"error": np.full(8, 1 + 0j)}, r"^curve: error is not above zero at 8 of 8 points"),
        ({"error": np.full(8, -1 + 1j)}, r"^curve: error is not above zero .*needs a standard err"),
        ({"signal": np.ones(7)}, r"^curve: axis \(8,\), signal \(7,\), error \(8,\); needs one"),
        ({"signal": ["loud"] * 8}, r"^signal: .*; needs numbers$"),
    ],
)
def test_bad_curve_is_refused_with_a_sentence(change, sentence):
    with pytest.raises(FitError, match=sentence):
        curve(**change)


def test_bad_points_are_refused_with_a_sentence():
    with pytest.raises(FitError, match=r"^points: error is not above zero at 1 of 2 .* point 2;"):
        Points([1, 2], [3, 4], [1, 0])


def test_x_and_y_are_weighted_with_their_own_errors():
    pair = curve(2, signal=[1 + 5j, 3 + 7j], error=[1 + 2j, 2 + 1j])
    optimum = solve(pair, constant)
    assert optimum.linear == pytest.approx([(1 + 3 / 4) / 1.25, (5 / 4 + 7) / 1.25])
    assert optimum.covariance == pytest.approx(np.eye(2) / 1.25)


def test_real_decay_is_found_without_a_start():
    data = Points(TIME, 3 * np.exp(-TIME / 0.7), np.full(30, 1e-3))
    optimum = solve(data, decay, SEARCH)
    assert np.exp(optimum.nonlinear[0]) == pytest.approx(0.7, rel=1e-9)
    assert optimum.linear == pytest.approx([3])
    assert optimum.curve([0.0]) == pytest.approx([3])


def test_covariance_is_the_inverse_of_the_information():
    data = Points(TIME, 3 * np.exp(-TIME / 0.7), np.full(30, 0.1))
    by_theta = 3 * np.exp(-TIME / 0.7) * TIME / 0.7
    jacobian = np.column_stack([by_theta, np.exp(-TIME / 0.7)]) / 0.1
    expected = np.linalg.inv(jacobian.T @ jacobian)
    assert solve(data, decay, SEARCH).covariance == pytest.approx(expected, rel=1e-6)


def test_scale_of_the_data_changes_nothing():
    noisy = 3 * np.exp(-TIME / 0.7) + np.random.default_rng(3).normal(0, 0.1, 30)
    large = solve(Points(TIME, noisy, np.full(30, 0.1)), decay, SEARCH)
    small = solve(Points(TIME, 1e-9 * noisy, np.full(30, 1e-10)), decay, SEARCH)
    assert small.nonlinear == pytest.approx(large.nonlinear, rel=1e-7)
    assert small.linear == pytest.approx(1e-9 * large.linear, rel=1e-7)


def test_optimum_at_the_border_of_the_search_is_not_inside():
    data = Points(TIME, np.exp(-TIME / 1e3), np.full(30, 1e-6))
    assert not solve(data, decay, SEARCH).inside


def test_parameters_that_the_data_do_not_tell_apart_are_noticed():
    data = Points(TIME, TIME, np.ones(30))
    assert not solve(data, lambda _, time: np.stack([time, 2 * time])).determined


@pytest.mark.parametrize("test", ["chi_square_p", "runs_p"])
def test_wrong_model_gets_bad_verdicts(test):
    wave = Points(TIME, np.sin(TIME), np.full(30, 0.2))
    assert verdicts(wave, solve(wave, constant))[test] < 1e-4


def test_order_of_the_points_does_not_change_the_verdicts():
    y = np.random.default_rng(1).normal(size=30)
    order = np.random.default_rng(2).permutation(30)
    straight = Points(TIME, y, np.ones(30))
    mixed = Points(TIME[order], y[order], np.ones(30))
    assert verdicts(mixed, solve(mixed, constant)) == pytest.approx(
        verdicts(straight, solve(straight, constant))
    )
