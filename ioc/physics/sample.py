"""The sample: from all that reaches it to what the lock-in would read without noise."""

from dataclasses import dataclass, field
from functools import cached_property

from .apparatus import Coil, Detector, Nanocrystals
from .carrier import Carrier, Hole
from .effects import Steps, steps_with
from .quantity import Quantities, quantity


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
class Sample(Quantities):
    """The truth that an experiment is to find; without arguments, sample #1 of the paper.

    Attributes:
        effects: Names of the effects beyond the paper's formulas that are switched on; see
            `effects.EFFECTS`. ``twin`` names them all.
    """

    name: str = "CsPbI3 #1"
    effects: tuple[str, ...] = ()
    reference_energy: float = quantity(1.824, "eV", 0.1, 10, "Photon energy where g is given")
    electron: Carrier = field(default_factory=Carrier)
    hole: Hole = field(default_factory=Hole)
    nanocrystals: Nanocrystals = field(default_factory=Nanocrystals)
    coil: Coil = field(default_factory=Coil)
    detector: Detector = field(default_factory=Detector)

    def __post_init__(self) -> None:
        """Refuse effects that do not exist as well."""
        super().__post_init__()
        steps_with(self.effects)

    @cached_property
    def steps(self) -> Steps:
        """The calculation of the signal, with the effects that are switched on."""
        return steps_with(self.effects)

    def signal(self, bench: Bench, harmonic: int = 1):
        """Return what the lock-in would read without noise: X + iY [V rms], complex.

        Args:
            bench: Its lines may be arrays of shapes that broadcast, and the signal then is one.
            harmonic: Of the modulation frequency. In a weak rf field, even ones are 0.
        """
        power, do = bench.laser_power_readback, self.steps
        response = sum(
            self._response(carrier, bench, harmonic) for carrier in (self.electron, self.hole)
        )
        crystals = do.luminescence(self.nanocrystals, bench.laser_energy_readback)
        light = self.detector.responsivity * power * response * crystals * bench.laser_shutter
        crosstalk = do.crosstalk(self.coil, milliwatts(bench.rf_power), harmonic)
        lag = do.lag(self.detector, bench.rf_modulation_frequency, harmonic)
        return (light + crosstalk) * lag * (bench.rf_output * bench.rf_modulation)

    def _response(self, carrier: Carrier, bench: Bench, harmonic: int):
        """Return X + iY of one kind of carrier per optical sensitivity [mW]."""
        do, power = self.steps, bench.laser_power_readback
        detuning = bench.laser_energy_readback - self.reference_energy
        carrier = do.carriers(carrier, detuning, self.nanocrystals.laser_width)
        centre = carrier.resonance(bench.rf_frequency)
        rate = carrier.relaxation_rate(
            do.relaxation_field(bench.magnet_field_readback, centre),
            power,
            bench.cryostat_temperature_readback + do.warming(self.nanocrystals, power),
            do.nuclei,
            do.phonons,
        )
        peak = carrier.rf_rate * milliwatts(bench.rf_power)
        peak = peak * do.coil(self.coil, bench.rf_frequency)
        peak = peak * do.window(carrier, bench.rf_frequency)
        flips = do.redistribution(carrier, peak, centre) * do.line(
            carrier, centre, bench.magnet_field_readback
        )
        answer = do.average(do.answer)
        return answer(flips, carrier, power, 1 / rate, bench.rf_modulation_frequency, harmonic)

    def noise_density(self, bench: Bench, frequency: float) -> float:
        """Return the noise [V/sqrt(Hz)] at a reference frequency [Hz]."""
        light = bench.laser_power_readback * bench.laser_shutter
        return self.detector.noise_density(frequency, light)


def milliwatts(level):
    """Return the power [mW] of a level [dBm]."""
    return 10 ** (level / 10)
