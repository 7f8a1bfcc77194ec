"""Matrix elements, sum rules and polarisabilities of an electron in a box."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import spherical_jn

from odmrlab.analysis.theory import (
    CUBE,
    CUBE_POLARISABILITY,
    SPHERE_POLARISABILITY,
    Box,
    polarisability,
)
from odmrlab.analysis.theory.box import dipole, form_factors, gap


def state(n, x, edge):
    return np.sqrt(2 / edge) * np.sin(n * np.pi * (x / edge + 0.5))


def slope(x, edge):
    return np.sqrt(2 / edge) * np.pi / edge * np.cos(np.pi * (x / edge + 0.5))


def test_first_dipole_is_that_of_the_appendix():
    assert dipole(2) == pytest.approx(-16 / (9 * np.pi**2), rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6])
def test_dipole_is_the_integral(n):
    integral = quad(lambda x: state(n, x, 1) * x * state(1, x, 1), -0.5, 0.5)[0]
    assert dipole(n) == pytest.approx(integral, abs=1e-12)


def test_oscillator_strengths_add_up_to_one():
    n = np.arange(1, 2000)
    assert np.sum(2 * gap(n) * dipole(n) ** 2) == pytest.approx(1, abs=1e-9)


def test_wavevector_element_is_that_of_eq_20():
    """<n|k|1> = i m Delta <n|x|1> / hbar^2, with both phases i^(n - 1) taken out."""
    n = np.arange(1, 9)
    _, current = form_factors(np.zeros(1), 1.0, 8)
    phase = np.imag(1j ** (n - 1))
    assert phase * current[:, 0] == pytest.approx(gap(n) * dipole(n), abs=1e-12)


@pytest.mark.parametrize("edge", [1.0, 1.3])
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_form_factors_are_the_integrals(n, edge):
    q = np.array([-7.0, 0.0, 0.3, 2 * np.pi, 31.0])
    x, weights = np.polynomial.legendre.leggauss(80)
    x, weights = x * edge / 2, weights * edge / 2
    wave = np.exp(1j * np.outer(q, x)) * weights * state(n, x, edge) * (-1j) ** (n - 1)
    density, current = form_factors(q, edge, n)
    assert density[-1] == pytest.approx(wave @ state(1, x, edge), abs=1e-12)
    assert current[-1] == pytest.approx(wave @ (-1j * slope(x, edge)), abs=1e-12)


def test_ground_state_current_is_along_the_wave():
    """<g|exp(iqr) k|g> = -q/2 <g|exp(iqr)|g>: it takes no part in the spin flip."""
    q = np.linspace(-20, 20, 41)
    density, current = form_factors(q, 1.0, 1)
    assert current == pytest.approx(-q / 2 * density, abs=1e-12)


def test_polarisability_of_a_cube_has_a_closed_form():
    assert CUBE_POLARISABILITY == pytest.approx(0.004389046, abs=5e-10)
    assert polarisability(CUBE) == pytest.approx(CUBE_POLARISABILITY, rel=1e-9)


def test_first_state_makes_nearly_all_of_the_polarisability():
    assert polarisability(CUBE, states=2)[0] / CUBE_POLARISABILITY == pytest.approx(
        0.9987, abs=1e-4
    )


def test_polarisability_of_a_box_goes_with_the_fourth_power_of_its_edge():
    box = Box((1, 1.2, 1.5))
    assert np.prod(box.edges) == pytest.approx(1)
    assert polarisability(box) == pytest.approx(CUBE_POLARISABILITY * box.edges**4, rel=1e-9)


def test_polarisability_of_a_sphere_is_its_sum_over_states():
    """States j1(x r / R) at the zeros x of j1, in e^2 m R^4 / hbar^2."""

    def term(left):
        x = brentq(lambda x: spherical_jn(1, x), left + 1e-3, left + np.pi - 1e-3)
        norm = np.sqrt(2) / abs(spherical_jn(2, x))
        ground = np.sqrt(2) * np.pi
        radial = quad(
            lambda r: norm * spherical_jn(1, x * r) * r**3 * ground * spherical_jn(0, np.pi * r),
            0,
            1,
        )[0]
        return 2 * radial**2 / 3 / ((x**2 - np.pi**2) / 2)

    radius = (3 / (4 * np.pi)) ** (1 / 3)
    summed = sum(term(k * np.pi) for k in range(1, 12)) * radius**4
    assert SPHERE_POLARISABILITY == pytest.approx(summed, rel=1e-6)
    assert SPHERE_POLARISABILITY / radius**4 == pytest.approx(0.03634, rel=1e-4)


def test_edges_may_come_as_any_row_of_numbers():
    assert Box(np.array([1, 2, 3])) == Box((1, 2, 3))


@pytest.mark.parametrize("aspect", [(1, 1), (1, 0, 1), (1, -1, 1), (1, 1, np.nan)])
def test_impossible_box_is_refused(aspect):
    with pytest.raises(ValueError, match=r"^box: aspect \(1, .*; needs three numbers above zero$"):
        Box(aspect)
