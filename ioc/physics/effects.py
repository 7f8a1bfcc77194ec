"""Effects beyond the paper's formulas, each a step of the calculation done in another way."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from .apparatus import Coil, Detector, Nanocrystals
from .carrier import Carrier
from .nuclear_field import gaussian_line, nuclear_line, projected_line, skewed_line
from .rates import activated_phonons, any_field_nuclei, far_field_nuclei, phonon_pairs
from .square_wave import log_normal_t1, one_t1, square_wave_answer, weak_answer

Step = Callable[..., Any]


def one(*_) -> float:
    """Return the factor of what is left out."""
    return 1.0


def nothing(*_) -> float:
    """Return the summand of what is left out."""
    return 0.0


def reference_carriers(carrier, detuning, laser_width):
    """Return the carriers as they are at the reference energy."""
    return carrier


def centre_of_line(field, centre):
    """Return the field whose T1 the whole line has, so that its shape stays the paper's."""
    return centre


def field_of_magnet(field, centre):
    """Return the field whose T1 the spins have."""
    return field


def fast_redistribution(carrier, flips, centre):
    """Return the rate of flips [1/s] when every spin is in resonance for its share of the time."""
    return flips


def window(carrier, frequency):
    """Return the share of the carriers, of either kind, that responds to an rf frequency [GHz]."""
    return carrier.window(frequency)


@dataclass(frozen=True)
class Steps:
    """The way from bench to reading, one function a step; without arguments, that of the paper.

    Attributes:
        carriers: Of a carrier, a detuning [eV] and the laser's width [eV]: those that are seen.
        relaxation_field: Of magnet and centre of the line [mT]: the field at which T1 is taken.
        warming: Of nanocrystals and laser power [mW]: lattice above cryostat [K].
        nuclei: Of a field and Delta_N [mT]: their factor in 1/T1.
        phonons: Of E / kT: their factor in 1/T1.
        coil: Of coil and rf frequency [GHz]: the share of rf power that arrives.
        window: Of carrier and rf frequency [GHz]: the share of carriers that responds.
        redistribution: Of carrier, rate of flips at the peak [1/s] and centre [mT]: that rate.
        line: Of carrier, centre and magnet [mT]: the shape of the line.
        answer: What the lock-in sees of the flips, see `square_wave`.
        average: Of an answer: its mean over the spins.
        luminescence: Of nanocrystals and photon energy [eV]: the share of them that is seen.
        crosstalk: Of coil, rf power [mW] and harmonic: what comes without spins [V].
        lag: Of detector, modulation frequency [Hz] and harmonic: the factor of its delay.
    """

    carriers: Step = reference_carriers
    relaxation_field: Step = centre_of_line
    warming: Step = nothing
    nuclei: Step = far_field_nuclei
    phonons: Step = activated_phonons
    coil: Step = one
    window: Step = one
    redistribution: Step = fast_redistribution
    line: Step = gaussian_line
    answer: Step = weak_answer
    average: Step = one_t1
    luminescence: Step = one
    crosstalk: Step = nothing
    lag: Step = one


class Effect(NamedTuple):
    """The step that an effect changes, the function that does it then, and what that means."""

    step: str
    function: Step
    sentence: str


# Where effects share a step, the later one contains the earlier ones and wins.
TWIN = {
    "hole_window": Effect("window", window, "Holes respond only in a window of rf frequencies."),
    "g_skew": Effect(
        "line", skewed_line, "Resonance fields go as 1/g, which makes Gaussian lines skew."
    ),
    "nuclear_field_line": Effect(
        "line", nuclear_line, "Nuclear fields of all directions add to the field; g_skew included."
    ),
    "nuclear_field_projection": Effect(
        "line",
        projected_line,
        "Spins tilted by the nuclear field count with cos^2; nuclear_field_line included.",
    ),
    "nuclear_field_relaxation": Effect(
        "nuclei",
        any_field_nuclei,
        "T1 follows nuclear fluctuations down to no field, beyond Eq. 4.",
    ),
    "field_dependent_t1": Effect(
        "relaxation_field", field_of_magnet, "T1 is that of the field, not of the line's centre."
    ),
    "rf_saturation": Effect(
        "answer", square_wave_answer, "Strong rf saturates the line and speeds up the spins."
    ),
    "slow_redistribution": Effect(
        "redistribution", Carrier.redistributed, "Spins in resonance saturate within tau_c."
    ),
    "t1_distribution": Effect(
        "average", log_normal_t1, "T1 scatters from spin to spin, log-normally."
    ),
    "phonon_pairs": Effect(
        "phonons", phonon_pairs, "Two phonons relax a spin as n (n + 1), not as exp(-E / kT)."
    ),
    "laser_heating": Effect(
        "warming", Nanocrystals.warming, "The laser makes the lattice warmer than the cryostat."
    ),
    "photon_energy": Effect(
        "carriers", Carrier.tuned, "The g factor, its spread and Delta_N follow the photon energy."
    ),
    "photoluminescence": Effect(
        "luminescence",
        Nanocrystals.luminescence,
        "The signal follows the density of nanocrystals over the photon energy.",
    ),
    "coil_response": Effect("coil", Coil.response, "The coil loses power at high rf frequency."),
    "rf_pickup": Effect(
        "crosstalk",
        Coil.crosstalk,
        "The detector picks up the modulated rf, with light or without.",
    ),
    "detector_delay": Effect(
        "lag", Detector.lag, "Reference phase and delay of the detector turn X + iY."
    ),
}

EFFECTS = {name: effect.sentence for name, effect in TWIN.items()}
"""What each effect means, by the name it has in a sample file; ``twin`` stands for all of them."""


def steps_with(effects: Iterable[str]) -> Steps:
    """Return the calculation with these effects switched on.

    Raises:
        ValueError: On an effect that does not exist.
    """
    wanted = set(effects)
    for name in sorted(wanted - {*TWIN, "twin"}):
        known = ", ".join([*TWIN, "twin"])
        raise ValueError(f"Sample: effects has {name!r}; needs names from: {known}")
    chosen = [effect for name, effect in TWIN.items() if wanted & {name, "twin"}]
    return Steps(**{effect.step: effect.function for effect in chosen})
