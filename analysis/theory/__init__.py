"""Spin relaxation by two optical phonons: the paper's section V and appendix, and beyond.

Rates are in 1/us, as the paper gives gamma_a; energies of phonons in meV, sizes in nm.
"""

from .box import CUBE, CUBE_POLARISABILITY, SPHERE_POLARISABILITY, Box, polarisability
from .material import CSPBI3, Material, Mode, share
from .paper import CORRECTED, PRINTED, Reading, coefficient, estimate, shape_constant
from .prediction import Nanocrystal, phonon_rate, phonon_rates, relaxation_rate
from .raman import amplitudes, spin_vector
from .thermal import flip_rates, occupation, zeeman_energy, zeeman_factor
from .two_phonon import pair_integral

__all__ = [
    "CORRECTED",
    "CSPBI3",
    "CUBE",
    "CUBE_POLARISABILITY",
    "PRINTED",
    "SPHERE_POLARISABILITY",
    "Box",
    "Material",
    "Mode",
    "Nanocrystal",
    "Reading",
    "amplitudes",
    "coefficient",
    "estimate",
    "flip_rates",
    "occupation",
    "pair_integral",
    "phonon_rate",
    "phonon_rates",
    "polarisability",
    "relaxation_rate",
    "shape_constant",
    "share",
    "spin_vector",
    "zeeman_energy",
    "zeeman_factor",
]
