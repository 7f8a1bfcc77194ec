"""The numbers of the theory as a table: python -m odmrlab.analysis.theory."""

from collections.abc import Iterator
from math import pi

from .box import CUBE, CUBE_POLARISABILITY, SPHERE_POLARISABILITY, Box, polarisability
from .material import CSPBI3, share
from .paper import CORRECTED, coefficient, estimate, shape_constant
from .prediction import Nanocrystal, phonon_rate
from .thermal import flip_rates, lorentzian, occupation, zeeman_energy, zeeman_factor
from .two_phonon import pair_integral

SIZE, MODE = Nanocrystal().size, CSPBI3.modes[0]


def rows() -> Iterator[tuple[str, float, str]]:
    """Give quantity, number and unit, from the estimate of the paper to the predictions."""
    cube = (CUBE_POLARISABILITY,) * 3
    yield "Eq. (15) as printed, size = Bohr radius", estimate(CSPBI3), "1/us"
    yield "number before its scale, 4/27 pi^2", coefficient(), "1"
    yield "the same, cube, C_chi computed", coefficient(cube), "1"
    yield "the same, cube, all slips mended, one way", coefficient(cube, CORRECTED), "1"
    yield "chi of a cube", CUBE_POLARISABILITY, "e^2 m L^4/hbar^2"
    yield "chi of a sphere of the same volume", SPHERE_POLARISABILITY, "e^2 m L^4/hbar^2"
    for aspect in ((1, 1, 1), (1, 1, 2), (1, 1, 0.5)):
        chi = polarisability(Box(aspect))
        name = ":".join(map(str, aspect))
        yield f"C_chi of {name} as printed", shape_constant(chi), "1"
        yield f"C_chi of {name} with z-like states", shape_constant(chi, z_states=True), "1"
    yield from integrals()
    yield from predictions()


def integrals() -> Iterator[tuple[str, float, str]]:
    """Give the number K of the full integral and what it depends on."""
    yield "K, cube, no cut-off", pair_integral(CUBE), "1"
    yield "K with 999 excited states", pair_integral(CUBE, states=10), "1"
    phonon = MODE.energy / CSPBI3.confinement(SIZE)
    yield f"K with exact denominators, {SIZE} nm", pair_integral(CUBE, phonon=phonon), "1"
    for name, cutoff in (("1", 1.0), ("pi", pi), ("2 pi", 2 * pi)):
        yield f"K, cut off at q L = {name}", pair_integral(CUBE, cutoff=cutoff), "1"
    for height in (0.7, 1.2, 1.5):
        for axis, direction in (("z", (0, 0, 1)), ("x", (1, 0, 0))):
            number = pair_integral(Box((1, 1, height)), direction)
            yield f"K of 1:1:{height}, B along {axis}", number, "1"


def predictions() -> Iterator[tuple[str, float, str]]:
    """Give what an experiment would find."""
    for size in (7, SIZE, 11, 14):
        yield f"gamma_a = 2 Gamma, cube of {size} nm", phonon_rate(Nanocrystal(size)), "1/us"
    for temperature in (8, 10):
        ratio = occupation(temperature, MODE) / occupation(temperature, MODE, exact=False)
        yield f"n(n+1) over exp(-E/kT), {temperature} K", float(ratio), "1"
    first, second = share(MODE.permittivity, (3.2, 5.1), (0.075, 0.03))
    more = CSPBI3.scale(SIZE, second) / CSPBI3.scale(SIZE, first)
    for temperature in (4, 6, 10):
        ratio = more * occupation(temperature, second) / occupation(temperature, first)
        yield f"rate of a 5.1 meV mode over that of 3.2 meV, {temperature} K", float(ratio), "1"
    for field in (100, 1000, 3000):
        factor = zeeman_factor(zeeman_energy(field, CSPBI3.g), MODE)
        yield f"Zeeman factor at {field} mT", float(factor), "1"
    for temperature in (1.6, 3, 4):
        down, _ = flip_rates(temperature, 0, MODE, lorentzian)
        tail = down / occupation(temperature, MODE)
        yield f"Lorentzian line from 0.02 meV over Eq. (14), {temperature} K", float(tail), "1"


def table() -> str:
    """Return the table as Markdown."""
    lines = [f"| {name} | {number:.5g} | {unit} |" for name, number, unit in rows()]
    return "\n".join(["| quantity | number | unit |", "|---|---|---|", *lines])


if __name__ == "__main__":
    print(table())
