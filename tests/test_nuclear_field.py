"""Lines of carriers in nuclear fields, against integrals and throws of dice."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

from odmrlab.ioc.physics.carrier import Carrier, Hole
from odmrlab.ioc.physics.nuclear_field import (
    axial_density,
    gaussian_line,
    nuclear_line,
    projected_density,
    projected_line,
    skewed_line,
    total_density,
)

LINES = {skewed_line: axial_density, nuclear_line: total_density, projected_line: projected_density}
SIGMA = 12 / np.sqrt(2)  # mT


@pytest.mark.parametrize("field", [0.0, 1e-6, 5.0, 12.0, 80.0])
def test_densities_of_the_total_field_are_those_of_random_nuclei(field):
    fields = np.random.default_rng(5).normal(0, SIGMA, (300_000, 3)) + [0, 0, field]
    total = np.linalg.norm(fields, axis=1)
    cos_squared = (fields[:, 2] / total) ** 2
    for density, weight in ((total_density, 1.0), (projected_density, cos_squared)):
        area, moment = (
            quad(
                lambda b, k=k, q=density: (b * SIGMA) ** k * q(b, field / SIGMA),
                0,
                field / SIGMA + 10,
            )[0]
            for k in (0, 1)
        )
        assert area == pytest.approx(np.mean(weight * np.ones_like(total)), rel=5e-3)
        assert moment == pytest.approx(np.mean(weight * total), rel=5e-3)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.__name__)
@pytest.mark.parametrize(
    "carrier",
    [Carrier(), Hole(), Carrier(g=-0.6), Carrier(overhauser_field=1.0), Carrier(g_spread=0.002)],
    ids=["electron", "hole", "negative g", "few nuclei", "equal g"],
)
@pytest.mark.parametrize("frequency", [0.5, 1.0, 4.0])
def test_a_line_is_the_integral_over_g(line, carrier, frequency):
    carrier = replace(carrier, g_spread=min(carrier.g_spread, 0.1 * abs(carrier.g)))
    g, centre, sigma = (
        abs(carrier.g),
        carrier.resonance(frequency),
        carrier.overhauser_field / 2**0.5,
    )
    width = carrier.width(centre)
    for field in centre + width * np.array([-3, -1, 0, 0.5, 2]):

        def integrand(z, field=field):
            here = g + carrier.g_spread * z
            weight = np.exp(-(z**2) / 2) * g / here
            return weight * LINES[line](centre * g / here / sigma, abs(field) / sigma) / sigma

        resonant = np.clip((centre / field - 1) * g / carrier.g_spread, -6, 6)
        area, _ = quad(integrand, -7, 8, points=[resonant], limit=400, epsabs=1e-13)
        assert line(carrier, centre, field) == pytest.approx(width * area, abs=2e-6)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.__name__)
def test_far_lines_of_equal_carriers_are_the_gaussian_of_the_paper(line):
    carrier = Carrier(g_spread=0.0, overhauser_field=1.0)
    centre = carrier.resonance(4.0)
    field = centre + np.linspace(-2, 2, 9)
    expected = gaussian_line(carrier, centre, field)
    np.testing.assert_allclose(line(carrier, centre, field), expected, atol=5e-3)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.__name__)
def test_lines_are_even_and_smooth_through_no_field(line):
    field = np.array([-20.0, -1e-3, 0.0, 1e-3, 20.0])
    values = line(Carrier(), Carrier().resonance(0.5), field)
    np.testing.assert_allclose(values, values[::-1], rtol=1e-12)
    assert values[2] == pytest.approx(values[1], rel=1e-6)
