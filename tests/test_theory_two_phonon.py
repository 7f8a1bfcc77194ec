"""The full two-phonon integral: its number, its limits, and an independent Monte Carlo."""

import numpy as np
import pytest

from odmrlab.analysis.theory import (
    CSPBI3,
    CUBE,
    CUBE_POLARISABILITY,
    Box,
    coefficient,
    pair_integral,
    polarisability,
)
from odmrlab.analysis.theory.gram import all_space, ball
from odmrlab.analysis.theory.two_phonon import contract

ESTIMATE = coefficient((CUBE_POLARISABILITY,) * 3)
THREE_P_STATES = [0, 1, 1, 0, 1, 0, 0, 0]  # of 2 by 2 by 2: (1,1,2), (1,2,1), (2,1,1)


def p_states(gram):
    gaps = CUBE.gaps(2).ravel()
    return contract(gram, np.array(THREE_P_STATES) / np.append(1, gaps[1:]) ** 2)


def test_full_integral_is_three_times_the_coefficient_of_the_paper():
    assert pair_integral(CUBE) == pytest.approx(4.479e-2, rel=1e-3)
    assert pair_integral(CUBE) / coefficient() == pytest.approx(2.98, rel=2e-3)


def test_full_integral_converges_with_the_number_of_states():
    three, five, seven, nine = (pair_integral(CUBE, states=n) for n in (3, 5, 7, 9))
    assert three == pytest.approx(4.4656e-2, rel=1e-4)
    assert five == pytest.approx(4.4785e-2, rel=1e-4)
    assert five == pytest.approx(nine, rel=1e-4)
    assert nine - seven < (five - three) / 100


def test_full_integral_converges_with_the_grid():
    weights = np.append(0, CUBE.gaps(4).ravel()[1:] ** -2.0)
    fine, coarse, short = (
        contract(all_space(CUBE, 4, farthest, nodes), weights)
        for farthest, nodes in ((600, 800), (300, 400), (40, 400))
    )
    assert coarse == pytest.approx(fine, rel=1e-7)
    assert short == pytest.approx(fine, rel=1e-5)


def test_ball_that_grows_fills_all_space():
    """Two ways to the same Gram matrices: a grid in a ball, products along the edges."""
    everything = p_states(all_space(CUBE, 2))
    below = [p_states(ball(CUBE, 2, cutoff)) for cutoff in (10.0, 20.0)]
    missing = [1 - np.sum(found) / np.sum(everything) for found in below]
    assert 0 < missing[1] < 2e-3
    assert missing[1] < missing[0] / 8


def test_long_waves_are_the_corrected_estimate():
    """Below a small cut-off q the integral is 4/3 of the paper's number times q^6."""
    assert pair_integral(CUBE, states=7, cutoff=0.01) / 0.01**6 == pytest.approx(
        4 / 3 * ESTIMATE, rel=1e-4
    )


@pytest.mark.parametrize("direction", [(0, 0, 1), (1, 0, 0), (1, 2, 2)])
def test_long_waves_of_a_box_see_the_field_direction(direction):
    box = Box((1, 1.2, 1.5))
    x, y, z = polarisability(box)
    along = np.array(direction) / np.linalg.norm(direction)
    squares = np.array([y + z, x + z, x + y]) ** 2 @ (1 - along**2)
    expected = 2 * (2 * np.pi) ** 2 / (36 * np.pi**4) * 2 / 9 * squares
    found = pair_integral(box, direction, states=7, cutoff=0.01) / 0.01**6
    assert found == pytest.approx(expected, rel=3e-4)


@pytest.mark.parametrize(
    ("cutoff", "expected"),
    [(1, 7.44e-7), (np.pi / 2, 1.06e-5), (np.pi, 5.24e-4), (2 * np.pi, 1.26e-2)],
)
def test_cut_off_decides_the_number(cutoff, expected):
    assert pair_integral(CUBE, cutoff=cutoff) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(
    ("height", "along_z", "along_x"),
    [(1.2, 6.0e-2, 4.6e-2), (1.5, 0.115, 0.068), (0.7, 0.051, 0.067)],
)
def test_shape_makes_the_rate_anisotropic(height, along_z, along_x):
    box = Box((1, 1, height))
    assert pair_integral(box) == pytest.approx(along_z, rel=1e-2)
    assert pair_integral(box, (1, 0, 0)) == pytest.approx(along_x, rel=1e-2)
    assert pair_integral(box, (0, 1, 0)) == pytest.approx(pair_integral(box, (1, 0, 0)))


def test_cube_is_isotropic_and_edges_have_no_unit():
    assert pair_integral(CUBE, (1, 2, 3)) == pytest.approx(pair_integral(CUBE), rel=1e-9)
    turned = pair_integral(Box((3, 2, 2)), (1, 0, 0))
    assert turned == pytest.approx(pair_integral(Box((1, 1, 1.5)), (0, 0, -7)), rel=1e-9)


def test_exact_denominators_add_a_third_of_a_percent():
    phonon = CSPBI3.modes[0].energy / CSPBI3.confinement(9.07)
    assert pair_integral(CUBE, phonon=phonon) == pytest.approx(4.492e-2, rel=1e-3)


def waves(q):
    """<n|exp(iqx)|1> and <n|exp(iqx) k|1> of n = 1, 2 with their phases, by quadrature."""
    x, weights = np.polynomial.legendre.leggauss(240)
    x, weights = (x + 1) / 2, weights / 2
    phase = np.exp(1j * np.outer(q, x - 0.5)) * weights
    ground, slope = np.sin(np.pi * x), -1j * np.pi * np.cos(np.pi * x)
    states = 2 * np.sin(np.pi * np.outer([1, 2], x))
    return (states * ground) @ phase.T, (states * slope) @ phase.T


def flip(q1, q2, density, current):
    """Spin-flip element <down| ... |up> through three p states, times q1 q2, shape (samples,)."""
    total = 0
    for axis in range(3):
        n = [int(i == axis) for i in range(3)]

        def rho(q, n=n):
            return np.prod([density[n[i]](q[i]) for i in range(3)], axis=0)

        def s(q, n=n):
            k = [
                np.prod([(current if i == j else density)[n[i]](q[i]) for i in range(3)], axis=0)
                for j in range(3)
            ]
            return np.cross(k, q, axis=0)

        vector = rho(q1) * np.conj(s(q2)) - np.conj(rho(q2)) * s(q1)
        total = total + (vector[0] + 1j * vector[1]) / (1.5 * np.pi**2) ** 2
    return total


def test_monte_carlo_over_both_wavevectors_agrees():
    """Cauchy-distributed components of q; 4.2549(19)e-2 was found before by another program."""
    rng, grid = np.random.default_rng(1958), np.linspace(-150, 150, 15_001)
    density, current = waves(grid)

    def interpolated(rows):
        return [lambda q, row=row: np.interp(q, grid, row, left=0, right=0) for row in rows]

    values, scale = [], 3.5
    for _ in range(20):
        q = scale * np.tan(np.pi * (rng.random((6, 25_000)) - 0.5))
        weights = np.prod(np.pi * (q**2 + scale**2) / scale, axis=0)
        squares = np.abs(flip(q[:3], q[3:], interpolated(density), interpolated(current))) ** 2
        lengths = np.sum(q[:3] ** 2, axis=0) * np.sum(q[3:] ** 2, axis=0)
        values.append(8 / (2 * np.pi) ** 4 * np.mean(weights * squares / lengths))
    exact = p_states(all_space(CUBE, 2))[:2].sum()
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    assert error < 5e-3 * exact
    assert np.mean(values) == pytest.approx(exact, abs=3 * error)
    assert exact == pytest.approx(4.2549e-2, abs=3 * 0.0019e-2)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"direction": (0, 0, 0)}, r"direction \(0, 0, 0\); needs three numbers, not all zero$"),
        ({"states": 1}, r"states = 1, cutoff = inf \[1/L\]; needs states >= 2 and cutoff > 0$"),
        ({"cutoff": 0}, r"states = 5, cutoff = 0 \[1/L\]; needs"),
        ({"phonon": 20}, r"phonon = 20 \[hbar\^2/mL\^2\]; needs 0 or more, less than 14.8 of the"),
    ],
)
def test_impossible_integral_is_refused_with_a_sentence(options, sentence):
    with pytest.raises(ValueError, match=f"^pair_integral: {sentence}"):
        pair_integral(CUBE, **options)
