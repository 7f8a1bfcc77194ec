"""The spins of the paper: Eqs. 1-5, the rf that flips them and the light that reads them."""

from dataclasses import dataclass, field

import numpy as np

from .quantity import Quantities, quantity

BOHR_MAGNETON = 0.013996244917  # mu_B / h [GHz/mT], CODATA 2022
BOLTZMANN = 0.08617333262  # k_B [meV/K]

EFFECTS = ("hole_window",)


@dataclass
class Bench:
    """What reaches the sample; each line is named like the event column that records it."""

    magnet_field_readback: float = 0.0  # mT
    rf_frequency: float = 1.0  # GHz
    rf_power: float = 0.0  # dBm
    rf_output: int = 0
    rf_modulation_frequency: float = 600.0  # Hz
    rf_modulation: int = 1
    laser_energy_readback: float = 1.824  # eV
    laser_power_readback: float = 0.5  # mW
    laser_shutter: int = 0
    cryostat_temperature_readback: float = 1.6  # K


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

    def relaxation_rate(self, field, laser_power, temperature):
        """Return 1/T1 [1/s]: light, nuclear fluctuations (Eq. 4) and phonons (Eq. 5) add up.

        Args:
            field: Magnetic field [mT]; below ``overhauser_field`` Eq. 4 does not hold, and its
                nuclear term stays at the value it has there.
            laser_power: At the sample [mW].
            temperature: Of the lattice [K].
        """
        nuclei = (self.overhauser_field / np.maximum(abs(field), self.overhauser_field)) ** 2
        phonons = np.exp(-self.phonon_energy / (BOLTZMANN * temperature))
        return (
            self.dark_rate
            + self.pump_rate * laser_power
            + nuclei / self.correlation_time
            + self.phonon_rate * phonons
        )

    def line(self, field, centre):
        """Return the Gaussian line, 1 at its peak, with its mirror at negative field (Eq. 2)."""
        width = self.width(centre)
        return np.exp(-0.5 * ((field - centre) / width) ** 2) + np.exp(
            -0.5 * ((field + centre) / width) ** 2
        )

    def window(self, frequency):
        """Return the share of these carriers that responds at an rf frequency [GHz]."""
        return 1.0

    def response(self, bench: Bench, windowed: bool):
        """Return X + iY per optical sensitivity [mW], in the limit of a weak rf field.

        Eq. 3 with its phase: (sqrt(2)/pi) W G T1^2 / (1 + 2 pi i f T1), where W is the rate of
        flips while the square-wave modulated rf is on and G = pump_rate P the rate of pumping.
        Each line has the one T1 of its centre: the Gaussian of the paper is then exact.
        """
        power = bench.laser_power_readback
        centre = self.resonance(bench.rf_frequency)
        t1 = 1 / self.relaxation_rate(centre, power, bench.cryostat_temperature_readback)
        flips = (
            self.rf_rate
            * 10 ** (bench.rf_power / 10)
            * self.line(bench.magnet_field_readback, centre)
        )
        if windowed:
            flips = flips * self.window(bench.rf_frequency)
        slow = np.sqrt(2) / np.pi * flips * self.pump_rate * power * t1**2
        return self.amplitude * slow / (1 + 2j * np.pi * bench.rf_modulation_frequency * t1)


@dataclass(frozen=True)
class Hole(Carrier):
    """The hole of the paper, seen at |g| = 0.8; what the paper leaves open is assumed."""

    g: float = quantity(0.8, "", -10, 10, "g factor at the reference energy")
    g_spread: float = quantity(0.07, "", 0, 5, "Standard deviation of g, assumed")
    overhauser_field: float = quantity(24.0, "mT", 0.01, 1000, "Delta_N, assumed")
    dark_rate: float = quantity(6744.0, "1/s", 1e-3, 1e9, "From T1 = 70 us at 2 mW and 100 mT")
    amplitude: float = quantity(0.4, "", -1e3, 1e3, "Relative to the electron, assumed")
    window_frequency: float = quantity(1.0, "GHz", 0, 100, "Centre of the rf window, assumed")
    window_width: float = quantity(0.45, "GHz", 1e-3, 100, "Its standard deviation, assumed")

    def window(self, frequency):
        return np.exp(-0.5 * ((frequency - self.window_frequency) / self.window_width) ** 2)


@dataclass(frozen=True)
class Detector(Quantities):
    """Faraday rotation on a balanced detector: how large the signal is, and the noise under it."""

    responsivity: float = quantity(
        4.77e-3, "V/mW", 0, 1e6, "V0, assumed: makes some 100 uV at 2 mW"
    )
    dark_noise: float = quantity(60e-9, "V/sqrt(Hz)", 0, 1, "Without light")
    shot_noise: float = quantity(200e-9, "V/sqrt(Hz mW)", 0, 1, "At 1 mW, grows as its root")
    noise_corner: float = quantity(300.0, "Hz", 0, 1e6, "Below it 1/f noise prevails")

    def noise_density(self, frequency, laser_power):
        """Return the noise [V/sqrt(Hz)] at a frequency [Hz] under a laser power [mW]."""
        white = self.dark_noise**2 + self.shot_noise**2 * laser_power
        return np.sqrt(white * (1 + self.noise_corner / frequency))


@dataclass(frozen=True)
class Sample:
    """The truth that an experiment is to find; without arguments, sample #1 of the paper.

    Attributes:
        effects: Names of the effects beyond the paper's formulas that are switched on.
    """

    name: str = "CsPbI3 #1"
    effects: tuple[str, ...] = ()
    reference_energy: float = 1.824  # eV, where g is given
    electron: Carrier = field(default_factory=Carrier)
    hole: Hole = field(default_factory=Hole)
    detector: Detector = field(default_factory=Detector)

    def __post_init__(self) -> None:
        """Refuse effects that do not exist."""
        for effect in self.effects:
            if effect not in EFFECTS:
                known = ", ".join(EFFECTS)
                raise ValueError(f"Sample: effects has {effect!r}; needs names from: {known}")

    def signal(self, bench: Bench):
        """Return what the lock-in would read without noise: X + iY [V rms], complex."""
        if not (bench.rf_output and bench.rf_modulation and bench.laser_shutter):
            return 0j
        windowed = "hole_window" in self.effects
        response = self.electron.response(bench, windowed) + self.hole.response(bench, windowed)
        return self.detector.responsivity * bench.laser_power_readback * response

    def noise_density(self, bench: Bench, frequency: float) -> float:
        """Return the noise [V/sqrt(Hz)] at a reference frequency [Hz]."""
        light = bench.laser_power_readback if bench.laser_shutter else 0.0
        return self.detector.noise_density(frequency, light)
