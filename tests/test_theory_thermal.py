"""Occupation, Zeeman factor, and the balance between both spin flips."""

import numpy as np
import pytest

from odmrlab.analysis.theory import Mode, flip_rates, occupation, zeeman_energy, zeeman_factor
from odmrlab.analysis.theory.thermal import gaussian, lorentzian

MODE = Mode()
KT = 8.617333262e-2  # meV/K


def test_occupation_is_that_of_bose_and_einstein():
    n = 1 / np.expm1(3.2 / (KT * 10))
    assert occupation(10, MODE) == pytest.approx(n * (n + 1), rel=1e-9)


@pytest.mark.parametrize(("temperature", "excess"), [(1.6, 0), (8, 0.020), (10, 0.051)])
def test_occupation_tends_to_the_activation_law(temperature, excess):
    ratio = occupation(temperature, MODE) / occupation(temperature, MODE, exact=False)
    assert ratio - 1 == pytest.approx(excess, abs=5e-4)


@pytest.mark.parametrize(
    ("field", "factor"), [(0, 1), (100, 0.9946), (-1000, 0.647), (1350, 0.501), (3000, 0.169)]
)
def test_zeeman_energy_beyond_the_phonon_width_hinders_the_flip(field, factor):
    assert zeeman_factor(zeeman_energy(field, 1.68), MODE) == pytest.approx(factor, abs=5e-4)


@pytest.mark.parametrize("line", [gaussian, lorentzian])
def test_pairs_of_either_line_have_the_density_of_eq_14_at_no_field(line):
    offset = np.linspace(-200, 200, 2_000_001)
    density = np.sum(line(offset, MODE.width) ** 2) * (offset[1] - offset[0])
    assert density == pytest.approx(1 / (np.pi * MODE.width), rel=1e-6)


def test_pair_of_lorentzian_lines_is_eq_14_at_any_field():
    offset, splitting = np.linspace(-200, 200, 2_000_001), 0.1
    pair = lorentzian(offset, MODE.width) * lorentzian(offset + splitting, MODE.width)
    density = np.sum(pair) * (offset[1] - offset[0]) * np.pi * MODE.width
    assert density == pytest.approx(float(zeeman_factor(splitting, MODE)), rel=1e-6)


@pytest.mark.parametrize("line", [gaussian, lorentzian])
@pytest.mark.parametrize("field", [100, 1000])
def test_balance_of_both_flips_is_that_of_the_two_levels(line, field):
    temperature, splitting = np.array([1.6, 4.0, 10.0]), float(zeeman_energy(field, 1.68))
    down, up = flip_rates(temperature, splitting, MODE, line)
    assert up / down == pytest.approx(np.exp(-splitting / (KT * temperature)), rel=1e-9)


def test_gaussian_line_that_narrows_becomes_sharp():
    sharp = Mode(damping=1e-2)
    assert flip_rates(4.0, 0, sharp)[0] == pytest.approx(occupation(4.0, sharp), rel=1e-4)


def test_width_of_a_gaussian_line_helps_at_low_temperature():
    """Its low side is occupied more: exp(s^2 / 2 (kT)^2) with s the width of the line squared."""
    s = np.sqrt(np.pi / 8) * MODE.width
    down, _ = flip_rates(1.6, 0, MODE)
    expected = np.exp((s / (KT * 1.6)) ** 2 / 2)
    assert down / occupation(1.6, MODE) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("temperature", "ratio"), [(1.6, 2e4), (3, 2.5), (4, 1.14)])
def test_tail_of_a_lorentzian_line_outweighs_the_phonons(temperature, ratio):
    down, _ = flip_rates(temperature, 0, MODE, lorentzian)
    assert down / occupation(temperature, MODE) == pytest.approx(ratio, rel=1e-2)


def test_tail_of_a_lorentzian_line_has_no_limit_and_of_a_gaussian_has():
    wide, wider = (flip_rates(4.0, 0, MODE, lorentzian, lowest)[0] for lowest in (1e-4, 1e-5))
    assert wider > 9 * wide
    wide, wider = (flip_rates(4.0, 0, MODE, gaussian, lowest)[0] for lowest in (0.1, 1e-2))
    assert wider == pytest.approx(wide, rel=1e-9)


def test_impossible_lowest_phonon_is_refused():
    with pytest.raises(ValueError, match=r"^flip_rates: lowest = 4 \[meV\]; needs more than 0, le"):
        flip_rates(4.0, 0, MODE, lowest=4)
