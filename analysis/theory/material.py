"""The crystal in numbers: its electron, its optical phonons, and the rate they set together."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from math import isfinite, pi
from typing import Any

from ..series import MAGNETON

PLANCK = 4.135667696
"""Planck constant [meV ps], exact in the SI."""

HBAR = PLANCK / (2 * pi)
"""Reduced Planck constant [meV ps]."""

BOHR_MAGNETON = MAGNETON * PLANCK * 1e-3
"""Bohr magneton [meV/mT]; 1e-3 from GHz to 1/ps."""

KINETIC = 76.1996423
"""hbar^2 / m0 [meV nm^2], CODATA 2022."""

COULOMB = 1439.964548
"""e^2 / (4 pi epsilon_0) [meV nm], CODATA 2022: the e^2 of the paper, which counts in cgs."""


def quantity(default: float, unit: str) -> Any:
    """Return a field of a dataclass that has a unit and must be above zero."""
    return field(default=default, metadata={"unit": unit})


def require_positive(owner: Any) -> None:
    """Refuse an object one of whose quantities is not a finite number above zero.

    Raises:
        ValueError: Names the quantity, what came and its unit.
    """
    for each in fields(owner):
        value = getattr(owner, each.name)
        if "unit" in each.metadata and not (isfinite(value) and value > 0):
            who, unit = type(owner).__name__.lower(), each.metadata["unit"]
            raise ValueError(f"{who}: {each.name} = {value} [{unit}]; needs a number above zero")


@dataclass(frozen=True)
class Mode:
    """One longitudinal optical phonon without dispersion.

    Args:
        energy: hbar Omega_LO [meV].
        damping: gamma, the inverse of its lifetime [1/ps].
        permittivity: epsilon* of Eq. (7). The 1/epsilon* of all modes add up to
            1/epsilon_inf - 1/epsilon_s.
    """

    energy: float = quantity(3.2, "meV")
    damping: float = quantity(0.2, "1/ps")
    permittivity: float = quantity(6.0, "1")

    def __post_init__(self):
        require_positive(self)

    @property
    def width(self) -> float:
        """Half width of a pair of phonons hbar gamma [meV], Eq. (14): half of it from each."""
        return HBAR * self.damping


def share(
    permittivity: float, energies: Sequence[float], huang_rhys: Sequence[float]
) -> tuple[Mode, ...]:
    """Share one Froehlich coupling out to several modes by their Huang-Rhys factors.

    The factor S counts phonons, S ~ alpha_F^2 / Omega^2 with alpha_F^2 ~ Omega / epsilon*, so
    1/epsilon* of a mode goes with S Omega, and its rate in Eq. (15) with S^2 Omega^6.

    Args:
        permittivity: epsilon* of all modes together.
        energies: Energy of each mode [meV].
        huang_rhys: Huang-Rhys factor of each mode; only their ratios count.
    """
    if not all(s > 0 for s in huang_rhys):
        raise ValueError(f"share: huang_rhys {list(huang_rhys)}; needs numbers above zero")
    total = sum(s * energy for s, energy in zip(huang_rhys, energies, strict=True))
    return tuple(
        Mode(energy=energy, permittivity=permittivity * total / (s * energy))
        for s, energy in zip(huang_rhys, energies, strict=True)
    )


@dataclass(frozen=True)
class Material:
    """Constants of the crystal; the paper's for CsPbI3, its section V, unless others are given.

    Args:
        mass: Effective mass m of the electron [m0].
        band_gap: E_g [eV].
        momentum: P = hbar p / m0 of the interband matrix element [eV nm].
        static_permittivity: epsilon_s of Eq. (15), which Eq. (26) calls epsilon_0.
        g: g factor of the electron.
        modes: Optical phonons.
    """

    mass: float = quantity(0.18, "m0")
    band_gap: float = quantity(1.7, "eV")
    momentum: float = quantity(0.5, "eV nm")
    static_permittivity: float = quantity(30.0, "1")
    g: float = quantity(1.68, "1")
    modes: tuple[Mode, ...] = (Mode(),)

    def __post_init__(self):
        require_positive(self)
        if not self.modes:
            raise ValueError("material: no modes; needs one optical phonon or more")

    @property
    def bohr_radius(self) -> float:
        """a_B = hbar^2 epsilon_s / (m e^2) [nm]."""
        return KINETIC / self.mass * self.static_permittivity / COULOMB

    @property
    def rashba(self) -> float:
        """alpha_R / e = P^2 / (3 E_g^2) [nm^2], Eq. (16)."""
        return (self.momentum / self.band_gap) ** 2 / 3

    def confinement(self, size: float) -> float:
        """Return hbar^2 / (m a^2) [meV], the natural unit of energy at a size a [nm]."""
        return KINETIC / (self.mass * size**2)

    def scale(self, size: float, mode: Mode, energy_power: int = 4) -> float:
        """Return what stands beside the number 4 C^2 / 27 pi^2 and the exponential in Eq. (15).

        The permittivity epsilon_s cancels: a_B holds it too.

        Args:
            size: Size a [nm].
            mode: Optical phonon.
            energy_power: Power of hbar Omega [meV]; with any other than 4 this is no rate.

        Returns:
            (epsilon_s/epsilon*)^2 (a/a_B)^2 (hbar Omega)^4/(hbar^2 gamma) (m alpha_R/e hbar^2)^2
            [1/us].
        """
        if not size > 0:
            raise ValueError(f"material: size = {size} [nm]; needs a number above zero")
        polarity = self.static_permittivity / mode.permittivity * size / self.bohr_radius
        spin_orbit = self.rashba * self.mass / KINETIC  # 1/meV
        per_picosecond = mode.energy**energy_power / (HBAR * mode.width)
        return 1e6 * (polarity * spin_orbit) ** 2 * per_picosecond


CSPBI3 = Material()
"""The crystal of the paper."""
