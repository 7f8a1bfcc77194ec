"""Amplitudes of the spin flip: brute force, time reversal, and the slip of Eq. (12)."""

import numpy as np
import pytest

from odmrlab.analysis.theory import (
    CORRECTED,
    CUBE_POLARISABILITY,
    PRINTED,
    amplitudes,
    coefficient,
    spin_vector,
)

SIGMA = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
GAP, PHONON = 76.2, 3.2  # meV
Q1, Q2 = np.array([0.3, -1.1, 0.7]), np.array([0.9, 0.4, -0.5])


def brute_force(gaps, dipoles, q1, q2, phonon):
    """Second-order spin flip of a ground state and three p states with spin, 8 by 8 matrices.

    In units e = alpha_F = alpha_R = m / hbar^2 = 1. Returns the part linear in alpha_R, 2 by 2.
    """
    levels = np.kron(np.append(0, gaps), [1, 1])

    def hamiltonian(q, rashba):
        field = q / np.linalg.norm(q)
        whole = np.zeros((8, 8), dtype=complex)
        for axis in range(3):
            r, k = np.zeros((4, 4)), np.zeros((4, 4), dtype=complex)
            r[axis + 1, 0] = r[0, axis + 1] = dipoles[axis]
            k[axis + 1, 0] = 1j * gaps[axis] * dipoles[axis]  # Eq. (20)
            k[0, axis + 1] = k[axis + 1, 0].conj()
            around = np.cross(np.eye(3)[axis], field)  # k x E
            whole -= field[axis] * np.kron(r, np.eye(2))
            whole += rashba * np.kron(k, np.einsum("i,ijk->jk", around, SIGMA))
        return whole

    def second_order(rashba):
        taken, given = hamiltonian(q1, rashba), hamiltonian(q2, rashba)
        after_taking, after_giving = np.diag(1 / (phonon - levels)), np.diag(1 / (-phonon - levels))
        return (given @ after_taking @ taken + taken @ after_giving @ given)[:2, :2]

    return (second_order(1) - second_order(-1)) / 2


@pytest.mark.parametrize("phonon", [1e-3, 0.3, 2.0])
def test_operator_of_all_states_is_what_brute_force_finds(phonon):
    rng = np.random.default_rng(23)
    for _ in range(20):
        gaps, dipoles = rng.uniform(3, 9, size=3), rng.uniform(0.1, 1, size=3)
        q1, q2 = rng.normal(size=(2, 3))
        # the dynamic chi makes the expansion of the denominators needless
        chi = 2 * dipoles**2 * gaps / (gaps**2 - phonon**2)
        expected = 1j * phonon * np.einsum("i,ijk->jk", spin_vector(q1, q2, chi), SIGMA)
        found = brute_force(gaps, dipoles, q1, q2, phonon)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9 * np.abs(expected).max())


def test_operator_of_eq_23_is_not_what_brute_force_finds():
    gaps, dipoles, phonon = np.array([4.0, 5.0, 7.0]), np.array([0.5, 0.3, 0.4]), 0.1
    chi = 2 * dipoles**2 * gaps / (gaps**2 - phonon**2)
    printed = spin_vector(Q1, Q2, chi, z_states=False)
    found = brute_force(gaps, dipoles, Q1, Q2, phonon)
    assert np.abs(1j * phonon * np.einsum("i,ijk->jk", printed, SIGMA) - found).max() > 0.1 * (
        np.abs(found).max()
    )


def test_eqs_18_are_what_brute_force_finds_through_one_state():
    gaps, dipoles = np.array([1.0, GAP, 1.0]), np.array([0, 0.18, 0])
    unit = dipoles[1] * 1j * GAP * dipoles[1] / (np.linalg.norm(Q1) * np.linalg.norm(Q2))
    flip = brute_force(gaps, dipoles, Q1, Q2, PHONON)[1, 0]  # sigma_x only: q_z in k_y E_z
    both = unit * sum(amplitudes(Q1, Q2, GAP, (PHONON, PHONON)))
    x = 1j * PHONON * spin_vector(Q1, Q2, [0, 2 * dipoles[1] ** 2 * GAP / (GAP**2 - PHONON**2), 0])
    assert both == pytest.approx(x[0], rel=1e-9)
    assert flip == pytest.approx(x[0] + 1j * x[1], rel=1e-9)


def test_eqs_18_keep_time_reversal():
    """A static field cannot flip the spin: M goes to zero with the phonon energy, linearly."""
    per_energy = [sum(amplitudes(Q1, Q2, GAP, (w, w))) / w for w in (1e-3, 1e-5)]
    assert sum(amplitudes(Q1, Q2, GAP, (0, 0))) == pytest.approx(0, abs=1e-15)
    expected = 2 * np.cross(Q2, Q1)[0] / GAP**2  # Eq. (19)
    assert per_energy == pytest.approx([expected] * 2, rel=1e-6)


def test_eq_12_to_the_letter_breaks_time_reversal():
    first, second = amplitudes(Q1, Q2, GAP, (0, 0), printed=True)
    assert abs(first + second) == pytest.approx(2 * abs(np.cross(Q2, Q1)[0]) / GAP)
    letter = sum(amplitudes(Q1, Q2, GAP, (PHONON, PHONON), printed=True))
    right = sum(amplitudes(Q1, Q2, GAP, (PHONON, PHONON)))
    assert (letter / right) ** 2 == pytest.approx((GAP / PHONON) ** 2)  # a rate 570 times larger


def test_second_amplitude_is_the_first_exchanged_only_for_equal_phonons():
    for phonons, same in (((3.2, 3.2), True), ((3.2, 3.5), False)):
        _, second = amplitudes(Q1, Q2, GAP, phonons)
        exchanged, _ = amplitudes(Q2, Q1, GAP, phonons[::-1])
        assert np.isclose(second, -exchanged, rtol=1e-9) == same


def test_missing_states_and_angular_factor_make_four_thirds_for_a_cube():
    rng = np.random.default_rng(4)
    squares = []
    for q1, q2 in rng.normal(size=(20_000, 2, 3)):
        x, y, _ = spin_vector(q1, q2, [1, 1, 1])
        squares.append(x**2 + y**2)
    printed = 2 * PRINTED.angular_average
    assert np.mean(squares) / printed == pytest.approx(4 / 3, rel=0.02)
    cube = [CUBE_POLARISABILITY] * 3
    assert coefficient(cube, CORRECTED) / coefficient(cube) == pytest.approx(4 / 3)


def test_picture_of_an_electron_that_follows_the_field_gives_all_three_axes():
    """R = chi E, k = dr/dt: the mean of [k x E] over a period has the form of the amplitude."""
    chi, time = np.array([1.0, 2.0, 3.0]), np.linspace(0, 2 * np.pi, 64, endpoint=False)
    wave1, wave2 = (np.exp(-1j * time), np.exp(1j * time))
    n1, n2 = Q1 / np.linalg.norm(Q1), Q2 / np.linalg.norm(Q2)
    follows = chi * (np.outer(-1j * wave1, n1) + np.outer(1j * wave2, n2))
    field = np.outer(wave1, n1) + np.outer(wave2, n2)
    mean = np.cross(follows, field).mean(axis=0)
    assert mean == pytest.approx(1j * spin_vector(Q1, Q2, chi), rel=1e-9)
