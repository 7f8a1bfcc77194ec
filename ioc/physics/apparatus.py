"""What stands around the spins: the nanocrystals, the rf coil and the detector."""

from dataclasses import dataclass

import numpy as np

from .quantity import Quantities, quantity


@dataclass(frozen=True)
class Nanocrystals(Quantities):
    """The ensemble of crystals in their glass; the defaults are sample #1 of the paper."""

    luminescence_energy: float = quantity(1.805, "eV", 0.1, 10, "Peak of the emission, assumed")
    luminescence_width: float = quantity(0.040, "eV", 1e-4, 1, "Standard deviation, assumed")
    laser_width: float = quantity(
        8.0e-3, "eV", 0, 1, "Standard deviation of the photon energy: 7 nm of the paper"
    )
    heating: float = quantity(0.1, "K/mW", 0, 1e3, "Of the lattice by the laser, assumed")

    def luminescence(self, energy):
        """Return the emission at a photon energy [eV], 1 at its peak.

        So many crystals are there to be seen at that energy.
        """
        return np.exp(-0.5 * ((energy - self.luminescence_energy) / self.luminescence_width) ** 2)

    def warming(self, laser_power):
        """Return how much warmer [K] than the cryostat a laser power [mW] makes the lattice."""
        return self.heating * laser_power


SECOND_SAMPLE = Nanocrystals(luminescence_energy=1.745, luminescence_width=0.030)
"""The larger crystals of sample #2 of the paper (EK8-M), assumed as those of sample #1 are."""


@dataclass(frozen=True)
class Coil(Quantities):
    """The 1 mm coil at the sample."""

    corner: float = quantity(2.5, "GHz", 1e-3, 1e3, "Half of the power is lost there, assumed")
    pickup: float = quantity(
        160e-9, "V/mW", 0, 1, "Of the modulated rf in the detector, assumed: 0.2 % of the peak"
    )
    pickup_phase: float = quantity(30.0, "deg", -360, 360, "Of the pick-up, assumed")

    def response(self, frequency):
        """Return the power at the spins at an rf frequency [GHz], relative to that at none."""
        return 1 / (1 + (frequency / self.corner) ** 2)

    def crosstalk(self, power, harmonic):
        """Return what the detector picks up of a square-wave modulated rf power [mW]: X + iY [V]."""
        wave = (harmonic % 2) / harmonic
        return wave * self.pickup * power * np.exp(1j * np.radians(self.pickup_phase))


@dataclass(frozen=True)
class Detector(Quantities):
    """Faraday rotation on a balanced detector: how large the signal is, and the noise under it."""

    responsivity: float = quantity(
        4.77e-3, "V/mW", 0, 1e6, "V0, assumed: makes some 100 uV at 2 mW"
    )
    dark_noise: float = quantity(60e-9, "V/rtHz", 0, 1, "Without light")
    shot_noise: float = quantity(200e-9, "V/rtHzmW", 0, 1, "At 1 mW, grows as its root")
    noise_corner: float = quantity(300.0, "Hz", 0, 1e6, "Below it 1/f noise prevails")
    delay: float = quantity(0.5e-6, "s", 0, 1, "Of detector and cables, assumed")
    phase: float = quantity(5.0, "deg", -360, 360, "By which the reference leads, assumed")

    def noise_density(self, frequency, laser_power):
        """Return the noise [V/sqrt(Hz)] at a frequency [Hz] under a laser power [mW]."""
        white = self.dark_noise**2 + self.shot_noise**2 * laser_power
        return np.sqrt(white * (1 + self.noise_corner / frequency))

    def lag(self, frequency, harmonic):
        """Return the factor that turns X + iY late: the phase, and the delay at a frequency [Hz]."""
        return np.exp(
            -1j * harmonic * (np.radians(self.phase) + 2 * np.pi * frequency * self.delay)
        )
