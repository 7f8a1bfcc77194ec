"""Predictions of T1 of a nanocrystal, and the table in the documentation."""

from dataclasses import replace

import numpy as np
import pytest

from odmrlab.analysis.theory import (
    CSPBI3,
    Box,
    Material,
    Mode,
    Nanocrystal,
    phonon_rate,
    phonon_rates,
    relaxation_rate,
    share,
)
from odmrlab.analysis.theory.__main__ import table

CRYSTAL = Nanocrystal()
TEMPERATURE = np.array([1.6, 4.0, 6.0, 8.0, 10.0])


@pytest.mark.parametrize(("size", "rate"), [(7, 7.9), (9.07, 13.3), (11, 19.6), (14, 31.7)])
def test_activation_rate_is_that_of_the_full_integral(size, rate):
    assert phonon_rate(Nanocrystal(size)) == pytest.approx(rate, rel=5e-3)


def test_activation_rate_grows_with_the_square_of_the_size():
    ratio = phonon_rate(replace(CRYSTAL, size=18.14)) / phonon_rate(CRYSTAL)
    assert ratio == pytest.approx(4, rel=1e-12)


def test_activation_rate_is_within_a_factor_two_of_the_measured():
    assert 0.5 < phonon_rate(CRYSTAL) / 20 < 1


def test_relaxation_rate_follows_the_activation_law_when_told_so():
    expected = 0.0015 + phonon_rate(CRYSTAL) * np.exp(-3.2 / (8.617333262e-2 * TEMPERATURE))
    found = relaxation_rate(TEMPERATURE, CRYSTAL, residual=0.0015, exact=False)
    assert found == pytest.approx(expected, rel=1e-9)
    assert relaxation_rate(4.0, CRYSTAL).shape == ()


def test_field_that_vanishes_leaves_no_trace():
    none, small = (relaxation_rate(TEMPERATURE, CRYSTAL, field) for field in (0, 1e-3))
    assert small == pytest.approx(none, rel=1e-9)
    assert relaxation_rate(6.0, CRYSTAL, 100) == pytest.approx(none[2] * 0.9946, rel=1e-4)


def test_field_direction_matters_in_a_long_crystal():
    along = Nanocrystal(box=Box((1, 1, 1.5)))
    across = replace(along, direction=(1, 0, 0))
    assert phonon_rate(along) / phonon_rate(across) == pytest.approx(1.69, rel=1e-2)


@pytest.mark.parametrize(
    ("modes", "more"),
    [
        # shares that go with S: the rate goes with S^2 Omega^4
        ((Mode(), Mode(energy=5.1, permittivity=6 / 0.4)), [0.004, 0.026, 0.11]),
        # shares that go with S Omega, as Huang-Rhys factors have it: S^2 Omega^6
        (share(6.0, (3.2, 5.1), (0.075, 0.03)), [0.0106, 0.066, 0.277]),
    ],
)
def test_second_mode_adds_at_high_temperature(modes, more):
    first = Nanocrystal(material=Material(modes=modes[:1]))
    both = Nanocrystal(material=Material(modes=modes))
    temperature = np.array([4.0, 6.0, 10.0])
    ratio = relaxation_rate(temperature, both) / relaxation_rate(temperature, first)
    assert ratio - 1 == pytest.approx(more, rel=0.05)


def test_each_mode_has_its_rate():
    doubled = replace(CSPBI3, modes=(Mode(), Mode(damping=0.4)))
    assert phonon_rates(Nanocrystal(material=doubled)) == pytest.approx(
        phonon_rate(CRYSTAL) * np.array([1, 0.5])
    )


@pytest.mark.parametrize("temperature", [0.0, -4.0, np.nan])
def test_impossible_temperature_is_refused(temperature):
    with pytest.raises(ValueError, match=r"^relaxation_rate: temperature = .* \[K\]; needs a numb"):
        relaxation_rate(temperature, CRYSTAL)


def test_impossible_size_is_refused():
    with pytest.raises(ValueError, match=r"^nanocrystal: size = 0 \[nm\]; needs a number above ze"):
        Nanocrystal(0)


def test_table_in_the_documentation_is_what_the_code_computes(root):
    assert table() in (root / "docs/explanations/theory.md").read_text()
