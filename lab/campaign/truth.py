"""What a simulated sample is made of, as the quantities that a campaign measures."""

from ...ioc.physics import Sample
from .lifetimes import COLD, INERTIA_FIELD, LOW_POWER
from .results import MICRO, PER_MICRO


def truth_of(sample: Sample) -> dict[str, float]:
    """Return what the campaign should find: by the paper's formulas, and the effects of the sample."""
    electron, hole, do = sample.electron, sample.hole, sample.steps

    def t1(carrier, power: float, field: float = INERTIA_FIELD) -> float:
        lattice = COLD + do.warming(sample.nanocrystals, power)
        return MICRO / float(carrier.relaxation_rate(field, power, lattice, do.nuclei, do.phonons))

    return {
        "g_electron": abs(electron.g),
        "g_hole": abs(hole.g),
        "g_spread": electron.g_spread,
        "overhauser_field": electron.overhauser_field,
        "t1_electron_2mW": t1(electron, 2.0),
        "t1_hole_2mW": t1(hole, 2.0),
        "t1_zero_power": t1(electron, 0.0),
        "pump_rate": electron.pump_rate,
        "tau_s": t1(electron, LOW_POWER, 1e9),  # no nuclear part
        "tau_c": MICRO * electron.correlation_time,
        "phonon_energy": electron.phonon_energy,
        "phonon_rate": PER_MICRO * electron.phonon_rate,
        "g_slope": electron.g_slope,
    }
