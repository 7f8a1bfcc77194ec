"""Shape of a line: carriers with many g factors, each in a nuclear field of its own.

All shapes take the carrier, the resonance field of its mean g factor [mT] and the magnetic field
[mT]; they are even in field, and the area below them is that of the paper's Gaussian, 1 at its peak.
"""

import numpy as np
from scipy.special import exprel

ROOT_TWO_PI = (2 * np.pi) ** 0.5
SPACING = 1 / 3  # of the nodes, in standard deviations of the integrand
NODES = np.arange(-24, 25) * SPACING
LEAST_SPREAD = 1e-6  # relative; stands for none


def gaussian_line(carrier, centre, field):
    """Return the line of the paper: one Gaussian of the width of Eq. 2, and its mirror."""
    width = carrier.width(centre)
    return np.exp(-0.5 * ((field - centre) / width) ** 2) + np.exp(
        -0.5 * ((field + centre) / width) ** 2
    )


def skewed_line(carrier, centre, field):
    """Return the line with a Gaussian distribution of g, thus a skew one of resonance fields."""
    return folded(axial_density, carrier, centre, field)


def nuclear_line(carrier, centre, field):
    """Return the line in nuclear fields of all directions, with the distribution of g."""
    return folded(total_density, carrier, centre, field)


def projected_line(carrier, centre, field):
    """Return the nuclear line, where tilted spins count only with cos^2 of their tilt."""
    return folded(projected_density, carrier, centre, field)


def axial_density(total, field):
    """Return the density of the total field when nuclear fields add along the axis only.

    Both fields, here and below, are in standard deviations of one component of the nuclear field.
    """
    return (np.exp(-0.5 * (total - field) ** 2) + np.exp(-0.5 * (total + field) ** 2)) / ROOT_TWO_PI


def total_density(total, field):
    """Return the density of the magnitude of the total field in isotropic nuclear fields.

    q(b; B) = b / (B sqrt(2 pi)) {exp[-(b - B)^2 / 2] - exp[-(b + B)^2 / 2]}, at B = 0 that of
    Maxwell: nuclear fields as the paper has them below Eq. 2, added to B as vectors.
    """
    bell = np.exp(-0.5 * (total - field) ** 2)
    return (2 / ROOT_TWO_PI) * total**2 * exprel(-2 * total * field) * bell


def projected_density(total, field):
    """Return the density of the total field, weighted with cos^2 of its angle to the applied one.

    At a given b the directions are weighted with exp(b B cos), so that the mean of cos^2 is
    1 - 2 (coth k - 1 / k) / k with k = b B.
    """
    # below, the mean is 1/3 to 1e-7 and the difference would lose its digits
    k = np.maximum(total * field, 1e-3)
    return total_density(total, field) * (1 - 2 * (1 / np.tanh(k) - 1 / k) / k)


def folded(density, carrier, centre, field):
    """Return a line as an integral over the total field b at which carriers are in resonance.

    The integral over g of p(g) q(h f / g mu_B; B) / g, written over b = h f / g mu_B. Nodes lie
    where the product of both distributions does, so neither may be too narrow for them; the
    spread of g may be up to some 15 % of g.
    """
    sigma = carrier.overhauser_field / 2**0.5
    place, field = centre / sigma, abs(field) / sigma
    spread = np.maximum(carrier.g_spread / abs(carrier.g), LEAST_SPREAD)
    variance = (spread * place) ** 2
    middle = (place + field * variance) / (1 + variance)
    step = spread * place / np.sqrt(1 + variance)
    total = np.maximum(column(middle) + column(step) * NODES, 1e-9)
    carriers = np.exp(-0.5 * ((column(place) / total - 1) / column(spread)) ** 2)
    sums = (carriers * density(total, column(field)) / total).sum(axis=-1)
    return sums * step * SPACING * carrier.width(centre) / (sigma * spread)


def column(value):
    """Return a number or array with one more axis, for the nodes."""
    return np.asarray(value)[..., None]
