"""The paper's estimate: its number, and what each of its slips is worth."""

from dataclasses import replace

import numpy as np
import pytest

from odmrlab.analysis.theory import (
    CORRECTED,
    CSPBI3,
    CUBE,
    CUBE_POLARISABILITY,
    PRINTED,
    Box,
    Material,
    Mode,
    Reading,
    coefficient,
    estimate,
    polarisability,
    shape_constant,
    share,
)

ISOTROPIC = (CUBE_POLARISABILITY,) * 3


def test_eq_15_gives_the_two_per_microsecond_of_the_paper():
    assert estimate(CSPBI3) == pytest.approx(2.107, rel=1e-3)


def test_constants_are_those_behind_the_estimate():
    assert CSPBI3.bohr_radius == pytest.approx(8.82, rel=1e-3)  # nm
    assert CSPBI3.rashba == pytest.approx(0.028835, rel=1e-4)  # nm^2
    assert CSPBI3.confinement(9.07) * 1.5 * np.pi**2 == pytest.approx(76.2, rel=1e-3)  # meV


def test_coefficient_of_eq_25_follows_from_eq_24():
    assert coefficient() == pytest.approx(4 / (27 * np.pi**2), rel=1e-12)


def test_angular_averages_are_those_of_the_slip():
    rng = np.random.default_rng(24)
    n1, n2 = (v / np.linalg.norm(v, axis=1)[:, None] for v in rng.normal(size=(2, 200_000, 3)))
    squares = np.cross(n2, n1) ** 2
    assert squares.sum(axis=1).mean() == pytest.approx(PRINTED.angular_average, rel=5e-3)
    assert squares.mean(axis=0) == pytest.approx([CORRECTED.angular_average] * 3, rel=1e-2)


@pytest.mark.parametrize(
    ("change", "factor"),
    [
        ({"angular_average": 2 / 9}, 1 / 3),
        ({"z_states": True}, 4),
        ({"energy_power": 3}, 1 / 3.2),
        ({"both_ways": True}, 2),
        ({"angular_average": 2 / 9, "z_states": True}, 4 / 3),
    ],
)
def test_each_slip_has_its_own_switch(change, factor):
    reading = Reading(**change)
    ratio = estimate(CSPBI3, 9.0, ISOTROPIC, reading) / estimate(CSPBI3, 9.0, ISOTROPIC)
    assert ratio == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize(("power", "is_rate"), [(4, True), (3, False)])
def test_third_power_of_the_phonon_energy_is_no_rate(power, is_rate):
    """All energies doubled, all times halved, lengths kept: a rate must double."""
    doubled = Material(
        mass=0.09,  # hbar^2 / m a^2 doubled
        band_gap=3.4,
        momentum=1.0,
        static_permittivity=15,  # e^2 / epsilon a doubled
        modes=(Mode(energy=6.4, damping=0.4, permittivity=3),),
    )
    reading = Reading(energy_power=power)
    ratio = estimate(doubled, 9.0, reading=reading) / estimate(CSPBI3, 9.0, reading=reading)
    assert (ratio == pytest.approx(2)) is is_rate


@pytest.mark.parametrize(
    ("aspect", "printed", "corrected"),
    [
        ((1, 1, 1), 0.00621, 0.01241),
        ((1, 1, 2), 0.00246, 0.0419),
        ((1, 1, 0.5), 0.01564, 0.0166),
        ((1, 2, 1), 0.0279, 0.0298),
        ((1, 1.2, 1.5), 0.00461, 0.0188),
    ],
)
def test_shape_constant_is_far_from_one(aspect, printed, corrected):
    chi = polarisability(Box(aspect))
    assert shape_constant(chi) == pytest.approx(printed, rel=2e-3)
    assert shape_constant(chi, z_states=True) == pytest.approx(corrected, rel=3e-3)


def test_estimate_with_the_true_shape_constant_is_smaller_by_far():
    assert coefficient(polarisability(CUBE)) == pytest.approx(5.78e-7, rel=1e-3)


@pytest.mark.parametrize(
    ("change", "power"),
    [({"momentum": 1.0}, 4), ({"band_gap": 3.4}, -4), ({"mass": 0.36}, 4)],
)
def test_estimate_grows_with_its_constants_as_told(change, power):
    ratio = estimate(replace(CSPBI3, **change), 9.0) / estimate(CSPBI3, 9.0)
    assert ratio == pytest.approx(2.0**power)


def test_static_permittivity_cancels():
    other = replace(CSPBI3, static_permittivity=60.0)
    assert estimate(other, 9.0) == pytest.approx(estimate(CSPBI3, 9.0))


def test_shares_of_the_modes_add_up_to_the_whole_coupling():
    modes = share(6.0, (3.2, 5.1), (0.075, 0.03))
    assert sum(1 / mode.permittivity for mode in modes) == pytest.approx(1 / 6)
    assert [mode.energy for mode in modes] == [3.2, 5.1]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: Material(mass=-0.18),
            r"^material: mass = -0.18 \[m0\]; needs a number above zero",
        ),
        (lambda: Material(band_gap=np.nan), r"^material: band_gap = nan \[eV\]; needs a number"),
        (lambda: Material(modes=()), r"^material: no modes; needs one optical phonon or more$"),
        (lambda: Mode(damping=0), r"^mode: damping = 0 \[1/ps\]; needs a number above zero$"),
        (lambda: share(6, (3.2, 5.1), (1, 0)), r"^share: huang_rhys \[1, 0\]; needs numbers above"),
        (lambda: estimate(CSPBI3, -9.0), r"^material: size = -9.0 \[nm\]; needs a number above"),
    ],
)
def test_impossible_constants_are_refused_with_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
