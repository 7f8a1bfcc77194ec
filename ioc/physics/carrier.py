"""Resident carriers of the nanocrystals: what an electron or a hole is made of."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import erfcx

from .quantity import Quantities, quantity
from .rates import activated_phonons, far_field_nuclei

BOHR_MAGNETON = 0.013996244917  # mu_B / h [GHz/mT], CODATA 2022
BOLTZMANN = 0.08617333262  # k_B [meV/K]
LEAST_CONFINEMENT = 0.01  # of that at the reference energy; bulk has no nanocrystals


@dataclass(frozen=True)
class Carrier(Quantities):
    """One kind of resident carrier; the defaults are the electron of sample #1 of the paper."""

    g: float = quantity(1.68, "", -10, 10, "g factor at the reference energy")
    g_spread: float = quantity(0.15, "", 0, 5, "Standard deviation of g (Eq. 2)")
    overhauser_field: float = quantity(
        12.0, "mT", 0.01, 1000, "Delta_N of Eq. 2: sqrt(2) times the standard deviation"
    )
    dark_rate: float = quantity(871.1, "1/s", 1e-3, 1e9, "1/T1 without light and nuclei")
    pump_rate: float = quantity(3290.6, "1/s/mW", 0, 1e9, "kappa: 1/T1 per laser power")
    correlation_time: float = quantity(60e-6, "s", 1e-12, 1e3, "tau_c of Eq. 4")
    phonon_rate: float = quantity(20e6, "1/s", 0, 1e15, "gamma_a of Eq. 5")
    phonon_energy: float = quantity(3.2, "meV", 0.01, 1000, "E_a of Eq. 5")
    amplitude: float = quantity(1.0, "", -1e3, 1e3, "Rotation per spin, relative to the electron")
    rf_rate: float = quantity(300.0, "1/s/mW", 0, 1e9, "Spin-flip rate at the peak, assumed")
    t1_spread: float = quantity(0.2, "", 0, 1, "Standard deviation of ln T1, assumed")
    coherence_time: float = quantity(1e-6, "s", 1e-12, 1, "T2 of spins of one frequency, assumed")
    g_slope: float = quantity(
        -4.0, "1/eV", -1e3, 1e3, "dg/dE, drawn through published g factors, assumed"
    )
    g_curvature: float = quantity(
        3.2, "1/eV^2", -1e4, 1e4, "Half of d2g/dE2, drawn through the same, assumed"
    )
    confinement: float = quantity(
        0.171, "eV", 1e-3, 10, "Reference energy above that of the bulk, assumed"
    )

    def __post_init__(self) -> None:
        """Refuse a g factor without resonance as well."""
        super().__post_init__()
        if abs(self.g) < 1e-3:
            raise ValueError(f"{type(self).__name__}: g = {self.g}; needs |g| >= 0.001")

    def resonance(self, frequency):
        """Return the resonance field [mT] at an rf frequency [GHz] (Eq. 1)."""
        return frequency / (abs(self.g) * BOHR_MAGNETON)

    def width(self, field):
        """Return the standard deviation [mT] of the line that is centred at a field [mT] (Eq. 2)."""
        return np.hypot(self.overhauser_field / np.sqrt(2), self.g_spread / abs(self.g) * field)

    def relaxation_rate(
        self,
        field,
        laser_power,
        temperature,
        nuclei=far_field_nuclei,
        phonons=activated_phonons,
    ):
        """Return 1/T1 [1/s]: light, nuclear fluctuations (Eq. 4) and phonons (Eq. 5) add up.

        Args:
            field: Magnetic field [mT].
            laser_power: At the sample [mW].
            temperature: Of the lattice [K].
            nuclei: Factor of the nuclei, a function of field and Delta_N [mT].
            phonons: Factor of the phonons, a function of E / kT.
        """
        return (
            self.dark_rate
            + self.pump_rate * laser_power
            + nuclei(field, self.overhauser_field) / self.correlation_time
            + self.phonon_rate * phonons(self.phonon_energy / (BOLTZMANN * temperature))
        )

    def window(self, frequency):
        """Return the share of these carriers that responds at an rf frequency [GHz]."""
        return 1.0

    def redistributed(self, flips, centre):
        """Return the rate of flips [1/s] of all spins when the rf flips those in resonance faster.

        Spins of one frequency are in resonance until the nuclear field is redrawn after tau_c:
        renewal gives W_eff = <W / (1 + W tau_c)> / (1 - <W tau_c / (1 + W tau_c)>), here for
        Lorentzian W of width 1/T2 at the peak of a Gaussian line. Linear in rf power, then its root.

        Args:
            flips: Mean rate at the peak of the line [1/s].
            centre: Field of that peak [mT].
        """
        width = 2e9 * np.pi * abs(self.g) * BOHR_MAGNETON * self.width(centre)  # rad/s
        lines = self.coherence_time * width * 2**0.5  # how many homogeneous lines fit in
        resonant = flips * lines / np.pi**0.5  # omega_1^2 T2
        broadening = np.sqrt(1 + resonant * self.correlation_time)
        slowed = flips / broadening * erfcx(broadening / lines)
        return slowed / (1 - slowed * self.correlation_time)

    def tuned(self, detuning, laser_width) -> Self:
        """Return the carriers of those nanocrystals that another photon energy addresses.

        g is a parabola drawn through the values of Meliakov et al. (2025; arXiv:2508.17881) and of
        the paper. Of g_spread, the part that the laser's width makes follows the slope of g.
        Delta_N goes as a^(-3/2) with the size a (paper, section on the nuclear field), which is the
        confinement energy to the power 3/4.

        Args:
            detuning: Photon energy above the reference energy [eV].
            laser_width: Standard deviation of the photon energy [eV].
        """
        own = max(self.g_spread**2 - (self.g_slope * laser_width) ** 2, 0.0)
        slope = self.g_slope + 2 * self.g_curvature * detuning
        confined = np.maximum(1 + detuning / self.confinement, LEAST_CONFINEMENT)
        other = object.__new__(type(self))  # not checked again: a line of the bench may be an array
        other.__dict__.update(
            self.__dict__,
            g=self.g + self.g_slope * detuning + self.g_curvature * detuning**2,
            g_spread=np.hypot(np.sqrt(own), slope * laser_width),
            overhauser_field=self.overhauser_field * confined**0.75,
        )
        return other


@dataclass(frozen=True)
class Hole(Carrier):
    """The hole of the paper, seen at |g| = 0.8; what the paper leaves open is assumed."""

    g: float = quantity(0.8, "", -10, 10, "g factor at the reference energy")
    g_spread: float = quantity(0.07, "", 0, 5, "Standard deviation of g, assumed")
    overhauser_field: float = quantity(24.0, "mT", 0.01, 1000, "Delta_N, assumed")
    dark_rate: float = quantity(6744.0, "1/s", 1e-3, 1e9, "From T1 = 70 us at 2 mW and 100 mT")
    amplitude: float = quantity(0.4, "", -1e3, 1e3, "Relative to the electron, assumed")
    g_slope: float = quantity(4.0, "1/eV", -1e3, 1e3, "dg/dE against the electron's, assumed")
    g_curvature: float = quantity(-3.2, "1/eV^2", -1e4, 1e4, "Against the electron's, assumed")
    window_frequency: float = quantity(1.0, "GHz", 0, 100, "Centre of the rf window, assumed")
    window_width: float = quantity(0.45, "GHz", 1e-3, 100, "Its standard deviation, assumed")

    def window(self, frequency):
        return np.exp(-0.5 * ((frequency - self.window_frequency) / self.window_width) ** 2)
