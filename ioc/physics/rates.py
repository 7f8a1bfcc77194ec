"""What relaxes a spin: the factors of the nuclei and of the phonons in 1/T1."""

import numpy as np
from scipy.special import dawsn


def far_field_nuclei(field, overhauser_field):
    """Return (Delta_N / B)^2 of Eq. 4, which holds for fields beyond Delta_N.

    Args:
        field: Magnetic field B [mT]; below ``overhauser_field`` the value stays at what it is there.
        overhauser_field: Delta_N [mT].
    """
    return (overhauser_field / np.maximum(abs(field), overhauser_field)) ** 2


def any_field_nuclei(field, overhauser_field):
    """Return the mean of sin^2 of the angle between total and applied field, down to no field.

    F(y) = (1 - D(y) / y) / y^2 with y = B / Delta_N and D the Dawson function: each redraw of
    the nuclear field keeps cos^2 of the spin. F(0) = 2/3; F tends to 1/y^2 of Eq. 4.

    Args:
        field: Magnetic field B [mT].
        overhauser_field: Delta_N [mT].
    """
    # below, F is its limit to 1e-6 and the difference would lose its digits
    y = np.maximum(abs(field) / overhauser_field, 1e-3)
    return (1 - dawsn(y) / y) / y**2


def activated_phonons(ratio):
    """Return exp(-E / kT) of Eq. 5 for a ratio E / kT."""
    return np.exp(-ratio)


def phonon_pairs(ratio):
    """Return n (n + 1) of the two-phonon process for a ratio E / kT, n the Bose occupation."""
    return 0.25 / np.sinh(ratio / 2) ** 2
